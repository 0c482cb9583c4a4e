"""Messages of many items on their way to the store."""

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace

from gateway import taking
from gateway.adapter import Decoded, Inbound, Rejected, Wire
from gateway.errors import Violation

NOW = datetime(2026, 4, 1, tzinfo=UTC)


class Counting:
    """A door that notes how many items wait for it together."""

    waiting = most = 0

    async def accept(self, inbound, raw):
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        await asyncio.sleep(0)
        self.waiting -= 1
        return SimpleNamespace(receipt_number=inbound.external_id, accepted_at=NOW, repeat=False)


def test_a_message_of_many_items_does_not_fill_the_queue_of_the_store():
    items = tuple(
        Inbound(operation="submit" if n % 3 else "status", external_id=str(n), raw=b"x")
        for n in range(3 * taking.AT_ONCE)
    )
    door = Counting()

    async def decode(_):
        return Decoded(items=items)

    wire = Wire(media_type="", body=b"")
    verdict = asyncio.run(taking.take(wire, decode, door, now=NOW, correlation="c"))

    assert [item.receipt_number for item in verdict.items] == [i.external_id for i in items]
    assert door.most == taking.AT_ONCE


class Keeping(Counting):
    """A door that notes what is kept of what was refused."""

    def __init__(self):
        self.kept = []

    async def keep(self, error, operation, raw):
        self.kept.append((error.message, operation, raw))


def taken_of(rejected, items=()):
    door = Keeping()

    async def decode(_):
        return Decoded(items=items, rejected=rejected)

    wire = Wire(media_type="", body=b"the whole")
    return door, asyncio.run(taking.take(wire, decode, door, now=NOW, correlation="c"))


def lines(count):
    wrong = (Violation("/id", "required", "must not be empty"),)
    return tuple(
        Rejected(where=str(n), violations=wrong, raw=f"line {n}".encode()) for n in range(count)
    )


def test_each_of_some_items_that_cannot_be_read_is_kept_by_itself():
    door, verdict = taken_of(lines(taking.KEPT_APART))
    assert [raw for _, _, raw in door.kept] == [one.raw for one in lines(taking.KEPT_APART)]
    assert [item.where for item in verdict.items] == [str(n) for n in range(taking.KEPT_APART)]


def test_a_message_of_very_many_that_cannot_be_read_is_kept_once_and_the_rest_goes_on():
    many = lines(taking.KEPT_APART + 1)
    door, verdict = taken_of(many, (Inbound(operation="submit", external_id="1", raw=b"x"),))
    assert [(operation, raw) for _, operation, raw in door.kept] == [("submit", b"the whole")]
    assert str(len(many)) in door.kept[0][0]
    assert [item.error is None for item in verdict.items] == [True] + [False] * len(many)
    assert verdict.items[-1].where == many[-1].where
