"""The adapter against the simulated system in a process of its own, with each kind of failure."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from uuid import UUID

import pytest
from msgspec.structs import replace

from adapters.incident.adapter import Incident
from gateway.adapter import EncodeContext, Landed, Verdict, Window, Wire
from gateway.errors import PeerDoubtful, PeerRefused, PeerUnavailable, ValidationError
from gateway.model import facts as f
from gateway.model.answer import Answer, AnswerKind
from gateway.model.attachment import Attachment, AttachmentRole
from gateway.model.events import Actor, Event, EventType
from gateway.outbound import Outbound
from simulators.incident import rules
from simulators.process import running

NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)
ALWAYS = Window(start=datetime(2000, 1, 1, tzinfo=UTC), end=datetime(3000, 1, 1, tzinfo=UTC))
LETTER = UUID(int=7)
PERSON = Actor(kind="person", id="registrar")
PHOTOS = {
    hashlib.sha256(data).hexdigest(): data
    for data in (b"\x89PNG\r\n\x1a\nbefore", b"\x89PNG\r\n\x1a\nafter")
}
GOLDEN = Path(__file__).parents[2] / "contract" / "incident"


@pytest.fixture
def system(tmp_path):
    with running("incident", "--journal", str(tmp_path / "journal.jsonl")) as simulator:
        yield simulator


@pytest.fixture
def connect():
    made = []

    def to(simulator, *, timeout=20.0, **options):
        out = Outbound(allowed_hosts=["127.0.0.1"], allow_private=["127.0.0.1"], timeout=timeout)
        made.append(out)
        table = dict(simulator.facts["options"])
        base = table.pop("url")
        return Incident({**table, **options}, base=base, outbound=out)

    yield to
    for out in made:
        out.close()


def fetched(adapter, cursor=""):
    batch = adapter.receive(cursor)
    return batch, [adapter.decode(taken.wire).items[0] for taken in batch.messages]


def event(kind, payload, actor=PERSON):
    return Event(appeal_id=UUID(int=1), seq=3, type=kind, occurred_at=NOW, recorded_at=NOW,
                 actor=actor, payload=payload)  # fmt: skip


def letter(adapter, item, kind="final", text="Анна, сделано."):
    shown = tuple(
        Attachment(sha256=digest, declared_name=f"{role}.png", media_type="image/png", role=role)
        for digest, role in zip(PHOTOS, (AttachmentRole.BEFORE, AttachmentRole.AFTER), strict=True)
    )
    told = Answer(id=LETTER, kind=AnswerKind(kind), text=text, attachments=shown)
    type_ = EventType.ANSWERED if kind == "final" else EventType.LETTER_SENT
    ctx = EncodeContext(now=NOW, letter=str(LETTER), files=PHOTOS)
    appeal = replace(item.appeal, answers=(told,))
    return adapter.encode(appeal, event(type_, f.AnswerFacts(kind=kind, has_text=True)), ctx)


def closing(adapter, item, code="abusive", actor=PERSON):
    told = event(EventType.NOT_AN_APPEAL, f.ReasonFacts(code=code), actor)
    return adapter.encode(item.appeal, told, EncodeContext(now=NOW))


def test_the_feed_is_read_page_by_page_and_nothing_of_it_is_lost(system, connect):
    adapter = connect(system, page=4)
    keys = system.control(emit=6, seed=1)["keys"]
    first, items = fetched(adapter)
    second, rest = fetched(adapter, first.cursor)
    assert [item.external_id for item in items + rest] == keys
    assert (first.more, second.more) == (True, False)
    assert fetched(adapter, second.cursor)[1] == []
    for taken, item in zip((*first.messages, *second.messages), items + rest, strict=True):
        assert json.loads(adapter.restore(item).body) == json.loads(taken.wire.body)
    adapter.acknowledge(())


def test_a_first_reaction_and_an_answer_with_both_photographs_are_taken_once(system, connect):
    adapter = connect(system)
    system.control(emit=8, seed=2)
    _, items = fetched(adapter)
    for number, item in enumerate(items):
        adapter.deliver(letter(adapter, item, "first_reaction"), f"r{number}")
        wire = letter(adapter, item)
        first = adapter.deliver(wire, f"a{number}")
        again = adapter.deliver(wire, f"a{number}")
        assert first.reference == again.reference != ""
    held = system.holds()
    assert len(held) == 8
    assert all((row["answers"], row["photos"], row["state"]) == (1, 2, "answered") for row in held)


def test_an_insult_is_closed_by_a_person_and_by_no_rule(system, connect):
    adapter = connect(system)
    system.control(emit=1, seed=3)
    _, (item,) = fetched(adapter)
    with pytest.raises(ValidationError) as caught:
        closing(adapter, item, actor=Actor(kind="rule", id="words"))
    assert [v.path for v in caught.value.violations] == ["/by_person"]
    adapter.deliver(closing(adapter, item), "c")
    assert system.holds()[0]["closed"] == ["abusive"]
    with pytest.raises(PeerRefused):
        adapter.deliver(letter(adapter, item), "a")


def test_another_body_under_the_same_key_is_refused(system, connect):
    adapter = connect(system)
    system.control(emit=1, seed=4)
    _, (item,) = fetched(adapter)
    adapter.deliver(letter(adapter, item), "k")
    with pytest.raises(PeerRefused) as caught:
        adapter.deliver(letter(adapter, item, text="Другое."), "k")
    assert "409" in caught.value.found


@pytest.mark.parametrize(
    ("kind", "error", "stored"),
    [
        ("refuse", PeerRefused, False), ("busy", PeerUnavailable, False),
        ("error", PeerDoubtful, False), ("hang_before", PeerDoubtful, False),
        ("hang_after", PeerDoubtful, True), ("drip", PeerDoubtful, True),
        ("garbage", PeerDoubtful, True), ("reset", PeerDoubtful, False),
        ("reset_after", PeerDoubtful, True),
    ],
)  # fmt: skip
def test_each_failure_says_whether_it_may_be_there_and_asking_tells(
    system, connect, kind, error, stored
):
    system.control(emit=1, seed=5)
    _, (item,) = fetched(connect(system))
    system.plan(kind, key="k", seconds=3)
    adapter = connect(system, timeout=1.5)
    wire = letter(adapter, item)
    with pytest.raises(error):
        adapter.deliver(wire, "k")
    found = connect(system).settle(wire, "k")
    assert (found is not None) is stored
    if found:
        assert (found.final, found.reference[:2]) == (True, "И-")


@pytest.mark.parametrize("kind", ["error", "busy", "garbage", "hang_before"])
def test_a_feed_that_cannot_be_read_loses_nothing(system, connect, kind):
    keys = system.control(emit=2, seed=6)["keys"]
    system.plan(kind, key="feed", seconds=3)
    adapter = connect(system, timeout=1.5)
    with pytest.raises(PeerUnavailable):
        adapter.receive("")
    assert [item.external_id for item in fetched(adapter)[1]] == keys


def test_a_doubt_that_cannot_be_asked_about_stays_a_doubt(system, connect):
    system.plan("error", key="find")
    with pytest.raises(PeerDoubtful):
        connect(system).settle(Wire(media_type="", body=b""), "k")


def test_reconciliation_lists_every_message_by_its_state(system, connect):
    adapter = connect(system)
    keys = system.control(emit=130, seed=7)["keys"]
    _, (item, *_) = fetched(adapter)
    sent = letter(adapter, item, "first_reaction")
    adapter.deliver(sent, "k")
    states = {state.key: state.states for state in adapter.reconcile(ALWAYS)}
    assert set(states) == set(keys)
    assert states[item.external_id] == adapter.expected(sent).states == {"1": "in_work"}
    assert adapter.lists("")
    past = Window(start=NOW - timedelta(days=900), end=NOW - timedelta(days=800))
    assert list(adapter.reconcile(past)) == []


def test_what_we_believe_is_what_the_list_shows_after_each_thing_that_is_sent(system, connect):
    adapter = connect(system)
    system.control(emit=2, seed=8)
    _, (item, other) = fetched(adapter)
    started = event(EventType.TAKEN_TO_WORK, f.NoFacts())
    ctx = EncodeContext(now=NOW)
    for number, wire in enumerate(
        (
            adapter.encode(item.appeal, started, ctx),
            letter(adapter, item, "interim"),
            letter(adapter, item),
            closing(adapter, other, "spam"),
        )
    ):
        adapter.deliver(wire, f"k{number}")
        told = adapter.expected(wire)
        (shown,) = [s for s in adapter.reconcile(ALWAYS) if s.key == told.key]
        assert (shown.states, shown.key_folded) == (told.states, told.key_folded)
    whole = adapter.encode(item.appeal, None, ctx)
    assert adapter.expected(whole).states == {"1": "new"}


def test_a_wrong_key_is_told_by_the_probe(system, connect, tmp_path):
    assert connect(system).probe().ok
    wrong = tmp_path / "key"
    wrong.write_text("another")
    health = connect(system, key_file=str(wrong)).probe()
    assert not health.ok
    assert "key_file" in health.todo


@pytest.mark.parametrize("form", ["json", "ndjson"])
def test_a_push_arrives_whole_and_is_answered_in_the_feeds_own_form(system, connect, form):
    adapter, heard = connect(system), []

    class Inbox(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            found = adapter.decode(Wire(media_type=self.headers["content-type"], body=body))
            heard.extend(found.items)
            landed = tuple(
                Landed(operation="submit", key=i.external_id, receipt_number="R")
                for i in found.items
            )
            reply = adapter.reply(Verdict(token="", items=landed, now=NOW, correlation="c"))
            self.send_response(reply.status)
            self.send_header("content-type", reply.media_type)
            self.send_header("content-length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Inbox)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        order = {"address": f"http://127.0.0.1:{server.server_address[1]}/", "count": 3, "as": form}
        told = system.control(push=order)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert set(told["statuses"]) == {200}
    assert [item.external_id for item in heard] == told["keys"]
    results = [result for answer in told["answers"] for result in answer["results"]]
    assert [result["id"] for result in results] == told["keys"]


@pytest.mark.parametrize("case", sorted(p.parent.name for p in GOLDEN.glob("*/wire_out.json")))
def test_golden_answers_agree_with_the_rules_of_the_system(case):
    answer = json.loads((GOLDEN / case / "wire_out.json").read_text())
    message = {"topics": ["snow"] if "photos" in answer else [], "photos": [{}]}
    assert rules.refusals(answer, message, "new") == []


def test_what_the_adapter_misses_the_system_refuses():
    answer = {"id": "a", "kind": "answer", "text": "Сделано"}
    assert len(rules.refusals(answer, {"topics": ["snow"]}, "new")) == 2
    assert rules.refusals({**answer, "photos": {"during": []}}, {}, "new")
    assert rules.refusals(
        {"id": "a", "kind": "closed", "closed": "abusive", "by_person": False}, {}, "new"
    )
