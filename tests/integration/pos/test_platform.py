"""The adapter against the simulated platform in a process of its own."""

import json
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import urlopen
from uuid import UUID

import pytest

from adapters.pos.adapter import Pos
from gateway.adapter import EncodeContext, Landed, Verdict, Window, Wire
from gateway.errors import (
    BusyError,
    ConflictError,
    PeerDoubtful,
    PeerRefused,
    PeerUnavailable,
    ValidationError,
    Violation,
)
from gateway.model import facts as f
from gateway.model.answer import Answer
from gateway.model.events import Actor, Event, EventType
from gateway.outbound import Outbound
from simulators.process import running, start

NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)
ALWAYS = Window(start=datetime(2000, 1, 1, tzinfo=UTC), end=datetime(2190, 1, 1, tzinfo=UTC))


@pytest.fixture
def platform(tmp_path):
    with running("pos", "--journal", str(tmp_path / "journal.jsonl"), "--seed", "5") as simulator:
        yield simulator


@pytest.fixture
def connect():
    made = []

    def to(simulator, *, timeout=20.0, **options):
        out = Outbound(allowed_hosts=["127.0.0.1"], allow_private=["127.0.0.1"], timeout=timeout)
        made.append(out)
        return Pos(options, base=simulator.facts["options"]["url"], outbound=out)

    yield to
    for out in made:
        out.close()


def everything(channel, cursor=""):
    taken, more = [], True
    while more:
        batch = channel.receive(cursor)
        taken += batch.messages
        cursor, more = batch.cursor, batch.more
    return taken, cursor


def told(channel, appeal, kind, payload, key):
    event = Event(
        appeal_id=UUID(int=1), seq=2, type=kind, occurred_at=NOW, recorded_at=NOW,
        actor=Actor(kind="system"), payload=payload,
    )  # fmt: skip
    return channel.encode(appeal, event, EncodeContext(now=NOW, key=key))


def first(channel, platform, **more):
    platform.control(emit=1, **more)
    return channel.decode(everything(channel)[0][0].wire).items[0].appeal


def answered(channel, appeal, key):
    from msgspec.structs import replace

    outcome = f.OutcomeFacts(result="supported", actions_taken=True)
    facts = f.AnswerFacts(kind="final", number="1", outcome=outcome)
    whole = replace(appeal, answers=(Answer(number="1", text="Сделано."),))
    return told(channel, whole, EventType.ANSWERED, facts, key)


def registered(channel, appeal, key):
    facts = f.RegistrationFacts(organisation="b", number="ОГ-1", date=NOW.date())
    return told(channel, appeal, EventType.REGISTERED, facts, key)


def verdict(token, error=None):
    return Verdict(token=token, items=(Landed(receipt_number="26-1", error=error),), now=NOW)


def test_every_item_of_the_feed_is_read_and_comes_back(platform, connect):
    channel = connect(platform, page=4)
    keys = platform.control(emit=9, seed=1)["keys"]
    keys += platform.control(emit=1, kind="poll")["keys"]
    taken, cursor = everything(channel)
    found = [channel.decode(one.wire).items[0] for one in taken]
    assert [item.external_id for item in found] == keys
    assert len({one.token for one in taken[:4]}) == 4
    for one, item in zip(taken, found, strict=True):
        assert json.loads(channel.restore(item).body) == json.loads(one.wire.body)
    assert everything(channel, cursor)[0] == []


def test_the_platform_hears_what_was_stored_and_what_was_not(platform, connect):
    channel = connect(platform)
    keys = platform.control(emit=3, seed=1)["keys"]
    taken, cursor = everything(channel)
    wrong = ValidationError("no", (Violation("/text", "required", "нет текста"),))
    errors = (None, wrong, BusyError("later"))
    verdicts = tuple(verdict(one.token, e) for one, e in zip(taken, errors, strict=True))
    channel.acknowledge(verdicts)
    held = platform.holds()
    assert [item["acknowledged"] for item in held] == ["accepted", "refused", "later"]
    assert held[1]["reason"] == "/text: нет текста"
    again, _ = everything(channel, cursor)
    assert [channel.decode(one.wire).items[0].external_id for one in again] == keys[2:]
    channel.acknowledge(verdicts[:2])


def test_a_word_that_did_not_get_through_may_be_said_again(platform, connect):
    channel = connect(platform)
    platform.control(emit=2)
    taken, _ = everything(channel)
    verdicts = tuple(verdict(one.token) for one in taken)
    platform.plan("error", key="ack")
    with pytest.raises(PeerUnavailable):
        channel.acknowledge(verdicts)
    assert [item["acknowledged"] for item in platform.holds()] == ["", ""]
    channel.acknowledge(verdicts)
    assert [item["acknowledged"] for item in platform.holds()] == ["accepted", "accepted"]


def test_an_update_is_taken_once_and_settled_by_its_key(platform, connect):
    channel = connect(platform)
    wire = registered(channel, first(channel, platform), "k-1")
    one, two = channel.deliver(wire, "k-1"), channel.deliver(wire, "k-1")
    assert one.final
    assert two.final
    assert channel.settle(wire, "k-1").reference == "ПОС-О-1"
    assert channel.settle(wire, "k-2") is None
    assert platform.holds()[0]["statuses"] == ["registered"]


def test_a_key_is_not_used_for_two_things(platform, connect):
    channel = connect(platform)
    appeal = first(channel, platform)
    channel.deliver(registered(channel, appeal, "k-1"), "k-1")
    with pytest.raises(PeerRefused) as caught:
        channel.deliver(told(channel, appeal, EventType.TAKEN_TO_WORK, f.NoFacts(), "k-1"), "k-1")
    assert "409" in caught.value.found


def test_what_the_platform_refuses_it_says_in_words(platform, connect):
    channel = connect(platform)
    appeal = first(channel, platform)
    channel.deliver(answered(channel, appeal, "k-1"), "k-1")
    platform.control(citizens={"rate": 0, "rework": 0})
    with pytest.raises(PeerRefused) as caught:
        channel.deliver(told(channel, appeal, EventType.TAKEN_TO_WORK, f.NoFacts(), "k-2"), "k-2")
    assert "не может следовать" in caught.value.found


@pytest.mark.parametrize(
    ("kind", "error", "stored"),
    [
        ("refuse", PeerRefused, False), ("busy", PeerUnavailable, False),
        ("error", PeerDoubtful, False), ("hang_before", PeerDoubtful, False),
        ("reset", PeerDoubtful, False), ("hang_after", PeerDoubtful, True),
        ("garbage", PeerDoubtful, True), ("reset_after", PeerDoubtful, True),
    ],
)  # fmt: skip
def test_after_each_failure_asking_tells_the_truth(platform, connect, kind, error, stored):
    channel = connect(platform)
    wire = registered(channel, first(channel, platform), "k-1")
    platform.plan(kind, key="k-1", seconds=10)
    with pytest.raises(error):
        connect(platform, timeout=1.0).deliver(wire, "k-1")
    assert (channel.settle(wire, "k-1") is not None) is stored
    channel.deliver(wire, "k-1")
    assert platform.holds()[0]["statuses"] == ["registered"]


def test_a_platform_that_cannot_be_asked_leaves_the_doubt(platform, connect):
    channel = connect(platform)
    wire = registered(channel, first(channel, platform), "k-1")
    channel.deliver(wire, "k-1")
    for kind in ("error", "busy", "garbage"):
        platform.plan(kind, key="settle", times=2)
        with pytest.raises(PeerDoubtful):
            channel.settle(wire, "k-1")
        platform.control(clear_faults=True)


def test_a_broken_feed_is_asked_again_and_loses_nothing(platform, connect):
    channel = connect(platform)
    keys = platform.control(emit=2, seed=1)["keys"]
    for kind in ("error", "busy", "garbage", "reset"):
        platform.plan(kind, key="items", times=2)
        with pytest.raises(PeerUnavailable):
            channel.receive("")
        platform.control(clear_faults=True)
    assert len(channel.receive("").messages) == len(keys)


def test_citizens_judge_answers_and_return_some(platform, connect):
    channel = connect(platform)
    platform.control(citizens={"rate": 0.5, "rework": 0.5})
    platform.control(emit=20, seed=2)
    taken, cursor = everything(channel)
    for number, one in enumerate(taken):
        appeal = channel.decode(one.wire).items[0].appeal
        channel.deliver(answered(channel, appeal, f"k-{number}"), f"k-{number}")
    events = [channel.decode(one.wire).items[0].report for one in everything(channel, cursor)[0]]
    assert {event.event for event in events} == {EventType.RATED, EventType.RETURNED_FOR_REWORK}
    assert all(event.rating.scale == "5" for event in events if event.rating)


def test_states_are_listed_as_the_last_update_left_them(platform, connect):
    channel = connect(platform)
    platform.control(citizens={"rate": 0, "rework": 0})
    appeal = first(channel, platform)
    wire = answered(channel, appeal, "k-1")
    channel.deliver(wire, "k-1")
    (state,) = channel.reconcile(ALWAYS)
    assert state.key == appeal.refs[0].value
    assert state.states == channel.expected(wire).states == {"1": "answered"}
    assert state.modified_at
    assert list(channel.reconcile(Window(start=ALWAYS.start, end=NOW.replace(year=2001)))) == []


def test_many_states_come_page_by_page(platform, connect):
    keys = platform.control(emit=450, seed=1)["keys"]
    assert [state.key for state in connect(platform).reconcile(ALWAYS)] == keys


def test_an_amended_item_comes_as_a_higher_version(platform, connect):
    channel = connect(platform)
    (key,) = platform.control(emit=1)["keys"]
    platform.control(amend=key, text="И ещё лужа.")
    found = [channel.decode(one.wire).items[0] for one in everything(channel)[0]]
    assert [(item.external_id, item.revision) for item in found] == [(key, 1), (key, 2)]


def test_letters_are_dropped_whole_and_read(platform, connect, tmp_path):
    folder = tmp_path / "mail"
    order = {"as": "eml", "directory": str(folder)}
    keys = platform.control(emit=6, seed=3, **order)["keys"]
    channel = connect(platform)
    for key in keys:
        body = (folder / f"{key}.eml").read_bytes()
        wire = Wire(media_type="message/rfc822", body=body, name=f"{key}.eml")
        (item,) = channel.decode(wire).items
        assert item.external_id == key
        assert item.appeal.addresses
        assert channel.leaves(channel.restore(item)) == channel.leaves(wire)


def test_a_key_is_shown_to_a_platform_that_wants_one(connect, tmp_path):
    secret = tmp_path / "key"
    secret.write_text("s3cret\n")
    with running("pos", "--key", "s3cret") as guarded:
        assert connect(guarded, key_file=str(secret)).probe().ok
        health = connect(guarded).probe()
    assert not health.ok
    assert "401" in health.detail
    assert "s3cret" not in health.detail


def test_a_platform_that_is_away_is_told_of(connect):
    simulator = start("pos")
    simulator.stop()
    channel = connect(simulator)
    with pytest.raises(PeerUnavailable):
        channel.receive("")
    assert not channel.probe().ok


def test_the_page_says_what_it_refuses_on_whose_word(platform):
    with urlopen(platform.address, timeout=10) as answer:
        shown = answer.read().decode()
    assert "признак fz59" in shown
    assert "опросы и голосования не рассматриваются" in shown


class _Inbox(BaseHTTPRequestHandler):
    """A gateway's inbox: decodes, and answers as the adapter would."""

    got: list  # type: ignore[type-arg]

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        wire = Wire(media_type=self.headers["content-type"], body=body)
        items = Pos({}).decode(wire).items
        self.got.append((self.headers["authorization"], [item.external_id for item in items]))
        landed = tuple(Landed(key=i.external_id, receipt_number="26-1") for i in items)
        reply = Pos({}).reply(Verdict(token="", items=landed, now=NOW, correlation="c"))
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.media_type)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, *_):
        pass


@pytest.mark.parametrize(("form", "calls"), [("json", 3), ("ndjson", 1), ("eml", 3)])
def test_the_platform_pushes_what_the_gateway_reads(platform, form, calls):
    got = []
    inbox = ThreadingHTTPServer(("127.0.0.1", 0), type("Inbox", (_Inbox,), {"got": got}))
    thread = threading.Thread(target=inbox.serve_forever, args=(0.05,))
    thread.start()
    try:
        address = f"http://127.0.0.1:{inbox.server_address[1]}/api/v1/inbox"
        order = {"address": address, "user": "pos", "key": "gw_1_x", "count": 3, "as": form}
        told_ = platform.control(push=order)
    finally:
        inbox.shutdown()
        thread.join()
        inbox.server_close()
    assert told_["statuses"] == [200] * calls
    assert [key for _, keys in got for key in keys] == told_["keys"]
    assert got[0][0] == "Basic cG9zOmd3XzFfeA=="
    results = [one for answer in told_["answers"] for one in answer["results"]]
    assert all(one["accepted"] and one["receipt"] == "26-1" for one in results)


def test_a_push_is_answered_item_by_item():
    wrong = ValidationError("no", (Violation("/text", "required", "нет текста"),))
    good = Landed(where="1", key="POS-1", receipt_number="26-1")
    bad = Landed(where="2", key="", error=wrong)
    taken = Landed(where="3", key="POS-3", error=ConflictError("taken"))
    away = Landed(where="4", key="POS-4", error=BusyError("later"))

    def status(*items):
        reply = Pos({}).reply(Verdict(token="", items=items, now=NOW))
        return reply.status, json.loads(reply.body)["results"]

    assert status(good)[0] == 200
    assert status(bad, taken)[0] == 422
    assert status(good, away)[0] == 503
    mixed, results = status(good, bad)
    assert mixed == 207
    assert results[1]["error"]["violations"][0]["path"] == "/text"
    assert [one["where"] for one in results] == ["1", "2"]
