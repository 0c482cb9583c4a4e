"""The web hook: one event as CloudEvents 1.0 in structured JSON, signed, to a partner's own URL.

Format: CloudEvents 1.0.2 (`application/cloudevents+json`), signature as in Standard Webhooks 1.0:
`webhook-id`, `webhook-timestamp` (Unix seconds) and `webhook-signature: v1,<base64>`, the HMAC of
SHA-256 over `id.timestamp.body`. The id is the delivery's, the same for every attempt, and goes
into `Idempotency-Key` too. The body is made of the event and of nothing that changes from one
attempt to the next, so that a repeat is the same bytes under the same key. `data` is what
GetChanges and GetAppeal say to the destination, in the names of the contract.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import time
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from gateway.adapter import Decoded, Health, Receipt, Wire
from gateway.errors import GatewayError, PeerDoubtful, UnsupportedError
from gateway.outbound import check
from gateway.wires.channels.change import key_of, told
from gateway.wires.channels.pushed import Pushed
from gateway.wires.channels.told import appeal_told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gateway.adapter import EncodeContext, RemoteState, Window
    from gateway.model.appeal import Appeal
    from gateway.model.events import Event
    from gateway.outbound import Outbound

MEDIA_TYPE: Final = "application/cloudevents+json; charset=utf-8"
TYPE_PREFIX: Final = "ru.appeals."
APPEAL_TYPE: Final = "ru.appeals.Appeal"
"""Type of a delivery that is about the appeal as a whole and no event."""

_encode = msgspec.json.Encoder(order="sorted").encode


class WebhookCodec:
    """Appeal and event as one CloudEvent; `source` is the gateway's public URL, or a URN."""

    def __init__(self, source: str) -> None:
        self._source = source

    def decode(self, wire: Wire) -> Decoded:
        """Raise UnsupportedError: partners speak to us over REST and SOAP."""
        raise UnsupportedError("a web hook only goes out", where=wire.media_type)

    def encode(self, appeal: Appeal, event: Event | None, ctx: EncodeContext) -> Wire:
        """Return the event's bytes; `data` holds what the destination may see."""
        moment = event.recorded_at if event is not None else appeal.received_at or ctx.now
        data = (
            Pushed(key=key_of(appeal, ctx.peer), appeal=appeal_told(appeal, ctx.peer))
            if event is None
            else _pushed(appeal, event, ctx)
        )
        envelope = {
            "specversion": "1.0",
            "id": ctx.key or str(appeal.id),
            "source": self._source,
            "type": f"{TYPE_PREFIX}{event.type}" if event is not None else APPEAL_TYPE,
            "subject": appeal.receipt_number or str(appeal.id),
            "time": moment.astimezone(dt.UTC).isoformat(),
            "datacontenttype": "application/json",
            "data": data,
        }
        return Wire(media_type=MEDIA_TYPE, body=_encode(envelope))


def _pushed(appeal: Appeal, event: Event, ctx: EncodeContext) -> Pushed:
    change = told(appeal, event, ctx, key=key_of(appeal, ctx.peer))
    given = {name: getattr(change, name) for name in change.__struct_fields__ if name != "sequence"}
    return Pushed(**given, appeal=appeal_told(appeal, ctx.peer))


class Addresses(NamedTuple):
    """Where a partner listens.

    ask: URL that tells what became of a key, `{key}` in it; empty when it cannot be asked.
    """

    deliver: str
    ask: str = ""


class WebhookChannel:
    """Posts to the partner. secret: shared, raw bytes; now: the clock that signatures carry.

    waits: a 202 means "taken, the acknowledgement follows"; otherwise every 2xx settles.
    """

    def __init__(
        self,
        outbound: Outbound,
        addresses: Addresses,
        *,
        peer: str,
        secret: bytes,
        now: Callable[[], dt.datetime],
        waits: bool = False,
    ) -> None:
        self._outbound = outbound
        self._addresses = addresses
        self._peer = peer
        self._secret = secret
        self._now = now
        self._waits = waits

    def deliver(self, wire: Wire, key: str) -> Receipt:
        """Post once; raise PeerRefused, PeerUnavailable or PeerDoubtful."""
        moment = int(self._now().timestamp())
        response = self._outbound.request(
            "POST",
            self._addresses.deliver,
            headers={
                "Content-Type": wire.media_type,
                "Idempotency-Key": key,
                "webhook-id": key,
                "webhook-timestamp": str(moment),
                "webhook-signature": sign(self._secret, key, moment, wire.body),
            },
            body=wire.body,
        )
        check(response, self._peer)
        return Receipt(
            final=not (self._waits and response.status == 202),
            status=response.status,
            body=response.body,
        )

    def settle(self, wire: Wire, key: str) -> Receipt | None:
        """Ask what became of a key: 404 means "never came"; a digest that is told must agree."""
        if not self._addresses.ask:
            raise UnsupportedError("this partner cannot be asked", where=self._peer)
        response = self._outbound.request("GET", self._addresses.ask.replace("{key}", key))
        if response.status == 404:
            return None
        check(response, self._peer, safe=True)
        told = _digest(response.body)
        if told and told != hashlib.sha256(wire.body).hexdigest():
            raise PeerDoubtful(
                "the partner holds other content under our key",
                found=told,
                where=self._peer,
                todo="compare both, then confirm or skip this delivery",
            )
        return Receipt(final=True, status=response.status, body=response.body)

    def reconcile(self, window: Window) -> Iterator[RemoteState]:
        """Raise UnsupportedError: a web hook keeps no register."""
        raise UnsupportedError(
            "a web hook keeps no register", where=self._peer, found=window.start.isoformat()
        )

    def probe(self) -> Health:
        """Say whether the partner's address answers HTTP at all; nothing is delivered."""
        begun = time.monotonic()
        try:
            response = self._outbound.request("HEAD", self._addresses.deliver)
        except GatewayError as error:
            return Health(
                ok=False,
                seconds=time.monotonic() - begun,
                detail=str(error),
                todo="check the partner's address, its certificate and callback_hosts",
            )
        return Health(ok=True, seconds=time.monotonic() - begun, detail=f"HTTP {response.status}")


def sign(secret: bytes, key: str, timestamp: int, body: bytes) -> str:
    """Return the value of `webhook-signature`: `v1,` and base64 of the HMAC."""
    signed = b".".join((key.encode(), str(timestamp).encode(), body))
    return "v1," + base64.b64encode(hmac.digest(secret, signed, "sha256")).decode()


def _digest(body: bytes) -> str:
    try:
        told = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return ""
    return str(told.get("sha256", "")) if isinstance(told, dict) else ""
