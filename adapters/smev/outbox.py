"""Sending: a request to another body, and answers to the requests of others.

The number of a message is written down before its first byte leaves, and every repeat has the same
one, so СМЭВ itself knows a repeat (MessageIsAlreadySent) and a lost reply costs nothing.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

import structlog
from msgspec.structs import replace

from adapters.smev import files, ids, retry
from adapters.smev.line import refuse
from adapters.smev.messages import package, words, write
from adapters.smev.messages import types as t
from gateway import xml
from gateway.adapter import Receipt
from gateway.errors import PeerDoubtful, PeerRefused, PeerUnavailable, TrustError
from gateway.outbound import Answered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.smev.ids import Record
    from adapters.smev.line import Line, Replied
    from adapters.smev.options import Options
    from adapters.smev.proof import Proof
    from adapters.smev.storage import Storage
    from gateway.adapter import Wire
    from gateway.lent import Memory

log = structlog.get_logger(__name__)

RECEIVED: Final = "received"
"""Kind in the memory: MessageID of somebody's message → its ReplyTo, and how far we are with it."""
APPEAL: Final = "appeal"
"""Kind in the memory: our number of an appeal → MessageID of the newest request that brought it."""
PATIENCE: Final = timedelta(days=1)
"""How long an answer waits for the request of its appeal. An event may be sent before the request
is acknowledged and remembered, or the process died between: СМЭВ gives the request again soon.
What is not remembered after a day was forgotten (`forgetting`): a person has to answer otherwise.
"""
_GREGORIAN: Final = 0x01B21DD213814000
"""1970-01-01 in the time of a UUID, in units of 100 ns (RFC 4122, 4.1.4)."""
_TRIES: Final = 2
"""Numbers that one sending may take: a second one that is stale says that our clock is wrong."""


class Room(NamedTuple):
    """What sending and receiving of one system share."""

    options: Options
    memory: Memory
    line: Line
    proof: Proof
    storage: Storage


class Outbox:
    """Sends for one system."""

    def __init__(self, room: Room) -> None:
        self._room = room

    def send(self, wire: Wire, key: str, now: datetime) -> Receipt:
        """Send once, as many numbers as that takes; raise DeliveryError or ConfigurationError.

        The receipt is not final: СМЭВ may still say no to what it has queued.
        """
        memory, appeal = self._room.memory, wire.headers.get(t.APPEAL, "")
        record = ids.begin(memory, key, appeal)
        if record.state == "refused":
            # `settle` told so, and the cause is mended since: СМЭВ would know the old number.
            record = ids.renew(memory, key, replace(record, state="made", why=""), appeal)
        for left in reversed(range(_TRIES)):
            if record.state != "made":
                return receipt(record)
            found = self._try(wire, record, now)
            if not isinstance(found.answer, t.Fault):
                self._require_proven(found, record, now)
                record = ids.settle(memory, key, record, "queued")
                return receipt(record, found.response.body, found.response.status)
            action = retry.action(found.answer, _operation(wire))
            if action == "done":
                record = ids.settle(memory, key, record, "queued")
                return receipt(record, found.response.body, found.response.status)
            if action != "renew" or not left:
                raise refuse(found.answer, _operation(wire), found.response)
            record = ids.renew(memory, key, record, appeal)
        raise PeerRefused("СМЭВ: StaleMessageId", todo="сверьте часы · look at the clock")

    def settle(self, key: str) -> Receipt | None:
        """Say what became of a message; None: sending again is safe, it has the same number."""
        record = ids.known(self._room.memory, key)
        if record is None or record.state == "made":
            return None
        return receipt(record, final=True)

    def _try(self, wire: Wire, record: Record, now: datetime) -> Replied:
        room, o = self._room, self._room.options
        sign = room.proof.signer(o.key, now)
        personal = room.proof.signer(o.personal_key, now) if o.personal_key else None
        payload = wire.body
        packed: tuple[package.Packed, ...] = ()
        if package.is_package(wire.body):
            payload, packed = package.unpack(wire.body)
        if wire.headers.get(t.KIND) == "request":
            sent = files.outgoing(packed, record.id, o, room.proof, room.storage, now)
            data = t.RequestData(
                message_id=record.id,
                content=payload,
                transaction_code=o.transaction_code,
                node_id=o.node_id,
                headers=sent.headers,
                ref_headers=sent.ref_headers,
                contents=sent.contents,
                test=o.test or bool(wire.headers.get(t.TEST)),
            )
            envelope = write.send_request(o.version, data, sign, personal)
            return room.line.call("SendRequest", envelope, sent.inside)
        answer = t.ResponseData(message_id=record.id, to=self._to(wire, record, now))
        if wire.headers.get(t.KIND) != "response":
            found = words.read(xml.parse(payload).root) or words.Words()
            answer = replace(answer, rejected=found.rejected, status=found.status)
            return room.line.call("SendResponse", write.send_response(o.version, answer, sign))
        sent = files.outgoing(packed, record.id, o, room.proof, room.storage, now)
        answer = replace(
            answer,
            content=payload,
            headers=sent.headers,
            ref_headers=sent.ref_headers,
            contents=sent.contents,
        )
        envelope = write.send_response(o.version, answer, sign, personal)
        return room.line.call("SendResponse", envelope, sent.inside)

    def _to(self, wire: Wire, record: Record, now: datetime) -> str:
        """Return the opaque address of an answer, as it came last with the newest request."""
        told = wire.headers.get(t.IN_REPLY_TO, "") or self._brought(wire, record, now)
        found: Mapping[str, str] | None = self._room.memory.get(RECEIVED, told) if told else None
        if found is None or not found.get("reply_to"):
            raise PeerRefused(
                "СМЭВ: не известно, куда отвечать · it is not known where the answer goes",
                found=told,
                expected="ReplyTo of a request that came to this system",
                todo="ответьте заявителю или органу иным путём · answer in another way",
            )
        return found["reply_to"]

    def _brought(self, wire: Wire, record: Record, now: datetime) -> str:
        """Return the request that brought an appeal; empty when there is no more hope of one."""
        appeal = wire.headers.get(t.APPEAL, "")
        told: Mapping[str, str] = self._room.memory.get(APPEAL, appeal) or {}
        message = told.get("message", "")
        if not message and now - _made(record) < PATIENCE:
            raise PeerUnavailable(
                "СМЭВ: запрос этого обращения ещё не подтверждён"
                " · the request of this appeal is not acknowledged yet",
                found=appeal,
            )
        return message

    def _require_proven(self, found: Replied, record: Record, now: datetime) -> None:
        """A queued message has СМЭВ's own word for it; without it nothing is known.

        The word is for a number: whoever heard it once for another message could say it again.
        """
        answer = found.answer
        assert not isinstance(answer, t.Fault)
        try:
            self._room.proof.by_smev(answer, now)
            said = answer.metadata.message_id if isinstance(answer, t.Sent) else ""
            if said != record.id:
                raise TrustError(
                    "СМЭВ's word is for another message",
                    "replayed",
                    found=said,
                    where="SMEVSignature",
                )
        except TrustError as error:
            log.warning("smev.answer_not_believed", reason=error.reason, where=error.where)
            raise PeerDoubtful(
                "СМЭВ: ответу нельзя верить · the answer is not believed", found=error.reason
            ) from Answered(found.response)
        if answer.deviations:
            log.info("smev.deviations", what=type(answer).__name__, found=answer.deviations[:5])


def receipt(record: Record, body: bytes = b"", status: int = 0, *, final: bool = False) -> Receipt:
    """Return what is known of a message as the receipt of its delivery."""
    if record.state == "refused":
        return Receipt(final=True, reference=record.id, refused=record.why or "СМЭВ")
    return Receipt(final=final, reference=record.id, body=body, status=status)


def _made(record: Record) -> datetime:
    """When a message was first to be sent: its number holds the time."""
    ticks = uuid.UUID((*record.before, record.id)[0]).time - _GREGORIAN
    return datetime.fromtimestamp(ticks / 1e7, UTC)


def _operation(wire: Wire) -> str:
    return "SendRequest" if wire.headers.get(t.KIND) == "request" else "SendResponse"
