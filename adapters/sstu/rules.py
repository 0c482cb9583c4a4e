"""Every rule a node is known to check, applied before anything is sent.

Rules come from published exporters that talk to real nodes (README, sources); no official list of
errors is public. The document is checked as it will stand on the wire, so that what is put back
from extras is checked, too.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from adapters.sstu.codes import (
    BASE64_LIMIT,
    ELECTRONIC,
    GUID,
    OTHER,
    STATUSES,
    Status,
    topic_fault,
)
from gateway.errors import ValidationError, Violation
from gateway.model.base import day

if TYPE_CHECKING:
    from datetime import date

_DATES: Final = ("incomingDate", "registrationDate", "responseDate")


def check(document: dict[str, Any], attachment_limit: int = BASE64_LIMIT) -> list[Violation]:
    """Return everything that is wrong with an outgoing document, with JSON Pointers.

    attachment_limit: characters that the base64 of a file must stay below.
    """
    out: list[Violation] = []
    _guid(out, "/departmentId", document.get("departmentId"))
    if not isinstance(document.get("isDirect"), bool):
        _add(out, "/isDirect", "required", "whether the applicant sent it directly is not known")
    if document.get("format") not in {ELECTRONIC, OTHER}:
        _add(
            out,
            "/format",
            "enumeration",
            "no such format",
            document.get("format"),
            expected=f"{ELECTRONIC}, {OTHER}",
        )
    for field, what in (("number", "the number"), ("name", "the applicant's name")):
        if not str(document.get(field) or "").strip():
            _add(out, f"/{field}", "required", f"{what} must not be empty")
    _day(out, "/createDate", document.get("createDate"), required=not document.get("isDirect"))
    questions = document.get("questions") or []
    if not questions:
        _add(out, "/questions", "required", "at least one question must be given")
    for index, question in enumerate(questions):
        _question(out, f"/questions/{index}", document, question, attachment_limit)
    return out


def _question(
    out: list[Violation],
    path: str,
    document: dict[str, Any],
    question: dict[str, Any],
    limit: int,
) -> None:
    code = question.get("code") or ""
    if fault := topic_fault(code):
        _add(out, f"{path}/code", "code", fault, code, expected="0000.0000.0000.0000[.0000]")
    word = str(question.get("status") or "")
    status = STATUSES.get(word)
    if status is None:
        _add(
            out,
            f"{path}/status",
            "enumeration",
            "no such status",
            word,
            expected=", ".join(STATUSES),
        )
        return
    _dates(out, path, document, question, status)
    _attachment(out, f"{path}/attachment", question.get("attachment"), word, status, limit)
    _transfer(out, f"{path}/transfer", question.get("transfer"), word)
    taken = question.get("actionsTaken")
    if word == "Supported" and not isinstance(taken, bool):
        _add(out, f"{path}/actionsTaken", "required", "whether measures were taken is not known")
    if word != "Supported" and taken is not None:
        _add(out, f"{path}/actionsTaken", "not_allowed", "only with Supported", taken)


def _dates(
    out: list[Violation],
    path: str,
    document: dict[str, Any],
    question: dict[str, Any],
    status: Status,
) -> None:
    required = dict(
        zip(_DATES, (status.incoming, status.registration, status.response), strict=True)
    )
    known: list[tuple[str, date]] = []
    if document.get("isDirect") is False and (
        letter := _day([], "/createDate", document.get("createDate"), required=False)
    ):
        known.append(("createDate", letter))
    for field, needed in required.items():
        found = _day(out, f"{path}/{field}", question.get(field), required=needed)
        if found:
            known.append((field, found))
    for (earlier, first), (later, second) in pairwise(known):
        if second < first:
            _add(
                out,
                f"{path}/{later}",
                "date_order",
                f"{later} is before {earlier}",
                second,
                expected=f"{first} or later",
            )


def _attachment(
    out: list[Violation],
    path: str,
    attachment: dict[str, Any] | None,
    word: str,
    status: Status,
    limit: int,
) -> None:
    if attachment is None:
        if status.attachment:
            _add(out, path, "required", f"{word} needs the answer as one file")
        return
    if not status.attachment:
        _add(out, path, "not_allowed", f"{word} takes no attachment")
        return
    content = attachment.get("content") or ""
    if not str(attachment.get("name") or "").strip():
        _add(out, f"{path}/name", "required", "the file needs a name")
    if not content:
        _add(out, f"{path}/content", "required", "the file is empty")
    if len(content) >= limit:
        _add(
            out,
            f"{path}/content",
            "size",
            "the file is too large in base64",
            len(content),
            expected=f"less than {limit} characters",
        )


def _transfer(out: list[Violation], path: str, transfer: dict[str, Any] | None, word: str) -> None:
    if word != "Transferred":
        if transfer is not None:
            _add(out, path, "not_allowed", "only with Transferred")
        return
    transfer = transfer or {}
    _guid(out, f"{path}/departmentId", transfer.get("departmentId"))
    _day(out, f"{path}/transferDate", transfer.get("transferDate"), required=True)
    if not str(transfer.get("transferNumber") or "").strip():
        _add(out, f"{path}/transferNumber", "required", "the covering letter has no number")


def _guid(out: list[Violation], path: str, value: Any) -> None:
    if not value:
        _add(out, path, "required", "the body has no identifier in ССТУ", expected="GUID")
    elif not GUID.fullmatch(str(value)):
        _add(out, path, "pattern", "not a GUID", value, expected="GUID")


def _day(out: list[Violation], path: str, value: Any, *, required: bool) -> date | None:
    if value is None:
        if required:
            _add(out, path, "required", "the date is not known", expected="YYYY-MM-DD")
        return None
    try:
        return day(value, path)
    except ValidationError as e:
        out.extend(e.violations)
        return None


def _add(
    out: list[Violation], path: str, code: str, message: str, found: Any = "", *, expected: str = ""
) -> None:
    out.append(Violation(path, code, message, "" if found is None else str(found)[:200], expected))
