"""The SOAP call-back: a partner hosts `SubmitStatus` of our own contract, and we call it.

The partner takes `wsdl/appeals` as it is and implements one operation; WCF, 1С, PHP and JAX-WS make
the server side from the WSDL. MessageKey is the delivery's id, so a repeat is known as one.
"""

from __future__ import annotations

import datetime as dt
import re
import time
from typing import TYPE_CHECKING, Any, Final

import msgspec

from gateway import contracts
from gateway.adapter import Decoded, Health, Receipt, Wire
from gateway.errors import GatewayError, UnsupportedError
from gateway.model.events import EventType
from gateway.soap.client import SoapClient
from gateway.wires.channels.change import status
from gateway.wires.channels.told import external_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.adapter import EncodeContext, RemoteState, Window
    from gateway.model.appeal import Appeal
    from gateway.model.events import Event
    from gateway.outbound import Outbound
    from gateway.soap.frame import Version
    from gateway.soap.identity import Identity
    from gateway.soap.vouched import Voucher

SERVICE: Final = "AppealService"
PORTS: Final[dict[Version, str]] = {"1.1": "Basic", "1.2": "Soap12"}
OPERATION: Final = "SubmitStatus"
_CODE: Final = re.compile(r"[0-9A-Za-z._:/-]{1,64}")
"""What the contract takes as the code of a reason."""
_UNTOLD: Final = frozenset(
    {
        EventType.REGISTRATION_ANNULLED,
        EventType.SPLIT,
        EventType.SENT_TO_MODERATION,
        EventType.MODERATION_PASSED,
        EventType.TERM_EXPIRED,
        EventType.CONFIRM_TERM_EXPIRED,
        EventType.AMENDED,
        EventType.MERGED_AS_DUPLICATE,
        EventType.UNMERGED,
        EventType.LINK_ADDED,
        EventType.FILE_ATTACHED,
        EventType.LETTER_SENT,
        EventType.ADDRESS_RESOLVED,
        EventType.ROUTED,
        EventType.DEADLINE_OPENED,
        EventType.DEADLINE_MOVED,
        EventType.DEADLINE_CLOSED,
        EventType.CONFLICT_RECORDED,
        EventType.CONFLICT_RESOLVED,
        EventType.REPORT_REFUSED,
    }
)
"""Events that the contract's EventName does not have; a partner reads them with GetChanges."""


class CallbackCodec:
    """Appeal and event as `SubmitStatus(Report: StatusReport)`."""

    def __init__(self, client: SoapClient) -> None:
        self._client = client

    def decode(self, wire: Wire) -> Decoded:
        """Raise UnsupportedError: partners speak to us over our own service."""
        raise UnsupportedError("a call-back only goes out", where=wire.media_type)

    def encode(self, appeal: Appeal, event: Event | None, ctx: EncodeContext) -> Wire:
        """Return the envelope; raise UnsupportedError for an event the contract has no word for."""
        if event is None or event.type in _UNTOLD:
            raise UnsupportedError(
                "the call-back contract has no word for this", found=event.type if event else ""
            )
        return self._client.message(OPERATION, ctx.key, Report=report(appeal, event, ctx))


class CallbackChannel:
    """Calls the partner's service; it cannot be asked, but takes a repeat of a MessageKey."""

    def __init__(self, client: SoapClient, outbound: Outbound, *, address: str, peer: str) -> None:
        self._client = client
        self._outbound = outbound
        self._address = address
        self._peer = peer

    def deliver(self, wire: Wire, key: str) -> Receipt:
        """Call once; the key is in the envelope already."""
        receipt = self._client.send(wire)
        return receipt if receipt.reference else _named(receipt, key)

    def settle(self, wire: Wire, key: str) -> Receipt | None:
        """Raise UnsupportedError: send again under the same MessageKey instead."""
        raise UnsupportedError(
            "a call-back partner cannot be asked",
            where=self._peer,
            found=f"{wire.media_type} {key}",
        )

    def reconcile(self, window: Window) -> Iterator[RemoteState]:
        """Raise UnsupportedError: the call-back service keeps no register."""
        raise UnsupportedError(
            "a call-back keeps no register", where=self._peer, found=window.start.isoformat()
        )

    def probe(self) -> Health:
        """Say whether the partner's address answers with its WSDL."""
        begun = time.monotonic()
        try:
            response = self._outbound.request("GET", f"{self._address}?wsdl")
        except GatewayError as error:
            return Health(
                ok=False,
                seconds=time.monotonic() - begun,
                detail=str(error),
                todo="check the partner's address, its certificate and callback_hosts",
            )
        return Health(
            ok=response.status < 500,
            seconds=time.monotonic() - begun,
            detail=f"HTTP {response.status}",
        )


def client(
    address: str,
    outbound: Outbound,
    peer: str,
    *,
    version: Version = "1.1",
    addressing: bool = False,
    identity: Identity | None = None,
    voucher: Voucher | None = None,
) -> SoapClient:
    """Return a client of our own contract as the partner hosts it; the WSDL is the stored one."""
    folder = contracts.folder("wsdl", "appeals")
    return SoapClient(
        folder / "appeals-v1.wsdl",
        service=SERVICE,
        port=PORTS[version],
        address=address,
        outbound=outbound,
        peer=peer,
        tree=folder.parent.parent,
        addressing=addressing,
        identity=identity,
        voucher=voucher,
    )


def report(appeal: Appeal, event: Event, ctx: EncodeContext) -> dict[str, Any]:
    """Return the StatusReport of an event, as zeep takes it. Pure.

    A key holds one number: the partner's own where it sent the appeal, else our receipt number.
    """
    own = external_id(appeal, ctx.peer)
    told: dict[str, Any] = {
        "MessageKey": ctx.key,
        "Key": {"ExternalId": own} if own else {"ReceiptNumber": appeal.receipt_number},
    }
    if event.question is not None:
        told["QuestionOrdinal"] = event.question
    facts = _elements(msgspec.to_builtins(status(event), builtin_types=(dt.date, dt.datetime)))
    if not _CODE.fullmatch(facts.get("Reason", "")):
        facts.pop("Reason", None)
    if not facts.get("Extension", {}).get("Ground"):
        facts.pop("Extension", None)  # the contract knows none without a ground
    if "Topic" in facts:
        facts["Topic"].pop("Title", None)
    return told | facts


def _elements(values: dict[str, Any]) -> dict[str, Any]:
    """Give the members of JSON the names of elements."""
    return {
        name[0].upper() + name[1:]: _elements(value) if isinstance(value, dict) else value
        for name, value in values.items()
    }


def _named(receipt: Receipt, key: str) -> Receipt:
    return Receipt(final=receipt.final, status=receipt.status, reference=key, body=receipt.body)
