"""A doubt is settled by asking: nothing is lost, and nothing arrives twice that must not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import msgspec
import psycopg
import pytest

from gateway.adapter import Receipt
from gateway.store import arrays, deliveries, lanes

WORKER = Path(__file__).with_name("worker.py")


def doomed(stand, *words: str) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, str(WORKER), stand.url, stand.hook.address, *words])


def kill_while_sending(stand, process, id_, owner="doomed") -> None:
    """Kill the worker once the peer has the request in its hands."""
    while stand.hook.journal() == []:
        assert process.poll() is None
        threading.Event().wait(0.02)
    assert stand.state(id_) == "sending", "the attempt was written before the first byte"
    [(name, outcome)] = stand.rows("SELECT owner, outcome FROM attempt")
    assert (owner in name, outcome) == (True, "")
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)


def times_stored(stand, id_) -> int:
    held = stand.hook.held().get(str(id_))
    return held["times"] if held else 0


def test_stored_and_killed_it_is_asked_and_not_sent_again(stand):
    stand.destination()
    first, second = stand.owe("a", "a")
    stand.hook.fault("hang_after", key=str(first))
    kill_while_sending(stand, doomed(stand, "ask", "-"), first)
    worker = stand.dispatcher()
    assert worker.run_once() == 0, "the lease of the dead worker is respected"
    stand.leases_run_out()
    worker.run_once()
    worker.run_once()
    assert stand.states() == ["acknowledged", "acknowledged"]
    assert stand.outcomes(first) == ["unknown", "found"]
    assert (times_stored(stand, first), times_stored(stand, second)) == (1, 1)


def test_a_neighbour_that_sees_it_dead_need_not_wait_for_its_lease(stand):
    stand.destination()
    first, second = stand.owe("a", "a")
    stand.hook.fault("hang_after", key=str(first))
    process = doomed(stand, "ask", "-", "named")
    kill_while_sending(stand, process, first, f":{process.pid}:")
    stand.dispatcher().run_once()
    assert set(stand.states()) == {"acknowledged"}
    assert stand.outcomes(first) == ["unknown", "found"]
    assert (times_stored(stand, first), times_stored(stand, second)) == (1, 1)


def test_killed_before_the_peer_stored_it_is_asked_then_sent(stand):
    stand.destination()
    [id_] = stand.owe("a")
    stand.hook.fault("hang_before", key=str(id_))
    kill_while_sending(stand, doomed(stand, "ask", "-"), id_)
    stand.leases_run_out()
    worker = stand.dispatcher()
    worker.run_once()
    stand.clock.move(60)
    worker.run_once()
    assert stand.outcomes(id_) == ["unknown", "absent", "acknowledged"]
    assert times_stored(stand, id_) == 1


def test_a_peer_that_can_be_neither_asked_nor_trusted_is_left_to_a_person(stand):
    stand.destination(ask=False)
    [id_] = stand.owe("a")
    stand.hook.fault("hang_after", key=str(id_), seconds=3)
    worker = stand.dispatcher()
    worker.run_once()
    stand.clock.move(1_000_000)
    worker.run_once()
    assert stand.rows("SELECT state, due FROM delivery") == [("unknown", None)]
    assert times_stored(stand, id_) == 1
    assert len(stand.hook.journal()) == 1


def test_killed_towards_such_a_peer_it_is_never_sent_again_either(stand):
    stand.destination(ask=False)
    [id_] = stand.owe("a")
    stand.hook.fault("hang_before", key=str(id_))
    kill_while_sending(stand, doomed(stand, "-", "-"), id_)
    stand.leases_run_out()
    worker = stand.dispatcher()
    worker.run_once()
    stand.clock.move(1_000_000)
    worker.run_once()
    assert stand.rows("SELECT state, due FROM delivery") == [("unknown", None)]
    assert len(stand.hook.journal()) == 1


def test_a_peer_that_takes_repeats_gets_the_same_bytes_under_the_same_key(stand):
    stand.destination(ask=False, idempotent=True, disclosure="problem_only", text_is_redacted=True)
    [id_] = stand.owe("a")
    [(appeal_id,)] = stand.rows("SELECT appeal_id FROM delivery")
    stand.appeals.texts[appeal_id] = "первая редакция"
    stand.hook.fault("hang_after", key=str(id_), seconds=3)
    worker = stand.dispatcher()
    worker.run_once()
    assert stand.state(id_) == "unknown"
    stand.appeals.texts[appeal_id] = "вторая редакция"
    stand.clock.move(120)
    worker.run_once()
    assert stand.state(id_) == "acknowledged", "another body would have been a 409"
    assert len(stand.hook.journal()) == 2
    assert len(stand.hook.held()) == 1


def test_sent_again_by_a_person_after_a_refused_repeat_it_is_still_the_same_bytes(stand):
    stand.destination(ask=False, idempotent=True, disclosure="problem_only", text_is_redacted=True)
    [id_] = stand.owe("a")
    [(appeal_id,)] = stand.rows("SELECT appeal_id FROM delivery")
    stand.appeals.texts[appeal_id] = "первая редакция"
    stand.hook.fault("reset_after", key=str(id_))
    worker = stand.dispatcher()
    worker.run_once()
    stand.hook.fault("refuse", key=str(id_))
    stand.clock.move(120)
    worker.run_once()
    assert stand.state(id_) == "refused"
    stand.appeals.texts[appeal_id] = "вторая редакция"
    with psycopg.connect(stand.url, cursor_factory=psycopg.RawCursor) as connection:
        arrays.register(connection)
        deliveries.replay(connection, id_, stand.clock())
    worker.run_once()
    assert stand.state(id_) == "acknowledged", "another body would have been a 409"
    assert stand.hook.held()[str(id_)]["times"] == 2


@pytest.mark.parametrize("kind", ["hang_after", "drip", "garbage", "reset_after"])
def test_stored_without_an_answer_it_is_asked_and_not_sent_again(stand, kind):
    stand.destination()
    [id_] = stand.owe("a")
    stand.hook.fault(kind, key=str(id_), seconds=3)
    stand.dispatcher().run_once()
    assert stand.outcomes(id_) == ["unknown", "found"]
    assert times_stored(stand, id_) == 1


@pytest.mark.parametrize("kind", ["error", "reset", "hang_before"])
def test_not_stored_and_no_clear_answer_it_is_asked_then_sent(stand, kind):
    stand.destination()
    [id_] = stand.owe("a")
    stand.hook.fault(kind, key=str(id_), seconds=3)
    worker = stand.dispatcher()
    worker.run_once()
    stand.clock.move(60)
    worker.run_once()
    assert stand.outcomes(id_) == ["unknown", "absent", "acknowledged"]
    assert times_stored(stand, id_) == 1


def test_a_peer_that_does_not_answer_the_question_is_asked_again_later(stand):
    stand.destination()
    [id_] = stand.owe("a")
    stand.hook.fault("reset_after", key=str(id_))
    stand.hook.fault("error", key=f"ask:{id_}")
    worker = stand.dispatcher()
    worker.run_once()
    worker.run_once()
    for _ in range(3):
        stand.clock.move(600)
        worker.run_once()
    assert stand.outcomes(id_) == ["unknown", "doubtful", "found"]
    assert len(stand.hook.journal()) == 1


def test_a_peer_that_took_it_and_says_no_in_the_end_has_refused_it(stand):
    made = stand.destination()

    class Node:
        """Takes everything first, and refuses it when it is asked."""

        def deliver(self, wire, key):
            return Receipt(final=False, reference=key)

        def settle(self, wire, key):
            return Receipt(final=False, refused="the portal knows no such code")

    policy = msgspec.structs.replace(made.policy, ack_within=60.0, can_ask=True)
    stand.destinations["hook"] = made._replace(channel=Node(), policy=policy)
    first, second = stand.owe("a", "a")
    worker = stand.dispatcher()
    worker.run_once()
    assert stand.state(first) == "sent"
    stand.clock.move(120)
    worker.run_once()
    worker.run_once()
    assert stand.state(first) == "refused"
    assert stand.state(second) != "acknowledged"


def test_a_peer_with_other_content_under_our_key_is_not_believed(stand):
    stand.destination()
    [id_] = stand.owe("a")
    stand.hook.fault("reset_after", key=str(id_))
    worker = stand.dispatcher()
    worker.run_once()
    assert stand.state(id_) == "acknowledged"
    stand.connection.execute(
        "UPDATE delivery SET state = 'unknown'; UPDATE lane SET waiting = 1, head_seq = 1;"
        "UPDATE attempt SET request = 'something else' WHERE request IS NOT NULL"
    )
    worker.run_once()
    assert stand.state(id_) == "unknown"


def test_a_worker_that_lost_its_lane_changes_nothing_any_more(stand):
    stand.destination()
    stand.owe("a")
    want = [lanes.Want("hook", 1, 8, 30)]
    lanes.make_gates(stand.connection, ["hook"])
    [slow] = lanes.claimed(lanes.claim(stand.connection, want, "slow", stand.clock()))
    stand.leases_run_out()
    lanes.sweep(stand.connection, {}, [], stand.clock())
    [quick] = lanes.claimed(lanes.claim(stand.connection, want, "quick", stand.clock()))
    assert quick.delivery.id == slow.delivery.id
    gone = lanes.Settled(claimed=slow, state="acknowledged", attempts=1, gone=True)
    lanes.settle(stand.connection, [gone], "slow", stand.clock())
    assert stand.states() == ["ready"]
    assert stand.rows("SELECT owner, waiting FROM lane") == [("quick", 1)]
    lanes.settle(stand.connection, [gone._replace(claimed=quick)], "quick", stand.clock())
    assert stand.states() == ["acknowledged"]
    assert stand.rows("SELECT owner, waiting, head_seq FROM lane") == [("", 0, 2)]
