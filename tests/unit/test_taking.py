"""Messages of many items on their way to the store."""

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace

from gateway import taking
from gateway.adapter import Decoded, Inbound, Wire

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
