"""УРОГ's overview («Мастер обзоров», АС ОГ): a CSV of 25 columns, a row for each question.

UTF-8 with a mark, `;`, CRLF. Rows of one number and date are the questions of one appeal; what a
later row says differently of the same appeal is kept on its question and comes back in its row.
This is the mapping; every rule of its validator stands in `review_rules`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Final

from msgspec.structs import replace

from adapters.sstu.codes import PEER
from gateway import limits
from gateway.adapter import Decoded, Inbound, Rejected, Wire
from gateway.errors import (
    GatewayError,
    MalformedError,
    TooLargeError,
    ValidationError,
    Violation,
)
from gateway.model.address import Address, AddressRole
from gateway.model.appeal import Appeal
from gateway.model.assignment import Assignment
from gateway.model.base import Code, Day, ExternalRef, Extra
from gateway.model.fold import clean_text, number_key
from gateway.model.organisation import Officer, Organisation, OrganisationId
from gateway.model.person import Applicant
from gateway.model.question import Question, Topic
from gateway.model.registration import ReferralIn

HEADERS: Final = (
    "ГруппаГ", "Округ", "Регион", "Район", "Город", "Кол-во", "Номер", "Дата", "Код",
    "Наименование", "Тип", "Комп", "ПВ", "Орган", "Группа", "ОЖ", "Контр", "Сотрудник",
    "Вид письма", "ОрганССТУ", "ГруппаССТУ", "Цель напр.", "Событие", "Повторность", "Приемная",
)  # fmt: skip
"""The 25 headers in their order."""
MEDIA_TYPE: Final = "text/csv; charset=utf-8"
UROG: Final = "urog"
_BOM: Final = "\ufeff"
_HOMELESS: Final = ("Кол-во", "Группа", "ГруппаССТУ", "Событие", "Приемная")
"""Columns that have no entity of their own: kept on the question (model, `Extra`)."""
_OF_APPEAL: Final = (
    "ГруппаГ", "Округ", "Регион", "Район", "Город", "ОЖ", "Контр", "Вид письма", "Цель напр.",
    "Повторность",
)  # fmt: skip
_DAY: Final = re.compile(r"(\d\d)\.(\d\d)\.(\d{4})", re.ASCII)
_FORMULA: Final = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
_FLAGS: Final = {"": None, "0": False, "1": True}
_WORDS: Final = {value: word for word, value in _FLAGS.items()}

Cells = Mapping[str, str]


def looks_like(body: bytes) -> bool:
    """Whether these bytes begin as the overview does: its first header and a semicolon."""
    return body.removeprefix(b"\xef\xbb\xbf").startswith(f"{HEADERS[0]};".encode())


def decode(body: bytes) -> Decoded:
    """Return one appeal for each number and date; a bad row is named by its line of the table.

    Raises MalformedError for bytes that are no such table, ValidationError for other headers,
    TooLargeError past `limits.LIST_ROWS`.
    """
    groups: dict[tuple[str, Day], Appeal] = {}
    own: dict[tuple[str, Day], list[bytes]] = {}
    rejected: list[Rejected] = []
    for place, cells in _rows(body):
        try:
            row = _checked(place, cells)
            key = (row["Номер"], _day(place, row["Дата"]))
            known = groups.get(key)
            appeal = _first(row, key[1]) if known is None else known
            if len(appeal.questions) >= limits.QUESTIONS_PER_APPEAL:
                message, most = "too many rows of one appeal", f"{limits.QUESTIONS_PER_APPEAL}"
                fault = Violation("Номер", "max_items", message, row["Номер"], most, place)
                raise ValidationError(message, (fault,))
            groups[key] = _with_question(appeal, row)
            own.setdefault(key, []).append(line(cells))
        except ValidationError as e:
            raw = ";".join(cells).encode()
            rejected.append(Rejected(where=str(place), violations=e.violations, raw=raw))
    alone = len(groups) + len(rejected) == 1
    items = tuple(
        Inbound(
            operation="submit",
            external_id=f"{number_key(number)}/{on.isoformat()}"[: limits.ID_CHARS],
            appeal=appeal,
            raw=b"" if alone else HEAD + b"".join(own[number, on]),
        )
        for (number, on), appeal in groups.items()
    )
    return Decoded(items=items, rejected=tuple(rejected))


def encode(appeals: Iterable[Appeal], name: str = "") -> Wire:
    """Return the table with a row for each question of each appeal, in their order."""
    written = (line(cells) for appeal in appeals for cells in rows(appeal))
    return Wire(media_type=MEDIA_TYPE, body=b"".join((HEAD, *written)), name=name)


def rows(appeal: Appeal) -> list[list[str]]:
    """The rows of one appeal, one for each question."""
    told = (_cells(appeal, question) for question in appeal.questions)
    return [[cells[header] for header in HEADERS] for cells in told]


def line(cells: Sequence[str]) -> bytes:
    """One row as it is written."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=";", lineterminator="\r\n").writerow(cells)
    return text.getvalue().encode()


def guarded(cells: Iterable[str]) -> list[str]:
    """Return cells of a table for people so that no spreadsheet runs them.

    A node and a sender write texts and numbers as they like. The overview itself is not guarded:
    it is a program's, and is read back as it was written.
    """
    return [f"'{cell}" if _FORMULA.match(cell) else cell for cell in cells]


HEAD: Final = _BOM.encode() + line(HEADERS)
"""How the table begins: the mark and the headers."""


def _rows(body: bytes) -> list[tuple[int, list[str]]]:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        raise MalformedError("the table is not UTF-8", found=str(e)) from e
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";", strict=True)
    table: list[tuple[int, list[str]]] = []
    try:
        for row in reader:
            if len(table) > limits.LIST_ROWS:
                raise TooLargeError(
                    "too many rows in the table", expected=f"at most {limits.LIST_ROWS}"
                )
            table.append((reader.line_num, row))
    except csv.Error as e:
        raise MalformedError(
            "the table cannot be read", found=str(e), where=str(reader.line_num)
        ) from e
    if not table or tuple(table[0][1]) != HEADERS:
        message = "the headers are not the 25 of the overview"
        found = ";".join(table[0][1]) if table else ""
        raise ValidationError(
            message, (Violation("", "headers", message, found[:200], ";".join(HEADERS), 1),)
        )
    return [(line, row) for line, row in table[1:] if row]


def _checked(line: int, cells: list[str]) -> dict[str, str]:
    """The row by header, its texts fit to be stored; raise ValidationError naming each column."""
    if len(cells) != len(HEADERS):
        message = "the row has another number of columns"
        raise ValidationError(
            message, (Violation("", "columns", message, str(len(cells)), str(len(HEADERS)), line),)
        )
    wrong: list[Violation] = []
    row: dict[str, str] = {}
    for header, cell in zip(HEADERS, cells, strict=True):
        try:
            row[header] = clean_text(cell, header, limits.TABLE_CELL_CHARS)
        except ValidationError as e:
            wrong += [v._replace(line=line) for v in e.violations]
        except GatewayError as e:
            wrong.append(Violation(header, e.code, e.message, e.found, e.expected, line))
    wrong += [
        Violation(header, "enumeration", "not 1, 0 or empty", row[header], "1, 0", line)
        for header in ("ОЖ", "Контр", "Повторность")
        if row.get(header, "") not in _FLAGS
    ]
    if not row.get("Номер", "").strip():
        wrong.append(Violation("Номер", "required", "the row has no number", line=line))
    if wrong:
        raise ValidationError("the row breaks the format of the overview", tuple(wrong))
    return row


def _day(line: int, text: str) -> Day:
    found = _DAY.fullmatch(text)
    try:
        if found:
            return date(int(found[3]), int(found[2]), int(found[1]))
    except ValueError:
        pass
    message = "not a calendar date"
    raise ValidationError(message, (Violation("Дата", "date", message, text, "DD.MM.YYYY", line),))


def _first(row: Cells, on: Day) -> Appeal:
    number = row["Номер"]
    address = Address(
        role=AddressRole.APPLICANT_RESIDENCE,
        federal_district=row["Округ"],
        region=row["Регион"],
        municipality=row["Район"],
        settlement=row["Город"],
    )
    return Appeal(
        source_system=Code(system="gateway.source", value=UROG),
        delivery_method=_code("urog.source_type", row["Вид письма"]),
        refs=(
            ExternalRef(peer=PEER, kind="urog_number", value=number, value_key=number_key(number)),
        ),
        referrals=(
            ReferralIn(
                number=number,
                number_key=number_key(number),
                date=on,
                purpose=_code("urog.purpose", row["Цель напр."]),
            ),
        ),
        applicants=(Applicant(citizenship_group=row["ГруппаГ"], addresses=(address,)),),
        awaiting_documents=_FLAGS[row["ОЖ"]],
        under_control=_FLAGS[row["Контр"]],
        repeat=_FLAGS[row["Повторность"]],
    )


def _with_question(appeal: Appeal, row: Cells) -> Appeal:
    ordinal = len(appeal.questions) + 1
    said = _appeal_cells(appeal)
    extras = tuple(
        Extra(peer=UROG, path=header, value=row[header])
        for header in (*_HOMELESS, *_OF_APPEAL)
        if row[header] != said.get(header, "")
    )
    question = Question(
        ordinal=ordinal,
        topics=_topics(row),
        kind=_code("urog.question_type", row["Тип"]),
        competence=_code("urog.jurisdiction", row["ПВ"]),
        owner_org=_owner(row),
        extras=extras,
    )
    work: tuple[Assignment, ...] = ()
    if row["Сотрудник"]:
        work = (Assignment(questions=(ordinal,), executors=(Officer(name=row["Сотрудник"]),)),)
    return replace(
        appeal,
        questions=(*appeal.questions, question),
        assignments=(*appeal.assignments, *work),
    )


def _topics(row: Cells) -> tuple[Topic, ...]:
    if not (row["Код"] or row["Наименование"]):
        return ()
    return (Topic(code=Code(system=PEER, value=row["Код"]), name_as_given=row["Наименование"]),)


def _owner(row: Cells) -> Organisation | None:
    name, kind, theirs = row["Орган"], row["Комп"], row["ОрганССТУ"]
    if not (name or kind or theirs):
        return None
    return Organisation(
        full_name=name,
        kind=_code("urog.authority_type", kind),
        ids=(OrganisationId(system="sstu.name", value=theirs),) if theirs else (),
    )


def _code(system: str, value: str) -> Code | None:
    return Code(system=system, value=value) if value else None


def _value(code: Code | None) -> str:
    return code.value if code else ""


def _appeal_cells(appeal: Appeal) -> dict[str, str]:
    """The columns that speak of the appeal as a whole."""
    applicant = next(iter(appeal.applicants), Applicant())
    address = next(iter(applicant.addresses), Address())
    referral = next(iter(appeal.referrals), ReferralIn())
    return {
        "ГруппаГ": applicant.citizenship_group,
        "Округ": address.federal_district,
        "Регион": address.region,
        "Район": address.municipality,
        "Город": address.settlement,
        "Номер": referral.number,
        "Дата": referral.date.strftime("%d.%m.%Y") if referral.date else "",
        "ОЖ": _WORDS[appeal.awaiting_documents],
        "Контр": _WORDS[appeal.under_control],
        "Вид письма": _value(appeal.delivery_method),
        "Цель напр.": _value(referral.purpose),
        "Повторность": _WORDS[appeal.repeat],
    }


def _cells(appeal: Appeal, question: Question) -> dict[str, str]:
    topic = next((t for t in question.topics if t.code.system == PEER), None)
    owner = question.owner_org or Organisation()
    work = (a for a in appeal.assignments if question.ordinal in a.questions)
    staff = next((officer.name for a in work for officer in a.executors), "")
    extras = {extra.path: str(extra.value) for extra in question.extras if extra.peer == UROG}
    return {
        **dict.fromkeys(HEADERS, ""),
        **_appeal_cells(appeal),
        "Код": topic.code.value if topic else "",
        "Наименование": topic.name_as_given if topic else "",
        "Тип": _value(question.kind),
        "Комп": _value(owner.kind),
        "ПВ": _value(question.competence),
        "Орган": owner.full_name,
        "ОрганССТУ": owner.id_in("sstu.name"),
        "Сотрудник": staff,
        **extras,
    }
