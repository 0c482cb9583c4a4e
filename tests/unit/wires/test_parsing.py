"""Threads that parse what strangers send do not live long enough to keep much of it."""

import asyncio
import os
import sys
import threading
import time

import pytest

from gateway import limits
from gateway.wires.parsing import THREADS, Parsing
from tests.unit.wires.kit import after


def ended(thread):
    for _ in range(500):
        if not thread.is_alive():
            return True
        time.sleep(0.01)
    return False


def test_a_thread_is_replaced_when_it_has_read_so_much_and_ends():
    async def story():
        parsing = Parsing(renewed_after=100)
        first = await parsing.run(60, threading.current_thread)
        same = await parsing.run(60, threading.current_thread)
        assert same is first
        other = await after(first, lambda: parsing.run(1, threading.current_thread))
        parsing.close()
        return first, same, other

    first, same, other = asyncio.run(story())
    assert first.name.startswith("parse")
    assert other not in (first, same)
    assert ended(first)
    assert ended(same)
    assert ended(other)


def test_work_that_was_given_before_is_finished():
    async def story():
        parsing = Parsing(renewed_after=1)
        gate = threading.Event()
        waiting = [asyncio.ensure_future(parsing.run(1, gate.wait)) for _ in range(3 * THREADS)]
        await asyncio.sleep(0)
        gate.set()
        return await asyncio.gather(*waiting)

    assert asyncio.run(story()) == [True] * 3 * THREADS


def test_who_had_much_refused_is_read_apart_until_as_much_was_taken():
    parsing = Parsing(refused=1_000)
    assert not parsing.trusts(""), "nobody is nobody to be trusted"
    assert parsing.trusts("portal")
    parsing.judged("portal", 900, taken=False)
    assert parsing.trusts("portal")
    parsing.judged("portal", 900, taken=False)
    assert not parsing.trusts("portal")
    assert parsing.trusts("other")
    parsing.judged("portal", 900, taken=True)
    assert parsing.trusts("portal")


def test_a_short_document_does_not_wait_for_long_ones():
    async def story():
        parsing, gate = Parsing(), threading.Event()
        long = limits.INLINE_DECODE_BYTES + 1
        waiting = [asyncio.ensure_future(parsing.run(long, gate.wait)) for _ in range(3 * THREADS)]
        short = await asyncio.wait_for(parsing.run(long - 1, threading.current_thread), 5)
        gate.set()
        await asyncio.gather(*waiting)
        parsing.close()
        return short.name

    assert asyncio.run(story()).startswith("parse")


def test_turns_are_short_while_something_long_is_worked_on():
    usual = sys.getswitchinterval()

    async def story():
        parsing = Parsing()
        size = limits.INLINE_DECODE_BYTES + 1
        found = [await parsing.run(size, sys.getswitchinterval)]
        found.append(await parsing.run(10, sys.getswitchinterval))
        parsing.close()
        return found

    long, short = asyncio.run(story())
    assert long < usual / 2
    assert short == usual == sys.getswitchinterval()


def test_who_starts_the_successors_is_not_the_event_loop(monkeypatch):
    started = []
    start = threading.Thread.start
    monkeypatch.setattr(
        threading.Thread,
        "start",
        lambda thread: (started.append((thread.name, threading.get_ident())), start(thread)),
    )

    async def story():
        parsing = Parsing(renewed_after=100)
        first = await parsing.run(200, threading.current_thread)
        started.clear()
        await after(first, lambda: parsing.run(1, threading.current_thread))
        parsing.close()

    asyncio.run(story())
    assert any(name.startswith("parse") for name, _ in started)
    assert threading.get_ident() not in {by for name, by in started if name.startswith("parse")}


@pytest.mark.skipif(sys.platform != "linux", reason="a thread has a nice value of its own on Linux")
def test_they_let_the_other_threads_go_first():
    def nice():
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    async def story():
        parsing = Parsing(renewed_after=1)
        found = [await parsing.run(1, nice)]
        first = await parsing.run(1, threading.current_thread)
        await after(first, lambda: parsing.run(1, threading.current_thread))
        found.append(await parsing.run(1, nice))
        parsing.close()
        return found

    before = nice()
    assert all(each >= before + 10 or each == 19 for each in asyncio.run(story()))
    assert nice() == before
