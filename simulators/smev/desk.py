"""Answers calls of СМЭВ: reads, proves, checks, and says what is to be kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from xml.sax.saxutils import quoteattr

from simulators.smev import giving, sending, writing
from simulators.smev.names import NAMES
from simulators.smev.reading import Unreadable, read
from simulators.smev.rules import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from simulators.smev.house import House
    from simulators.smev.reading import Asked
    from simulators.smev.registry import System

OK = 200
FAULT = 500
"""SOAP 1.1, 6.2: a fault comes with status 500."""


class Served(NamedTuple):
    """An answer. keep: what is done when the plan of failures lets the call be stored."""

    status: int
    reply: writing.Reply
    operation: str = ""
    keep: Callable[[], dict[str, Any]] | None = None
    why: tuple[str, ...] = ()


class Desk:
    """All operations over the parts of one house."""

    def __init__(self, house: House) -> None:
        self.house = house
        self._operations: Mapping[str, Callable[[Asked, System], Served]] = {
            "SendRequest": self._send,
            "SendResponse": self._send,
            "GetRequest": self._get,
            "GetResponse": self._get,
            "GetStatus": self._status,
            "Ack": self._ack,
            "GetIncomingQueueStatistics": self._statistics,
        }

    def serve(self, version: str, headers: dict[str, str], body: bytes) -> Served:
        """Answer one call."""
        operation = ""
        try:
            asked = read(version, headers, body)
            operation = asked.operation.name
            if self.house.troubles.take("failure", operation):
                raise Refusal("SMEVFailure", "сбой по плану испытания")
            return self._operations[operation](asked, self._caller(asked))
        except Refusal as refusal:
            envelope = writing.fault(NAMES[version], refusal)
            return Served(FAULT, self._packed(envelope), operation, why=(str(refusal),))
        except Unreadable as error:
            envelope = writing.unreadable(str(error))
            return Served(FAULT, self._packed(envelope), operation, why=(f"ours: {error}",))

    def _caller(self, asked: Asked) -> System:
        """Return whose call it is; raise Refusal for what is not as the schema says."""
        limit = self.house.account.limits.attachments
        if asked.size > limit:
            raise Refusal(
                "AttachmentSizeLimitExceeded", "вложения слишком велики",
                PermittedTotalAttachmentSize=limit, RealTotalAttachmentSize=asked.size,
            )  # fmt: skip
        self.house.schemas.check(asked.names.version, asked.root)
        certificate = self.house.ring.prove(asked.signature, asked.target, self.house.now())
        return self.house.registry.caller(certificate)

    def _send(self, asked: Asked, caller: System) -> Served:
        make = sending.request if asked.operation.name == "SendRequest" else sending.response
        letter = make(self.house, asked, caller)
        text = sending.receipt(self.house, asked, letter)
        signer = self.house.signer()
        envelope = writing.signed(asked.names, text, asked.names.t("MessageMetadata"), signer)
        return self._done(asked, envelope, lambda: sending.keep(self.house, letter))

    def _get(self, asked: Asked, caller: System) -> Served:
        house, name = self.house, asked.operation.name
        wanted = giving.wanted(house, asked, caller)
        form = name.removeprefix("Get").upper()
        letter = house.account.take(
            caller.mnemonic, form, asked.names.version, wanted, house.now(),
            early=house.troubles.take("again_early", name),
        )  # fmt: skip
        if letter is None:
            return self._done(asked, writing.answered(asked.names, f"<t:{name}Response/>"), None)
        given = giving.give(house, asked.names, letter)
        return self._done(
            asked, given.envelope, lambda: house.account.gave(letter.id, house.now()), given.parts
        )

    def _ack(self, asked: Asked, caller: System) -> Served:
        account = self.house.account
        message_id = (asked.target.text or "").strip()
        accepted = asked.target.get("accepted", "true").strip() in {"true", "1"}
        account.unacknowledged(message_id, caller.mnemonic)

        def keep() -> dict[str, Any]:
            self.house.storage.end([message_id])
            late = self.house.troubles.take("again_late", "Ack")
            return account.ack(message_id, accepted=accepted, late=late)

        return self._done(asked, writing.answered(asked.names, "<t:AckResponse/>"), keep)

    def _status(self, asked: Asked, caller: System) -> Served:
        account, names = self.house.account, asked.names
        status = account.next_status(caller.mnemonic, names.version)
        if status is None:
            return self._done(asked, writing.answered(names, "<t:GetStatusResponse/>"), None)
        inside = (
            '<t:AsyncProcessingStatusData Id="SIGNED_ASYNC_BY_SMEV">'
            f"{sending.asynchronous(status)}</t:AsyncProcessingStatusData>"
        )
        text = (
            f"<t:GetStatusResponse><t:SmevAsyncProcessingMessage>{inside}"
            "</t:SmevAsyncProcessingMessage></t:GetStatusResponse>"
        )
        target = names.t("AsyncProcessingStatusData")
        envelope = writing.signed(names, text, target, self.house.signer())
        return self._done(
            asked, envelope, lambda: account.told(caller.mnemonic, names.version, status)
        )

    def _statistics(self, asked: Asked, caller: System) -> Served:
        depths = self.house.account.depths(caller.mnemonic, asked.names.version)
        inside = "".join(
            f'<t:QueueStatistics queueName={quoteattr(name)} pendingMessageNumber="{sum(depth)}"/>'
            for name, depth in depths.items()
        )
        name = "t:GetIncomingQueueStatisticsResponse"
        return self._done(asked, writing.answered(asked.names, f"<{name}>{inside}</{name}>"), None)

    def _done(
        self,
        asked: Asked,
        envelope: bytes,
        keep: Callable[[], dict[str, Any]] | None,
        parts: Mapping[str, bytes] | None = None,
    ) -> Served:
        name = asked.operation.name
        cut = self.house.troubles.take("cut", name)
        return Served(OK, self._packed(envelope, parts or {}, cut=cut), name, keep)

    def _packed(
        self, envelope: bytes, parts: Mapping[str, bytes] | None = None, *, cut: bool = False
    ) -> writing.Reply:
        replies = self.house.replies
        if replies.plain and not parts and not cut:
            return writing.Reply("text/xml; charset=utf-8", envelope)
        return writing.package(envelope, parts or {}, split=replies.split, cut=cut)
