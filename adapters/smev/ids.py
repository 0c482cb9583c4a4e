"""Numbers of messages, and what is remembered of one that we send.

A MessageID is a UUID of version 1 in small letters (СМЭВ 3: InvalidMessageIdFormat for any other);
its time is how СМЭВ knows a stale one, so it is made when it is first sent and written down before.
The node is random with the multicast bit (RFC 4122, 4.5): no address of a machine gets out.
"""

from __future__ import annotations

import secrets
import uuid
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.lent import Memory

SENT: Final = "sent"
"""Kind in the memory: key of a delivery → `Record`."""
NUMBER: Final = "number"
"""Kind in the memory: MessageID of ours → which delivery and which appeal it was about."""
_MULTICAST: Final = 1 << 40

State = Literal["made", "queued", "refused"]


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One message of ours. id: its number of now; before: numbers that СМЭВ called stale.

    made: written down, perhaps sent; queued: СМЭВ has it; refused: СМЭВ took it and said no later.
    """

    id: str
    state: State = "made"
    before: tuple[str, ...] = ()
    why: str = ""


def new() -> str:
    """Return a number for a message that is made now."""
    return str(uuid.uuid1(node=secrets.randbits(48) | _MULTICAST))


def known(memory: Memory, key: str) -> Record | None:
    """Return what is remembered of a delivery, None when nothing of it was ever sent."""
    found = memory.get(SENT, key)
    return _record(found) if found is not None else None


def begin(memory: Memory, key: str, appeal: str) -> Record:
    """Return the record of a delivery, made and written down unless it is there already."""
    found = known(memory, key)
    if found is None:
        made = Record(id=new())
        told = memory.add(SENT, key, _told(made))
        found = made if told is None else _record(told)
    memory.add(NUMBER, found.id, {"key": key, "appeal": appeal})
    return found


def renew(memory: Memory, key: str, record: Record, appeal: str) -> Record:
    """Give a message a new number, since СМЭВ will not take the old one; that one is kept."""
    made = msgspec.structs.replace(record, id=new(), before=(*record.before, record.id))
    memory.put(SENT, key, _told(made))
    memory.add(NUMBER, made.id, {"key": key, "appeal": appeal})
    return made


def settle(memory: Memory, key: str, record: Record, state: State, why: str = "") -> Record:
    """Write down what became of a message; a refusal is not taken back by a later repeat."""
    if record.state == "refused":
        return record
    made = msgspec.structs.replace(record, state=state, why=why)
    memory.put(SENT, key, _told(made))
    return made


def _told(record: Record) -> Mapping[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(record)
    return found


def _record(told: Mapping[str, Any]) -> Record:
    return msgspec.convert(told, Record)
