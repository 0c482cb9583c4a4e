"""What the simulated service refuses, written apart from the adapter so that each checks the other.

`SOURCED` rules show in the one published client of the service; `OURS` are choices of this
simulator. Codes and texts of `SendResult` are described nowhere: they are ours.
"""

from __future__ import annotations

import base64
import binascii
import re
from datetime import date
from typing import Any, Final

SOURCED: Final = (
    (
        "SendReport(Report) и SendFinalReport(FinalReport) отвечают SendResult{code, message} · "
        "SendReport(Report) and SendFinalReport(FinalReport) answer SendResult{code, message}"
    ),
    (
        "имена элементов Report, FinalReport, reviewResult, resultDocument, author · "
        "names of the elements of Report, FinalReport, reviewResult, resultDocument, author"
    ),
    (
        "type – один из шести · "
        "type is ANSWERED, EXPLAINED, LEFTWITHOUTANSWER, NOTSUPPORTED, SUPPORTED or TRANSFERRED"
    ),
    (
        "importId: у доклада {answer}_{resolution}_О, итогового – _И; parentId – его поручение · "
        "importId is {answer}_{resolution}_О of a report, _И of a final one; parentId is assigned"
    ),
    (
        "итоговый доклад шлёт ответственный исполнитель после своего доклада · "
        "a final report comes from the responsible executor, after its report"
    ),
)
OURS: Final = (
    (
        "SOAP 1.1 с SOAPAction; иначе Fault клиента · "
        "SOAP 1.1 with a SOAPAction; anything else is a Fault of the client"
    ),
    (
        "неизвестный parentId; итоговый раньше доклада или не от ответственного · "
        "an unknown parentId, a final report before its report or of another than the responsible"
    ),
    (
        "последняя буква importId – кириллическая О или И, по операции · "
        "an importId whose last letter is not a Cyrillic О or И, as the operation asks"
    ),
    (
        "элементы неизвестны, повторены или не по алфавиту · "
        "elements that are not known, stand twice or in another order than the alphabet's"
    ),
    (
        "author.lastName, date, importId, parentId, reviewResult.type; в докладе текст или файл · "
        "author.lastName, date, importId, parentId, reviewResult.type; a report has text or a file"
    ),
    (
        "measuresTaken с SUPPORTED и только с ним; даты xs:date; содержание base64 · "
        "measuresTaken with SUPPORTED and never without it; dates are xs:date; content is base64"
    ),
    (
        "тот же importId снова: ALREADY_ACCEPTED, с другим содержанием CONFLICT · "
        "the same importId again: ALREADY_ACCEPTED, CONFLICT when it says something else"
    ),
)
BY_SOURCE: Final = re.compile(r"reviewResult/type: ")
"""How reasons begin that follow from `SOURCED`; any other is a choice of this simulator."""

TYPES: Final = frozenset(
    {"ANSWERED", "EXPLAINED", "LEFTWITHOUTANSWER", "NOTSUPPORTED", "SUPPORTED", "TRANSFERRED"}
)
_LETTER: Final = {"Report": "\u041e", "FinalReport": "\u0418"}
_ORDER: Final = {
    "Report": ["attachments", "author", "date", "importId", "parentId", "text"],
    "FinalReport": ["attachments", "author", "clCodeList", "date", "importId", "infos", "parentId",
                    "reviewResult", "text"],
    "author": ["firstName", "lastName", "middleName"],
    "reviewResult": ["measuresTaken", "replyDate", "resultDocument", "type"],
    "resultDocument": ["attachments", "orgName", "orgSSTUId", "regDate", "regNumber"],
    "attachment": ["name", "content"],
}  # fmt: skip
_REPEATED: Final = {"attachments": "attachment", "clCodeList": "clCode", "infos": "info"}
_CODE: Final = re.compile(r"\d{4}(\.\d{4}){3,4}")


def refusals(name: str, document: Any) -> list[str]:
    """Return what is wrong with a report itself; document: an lxml element."""
    out = list(_shape(document))
    told = {place: element.text or "" for place, element in _places(document)}
    out += [
        f"{place}: не заполнено"
        for place in ("author/lastName", "date", "importId", "parentId")
        if not told.get(place, "").strip()
    ]
    if not told.get("importId", "").endswith(f"_{_LETTER[name]}"):
        out.append(f"importId: ожидается окончание _{_LETTER[name]} кириллицей")
    for place in ("date", "reviewResult/replyDate", "reviewResult/resultDocument/regDate"):
        if place in told and not _is_day(told[place]):
            out.append(f"{place}: не дата")
    if name == "FinalReport":
        out += _review(told)
    elif not told.get("text") and "attachments/attachment/name" not in told:
        out.append("text: нет ни текста, ни файла")
    out += [f"content: не base64 ({e.getparent().tag})" for e in _contents(document)]
    return out


def _review(told: dict[str, str]) -> list[str]:
    out = []
    kind = told.get("reviewResult/type", "")
    if kind not in TYPES:
        out.append(f"reviewResult/type: неизвестный вид результата {kind!r}")
    measures = told.get("reviewResult/measuresTaken")
    if (kind == "SUPPORTED") != (measures in {"true", "false"}):
        out.append("reviewResult/measuresTaken: указывается с SUPPORTED и только с ним")
    code = told.get("clCodeList/clCode")
    if code is not None and not _CODE.fullmatch(code):
        out.append("clCodeList/clCode: ожидаются 4 или 5 блоков по 4 цифры")
    return out


def _local(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _shape(element: Any) -> list[str]:
    """Names, their order and their number, all the way down."""
    name = _local(element)
    children = [_local(child) for child in element]
    if name in _REPEATED:
        return [
            line
            for child in element
            for line in (_shape(child) if _local(child) == _REPEATED[name] else [f"{name}: лишнее"])
        ]
    if name not in _ORDER:
        return [f"{name}: лишнее {child}" for child in children]
    known = _ORDER[name]
    out = [f"{name}: неизвестный элемент {child}" for child in children if child not in known]
    if not out and children != sorted(set(children), key=known.index):
        out.append(f"{name}: элементы повторяются или стоят не по порядку")
    for child in element:
        out += _shape(child)
    return out


def _places(element: Any, path: str = "") -> list[tuple[str, Any]]:
    out = []
    for child in element:
        place = f"{path}{_local(child)}"
        out.append((place, child))
        out += _places(child, f"{place}/")
    return out


def _contents(document: Any) -> list[Any]:
    out = []
    for element in document.iter():
        if _local(element) == "content":
            try:
                base64.b64decode(element.text or "-", validate=True)
            except (binascii.Error, ValueError):
                out.append(element)
    return out


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
