"""The SOAP call-back: a partner hosts `SubmitStatus` of our own contract, and we call it.

The partner takes `wsdl/appeals` as it is and implements one operation; WCF, 1С, PHP and JAX-WS make
the server side from the WSDL. MessageKey is the delivery's id, so a repeat is known as one.
"""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING, Any, Final

from gateway import contracts
from gateway.adapter import Decoded, Health, Receipt, Wire
from gateway.errors import GatewayError, UnsupportedError
from gateway.model import facts as f
from gateway.model.events import EventType
from gateway.soap.client import SoapClient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.adapter import EncodeContext, RemoteState, Window
    from gateway.model.appeal import Appeal
    from gateway.model.events import Event
    from gateway.outbound import Outbound

SERVICE: Final = "AppealService"
PORT: Final = "Basic"
OPERATION: Final = "SubmitStatus"
_UNTOLD: Final = frozenset(
    {
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
        return self._client.message(OPERATION, Report=report(appeal, event, ctx.key))


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


def client(address: str, outbound: Outbound, peer: str) -> SoapClient:
    """Return a client of our own contract as the partner hosts it; the WSDL is the stored one."""
    folder = contracts.folder("wsdl", "appeals")
    return SoapClient(
        folder / "appeals-v1.wsdl",
        service=SERVICE,
        port=PORT,
        address=address,
        outbound=outbound,
        peer=peer,
        tree=folder.parent.parent,
    )


def report(appeal: Appeal, event: Event, key: str) -> dict[str, Any]:
    """Return the StatusReport of an event, as zeep takes it. Pure."""
    facts = event.payload
    at = event.occurred_at
    told: dict[str, Any] = {
        "MessageKey": key,
        "Key": {"ReceiptNumber": appeal.receipt_number},
        "Event": event.type.value,
        "OccurredOn": at.date() if isinstance(at, dt.datetime) else at,
    }
    if event.question is not None:
        told["QuestionOrdinal"] = event.question
    if isinstance(facts, f.RegistrationFacts) and facts.number:
        told["Registration"] = _present(
            Organisation=facts.organisation,
            Register=facts.register,
            Number=facts.number,
            Date=facts.date or told["OccurredOn"],
        )
    elif isinstance(facts, f.ExecutorFacts):
        told["Executor"] = _present(Organisation=facts.organisation)
    elif isinstance(facts, f.ExtensionFacts) and facts.new_due:
        told["Extension"] = _present(
            Ground=facts.ground, NewDueDate=facts.new_due, DecidedOn=facts.decided_on
        )
    elif isinstance(facts, f.TransferFacts):
        told["Transfer"] = _present(
            ToOrganisation=facts.organisation,
            Date=facts.date,
            Number=facts.number,
            Ground=facts.ground,
        )
    elif isinstance(facts, f.DeclineFacts):
        told["Decline"] = _present(Article=facts.article, Part=facts.part)
    elif isinstance(facts, f.AnswerFacts) and facts.outcome and facts.outcome.result:
        told["Outcome"] = _present(
            Result=facts.outcome.result, ActionsTaken=facts.outcome.actions_taken
        )
    return told


def _present(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in ("", None)}


def _named(receipt: Receipt, key: str) -> Receipt:
    return Receipt(final=receipt.final, status=receipt.status, reference=key, body=receipt.body)
