"""Where an answer goes: back on the connection, nowhere, or to an address of its own.

WS-Addressing 1.0, Core 3.4. An address is spoken to only when the caller's row names its host
(design §2.15); the answer becomes a delivery in a lane, and HTTP says 202.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from gateway import ns
from gateway.errors import ConfigurationError
from gateway.pinning import parse_target
from gateway.soap import addressing
from gateway.soap.frame import Sealed
from gateway.soap.splitter import SOAP12_MEDIA
from gateway.store import replies as store
from gateway.xml import quote

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gateway.access.policy import Caller
    from gateway.soap.frame import Frame
    from gateway.store.pool import Pool

NOTHING: Final = Sealed(status=HTTPStatus.ACCEPTED, content_type="", body=b"")
"""What HTTP says when the answer does not go back on the connection."""


class Replies:
    """Sends answers where they are wanted. pool: connections of this house."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def directed(
        self, sealed: Sealed, frame: Frame, caller: Caller, now: datetime, *, fault: bool
    ) -> Sealed:
        """Return what goes back on the connection.

        Raise BusyError when the store is away or too many answers wait already, AddressingError
        for an answer that is too large: only reading makes such a one, so nothing was done.
        """
        found = frame.addressing
        target = found.target(fault=fault) if found is not None else None
        if found is None or target is None:
            return sealed
        if target.address != ns.WSA_NONE:
            if len(sealed.body) > store.MOST_BYTES:
                raise addressing.only_anonymous(
                    found,
                    f"an answer over {store.MOST_BYTES} bytes does not go to an address of its own",
                    "leave ReplyTo out, and take large answers on the connection",
                    fault=fault,
                )
            await asyncio.to_thread(self._owe, _reply(sealed, target.address), caller, now)
        return NOTHING

    async def require_room(self, frame: Frame, caller: Caller) -> None:
        """Raise BusyError when an answer could not wait; before the call is carried out."""
        found = frame.addressing
        if found is None:
            return
        targets = (found.target(fault=fault) for fault in (False, True))
        if any(target is not None and target.address != ns.WSA_NONE for target in targets):
            await asyncio.to_thread(self._require_room, caller)

    def _require_room(self, caller: Caller) -> None:
        with self._pool.connection() as connection:
            store.require_room(connection, caller.peer)

    def _owe(self, reply: store.Reply, caller: Caller, now: datetime) -> None:
        with self._pool.connection() as connection, connection.transaction():
            store.owe(connection, caller.peer, reply, now, test=caller.test)


def require_reachable(frame: Frame, caller: Caller) -> None:
    """Raise AddressingError when an answer or fault would have to go where we do not send."""
    found = frame.addressing
    if found is None:
        return
    for fault in (False, True):
        target = found.target(fault=fault)
        if target is None or target.address == ns.WSA_NONE:
            continue
        if not _allowed(target.address, caller.callback_hosts):
            raise addressing.only_anonymous(
                found,
                "no answer goes to this address",
                "leave ReplyTo and FaultTo out, or have the host added to callback_hosts",
                fault=fault,
            )


def _allowed(address: str, hosts: Sequence[str]) -> bool:
    """Whether the row names the host, with or without its port, as `gateway.outbound` asks too."""
    try:
        target = parse_target(address)
    except ConfigurationError:
        return False
    named = {host.strip().lower() for host in hosts}
    return target.host in named or target.authority in named


def _reply(sealed: Sealed, address: str) -> store.Reply:
    """Return the answer as a request of its own: it says its action where its version does."""
    media_type, headers = sealed.content_type, {}
    if media_type.startswith(SOAP12_MEDIA):
        media_type = f'{media_type}; action="{quote(sealed.action)}"'
    else:
        headers = {"SOAPAction": f'"{sealed.action}"'}
    return store.Reply(address, media_type, headers, sealed.body)
