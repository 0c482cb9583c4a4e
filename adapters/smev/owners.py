"""Whose an appeal is among the many systems that speak through one queue of СМЭВ.

A row of ours is one queue, and behind it stands every system that may send to it. The store knows
the row alone, so that a number that somebody else made up, or was told, would be as good as one's
own: to withdraw his appeal, to amend it, to have his answers. СМЭВ says under its own signature who
sent a message (MessageMetadata/Sender); whoever named an appeal first is the only one who may name
it again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from adapters.smev.messages import types as t
from gateway.errors import TrustError, ValidationError, Violation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.adapter import Inbound, Wire
    from gateway.lent import Memory

OWNER: Final = "owner"
"""Kind in the memory: a number of an appeal → mnemonic of the system whose it is."""


def check(memory: Memory, item: Inbound, wire: Wire) -> None:
    """Raise TrustError for an appeal of somebody else, ValidationError where none is named.

    An answer is about the appeal of our own request, by the number that СМЭВ signed, and by nothing
    that stands in the answer.
    """
    kind, sender = wire.headers.get(t.KIND, ""), wire.headers.get(t.SENDER, "")
    test = bool(wire.headers.get(t.TEST))
    if kind == "request" and item.appeal is not None:
        new = item.operation == "submit"
        _own(memory, external(item.external_id), sender, test=test, new=new)
    elif kind == "request" and item.report is not None:
        key = item.report.key
        if not (key.receipt_number or key.external_id):
            message = "behind СМЭВ a number of a registration alone names no appeal"
            wanted = "ReceiptNumber, or the sender's own ExternalId"
            found = Violation("Key", "required", message, key.registration_number, wanted)
            raise ValidationError(message, (found,))
        if key.receipt_number:
            _own(memory, receipt(key.receipt_number), sender, test=test)
        else:
            _own(memory, external(key.external_id), sender, test=test)
    elif kind == "response":
        ours = wire.headers.get(t.APPEAL, "")
        if not ours or item.report is None or item.report.key.receipt_number != ours:
            raise TrustError(
                "an answer that is none to a request of ours",
                "not_allowed",
                found=wire.headers.get(t.ORIGINAL_ID, ""),
                expected="Answer, Status, Receipt or Refusal, to a request that we sent",
                where=_sender(sender),
            )
        memory.add(OWNER, receipt(ours), {"sender": sender})


def remember(memory: Memory, receipt_number: str, received: Mapping[str, Any]) -> None:
    """Write down whose an appeal is that was given our number. received: of its request."""
    told = _told(str(received.get("sender", "")), test=bool(received.get("test")))
    memory.add(OWNER, receipt(receipt_number), told)


def external(number: str) -> str:
    """Return the key of a number that its sender made."""
    return f"external/{number}"


def receipt(number: str) -> str:
    """Return the key of a number of ours."""
    return f"receipt/{number}"


def _own(memory: Memory, key: str, sender: str, *, test: bool, new: bool = False) -> None:
    found = memory.add(OWNER, key, _told(sender, test=test)) if new else memory.get(OWNER, key)
    if found is not None and found.get("sender") != sender:
        raise TrustError(
            "the appeal is another sender's", "not_allowed", found=key, where=_sender(sender)
        )
    if test and not new and not (found or {}).get("test"):
        message = "a test message changes no appeal that is not one of a test"
        raise ValidationError(message, (Violation("TestMessage", "test", message, key),))


def _told(sender: str, *, test: bool) -> Mapping[str, Any]:
    return {"sender": sender, "test": True} if test else {"sender": sender}


def _sender(mnemonic: str) -> str:
    return f"отправитель · sender {mnemonic}"
