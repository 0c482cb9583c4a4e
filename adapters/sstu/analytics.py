"""The node's list of what was reported to it: rows to compare with, never appeals to take in.

`GET …/analytics/ver.0.2/requests/{departmentId}` gives an array; it may be an addition of one
region (README, sources). A row holds no text and no files, only number, name, dates, codes and
how far it got: received, forwarded, uploaded. So a row is an expectation: it belongs to the appeal
with the same folded number from any channel, or waits as "reported there, not received here".
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from msgspec.structs import replace

from adapters.sstu.array import AT_ONCE, elements
from adapters.sstu.codes import status_of
from adapters.sstu.fields import Fields, parse
from gateway import limits
from gateway.adapter import Decoded, Inbound, Rejected, RemoteState
from gateway.errors import GatewayError, TooLargeError, Violation
from gateway.model.digest import canonical_json
from gateway.model.fold import number_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import tzinfo

ROW: Final = (
    "requestId", "number", "dt_modified", "departmentId", "departmentName", "format",
    "formatName", "isDirect", "createDate", "name", "address", "email", "receiveDate",
    "dispatchDate", "uploadDate", "exceptionMessage", "questions",
)  # fmt: skip
QUESTION: Final = ("code", "status", "questionStatusName", "incomingDate")
_STAGES: Final = (
    ("received", "receiveDate"), ("forwarded", "dispatchDate"), ("uploaded", "uploadDate")
)  # fmt: skip
_STAMP: Final = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d{1,9})?", re.ASCII)


class Row(NamedTuple):
    """One row: its state as the gateway compares it, the node's id, the codes of its questions."""

    state: RemoteState
    request_id: str
    codes: tuple[str, ...]


def decode(body: bytes, zone: tzinfo) -> Decoded:
    """Return an expectation for each row; a bad row is named by its place in the array.

    zone: of the node's timestamps, which carry no offset.
    """
    items: list[Inbound] = []
    rejected: list[Rejected] = []
    for index, raw in enumerate(_raws(body)):
        wrong: list[Violation] = []
        row = _row(raw, zone, wrong)
        if row is None or wrong:
            rejected.append(Rejected(where=f"/{index}", violations=tuple(wrong), raw=raw))
            continue
        changed = row.state.modified_at
        items.append(
            Inbound(
                operation="expect",
                external_id=f"{row.state.organisation.lower()}/{row.state.key_folded}",
                message_key=f"{row.request_id}@{changed.isoformat() if changed else ''}",
                expectation=row.state,
                raw=raw,
            )
        )
    if len(items) + len(rejected) == 1:
        items = [replace(item, raw=b"") for item in items]
    return Decoded(items=tuple(items), rejected=tuple(rejected))


def read(pieces: Iterable[bytes], zone: tzinfo) -> Iterator[Row | RemoteState]:
    """Yield the rows of a list that comes in pieces; only one row is held in memory.

    One that cannot be read stands by its place, with the reason, unfolded. Raises MalformedError,
    after the rows before it, where the list is no JSON array.
    """
    for index, raw in enumerate(elements(pieces)):
        wrong: list[Violation] = []
        row = _row(raw, zone, wrong)
        if row:
            yield row
            continue
        reasons = "; ".join(f"{v.path}: {v.message}" for v in wrong)
        yield RemoteState(key=f"/{index}", key_folded="", exception_message=reasons, raw=raw)


def encode(states: Iterable[RemoteState]) -> bytes:
    """Return the array that the rows came from, each as it stood."""
    return b"[" + b",".join(state.raw for state in states) + b"]"


def digest(number: str, codes: Sequence[tuple[str, str, str]], card: Mapping[str, Any]) -> str:
    """SHA-256 of what the list shows of an appeal, the same from a row and from a document.

    number: as spelt; codes: (code, status, incoming date) of each question; card: the appeal's
    fields. Two versions that differ only in what the list hides have one digest: `dt_modified`
    tells them apart.
    """
    shown = {
        "number": number_key(number),
        "questions": sorted([code, status_of(word), on or ""] for code, word, on in codes),
        **{name: card.get(name) or "" for name in ("format", "createDate", "name")},
        "isDirect": bool(card.get("isDirect")),
    }
    return hashlib.sha256(canonical_json(shown)).hexdigest()


def states(questions: Sequence[tuple[str, str, str]]) -> dict[str, str]:
    """The node's word by code; a code that comes again, or is empty, is named by its ordinal."""
    out: dict[str, str] = {}
    for ordinal, (code, word, _) in enumerate(questions, start=1):
        out[code if code and code not in out else str(ordinal)] = word
    return out


def stamp(value: str, zone: tzinfo) -> datetime | None:
    """The instant of `2006-01-02 15:04:05.999999`, zeros at the end cut or not; None when not one.

    An offset, should a node write one, wins over `zone`.
    """
    if not _STAMP.match(value):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _raws(body: bytes) -> Iterator[bytes]:
    pieces = (body[at : at + AT_ONCE] for at in range(0, len(body), AT_ONCE))
    for index, raw in enumerate(elements(pieces)):
        if index >= limits.LIST_ROWS:
            raise TooLargeError("too many rows in the list", expected=f"at most {limits.LIST_ROWS}")
        yield raw


def _row(raw: bytes, zone: tzinfo, wrong: list[Violation]) -> Row | None:
    try:
        value = parse(raw, "the row")
    except GatewayError as e:
        wrong.append(Violation("", e.code, e.message, e.found))
        return None
    if not isinstance(value, dict):
        wrong.append(Violation("", "type", "must be an object", type(value).__name__))
        return None
    fields = Fields(value, ROW, "", wrong)
    if "requestId" not in fields and "dt_modified" not in fields:
        fields.fault("requestId", "required", "not a row of the list: one appeal is one document")
        return None
    number = fields.text("number", limits.ID_CHARS, required=True)
    questions = _questions(fields)
    if wrong:
        return None
    state = RemoteState(
        key=number,
        key_folded=number_key(number),
        organisation=fields.text("departmentId", limits.ID_CHARS),
        states=states(questions),
        digest=digest(number, questions, value),
        modified_at=_stamp(fields, "dt_modified", zone),
        reported_on=fields.text("createDate", limits.ID_CHARS),
        stages={name: _stamp(fields, field, zone) for name, field in _STAGES},
        exception_message=fields.text("exceptionMessage", limits.TEXT_CHARS),
        raw=raw,
    )
    request_id = fields.text("requestId", limits.ID_CHARS) or f"{state.organisation}/{number}"
    return None if wrong else Row(state, request_id, tuple(code for code, _, _ in questions))


def _questions(fields: Fields) -> list[tuple[str, str, str]]:
    out = []
    for index, raw in enumerate(fields.parts("questions")):
        if not isinstance(raw, dict):
            fields.fault(f"questions/{index}", "type", "must be an object", type(raw).__name__)
            continue
        inner = Fields(raw, QUESTION, f"/questions/{index}", fields.wrong)
        out.append(
            (
                inner.text("code", limits.ID_CHARS),
                inner.text("status", limits.ID_CHARS, required=True),
                inner.text("incomingDate", limits.ID_CHARS),
            )
        )
    return out


def _stamp(fields: Fields, name: str, zone: tzinfo) -> datetime | None:
    text = fields.text(name, limits.ID_CHARS)
    if not text:
        return None
    moment = stamp(text, zone)
    if moment is None:
        fields.fault(name, "date_time", "not a timestamp", text, "2006-01-02 15:04:05.999999")
    return moment
