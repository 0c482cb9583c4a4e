"""What a destination and an operator see of sending: order, refusals, pauses, disclosure."""

from __future__ import annotations

import base64
import datetime as dt
import hmac
import json
import threading
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from gateway.adapter import Receipt
from gateway.dispatch import Destination, Policy
from gateway.errors import BusyError, PeerRefused, ValidationError, Violation
from gateway.retry import BreakerRule, Rate, Window
from gateway.store import deliveries, readings
from gateway.wires.channels.webhook import WebhookCodec, sign

from .conftest import SECRET


class Courier:
    """A channel of this process that takes everything and acknowledges later."""

    def __init__(self, *, final: bool = True) -> None:
        self.final = final
        self.got: list[tuple[str, bytes]] = []
        self.known: dict[str, Receipt | None] = {}
        self.asked: list[str] = []

    def deliver(self, wire, key):
        self.got.append((key, wire.body))
        return Receipt(final=self.final, reference=f"ref-{key}")

    def settle(self, wire, key):
        self.asked.append(key)
        return self.known.get(key)


def courier(stand, channel=None, **policy) -> Courier:
    channel = channel or Courier()
    stand.destinations["courier"] = Destination(
        "courier", WebhookCodec("urn:test"), channel, Policy(settle_after=0, **policy)
    )
    return channel


def test_what_is_owed_arrives_once_and_the_evidence_is_kept(stand):
    stand.destination()
    [id_] = stand.owe("lane")
    assert stand.dispatcher().run_once() == 1
    [held] = stand.hook.held().values()
    assert held["key"] == str(id_)
    [row] = stand.rows(
        "SELECT outcome, status, request, response, owner FROM attempt WHERE delivery_id = $1", id_
    )
    assert row[:2] == ("acknowledged", 200)
    event = json.loads(row[2])
    assert event["specversion"] == "1.0"
    assert event["id"] == str(id_)
    assert json.loads(row[3])["key"] == str(id_)
    assert stand.dispatcher().run_once() == 0


def test_what_was_sent_of_an_appeal_stands_among_its_readings(stand):
    stand.destination()
    [id_] = stand.owe("lane")
    [[appeal]] = stand.rows("SELECT appeal_id FROM delivery WHERE id = $1", id_)
    assert list(readings.sent(stand.connection, appeal, "0123456789A")) == []
    stand.dispatcher().run_once()
    [told] = readings.sent(stand.connection, appeal, "0123456789A", who="peer:hook")
    assert told[2:6] == ("peer:hook", "push", "sent:Registered", "0123456789A")
    assert list(readings.sent(stand.connection, appeal, "0123456789A", who="peer:other")) == []


def test_many_workers_keep_the_order_of_every_lane(stand, in_thread):
    stand.destination(max_in_flight=64)
    ids = {key: [] for key in "abcde"}
    for _ in range(20):
        for key, id_ in zip(ids, stand.owe(*ids), strict=True):
            ids[key].append(str(id_))
    workers = [stand.dispatcher(f"worker-{n}", threads=4) for n in range(4)]

    def until_done(worker):
        while stand_left():
            worker.run_once()

    guard = threading.Lock()

    def stand_left() -> int:
        with guard:
            return stand.rows("SELECT sum(waiting)::int FROM lane")[0][0]

    for thread in [in_thread(lambda w=w: until_done(w)) for w in workers]:
        thread.join(60)
    came = [line["key"] for line in stand.hook.journal()]
    assert len(came) == 100
    for owed in ids.values():
        assert [c for c in came if c in set(owed)] == owed
    assert set(stand.states()) == {"acknowledged"}


def test_a_refusal_closes_its_own_lane_only(stand):
    stand.destination()
    refused, after, other = stand.owe("a", "a", "b")
    stand.hook.fault("refuse", key=str(refused))
    stand.dispatcher().run_once()
    assert [stand.state(i) for i in (refused, after, other)] == ["refused", "ready", "acknowledged"]
    assert stand.rows("SELECT closed_by FROM lane WHERE key = 'a'") == [(str(refused),)]


def test_what_the_codec_refuses_never_leaves_and_a_person_sees_why(stand):
    class Strict(WebhookCodec):
        def encode(self, appeal, event, ctx):
            raise ValidationError(
                "the peer would refuse this",
                (
                    Violation("/number", "required", "no number yet"),
                    Violation("/name", "length", "too long", "Выдуманов Иван", "at most 5"),
                ),
            )

    stand.destinations["hook"] = stand.destination()._replace(codec=Strict("urn:test"))
    [id_] = stand.owe("a")
    stand.dispatcher().run_once()
    assert stand.rows("SELECT state, error_code, error FROM delivery") == [
        (
            "refused",
            "validation",
            "the peer would refuse this; /number: no number yet; /name: too long (at most 5)",
        )
    ]
    assert stand.outcomes(id_) == ["refused"]
    assert stand.hook.journal() == []


def test_a_defect_of_ours_is_tried_again_then_dead_in_its_lane(stand):
    class Broken(WebhookCodec):
        def encode(self, appeal, event, ctx):
            raise ZeroDivisionError("private words")

    stand.destinations["hook"] = stand.destination(max_attempts=3)._replace(
        codec=Broken("urn:test")
    )
    [id_] = stand.owe("a")
    worker = stand.dispatcher()
    for _ in range(5):
        worker.run_once()
        stand.clock.move(120)
    assert stand.outcomes(id_) == ["retry", "retry", "dead"]
    [(state, code, error)] = stand.rows("SELECT state, error_code, error FROM delivery")
    assert (state, code) == ("dead", "internal")
    assert "private words" not in error


def test_the_breaker_opens_then_lets_one_try(stand):
    stand.destination(breaker=BreakerRule(threshold=3, cool=30, cap=30), max_attempts=2)
    stand.owe(*(f"lane-{n}" for n in range(8)))
    stand.hook.fault("busy", times=0)
    worker = stand.dispatcher(threads=1)
    worker.run_once()
    tried = len(stand.hook.journal())
    assert 3 <= tried <= 8
    stand.clock.move(20)
    worker.run_once()
    assert len(stand.hook.journal()) == tried, "nothing is sent while the breaker is open"
    stand.clock.move(11)
    worker.run_once()
    assert len(stand.hook.journal()) == tried + 1, "one may try"
    assert "dead" not in stand.states(), "an outage of the peer kills no delivery"
    stand.hook.control(clear_faults=True)
    stand.clock.move(61)
    worker.run_once()
    worker.run_once()
    assert set(stand.states()) == {"acknowledged"}
    assert stand.rows("SELECT failures, open_until FROM destination") == [(0, None)]


def test_nothing_is_sent_in_a_maintenance_window_or_while_paused(stand):
    local = stand.clock().astimezone(ZoneInfo("Europe/Moscow"))
    start = (local - dt.timedelta(minutes=1)).time().replace(microsecond=0)
    end = (local + dt.timedelta(minutes=5)).time().replace(microsecond=0)
    window = Window(days=tuple(range(7)), start=start, end=end, zone="Europe/Moscow")
    stand.destination(maintenance=(window,))
    stand.owe("a")
    worker = stand.dispatcher()
    assert worker.run_once() == 0
    stand.clock.move(600)
    deliveries.pause(stand.connection, "hook", stand.clock() + dt.timedelta(hours=1), "их работы")
    assert worker.run_once() == 0
    deliveries.pause(stand.connection, "hook", None, "")
    assert worker.run_once() == 1


def test_the_rate_holds_over_all_workers(stand):
    stand.destination(rate=Rate(per_second=1.0, burst=2))
    stand.owe(*"abcde")
    first, second = stand.dispatcher("worker-1"), stand.dispatcher("worker-2")
    assert first.run_once() + second.run_once() == 2
    stand.clock.move(1)
    assert second.run_once() + first.run_once() == 1
    stand.clock.move(60)
    assert first.run_once() + second.run_once() == 2


def test_a_peer_with_a_rate_that_is_owed_nothing_holds_up_nobody(stand):
    stand.destination("slow", rate=Rate(per_second=1.0, burst=2))
    stand.destination()
    worker = stand.dispatcher()
    assert worker.run_once() == 0
    stand.owe("a")
    assert worker.run_once() == 1
    assert stand.states() == ["acknowledged"]


def test_a_limit_is_kept(stand):
    stand.destination()
    stand.destination("other")
    stand.owe(*"abc")
    stand.owe(*"abc", destination="other")
    assert stand.dispatcher().run_once(limit=1) == 1
    assert sorted(stand.states()) == ["acknowledged"] + ["ready"] * 5


def test_never_more_in_flight_than_the_manifest_says(stand):
    most, now, guard = 0, 0, threading.Lock()

    class Counting(Courier):
        def deliver(self, wire, key):
            nonlocal most, now
            with guard:
                now += 1
                most = max(most, now)
            threading.Event().wait(0.01)
            with guard:
                now -= 1
            return super().deliver(wire, key)

    courier(stand, Counting(), max_in_flight=2)
    stand.owe(*(f"lane-{n}" for n in range(12)), destination="courier")
    assert stand.dispatcher(threads=8).run_once() == 12
    assert most <= 2


@pytest.mark.parametrize("level", ["problem_only", "reference_only"])
def test_a_web_hook_never_learns_who_complained(stand, level):
    stand.destination(disclosure=level)
    stand.owe("a")
    stand.dispatcher().run_once()
    [(body,)] = stand.rows("SELECT request FROM attempt")
    assert "Сидорова" not in body.decode()
    assert "0123456789A" in body.decode()


def test_full_disclosure_without_a_recorded_ground_sends_nothing(stand):
    stand.destination(disclosure="full")
    [id_] = stand.owe("a")
    stand.dispatcher().run_once()
    assert stand.hook.journal() == []
    assert stand.state(id_) == "retry"
    assert stand.rows("SELECT error_code FROM delivery") == [("configuration",)]
    stand.destination(disclosure="full", disclosure_ground="59-ФЗ ст. 8 ч. 3")
    stand.clock.move(60)
    stand.dispatcher().run_once()
    [(body,)] = stand.rows("SELECT request FROM attempt WHERE outcome = 'acknowledged'")
    assert "Сидорова" in body.decode()


def test_a_test_message_stays_out_of_a_production_system(stand):
    stand.destination()
    stand.destination("trial", test=True)
    [real] = stand.owe("a", test=True)
    [trial] = stand.owe("a", destination="trial", test=True)
    stand.dispatcher().run_once()
    assert (stand.state(real), stand.state(trial)) == ("skipped", "acknowledged")
    assert [line["path"] for line in stand.hook.journal()] == ["/trial"]


def test_the_receiver_can_check_the_signature(stand):
    key, body = "0199", b'{"a":1}'
    version, value = sign(SECRET, key, 1_760_000_000, body).split(",")
    assert version == "v1"
    signed = b"0199.1760000000." + body
    assert base64.b64decode(value) == hmac.digest(SECRET, signed, "sha256")


def test_an_acknowledgement_that_comes_later_settles_what_was_sent(stand):
    channel = courier(stand, Courier(final=False), ack_within=600)
    first, second = stand.owe("a", "a", destination="courier")
    stand.dispatcher().run_once()
    assert [key for key, _ in channel.got] == [str(first), str(second)]
    assert stand.states() == ["sent", "sent"]
    with stand.connection.transaction():
        assert deliveries.acknowledge(
            stand.connection, "courier", stand.clock(), references=[f"ref-{first}"]
        ) == [first]
    assert stand.states() == ["acknowledged", "sent"]


def test_an_acknowledgement_that_does_not_come_is_asked_for(stand):
    channel = courier(stand, Courier(final=False), ack_within=600, can_ask=True)
    kept, lost = stand.owe("a", "b", destination="courier")
    worker = stand.dispatcher()
    worker.run_once()
    stand.clock.move(601)
    channel.final = True
    channel.known = {str(kept): Receipt(final=True)}
    worker.run_once()
    assert sorted(channel.asked) == sorted([str(kept), str(lost)])
    assert stand.state(kept) == "acknowledged"
    stand.clock.move(60)
    worker.run_once()
    assert stand.state(lost) == "acknowledged"
    assert [key for key, _ in channel.got].count(str(lost)) == 2


def test_announced_work_is_taken_at_once_and_a_stop_is_orderly(stand, in_thread):
    stand.destination()
    stop = threading.Event()
    worker = stand.dispatcher()
    thread = in_thread(lambda: worker.run(stop))
    [id_] = stand.owe("a")
    stand.connection.execute("NOTIFY gateway_work")
    while stand.state(id_) != "acknowledged":
        assert thread.is_alive()
        threading.Event().wait(0.02)
    stop.set()
    thread.join(30)
    assert not thread.is_alive()


def test_a_peer_that_refuses_to_be_asked_leaves_it_to_a_person(stand):
    class Silent(Courier):
        def deliver(self, wire, key):
            raise RuntimeError("the line broke")

        def settle(self, wire, key):
            raise PeerRefused("no questions")

    courier(stand, Silent(), can_ask=True)
    [id_] = stand.owe("a", destination="courier")
    stand.dispatcher().run_once()
    assert stand.outcomes(id_) == ["unknown", "doubtful"]
    assert stand.rows("SELECT state, due FROM delivery") == [("unknown", None)]


def test_a_stop_gives_back_what_has_not_begun(stand, in_thread):
    release, begun = threading.Event(), threading.Event()

    class Slow(Courier):
        def deliver(self, wire, key):
            begun.set()
            release.wait(20)
            return super().deliver(wire, key)

    channel = courier(stand, Slow(), max_in_flight=64)
    stand.owe(*(f"lane-{n}" for n in range(40)), destination="courier")
    stop = threading.Event()
    worker = stand.dispatcher(threads=1)
    thread = in_thread(lambda: worker.run(stop))
    assert begun.wait(20)
    stop.set()
    while stand.rows("SELECT count(*)::int FROM lane WHERE owner <> ''")[0][0] > 2:
        assert thread.is_alive()
        threading.Event().wait(0.02)
    release.set()
    thread.join(30)
    assert stand.rows("SELECT count(*)::int FROM lane WHERE owner <> ''") == [(0,)]
    assert len(channel.got) < 4
    assert sorted(set(stand.states())) == ["acknowledged", "ready"]


def test_a_store_that_is_away_for_a_moment_ends_nothing(stand, in_thread):
    stand.destination()
    away = iter([BusyError("the store is away")] * 2)

    class Shelf:
        def load(self, deliveries):
            if error := next(away, None):
                raise error
            return stand.appeals.load(deliveries)

    def destinations():
        if error := next(missing, None):
            raise error
        return stand.destinations

    missing = iter([BusyError("the store is away")])
    stop = threading.Event()
    worker = stand.dispatcher(destinations=destinations, snapshots=Shelf())
    thread = in_thread(lambda: worker.run(stop))
    [id_] = stand.owe("a")
    while stand.state(id_) != "acknowledged":
        assert thread.is_alive()
        threading.Event().wait(0.02)
    stop.set()
    thread.join(30)
    assert stand.outcomes(id_) == ["acknowledged"], (
        "the store's trouble is no attempt of a delivery"
    )


def test_what_cannot_be_written_down_harms_itself_only(stand):
    class Odd(WebhookCodec):
        def encode(self, appeal, event, ctx):
            wire = super().encode(appeal, event, ctx)
            return replace(wire, name="\ud800") if ctx.key == str(odd) else wire

    channel = courier(stand, max_attempts=2)
    stand.destinations["courier"] = stand.destinations["courier"]._replace(codec=Odd("urn:test"))
    ids = stand.owe(*"abcdef", destination="courier")
    odd = ids[2]
    worker = stand.dispatcher()
    worker.run_once()
    stand.clock.move(60)
    worker.run_once()
    assert [stand.state(i) for i in ids] == ["dead" if i == odd else "acknowledged" for i in ids]
    assert str(odd) not in {key for key, _ in channel.got}


def test_bodies_that_fill_the_memory_are_prepared_a_few_at_a_time(stand, monkeypatch):
    monkeypatch.setattr("gateway.dispatch.hand.BYTES_AHEAD", 5_000)
    ahead: list[int] = []

    class Heavy(WebhookCodec):
        def encode(self, appeal, event, ctx):
            ahead.append(len(ahead) - len(channel.got))
            return replace(super().encode(appeal, event, ctx), body=b"x" * 2_000)

    channel = courier(stand, max_in_flight=64)
    stand.destinations["courier"] = stand.destinations["courier"]._replace(codec=Heavy("urn:test"))
    stand.owe(*(f"lane-{n}" for n in range(30)), destination="courier")
    stand.dispatcher().run_once()
    assert len(channel.got) == 30
    assert max(ahead) <= 3
