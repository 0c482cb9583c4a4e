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
from functools import partial
from hashlib import sha256
from time import monotonic
from typing import TYPE_CHECKING, Final, NamedTuple

import structlog

from adapters.smev import encode, files, forgetting, handed, ids, owners, retry
from adapters.smev.line import refuse
from adapters.smev.messages import package, words, write
from adapters.smev.messages import types as t
from adapters.smev.outbox import APPEAL, RECEIVED, Outbox, Room
from gateway import limits
from gateway.adapter import Batch, Taken, Wire
from gateway.errors import DeliveryError, GatewayError, PeerRefused, PeerUnavailable, TrustError
from gateway.outbound import Answered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from adapters.smev.line import Replied
    from adapters.smev.messages.types import Operation
    from gateway.adapter import Landed, Verdict
    from gateway.outbound import Response

log = structlog.get_logger(__name__)

STATUS: Final = "status"
"""Kind in the memory: what GetStatus gave, which СМЭВ gives once, until it is stored."""
UNTRUSTED: Final = "untrusted"
"""Kind in the memory: the number that a message claimed → how often its signature did not hold."""
BELIEVED_NEVER: Final = 2
"""Once a signature may have been broken on the way: only after so many times СМЭВ is told that the
message is not accepted, which is the end of it."""
LAST: Final = timedelta(days=3)
"""How far back a status that was not stored is looked for."""
SECONDS: Final = 20.0
"""After so long an asking gives what it has."""
BATCH_BYTES: Final = 64 * limits.MB
"""After so much, too: what one asking gives is in memory until it is stored."""
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
        self._turn = 0

    def receive(self, now: datetime) -> Batch:
        """Return what waits in the queues, each message once."""
        self._forgetting.forget(now)
        taken: dict[str, Taken] = {}
        end, most = monotonic() + SECONDS, self._room.options.batch
        size = 0
        try:
            for given, one in enumerate(self._waiting(now), 1):
                if one is not None:
                    taken.setdefault(one.token, one)
                    size += len(one.wire.body)
                if given >= most or size > BATCH_BYTES or monotonic() > end:
                    return Batch(messages=tuple(taken.values()), more=bool(taken))
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

    def _waiting(self, now: datetime) -> Iterator[Taken | None]:
        """Yield what the queues give; None for a message that is not to be stored again.

        Where an asking was cut off, by a batch that is full or by an error, the next one begins
        with the queue behind: no flood, and nothing unreadable, keeps the others waiting.
        """
        room, o = self._room, self._room.options
        sign = room.proof.signer(o.key, now)
        yield from self._kept(now)
        asks: list[tuple[Operation, Callable[[], bytes]]] = []
        for one in o.selectors(now):
            asks += (
                ("GetRequest", partial(write.get_request, o.version, one, sign)),
                ("GetResponse", partial(write.get_response, o.version, one, sign)),
            )
        if o.statuses:
            asks.append(("GetStatus", partial(write.get_status, o.version, now, sign)))
        first = self._turn
        for turn in range(first, first + len(asks)):
            operation, envelope = asks[turn % len(asks)]
            self._turn = turn + 1
            yield from self._drained(operation, envelope(), now)
        self._turn = 0

    def _kept(self, now: datetime) -> Iterator[Taken]:
        """Give again what GetStatus gave before and was not stored."""
        for key, told in self._room.memory.since(STATUS, now - LAST):
            if told.get("state") == "given":
                yield Taken(
                    wire=handed.status({**told, "key": key}), token=str(Token("status", key))
                )

    def _drained(
        self, operation: Operation, envelope: bytes, now: datetime
    ) -> Iterator[Taken | None]:
        """Ask until the queue is empty."""
        while True:
            try:
                replied = self._room.line.call(operation, envelope, safe=operation != "GetStatus")
            except PeerUnavailable as error:
                yield self._unreadable(error)
                continue
            answer = replied.answer
            if isinstance(answer, t.Fault):
                raise refuse(answer, operation, replied.response)
            if isinstance(answer, t.Empty):
                return
            if answer.deviations:
                log.info("smev.deviations", what=operation, found=answer.deviations[:5])
            yield self._one(replied, answer, now)

    def _one(self, replied: Replied, answer: t.Answer, now: datetime) -> Taken | None:
        """Return one message as it is to be stored; None where it was before, or can wait."""
        try:
            self._room.proof.by_smev(answer, now)
        except TrustError as error:
            told = str(getattr(getattr(answer, "data", None), "message_id", ""))
            return self._untrusted(replied.response, told, error)
        if isinstance(answer, t.StatusMessage):
            return self._status(replied, answer, now)
        if isinstance(answer, t.Cancelled):
            log.warning("smev.cancelled", message=answer.message_id, reference=answer.reference)
            self._acknowledge(answer.message_id, now)
            return None
        if not isinstance(answer, t.RequestMessage | t.ResponseMessage):
            found = type(answer).__name__
            raise PeerUnavailable("СМЭВ: an answer that was not asked for", found=found)
        id_ = answer.data.message_id
        what = "request" if isinstance(answer, t.RequestMessage) else "response"
        try:
            if self._is_stored(answer, now):
                return None
        except TrustError as error:
            refused = handed.refused(replied.response, handed.headers(answer, what, None), error)
            return Taken(wire=refused, token=str(Token("doubted", id_)))
        wire = self._wire(replied, answer, what, now)
        return Taken(wire=wire, token=str(Token(what, id_))) if wire is not None else None

    def _is_stored(self, answer: t.RequestMessage | t.ResponseMessage, now: datetime) -> bool:
        """Remember a message and its newest ReplyTo; acknowledge it again if it was stored.

        Raise TrustError for a number that another sender has: the answers to him are his; and for
        a message of a time whose numbers were forgotten, which nobody can tell from a new one.
        """
        memory, id_, sender = self._room.memory, answer.data.message_id, answer.metadata.sender
        reply_to = getattr(answer, "reply_to", "")
        told = {"reply_to": reply_to, "sender": sender, "state": "given"}
        if getattr(answer.data, "test", False):
            told["test"] = True
        sent = answer.metadata.sent_at
        if sent is not None and now - sent > timedelta(days=forgetting.DAYS[RECEIVED]):
            raise TrustError("an old message once more", "replayed", found=id_, where=sender)
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
        about = room.memory.get(ids.NUMBER, handed.original(answer))
        headers = handed.headers(answer, what, about)
        try:
            room.proof.by_sender(answer, now)
            packed = files.incoming(
                data, answer.storage, replied.files, room.storage, room.proof, now
            )
        except PeerUnavailable as error:
            log.warning("smev.files_away", message=data.message_id, reason=error.message)
            return None
        except GatewayError as error:
            return handed.refused(replied.response, headers, error)
        if isinstance(answer, t.ResponseMessage) and answer.data.kind != "response":
            headers[t.KIND] = answer.data.kind
            self._note(answer)
        wire = package.wired(replied.envelope, packed)
        return Wire(media_type=wire.media_type, body=wire.body, headers=headers)

    def _note(self, answer: t.ResponseMessage) -> None:
        """Write down that СМЭВ refused what it had queued.

        Of which message is СМЭВ's to say: another body that puts such a word into its answer may
        name any of ours there.
        """
        told, original = answer.data.async_status, answer.original_message_id
        by_body = any(one.who == "sender" and one.signature is not None for one in answer.signed)
        if told is not None and told.refused and (original or not by_body):
            self._no_more(told, original)

    def _status(self, replied: Replied, answer: t.StatusMessage, now: datetime) -> Taken:
        """СМЭВ gives a status once: it is remembered before anything else is done."""
        told = answer.status
        body = words.write(answer.version, words.Words(async_status=told))
        about = self._room.memory.get(ids.NUMBER, told.original_message_id) or {}
        kept = {
            "state": "given",
            "at": now.isoformat(),
            "body": replied.envelope.decode(),
            "original": told.original_message_id,
            "appeal": str(about.get("appeal", "")),
            "version": answer.version,
        }
        if told.refused:
            self._no_more(told, told.original_message_id)
        digest = sha256(body).hexdigest()[:32]
        key = f"{told.original_message_id}-{digest}"
        self._room.memory.put(STATUS, key, kept)
        return Taken(wire=handed.status(kept | {"key": key}), token=str(Token("status", key)))

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

    def _unreadable(self, error: PeerUnavailable) -> Taken:
        """Return what СМЭВ handed over and no parser of ours takes; raise when it is no message.

        It was put there by its sender, and as long as it is not acknowledged it comes again: so it
        is kept as it came and dealt with as one whose signature does not hold.
        """
        answered = error.__cause__
        number = handed.claimed(answered.response.body) if isinstance(answered, Answered) else ""
        if not isinstance(answered, Answered) or not number:
            raise error
        why = answered.__cause__ or answered.__context__
        return self._untrusted(
            answered.response, number, why if isinstance(why, GatewayError) else error
        )

    def _untrusted(self, response: Response, claimed: str, error: GatewayError) -> Taken:
        if len(claimed) > limits.ID_CHARS:
            claimed = ""
        reason = error.reason if isinstance(error, TrustError) else error.code
        log.warning("smev.not_believed", reason=reason, where=error.where, claimed=claimed)
        times = int((self._room.memory.get(UNTRUSTED, claimed) or {}).get("times", 0)) + 1
        self._room.memory.put(UNTRUSTED, claimed, {"times": times})
        wire = handed.refused(response, {t.MESSAGE_ID: claimed}, error)
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
