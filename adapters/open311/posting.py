"""`POST requests`: a citizen's request is taken, and told its number.

GeoReport v2 has no key of idempotency, and apps repeat what they got no answer to. So a request has
the app's own number as its key (`Idempotency-Key`, or the field that the option names); without one
a digest of the form, within a day and an hour of UTC: the same words of the same person about the
same place are one request that day, and a new one after it.
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from adapters.open311.call import Call, body_of, with_field, without_key
from adapters.open311.codes import REALTIME
from adapters.open311.decode import FORM
from adapters.open311.form import decode_form
from adapters.open311.tokens import token_of
from gateway.errors import InputError, UnsupportedError
from gateway.limits import INLINE_DECODE_BYTES
from gateway.wires import contract as c

if TYPE_CHECKING:
    from collections.abc import Iterable

    from adapters.open311.options import Options
    from adapters.open311.services import Services
    from gateway.access.policy import Caller
    from gateway.adapter import Inbound
    from gateway.model.base import Extra
    from gateway.wires.edge import Edge
    from gateway.wires.service import Context

WIRE: Final = "open311"
_DAY: Final = timedelta(days=1)


class Posting:
    """Takes requests."""

    def __init__(self, edge: Edge, services: Services, options: Options) -> None:
        self._edge = edge
        self._services = services
        self._options = options

    async def post(self, call: Call, receive: Any) -> tuple[list[dict[str, Any]], bool]:
        """Return the answer to a posted form, and whether it was posted before."""
        _require_form(call)
        edge, caller = self._edge, None
        if call.has_credential:
            caller = await call.enter(edge)
        with ExitStack() as stack:
            room = edge.room.body(caller.peer) if caller else edge.room.strangers.body(call.address)
            held = stack.enter_context(room)
            whole = await body_of(receive, call.headers, held, known=caller is not None)
            body, key = without_key(whole)
            if caller is None:
                caller = await call.enter(edge, key)
            if own := call.headers.get("idempotency-key", ""):
                body = with_field(body, self._options.request_id, own)
            return await self._take(call, caller, body)

    async def _take(
        self, call: Call, caller: Caller, body: bytes
    ) -> tuple[list[dict[str, Any]], bool]:
        context = self._edge.context(
            caller, WIRE, call.correlation, body, f"{FORM}; charset=utf-8", call.address
        )
        try:
            inbound = await self._decoded(body)
            if not self._numbered(inbound):
                inbound = replace(inbound, external_id=await self._within_day(inbound, context))
            accepted = await self._edge.service.accept(inbound, context)
        except InputError as error:
            await self._edge.service.keep(context, error, "SubmitAppeal")
            raise
        return [self._answer(inbound, accepted.receipt_number)], context.repeat

    async def _decoded(self, body: bytes) -> Inbound:
        """Decode here what is small, else in a thread: others are waiting."""
        if len(body) <= INLINE_DECODE_BYTES:
            return decode_form(body, self._services, self._options)
        return await asyncio.to_thread(decode_form, body, self._services, self._options)

    def _numbered(self, inbound: Inbound) -> bool:
        """Whether the app told a number of its own."""
        appeal, name = inbound.appeal, self._options.request_id
        assert appeal is not None
        return bool(
            _told(appeal.extras, f"/{name}")
            or _told(appeal.questions[0].extras, f"/attribute[{name}]")
        )

    async def _within_day(self, inbound: Inbound, context: Context) -> str:
        """Return the key of a form for a day; in its first hour that of the day before, if taken.

        So that a repeat after midnight is known too.
        """
        now = context.now
        today, before = (f"{inbound.external_id}-{day:%Y%m%d}" for day in (now, now - _DAY))
        if now.hour == 0:
            asked = c.GetStatus(keys=(c.AppealKey(external_id=before),))
            found = await self._edge.service.call(asked, context)
            assert isinstance(found, c.GetStatusResponse)
            if found.items[0].found:
                return before
        return today

    def _answer(self, inbound: Inbound, number: str) -> dict[str, Any]:
        appeal = inbound.appeal
        assert appeal is not None
        service = self._services[appeal.questions[0].topics[0].code.value]
        told: dict[str, Any] = (
            {"service_request_id": number}
            if service.type == REALTIME
            else {"token": token_of(service.type, inbound.external_id)}
        )
        account = _told(appeal.extras, "/account_id")
        return told | {"service_notice": service.notice or None, "account_id": account or None}


def _told(extras: Iterable[Extra], path: str) -> Any:
    return next((extra.value for extra in extras if extra.path == path), None)


def _require_form(call: Call) -> None:
    """Raise UnsupportedError for anything but a form; photos are links in this standard."""
    media = call.headers.get("content-type", FORM).partition(";")[0].strip().lower()
    if media != FORM:
        raise UnsupportedError(
            "ожидается форма, фото – ссылками в media_url"
            " · a form is expected, with pictures as links in media_url",
            found=media,
            expected=FORM,
        )
