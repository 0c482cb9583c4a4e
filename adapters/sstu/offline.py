"""What a closed network gave back, held against what was packed; pure.

Two kinds of file: the node's own list (JSON array, `analytics`), and a result file of the program
that carried the documents to the node there (`carry`): a line of JSON for each document,

    {"name": "<GUID>.json", "sha256": "…", "status": 200, "text": "…", "at": "2026-11-05T10:00:00Z"}

status: the node's HTTP answer, 0 when it gave none. Both are a profile of our own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import msgspec

from gateway import limits
from gateway.errors import MalformedError, Violation
from gateway.model.fold import FORBIDDEN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from typing import IO
    from uuid import UUID

    from adapters.sstu.analytics import Row

RESULT_LINE_BYTES: Final = 64 * limits.KB
_SHA256: Final = 64
_REASON_CHARS: Final = 2000
_TAKEN: Final = range(200, 300)
_REFUSED: Final = range(400, 500)
_LATER: Final = frozenset({408, 423, 425, 429})
"""Refusals that say nothing of the document (RFC 9110, RFC 6585)."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What a node answered to one document."""

    sha256: str
    status: int
    name: str = ""
    text: str = ""
    at: str = ""


class Waiting(NamedTuple):
    """One delivery whose fate is not known here. sha256: hex of what was packed or would be.

    key: body in lower case and folded number; digest: as the list will show it. Both are empty
    when that is not known any more. error: why it was refused, where it was; empty while it waits.
    since: what the node changed before that cannot be this one; None: not known. handed: dispatch
    has handed it over; one that it has not is settled by nothing less than a change since.
    """

    id: UUID
    appeal: UUID
    sha256: str = ""
    key: tuple[str, str] = ("", "")
    digest: str = ""
    error: str = ""
    since: datetime | None = None
    handed: bool = True


class Settled(NamedTuple):
    """What a file says of a delivery: taken or refused, and in whose words."""

    id: UUID
    state: Literal["acknowledged", "refused"]
    reason: str = ""


def is_list(start: bytes) -> bool:
    """Whether a file begins as the node's list does."""
    return start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"["


def lines(source: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines of a file, of one that has no end no more than shows it."""
    return iter(lambda: source.readline(RESULT_LINE_BYTES + 1), b"")


def read(lines: Iterable[bytes]) -> Iterator[Result | Violation]:
    """Yield what a result file says, and what is wrong with its lines; raise MalformedError.

    A line past `RESULT_LINE_BYTES` ends the reading: that is no such file.
    """
    decoder = msgspec.json.Decoder(Result)
    for number, line in enumerate(lines, start=1):
        if len(line) > RESULT_LINE_BYTES:
            raise MalformedError("not a result file: a line is too long", where=str(number))
        text = line.removeprefix(b"\xef\xbb\xbf").strip()
        if not text:
            continue
        try:
            result = decoder.decode(text)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            yield Violation(
                "", "malformed", "not a line of a result", str(error)[:200], line=number
            )
            continue
        if len(result.sha256) == _SHA256:
            yield result
        else:
            message = "not a SHA-256 in hex"
            # it is shown on a terminal, which obeys controls
            found = FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", result.sha256[:80])
            yield Violation("sha256", "pattern", message, found, line=number)


def by_results(
    waiting: Iterable[Sequence[Waiting]], results: Mapping[str, Result], *, uploaded: bool
) -> Iterator[Settled]:
    """Settle by the very bytes. waiting: of one appeal each, the oldest first; results: by digest.

    uploaded: only the upload to the portal settles (`ack`), so that a node's "taken" is no end.

    A document tells all of its appeal, so a newer one that was taken settles the older ones too;
    one that was refused settles itself only, for only the newest state is ever packed.
    """
    for group in waiting:
        for place in reversed(range(len(group))):
            result = results.get(group[place].sha256)
            if result is None or not _says(result.status):
                continue
            if result.status in _TAKEN and uploaded:
                break
            if result.status in _TAKEN:
                yield from _taken(group[: place + 1])
            else:
                yield from _refused(group[place], result.text or str(result.status))
            break


def _says(status: int) -> bool:
    return status in _TAKEN or (status in _REFUSED and status not in _LATER)


def by_list(
    waiting: Iterable[Sequence[Waiting]],
    rows: Mapping[tuple[str, str], Sequence[Row]],
    *,
    uploaded: bool,
) -> Iterator[Settled]:
    """Settle by the node's list. uploaded: only the upload to the portal settles (`ack`).

    rows: by body and folded number. Several rows of one number settle nothing: a person compares.
    A row that was changed last before the delivery was owed shows an older state that looks alike:
    a list has no names, addresses and texts in it.
    """
    for group in waiting:
        for place in reversed(range(len(group))):
            one = group[place]
            found = rows.get(one.key, ()) if one.digest else ()
            if len(found) != 1 or found[0].state.digest != one.digest:
                continue
            state = found[0].state
            if not _may_show(state.modified_at, one):
                continue
            if uploaded and state.exception_message:
                yield from _refused(one, state.exception_message)
            elif not uploaded or state.stages.get("uploaded") is not None:
                yield from _taken(group[: place + 1])
            break


def _may_show(changed: datetime | None, one: Waiting) -> bool:
    if changed is None or one.since is None:
        return one.handed
    return changed >= one.since


def _refused(one: Waiting, reason: str) -> Iterator[Settled]:
    """Refuse it, unless it was refused in these very words before."""
    reason = reason[:_REASON_CHARS].replace("\0", "")
    if one.error != reason:
        yield Settled(one.id, "refused", reason)


def _taken(group: Sequence[Waiting]) -> Iterator[Settled]:
    for one in group:
        yield Settled(one.id, "acknowledged")
