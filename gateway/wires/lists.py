"""Lists that a peer reads page by page for its own reconciliation: its register, our receipts.

A page that is followed by another ends before the horizon of its table, so that its cursor never
passes a row that appears later. The last page shows everything there is and says up to when the
list is complete: the next reading begins there, and what lay beyond comes again (docs/adr/0011).
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, TypeVar

import msgspec

from gateway import limits
from gateway.store import horizon, reading
from gateway.store.horizon import Place
from gateway.wires import binding
from gateway.wires import contract as c
from gateway.xml import UTF8, recode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from psycopg import Connection

    from gateway.access.policy import Caller
    from gateway.store.pool import Pool

T = TypeVar("T", bound=msgspec.Struct)

DEFAULT_PAGE: Final = 100
ENVELOPE_BYTES: Final = 2_000
"""Room for the envelope, its headers and the wrapper around a list."""
LOOKS: Final = 20
LOOK_SECONDS: Final = 0.05
"""How often, and how far apart, a page is looked at that no cursor could follow yet."""


class _Asked(NamedTuple):
    """What is asked of a list; end: exclusive."""

    table: str
    peer: str
    cursor: str | None
    start: datetime | None
    end: datetime | None
    size: int
    max_bytes: int | None
    encoding: str


class _Page(NamedTuple, Generic[T]):
    items: tuple[T, ...]
    next_cursor: str | None
    complete_until: datetime | None


class Lists:
    """Carries out FindAppeals and GetReceipts.

    looks: how often a page is looked at before it is given without a cursor to go on from.
    """

    def __init__(self, pool: Pool, looks: int = LOOKS) -> None:
        self._pool = pool
        self._looks = looks

    def appeals(
        self, request: c.FindAppeals, caller: Caller, encoding: str = UTF8
    ) -> c.FindAppealsResponse:
        """Return a page of the caller's own appeals, in the order of their last change."""
        wanted = reading.Wanted(
            registered_from=request.registered_from,
            registered_to=request.registered_to,
            state=request.state or "",
            topic_prefix=request.topic_prefix or "",
            organisation=request.organisation_id or "",
        )
        asked = _Asked(
            "appeal", caller.peer, request.cursor, request.changed_from, request.changed_to,
            request.max or DEFAULT_PAGE, request.max_bytes, encoding,
        )  # fmt: skip
        page = self._page(
            asked,
            lambda db, after, limit: reading.register_lines(
                db, caller.peer, after, asked.end, wanted, limit
            ),
            _register_line,
        )
        return c.FindAppealsResponse(**page._asdict())

    def receipts(
        self, request: c.GetReceipts, caller: Caller, encoding: str = UTF8
    ) -> c.GetReceiptsResponse:
        """Return a page of the caller's calls that we hold, in the order they were stored."""
        asked = _Asked(
            "message", caller.peer, request.cursor, request.from_, request.to,
            request.max or DEFAULT_PAGE, None, encoding,
        )  # fmt: skip
        page = self._page(
            asked,
            lambda db, after, limit: reading.receipt_lines(
                db, caller.peer, after, asked.end, limit
            ),
            _receipt_line,
        )
        return c.GetReceiptsResponse(**page._asdict())

    def _page(
        self,
        asked: _Asked,
        read: Callable[[Connection[Any], Place, int], list[Any]],
        line: Callable[[Any], T],
    ) -> _Page[T]:
        """Return a page; wait a little when there is more and none of it is final yet."""
        after, looks = _after(asked), self._looks
        while True:
            with self._pool.connection() as connection:
                until = horizon.of(connection, asked.table)
                found = read(connection, after, asked.size + 1)
            lines = [line(row) for row in found[: asked.size]]
            shown = fitting(lines, asked.max_bytes, asked.encoding)
            final = sum(row.at < until for row in found[: len(shown)])
            looks -= 1
            if len(shown) == len(found) or final or not looks:
                break
            time.sleep(LOOK_SECONDS)
        if final and len(shown) < len(found):
            last = found[final - 1]
            cursor = horizon.cursor(asked.peer, asked.table, Place(last.at, last.id))
            return _Page(shown[:final], cursor, None)
        complete = until if asked.end is None else min(until, asked.end)
        return _Page(shown, None, complete.astimezone(UTC))


def _after(asked: _Asked) -> Place:
    """Return the place after which to read: the cursor's, or the start of the window."""
    after = horizon.START
    if asked.start is not None:
        after = max(after, Place(asked.start, horizon.START.id))
    if asked.cursor is not None:
        after = max(after, horizon.place(asked.peer, asked.table, asked.cursor))
    return after


def _register_line(row: Any) -> c.RegisterLine:
    return c.RegisterLine(
        external_id=row.external_id,
        receipt_number=row.receipt_number,
        registration_number=row.registration_number,
        state=row.state,
        content_digest=row.content_sha256.hex(),
        updated_at=row.at.astimezone(UTC),
    )


def _receipt_line(row: Any) -> c.ReceiptLine:
    return c.ReceiptLine(
        operation=row.operation,
        external_id=row.external_id,
        revision=row.revision or None,
        message_key=None if row.operation in ("submit", "amend") else row.key,
        content_sha256=row.content_sha256.hex(),
        accepted_at=row.recorded_at.astimezone(UTC),
        applied=(row.note or {}).get("applied") or (None if row.stage == "accepted" else row.stage),
        state=row.state,
        receipt_number=row.receipt_number or "",
    )


def fitting(items: Sequence[T], max_bytes: int | None, encoding: str = UTF8) -> tuple[T, ...]:
    """Return as many items as the answer may hold; always at least one, so that a reader advances.

    Counted as XML in the answer's encoding; JSON is shorter. WCF refuses answers over 65,536 bytes
    unless its configuration was changed, hence the default of limits.RESPONSE_BYTES.
    """
    room = (max_bytes or limits.RESPONSE_BYTES) - ENVELOPE_BYTES
    taken: list[T] = []
    for item in items:
        room -= len(recode(binding.write(item), encoding))
        if room < 0 and taken:
            break
        taken.append(item)
    return tuple(taken)
