"""Receiving: requests of others, answers to ours, and what СМЭВ itself says of what we sent.

The order of one message: it comes, its signatures are verified, its number and its ReplyTo are
remembered, it is stored, which appeal it brought is remembered, it is acknowledged. Whatever breaks
in between, СМЭВ gives it again, and
its number says how far we were: a message that was stored is acknowledged again and given to
nobody. A message that СМЭВ did not sign is kept as it came, its number is believed for nothing; it
comes again, and is acknowledged as not accepted when it is no better then.
"""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import structlog

from adapters.smev import encode, files, forgetting, ids, owners, retry
from adapters.smev.line import refuse
from adapters.smev.messages import package, words, write
from adapters.smev.messages import types as t
from adapters.smev.outbox import APPEAL, RECEIVED, Outbox, Room
from gateway.adapter import Batch, Taken, Wire
from gateway.errors import (
    DeliveryError,
    GatewayError,
    PeerRefused,
    PeerUnavailable,
    TrustError,
    ValidationError,
    Violation,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from adapters.smev.line import Replied
    from gateway.adapter import Landed, Verdict

log = structlog.get_logger(__name__)

STATUS: Final = "status"
"""Kind in the memory: what GetStatus gave, which СМЭВ gives once, until it is stored."""
UNTRUSTED: Final = "untrusted"
"""Kind in the memory: the number that a message claimed → how often its signature did not hold."""
BELIEVED_NEVER: Final = 2
"""Once a signature may have been broken on the way: only after so many times СМЭВ is told that the
message is not accepted, which is the end of it."""
REFUSED: Final = "x-smev-refused"
"""Header of a wire that is kept and refused: `trust:reason` or the code of another error."""
WHY: Final = "x-smev-why"
LAST: Final = timedelta(days=3)
"""How far back a status that was not stored is looked for."""
SECONDS: Final = 20.0
"""After so long an asking gives what it has."""
_XML: Final = "application/xml"


class Token(NamedTuple):
    """Names a message to `acknowledge`.

    what: request, response, status; untrusted or doubted for what СМЭВ did not sign.
    """

    what: str
    id: str

    @classmethod
    def of(cls, text: str) -> Token:
        """Read what `str` wrote."""
        what, _, id_ = text.partition("/")
        return cls(what, id_)

    def __str__(self) -> str:
        """Write it down."""
        return f"{self.what}/{self.id}"


class Inbox:
    """Receives for one system."""

    def __init__(self, room: Room, outbox: Outbox) -> None:
        self._room = room
        self._outbox = outbox
        self._forgetting = forgetting.Daily(room.memory)

    def receive(self, now: datetime) -> Batch:
        """Return what waits in the queues, each message once."""
        self._forgetting.forget(now)
        taken: dict[str, Taken] = {}
        end = monotonic() + SECONDS
        try:
            for one in self._waiting(now):
                taken.setdefault(one.token, one)
                if len(taken) >= self._room.options.batch or monotonic() > end:
                    return Batch(messages=tuple(taken.values()), more=True)
        except DeliveryError as error:
            # What was given is not given again for a while: it is not thrown away with the rest.
            if not taken:
                raise
            log.warning("smev.asking_broken_off", code=error.code, reason=error.message)
        return Batch(messages=tuple(taken.values()))

    def acknowledge(self, verdicts: tuple[Verdict, ...], now: datetime) -> None:
        """Answer the requests that no event answers, then acknowledge; raise DeliveryError."""
        failed: DeliveryError | None = None
        for verdict in verdicts:
            token = Token.of(verdict.token)
            try:
                if token.what == "request":
                    self._remember(token, verdict)
                    self._reply(token, verdict, now)
                self._end(token, now)
            except DeliveryError as error:
                failed = failed or error
        if failed is not None:
            raise failed

    def _waiting(self, now: datetime) -> Iterator[Taken]:
        room, o = self._room, self._room.options
        sign = room.proof.signer(o.key, now)
        yield from self._kept(now)
        for selector in o.selectors(now):
            for operation, make in (
                ("GetRequest", write.get_request),
                ("GetResponse", write.get_response),
            ):
                envelope = make(o.version, selector, sign)
                yield from self._drained(operation, envelope, now)
        if o.statuses:
            yield from self._drained("GetStatus", write.get_status(o.version, now, sign), now)

    def _kept(self, now: datetime) -> Iterator[Taken]:
        """Give again what GetStatus gave before and was not stored."""
        for key, told in self._room.memory.since(STATUS, now - LAST):
            if told.get("state") == "given":
                yield Taken(
                    wire=_status_wire({**told, "key": key}), token=str(Token("status", key))
                )

    def _drained(self, operation: Any, envelope: bytes, now: datetime) -> Iterator[Taken]:
        """Ask until the queue is empty."""
        while True:
            replied = self._room.line.call(operation, envelope, safe=operation != "GetStatus")
            answer = replied.answer
            if isinstance(answer, t.Fault):
                raise refuse(answer, operation, replied.response)
            if isinstance(answer, t.Empty):
                return
            if answer.deviations:
                log.info("smev.deviations", what=operation, found=answer.deviations[:5])
            found = self._one(replied, answer, now)
            if found is not None:
                yield found

    def _one(self, replied: Replied, answer: t.Answer, now: datetime) -> Taken | None:
        """Return one message as it is to be stored; None where it was before, or can wait."""
        try:
            self._room.proof.by_smev(answer, now)
        except TrustError as error:
            return self._untrusted(replied, answer, error)
        if isinstance(answer, t.StatusMessage):
            return self._status(answer, now)
        if isinstance(answer, t.Cancelled):
            log.warning("smev.cancelled", message=answer.message_id, reference=answer.reference)
            self._acknowledge(answer.message_id, now)
            return None
        assert isinstance(answer, t.RequestMessage | t.ResponseMessage)
        id_ = answer.data.message_id
        what = "request" if isinstance(answer, t.RequestMessage) else "response"
        try:
            if self._is_stored(answer, now):
                return None
        except TrustError as error:
            refused = _refused(replied, _headers(answer, what, None), error)
            return Taken(wire=refused, token=str(Token("doubted", id_)))
        wire = self._wire(replied, answer, what, now)
        return Taken(wire=wire, token=str(Token(what, id_))) if wire is not None else None

    def _is_stored(self, answer: t.RequestMessage | t.ResponseMessage, now: datetime) -> bool:
        """Remember a message and its newest ReplyTo; acknowledge it again if it was stored.

        Raise TrustError for a number that another sender has: the answers to him are his.
        """
        memory, id_, sender = self._room.memory, answer.data.message_id, answer.metadata.sender
        reply_to = getattr(answer, "reply_to", "")
        told = {"reply_to": reply_to, "sender": sender, "state": "given"}
        if getattr(answer.data, "test", False):
            told["test"] = True
        found = memory.add(RECEIVED, id_, told)
        if found is None:
            return False
        if found.get("sender", sender) != sender:
            raise TrustError(
                "the number of the message is another sender's", "replayed", found=id_, where=sender
            )
        if reply_to and found.get("reply_to") != reply_to:
            memory.put(RECEIVED, id_, {**found, "reply_to": reply_to})
        if found.get("state") != "taken":
            return False
        log.info("smev.redelivered", message=id_)
        self._acknowledge(id_, now)
        return True

    def _wire(
        self, replied: Replied, answer: t.RequestMessage | t.ResponseMessage, what: str,
        now: datetime,
    ) -> Wire | None:  # fmt: skip
        """Return a message for the codec; one that is not to be believed says so in its headers.

        None where its files cannot be had now: it is not acknowledged, so it comes again.
        """
        data, room = answer.data, self._room
        headers = _headers(answer, what, room.memory.get(ids.NUMBER, _original(answer)))
        try:
            room.proof.by_sender(answer, now)
            packed = files.incoming(
                data, answer.storage, replied.files, room.storage, room.proof, now
            )
        except PeerUnavailable as error:
            log.warning("smev.files_away", message=data.message_id, reason=error.message)
            return None
        except GatewayError as error:
            return _refused(replied, headers, error)
        if isinstance(answer, t.ResponseMessage) and answer.data.kind != "response":
            headers[t.KIND] = answer.data.kind
            self._note(answer)
            body = words.write(answer.version, answer.data)
            return Wire(media_type=_XML, body=body, headers=headers)
        wire = package.wired(data.content, packed)
        return Wire(media_type=wire.media_type, body=wire.body, headers=headers)

    def _note(self, answer: t.ResponseMessage) -> None:
        """Write down that СМЭВ refused what it had queued."""
        told = answer.data.async_status
        if told is not None and told.refused:
            self._no_more(told, answer.original_message_id)

    def _status(self, answer: t.StatusMessage, now: datetime) -> Taken:
        """СМЭВ gives a status once: it is remembered before anything else is done."""
        told = answer.status
        body = words.write(answer.version, words.Words(async_status=told))
        about = self._room.memory.get(ids.NUMBER, told.original_message_id) or {}
        kept = {
            "state": "given",
            "at": now.isoformat(),
            "body": body.decode(),
            "original": told.original_message_id,
            "appeal": str(about.get("appeal", "")),
            "version": answer.version,
        }
        if told.refused:
            self._no_more(told, told.original_message_id)
        digest = sha256(body).hexdigest()[:32]
        key = f"{told.original_message_id}-{digest}"
        self._room.memory.put(STATUS, key, kept)
        return Taken(wire=_status_wire(kept | {"key": key}), token=str(Token("status", key)))

    def _no_more(self, told: t.AsyncProcessingStatus, original: str) -> None:
        memory = self._room.memory
        number = original or told.original_message_id
        about = memory.get(ids.NUMBER, number)
        record = ids.known(memory, str(about["key"])) if about else None
        if about is None or record is None or record.id != number:
            log.warning("smev.refused_of_nobody", message=number)
            return
        fault = f"{told.fault.code} {told.fault.description}" if told.fault else told.details
        ids.settle(memory, str(about["key"]), record, "refused", f"{told.category}: {fault}"[:500])

    def _untrusted(self, replied: Replied, answer: t.Answer, error: TrustError) -> Taken:
        data = getattr(answer, "data", None)
        claimed = str(getattr(data, "message_id", ""))
        log.warning(
            "smev.not_signed_by_smev", reason=error.reason, where=error.where, claimed=claimed
        )
        times = int((self._room.memory.get(UNTRUSTED, claimed) or {}).get("times", 0)) + 1
        self._room.memory.put(UNTRUSTED, claimed, {"times": times})
        wire = _refused(replied, {t.MESSAGE_ID: claimed, t.VERSION: answer.version}, error)
        what = "untrusted" if times >= BELIEVED_NEVER else "doubted"
        return Taken(wire=wire, token=str(Token(what, claimed)))

    def _remember(self, token: Token, verdict: Verdict) -> None:
        """Keep which request brought an appeal, before the Ack: after it none comes again.

        An appeal sent again under a new number is answered to the newest one.
        """
        landed: Landed | None = verdict.items[0] if verdict.items else None
        if landed is None or verdict.error is not None or landed.operation != "submit":
            return
        memory, number = self._room.memory, landed.receipt_number
        memory.put(APPEAL, number, {"message": token.id})
        owners.remember(memory, number, memory.get(RECEIVED, token.id) or {})

    def _reply(self, token: Token, verdict: Verdict, now: datetime) -> None:
        """Say what became of a request, where no event of an appeal will."""
        landed: Landed | None = verdict.items[0] if verdict.items else None
        error = verdict.error
        if error is not None and error.who == "peer":
            told = error.code if isinstance(error, TrustError) else error.message
            wire = encode.not_understood(
                token.id, f"{told} ({verdict.correlation})", self._room.options.version
            )
        elif error is None and landed is not None and landed.operation != "submit":
            number = landed.receipt_number or token.id
            wire = encode.receipt(number, landed.accepted_at or now, token.id)
        else:
            return
        try:
            self._outbox.send(wire, f"reply/{token.id}", now)
        except PeerRefused as refused:
            log.warning("smev.reply_refused", message=token.id, reason=refused.message)

    def _end(self, token: Token, now: datetime) -> None:
        memory = self._room.memory
        if token.what == "status":
            told = memory.get(STATUS, token.id)
            memory.put(STATUS, token.id, {**(told or {}), "state": "taken"})
            return
        if token.what in ("untrusted", "doubted"):
            if token.id and token.what == "untrusted":
                self._acknowledge(token.id, now, accepted=False)
            return
        told = memory.get(RECEIVED, token.id)
        memory.put(RECEIVED, token.id, {**(told or {}), "state": "taken"})
        self._acknowledge(token.id, now)

    def _acknowledge(self, id_: str, now: datetime, *, accepted: bool = True) -> None:
        o = self._room.options
        sign = self._room.proof.signer(o.key, now)
        envelope = write.ack(o.version, id_, sign, accepted=accepted)
        replied = self._room.line.call("Ack", envelope, safe=True)
        if isinstance(replied.answer, t.Fault) and retry.action(replied.answer, "Ack") != "done":
            raise refuse(replied.answer, "Ack", replied.response)


def _headers(
    answer: t.RequestMessage | t.ResponseMessage, what: str, about: Mapping[str, Any] | None
) -> dict[str, str]:
    sent_at = answer.metadata.sent_at
    found = {
        t.KIND: what,
        t.MESSAGE_ID: answer.data.message_id,
        t.ORIGINAL_ID: _original(answer),
        t.APPEAL: str((about or {}).get("appeal", "")),
        t.SENDER: answer.metadata.sender,
        t.SENT_AT: sent_at.isoformat() if sent_at else "",
        t.TEST: "1" if getattr(answer.data, "test", False) else "",
        t.VERSION: answer.version,
    }
    return {name: value for name, value in found.items() if value}


def _original(answer: t.RequestMessage | t.ResponseMessage) -> str:
    return answer.original_message_id if isinstance(answer, t.ResponseMessage) else ""


def _status_wire(told: Mapping[str, Any]) -> Wire:
    key = str(told.get("key", "")) or str(told.get("original", ""))
    found = {
        t.KIND: "async",
        t.MESSAGE_ID: key or sha256(str(told["body"]).encode()).hexdigest()[:32],
        t.ORIGINAL_ID: str(told.get("original", "")),
        t.APPEAL: str(told.get("appeal", "")),
        t.SENT_AT: str(told.get("at", "")),
        t.VERSION: str(told.get("version", "")),
    }
    headers = {name: value for name, value in found.items() if value}
    return Wire(media_type=_XML, body=str(told["body"]).encode(), headers=headers)


def _refused(replied: Replied, headers: Mapping[str, str], error: GatewayError) -> Wire:
    """Return the whole answer as it came, with the reason why it is not taken."""
    reason = f"trust:{error.reason}" if isinstance(error, TrustError) else error.code
    more = {REFUSED: reason, WHY: error.message[:300]}
    content_type = replied.response.headers.get("content-type", "text/xml")
    return Wire(media_type=content_type, body=replied.response.body, headers={**headers, **more})


def refusal(wire: Wire) -> GatewayError | None:
    """Return why a wire is kept and refused, None for one that is to be decoded."""
    told = wire.headers.get(REFUSED, "")
    if not told:
        return None
    code, _, reason = told.partition(":")
    if code == "trust":
        # A stored message keeps the reason, but no sentence: it may say what stood in the message.
        return TrustError(
            wire.headers.get(WHY, "") or f"подписи не верим · not believed: {reason}",
            reason,  # type: ignore[arg-type]
            where="Envelope",
            todo="gateway smev verify FILE says which signature, and at which step",
        )
    message = wire.headers.get(WHY, told)
    return ValidationError(message, (Violation("Envelope", code, message),))
