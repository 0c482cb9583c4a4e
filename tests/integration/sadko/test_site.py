"""The adapter against the simulated site in a process of its own, with each kind of failure."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from msgspec.structs import replace

from adapters.regional.sadko.adapter import Sadko
from adapters.regional.sadko.inbox import TRIES
from gateway.adapter import EncodeContext, Window, Wire
from gateway.errors import (
    ConfigurationError,
    PeerDoubtful,
    PeerRefused,
    PeerUnavailable,
    UnsupportedError,
)
from gateway.model import facts as f
from gateway.model.answer import Answer, Outcome, Result
from gateway.model.attachment import Attachment
from gateway.model.events import Actor, Event, EventType
from gateway.model.organisation import Officer
from gateway.outbound import Outbound
from simulators.process import running
from simulators.sadko import rules

NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)
LETTER = UUID(int=7)
FILE = b"%PDF-1.4 answer"


@pytest.fixture
def site(tmp_path):
    with running("sadko", "--journal", str(tmp_path / "journal.jsonl")) as simulator:
        yield simulator


@pytest.fixture
def connect():
    made = []

    def to(simulator, *, timeout=20.0, **options):
        out = Outbound(allowed_hosts=["127.0.0.1"], allow_private=["127.0.0.1"], timeout=timeout)
        made.append(out)
        table = dict(simulator.facts["options"])
        base = table.pop("url")
        return Sadko({**table, "officer": "Дежурнов Д. Д.", **options}, base=base, outbound=out)

    yield to
    for out in made:
        out.close()


def event(kind, payload, at=NOW):
    return Event(appeal_id=UUID(int=1), seq=3, type=kind, occurred_at=at, recorded_at=at,
                 actor=Actor(kind="person", id="head"), payload=payload)  # fmt: skip


def answered(appeal):
    digest = hashlib.sha256(FILE).hexdigest()
    letter = Answer(id=LETTER, number="О-1", date=NOW.date(), text="Сделано.",
                    signed_by=Officer(name="Начальникова И. И."),
                    attachments=(Attachment(sha256=digest, declared_name="О.pdf"),))  # fmt: skip
    outcome = Outcome(result=Result.SUPPORTED, actions_taken=True)
    ended = tuple(replace(q, state="answered", outcome=outcome) for q in appeal.questions)
    return replace(appeal, questions=ended, answers=(letter,))


def told(adapter, item, kind=EventType.ANSWERED):
    payload = f.AnswerFacts(kind="final", number="О-1", date=NOW.date(), has_text=True)
    appeal = answered(item.appeal)
    if kind is EventType.REGISTERED:
        payload, appeal = f.RegistrationFacts(number="ИЖН-5", date=NOW.date()), item.appeal
    ctx = EncodeContext(now=NOW, letter=str(LETTER), files={hashlib.sha256(FILE).hexdigest(): FILE})
    return adapter.encode(appeal, event(kind, payload), ctx)


def fetched(adapter, cursor=""):
    batch = adapter.receive(cursor)
    return batch, [adapter.decode(taken.wire).items[0] for taken in batch.messages]


def test_what_is_new_in_the_inbox_is_fetched_once_and_nothing_of_it_is_lost(site, connect):
    adapter = connect(site, batch=4)
    keys = set(site.control(emit=6, seed=1)["keys"])
    first, items = fetched(adapter)
    second, rest = fetched(adapter, first.cursor)
    assert (len(first.messages), first.more, len(second.messages), second.more) == (
        4,
        True,
        2,
        False,
    )
    assert {item.external_id for item in items + rest} == keys
    third, none = fetched(adapter, second.cursor)
    assert (none, third.cursor) == ([], second.cursor)
    (later,) = site.control(emit=1, seed=2)["keys"]
    assert [item.external_id for item in fetched(adapter, third.cursor)[1]] == [later]


def test_a_registration_and_an_answer_are_taken_and_the_card_comes_back_as_it_went(site, connect):
    adapter = connect(site)
    site.control(emit=10, seed=3)
    _, items = fetched(adapter)
    for item in items:
        assert adapter.deliver(told(adapter, item, EventType.REGISTERED), "k1").final
        assert adapter.deliver(told(adapter, item), "k2").final
    held = {row["key"]: row for row in site.holds()}
    assert set(held) == {item.external_id for item in items}
    assert all(
        (row["answers"], row["closed"], row["results"]) == (1, True, [1]) for row in held.values()
    )
    assert all("ИЖН-5" in row["statuses"][0] for row in held.values())


def test_a_token_that_was_taken_back_is_asked_for_anew(site, connect):
    adapter = connect(site)
    site.control(emit=1, seed=4)
    _, (item,) = fetched(adapter)
    site.control(expire=True)
    assert adapter.deliver(told(adapter, item), "k").final
    assert len(site.holds()) == 1


def test_only_one_fresh_token_is_tried(connect, tmp_path):
    journal = tmp_path / "journal.jsonl"
    with running("sadko", "--token-seconds", "0", "--journal", str(journal)) as site:
        with pytest.raises(PeerUnavailable) as caught:
            connect(site).deliver(Wire(media_type="", body=b"{}"), "k")
        assert site.holds() == []
    asked = [json.loads(line)["path"] for line in journal.read_text().splitlines()]
    assert caught.value.found == "401"
    assert asked == ["/token", "/OutboxResol", "/token", "/OutboxResol"]


def test_a_wrong_secret_stops_before_anything_is_sent(site, connect, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("another")
    adapter = connect(site, client_secret_file=str(secret))
    with pytest.raises(PeerUnavailable) as caught:
        adapter.deliver(Wire(media_type="", body=b"{}"), "k")
    assert "client_secret_file" in caught.value.todo
    assert "another" not in str(caught.value)
    assert not adapter.probe().ok


def test_a_secret_that_is_not_there_is_a_mistake_of_the_row(site, connect):
    with pytest.raises(ConfigurationError):
        connect(site, client_secret_file="").receive("")


def test_the_outbox_wants_the_media_type_of_a_patch_and_a_cyrillic_letter(site, connect):
    adapter = connect(site)
    site.control(emit=1, seed=5)
    _, (item,) = fetched(adapter)
    wire = told(adapter, item)
    latin = wire.body.replace("СonsiderationResultGzi".encode(), b"ConsiderationResultGzi")
    with pytest.raises(PeerRefused) as caught:
        adapter.deliver(replace(wire, body=latin), "k")
    assert "кириллическая" in caught.value.found
    assert site.holds() == []


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
def test_each_failure_says_whether_anything_may_be_stored(site, connect, kind, error, stored):
    adapter = connect(site, timeout=1.5)
    site.control(emit=1, seed=6)
    _, (item,) = fetched(adapter)
    site.plan(kind, key=item.external_id, seconds=3)
    with pytest.raises(error):
        adapter.deliver(told(adapter, item), "k")
    assert bool(site.holds()) is stored


@pytest.mark.parametrize("kind", ["error", "busy", "garbage", "hang_before"])
def test_an_inbox_that_cannot_be_read_loses_nothing(site, connect, kind):
    adapter = connect(site, timeout=1.5)
    keys = site.control(emit=2, seed=7)["keys"]
    site.plan(kind, key="inbox", seconds=3)
    with pytest.raises(PeerUnavailable):
        adapter.receive("")
    assert sorted(item.external_id for item in fetched(adapter)[1]) == sorted(keys)


def test_an_item_that_is_refused_once_comes_the_next_time_and_the_others_at_once(site, connect):
    adapter = connect(site)
    keys = site.control(emit=3, seed=8)["keys"]
    site.plan("refuse", key=f"item:{keys[1]}")
    first = adapter.receive("")
    second = adapter.receive(first.cursor)
    assert sorted(t.token for t in first.messages) == sorted([keys[0], keys[2]])
    assert [t.token for t in second.messages] == [keys[1]]
    assert b'"Type"' not in second.messages[0].wire.body


def test_an_item_that_is_refused_for_good_comes_as_its_line(site, connect):
    adapter = connect(site)
    keys = site.control(emit=3, seed=8)["keys"]
    site.plan("refuse", key=f"item:{keys[1]}", times=TRIES)
    cursor, lines = "", []
    for _ in range(TRIES + 1):
        batch = adapter.receive(cursor)
        lines += [taken for taken in batch.messages if b'"Type"' in taken.wire.body]
        cursor = batch.cursor
    assert [taken.token for taken in lines] == [keys[1]]


def test_an_item_that_does_not_answer_waits_and_those_before_it_are_kept(site, connect):
    adapter = connect(site)
    keys = site.control(emit=3, seed=9)["keys"]
    batch = adapter.receive("")
    last = batch.messages[-1].token
    site.plan("error", key=f"item:{last}")
    first = adapter.receive("")
    assert (len(first.messages), first.more) == (2, False)
    second = adapter.receive(first.cursor)
    assert [taken.token for taken in second.messages] == [last]
    assert {t.token for t in (*first.messages, *second.messages)} == set(keys)


@pytest.mark.parametrize("kind", ["error", "hang_before"])
def test_an_item_that_always_fails_stands_in_nobodys_way_and_comes_as_its_line(site, connect, kind):
    adapter = connect(site, timeout=1.5)
    poison = emitted(site, 1, seed=10)[0]
    site.plan(kind, key=f"item:{poison}", times=100, seconds=3)
    alone = adapter.receive("")
    assert alone.messages == ()
    with pytest.raises(PeerUnavailable):
        adapter.receive(alone.cursor)
    cursor, lines, others = alone.cursor, [], []
    for turn in range(TRIES):
        others += emitted(site, 1, seed=20 + turn)
        batch = adapter.receive(cursor)
        lines += [t for t in batch.messages if b'"Type"' in t.wire.body]
        assert others[-1] in [taken.token for taken in batch.messages]
        cursor = batch.cursor
    assert [taken.token for taken in lines] == [poison]


def emitted(site, count, seed):
    return site.control(emit=count, seed=seed)["keys"]


def test_probe_counts_the_inbox_and_nobody_can_be_asked_about_the_outbox(site, connect):
    adapter = connect(site)
    site.control(emit=2, seed=1)
    health = adapter.probe()
    assert (health.ok, "2" in health.detail) == (True, True)
    with pytest.raises(UnsupportedError):
        adapter.settle(Wire(media_type="", body=b""), "k")
    with pytest.raises(UnsupportedError):
        adapter.reconcile(Window(start=NOW, end=NOW))
    adapter.acknowledge(())


def test_the_page_tells_what_was_received_and_on_whose_word_it_refuses(site):
    page = site._open(f"{site.address}/").read().decode()
    assert "Имитатор" in page
    assert "Cyrillic" in page


def test_golden_answers_agree_with_the_rules_of_the_site():
    folder = Path(__file__).parents[2] / "contract" / "sadko"
    came = json.loads((folder / "k03-card-with-resolution" / "wire.json").read_text())
    for name in ("k11-registered", "k12-answered", "k13-declined", "k14-extended",
                 "k15-one-of-two-answered"):  # fmt: skip
        document = json.loads((folder / name / "wire_out.json").read_text())
        assert rules.refusals(document, came) == [], name
