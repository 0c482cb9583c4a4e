"""`GET requests` and `GET tokens`: where requests stand, and nothing of who made them.

Whoever has a number reads by it what it may read over every other wire, and never more than
`problem_only` allows: not even the sender gets names or words back here. Lists are off unless the
option `reading` turns them on, and hold the caller's own requests alone.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from adapters.open311 import encode, seen
from adapters.open311.bodies import Bodies
from adapters.open311.codes import BATCH, status_of
from adapters.open311.posting import WIRE
from adapters.open311.tokens import key_in
from adapters.open311.window import Window, window
from gateway.disclosure import Level, disclose
from gateway.errors import AccessError, BusyError, NotFoundError, ValidationError, Violation
from gateway.wires import contract as c

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from adapters.open311.call import Call
    from adapters.open311.options import Options
    from adapters.open311.services import Services
    from gateway.wires.edge import Edge
    from gateway.wires.service import Context

_AT_ONCE: Final = 50
"""Requests that are looked up at a time; an answer about so many stays short."""
_PAGE: Final = 200
_WORD: Final = 20
"""Characters of a service by which the register is narrowed before anything is read whole."""
LIST_SECONDS: Final = 30.0
"""For one list; past it whoever asks has to ask for less."""
_BYTES: Final = 4 * 1024 * 1024
Tree = list[dict[str, Any]]


class Reading:
    """Answers what may be read."""

    def __init__(self, edge: Edge, services: Services, options: Options) -> None:
        self._edge = edge
        self._services = services
        self._options = options
        self._bodies = Bodies(edge)
        self._busy: set[str] = set()

    async def one(self, call: Call) -> Tree:
        """Return one request by its number; raise NotFoundError."""
        context = await self._context(call)
        found = await self._by_number([call.name], context)
        if not found:
            raise _no_request(call.name)
        return found

    async def token(self, call: Call) -> Tree:
        """Return the number behind a token; raise NotFoundError."""
        context = await self._context(call)
        kind, key = key_in(call.name)
        if kind == BATCH:
            asked = c.GetStatus(keys=(c.AppealKey(external_id=key),))
            [item] = await self._status(asked, context)
            if item.found:
                return [{"service_request_id": item.receipt_number, "token": call.name}]
        elif kind:
            raise NotFoundError("token: услуга не выдаёт номеров · the service gives no numbers")
        raise NotFoundError("token: нет такого · no such token", found=call.name[:200])

    async def listed(self, call: Call) -> Tree:
        """Return the requests that are asked for, by number or by time, service and status."""
        context = await self._context(call)
        numbers = call.query.get("service_request_id", "")
        if numbers:
            wanted = list(dict.fromkeys(filter(None, map(str.strip, numbers.split(",")))))
            if len(wanted) > self._options.read_most:
                message = f"не более {self._options.read_most} · at most {self._options.read_most}"
                raise _wrong("service_request_id", message)
            return await self._by_number(wanted, context)
        if not self._options.reading:
            message = "список заявок не публикуется, запрашивайте по номеру"
            raise AccessError(f"{message} · the list is not published, ask by number")
        peer = context.caller.peer
        if peer in self._busy:
            raise BusyError("a list is being read already", where="requests")
        self._busy.add(peer)
        try:
            async with asyncio.timeout(LIST_SECONDS):
                return await self._within(window(call.query, context.now, self._options), context)
        except TimeoutError as error:
            raise _wrong("start_date", "сузьте время или услугу · narrow the time") from error
        finally:
            self._busy.discard(peer)

    async def _context(self, call: Call) -> Context:
        caller = await call.enter(self._edge)
        return self._edge.context(caller, WIRE, call.correlation, b"", "", call.address)

    async def _within(self, asked: Window, context: Context) -> Tree:
        found: Tree = []
        async for lines in self._pages(asked, context):
            fitting = [line.receipt_number for line in lines if _may_be(line.state, asked)]
            for start in range(0, len(fitting), _AT_ONCE):
                some = await self._by_number(fitting[start : start + _AT_ONCE], context, asked)
                found += some
                if len(found) >= self._options.read_most:
                    return found[: self._options.read_most]
        return found

    async def _pages(
        self, asked: Window, context: Context
    ) -> AsyncIterator[Sequence[c.RegisterLine]]:
        """Yield the caller's register: what was made since a day has changed since that day."""
        cursor, code = None, next(iter(asked.services), None)
        while True:
            request = c.FindAppeals(
                changed_from=asked.start,
                topic_prefix=code[:_WORD] if code and len(asked.services) == 1 else None,
                cursor=cursor,
                max=_PAGE,
                max_bytes=_BYTES,
            )
            page = await self._edge.service.call(request, context)
            assert isinstance(page, c.FindAppealsResponse)
            yield page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    async def _by_number(
        self, numbers: Sequence[str], context: Context, asked: Window | None = None
    ) -> Tree:
        """Return those requests of these numbers that the caller may see, and that fit."""
        found: Tree = []
        for start in range(0, len(numbers), _AT_ONCE):
            keys = tuple(
                c.AppealKey(receipt_number=n[:64]) for n in numbers[start : start + _AT_ONCE]
            )
            status = c.GetStatus(keys=keys, max_bytes=_BYTES)
            for item in await self._status(status, context):
                told = await self._told(item, context) if item.found else None
                if told is not None and (asked is None or asked.holds(told)):
                    found.append(told)
        return found

    async def _told(self, item: c.StatusItem, context: Context) -> dict[str, Any] | None:
        """Return one request as the specification shows it; None when it went meanwhile."""
        redacted = bool(context.caller.options.get("text_is_redacted", False))
        request = c.GetAppeal(
            key=c.AppealKey(receipt_number=item.receipt_number), include_text=redacted
        )
        try:
            read = await self._edge.service.call(request, context)
        except NotFoundError:
            return None
        assert isinstance(read, c.GetAppealResponse)
        names = await self._bodies.names(
            [q.owner_organisation for q in read.appeal.questions if q.owner_organisation], context
        )
        appeal = disclose(
            seen.appeal_of(read.appeal, item, names),
            Level.PROBLEM_ONLY,
            peer=context.caller.peer,
            text_is_redacted=redacted,
        )
        return encode.request(
            appeal, self._services, self._options.zone, updated=read.appeal.updated_at
        )

    async def _status(self, request: c.GetStatus, context: Context) -> Sequence[c.StatusItem]:
        answer = await self._edge.service.call(request, context)
        assert isinstance(answer, c.GetStatusResponse)
        return answer.items


def _may_be(state: str, asked: Window) -> bool:
    """Whether a line of the register may be of the status asked for, before it is read whole."""
    return not asked.statuses or status_of([state]) in asked.statuses


def _no_request(number: str) -> NotFoundError:
    message = "service_request_id: нет такой заявки · no such request"
    return NotFoundError(message, found=number[:200])


def _wrong(name: str, message: str) -> ValidationError:
    return ValidationError(message, (Violation(name, "count", message),))
