"""The gateway's SOAP application with nothing behind it but memory.

For `soap-http` everything up to a decoded request is the product's: server, key, limits, engine,
schema; the operation itself answers at once (`AtOnce`), as that of the peer does. For
`tests.fuzz` the operations are the product's too, and only what they store goes nowhere
(`at_hand`). `python -m bench.soap_memory FD KEY` serves the first on an inherited socket.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from bench.soap_message import NO_DIGEST, NO_RECEIPT
from bench.stand import SENDER
from gateway import contracts, server
from gateway.access import certificates, keys
from gateway.access.known import Caller, Credential, Known, Owned
from gateway.access.policy import Gate
from gateway.errors import NotFoundError
from gateway.metrics import Metrics
from gateway.settings import Settings
from gateway.store.accept import _receipt as accepted
from gateway.store.blobs import BlobDirectory
from gateway.wires import contract as c
from gateway.wires.appeals import Appeals
from gateway.wires.edge import Edge
from gateway.wires.service import Context, Service
from gateway.wires.soap import SoapApp

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.store.entries import Accepted, Entry


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """What one caller is known by: a key, a secret for digests, the DER of a certificate.

    require: what its messages must prove.
    """

    peer: str = SENDER
    require: str = "key"
    key: str = ""
    secret: bytes = b""
    certificate: bytes = b""


class MemoryGate(Gate):
    """The gate with the callers given; it reads no table and remembers nonces by itself."""

    def __init__(self, *known: Credentials) -> None:
        super().__init__("", trusted_wire=False, refused=lambda _refused: None)
        callers = {
            each.peer: Caller(peer=each.peer, require=each.require, disclosure="full")
            for each in known
        }
        shown = [(each, keys.presented("", each.key)) for each in known if each.key]
        self._those = Known(
            callers=callers,
            keys={
                one.id: Credential(caller=callers[each.peer], secret_sha256=keys.digest(one.secret))
                for each, one in shown
                if one is not None
            },
            secrets={each.peer: (each.secret,) for each in known if each.secret},
            certificates={
                each.certificate: Owned(
                    peer=each.peer, certificate=certificates.read(each.certificate)
                )
                for each in known
                if each.certificate
            },
            able=frozenset(callers),
            in_message=any(caller.proves_in_message for caller in callers.values()),
        )
        self._seen: set[bytes] = set()

    def _read(self, older: float = 0.0) -> None:  # noqa: ARG002
        self._known = self._those
        self._read_at = self._clock()

    def seen(self, nonce: bytes, until: datetime, kind: str = "nonce") -> bool:  # noqa: ARG002
        """Whether a nonce came before."""
        known = nonce in self._seen
        self._seen.add(nonce)
        return known


class AtOnce:
    """A service that acknowledges every submission and knows no appeal; files it has none."""

    blobs: Any = None

    async def call(self, request: Any, context: Context) -> Any:
        """Return the receipt of an appeal."""
        return c.SubmitAppealResponse(
            receipt=c.Receipt(
                receipt_number=NO_RECEIPT,
                external_id=request.appeal.external_id,
                revision=request.appeal.revision,
                accepted_at=context.now,
                content_sha256=NO_DIGEST,
            )
        )

    async def keep(self, _context: Context, _error: Exception, _operation: str) -> None:
        """Keep nothing."""


class NoStore:
    """Stands where the committer stands: what was given to it counts as stored."""

    async def submit(self, entry: Entry) -> Accepted:
        """Acknowledge."""
        await asyncio.sleep(0)
        return accepted(entry)


class NoRegister:
    """Stands where the reader stands: there is nothing to be read."""

    def read(self, request: Any, _caller: Caller, _encoding: str = "", **_more: Any) -> Any:
        """Return an empty list where the contract has one, otherwise say that nothing is there."""
        kinds = {
            c.GetStatus: c.GetStatusResponse,
            c.FindAppeals: c.FindAppealsResponse,
            c.GetReceipts: c.GetReceiptsResponse,
        }
        if type(request) in kinds:
            return kinds[type(request)](items=())
        if isinstance(request, c.GetChanges):
            return c.GetChangesResponse(items=(), more=False)
        if isinstance(request, c.AckChanges):
            return c.AckChangesResponse()
        if isinstance(request, c.GetDirectory):
            return c.GetDirectoryResponse(version="0", items=())
        raise NotFoundError("there is nothing under this key")


def at_hand(blobs: Path) -> Service:
    """Return the product's service over no store; large bodies go into a directory of blobs."""
    return Service(
        NoStore(),  # type: ignore[arg-type]
        BlobDirectory(blobs),
        NoRegister(),  # type: ignore[arg-type]
        contract_sha256=contracts.contract_sha256(),
    )


def now() -> datetime:
    """Return the instant."""
    return datetime.now(UTC)


def application(service: Any, *known: Credentials, clock: Callable[[], datetime] = now) -> SoapApp:
    """Return the ASGI application of `/soap/` around a service, for the callers given."""
    settings = Settings(data_dir=Path(tempfile.gettempdir()))
    edge = Edge(MemoryGate(*known), service, clock)
    return SoapApp(edge, settings, Metrics(), [Appeals(service)])


def serve(bound: socket.socket, key: str) -> None:
    """Serve until SIGTERM."""
    soap = application(AtOnce(), Credentials(key=key))

    async def switch(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await soap(scope, receive, send)
            return
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return

    server.run(switch, bound)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[2])
