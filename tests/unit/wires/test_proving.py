"""Proofs have threads of their own, of which one sender has one at a time."""

import asyncio
import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest

from gateway import limits
from gateway.errors import BusyError, SecurityError
from gateway.wires.proving import Proving
from tests.unit.wires.kit import after

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_many_dear_messages_of_one_sender_leave_a_thread_to_another():
    async def story():
        proving, gate = Proving(), threading.Event()
        dear = [asyncio.ensure_future(proving.run("greedy", 1, gate.wait)) for _ in range(12)]
        await asyncio.sleep(0)
        other = await asyncio.wait_for(proving.run("other", 1, lambda: "proven"), 10)
        assert not any(each.done() for each in dear)
        gate.set()
        await asyncio.gather(*dear)
        proving.close()
        return other

    assert asyncio.run(story()) == "proven"


def test_past_a_bound_a_sender_is_told_to_come_again_and_another_is_not():
    async def story():
        proving, gate = Proving(waiting=2), threading.Event()
        dear = [asyncio.ensure_future(proving.run("greedy", 1, gate.wait)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(BusyError):
            await proving.run("greedy", 1, gate.wait)
        await proving.run("other", 1, int)
        gate.set()
        await asyncio.gather(*dear)
        assert await proving.run("greedy", 1, gate.wait)
        proving.close()

    asyncio.run(story())


def test_its_threads_are_not_those_of_everybody_and_are_replaced():
    async def story():
        proving = Proving(renewed_after=100)
        first = await proving.run("a", 120, threading.current_thread)
        later = await after(first, lambda: proving.run("a", 1, threading.current_thread))
        ours = await asyncio.to_thread(threading.current_thread)
        proving.close()
        return first, later, ours

    first, later, ours = asyncio.run(story())
    assert ours not in (first, later)


def test_a_signature_is_remembered_while_it_would_be_fresh():
    proving = Proving()
    proving.spent(b"old", NOW)
    with pytest.raises(SecurityError), proving.package(b"old"):
        pass
    proving.spent(b"new", NOW + timedelta(minutes=8))
    with proving.package(b"old"):
        pass


def test_a_long_document_is_proven_in_short_turns():
    usual = sys.getswitchinterval()

    async def story():
        proving = Proving()
        long = await proving.run("a", limits.INLINE_DECODE_BYTES + 1, sys.getswitchinterval)
        short = await proving.run("a", 10, sys.getswitchinterval)
        proving.close()
        return long, short

    long, short = asyncio.run(story())
    assert long < usual / 2
    assert short == usual == sys.getswitchinterval()
