"""What dispatch reads to send: an appeal with its own files, and with nobody else's."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from hashlib import sha256

import pytest
from msgspec.structs import replace

from gateway import ingest
from gateway.adapter import File, Inbound
from gateway.model.appeal import Appeal, Regime
from gateway.model.attachment import Attachment
from gateway.model.base import Code
from gateway.model.events import AppealKey, EventType, PeerAnswer, PeerReport
from gateway.model.facts import (
    ExtensionFacts,
    ModerationFacts,
    OutcomeFacts,
    RatingFacts,
    ReasonFacts,
    TopicFacts,
)
from gateway.model.peer import Peer
from gateway.model.question import Question, Topic
from gateway.snapshots import StoredSnapshots
from gateway.store import peers, topics
from gateway.store.lanes import Delivery
from gateway.store.pool import Pool
from tests.integration.accept.conftest import PEER

SCAN = b"%PDF the same form, filled in by nobody"
DIGEST = sha256(SCAN).hexdigest()


@pytest.fixture
def snapshot(room):
    pool = Pool(room.url)
    pool.open()

    def load(external_id: str):
        [(appeal_id,)] = room.rows("SELECT id FROM appeal WHERE external_id = %s", external_id)
        asked = Delivery(
            id=appeal_id, destination="hook", lane="", seq=1, kind="push", appeal_id=appeal_id,
            event_seq=None, event_type="", state="ready", attempts=0,
            created_at=datetime.now(UTC), may_reach_citizen=False, test=False, payload_sha256=None,
        )  # fmt: skip
        store = StoredSnapshots(pool, room.blobs, lambda _code: {}, lambda: room.now)
        return store.load([asked])[appeal_id]

    yield load
    pool.close()


def answer(room, external_id: str, peer: str, file: str = "", roles=()) -> None:
    """Answer with a file that is sent along under a name, or only named by its digest."""
    day = room.now.date() + timedelta(days=1)
    told = PeerAnswer(kind="final", number="О-1", date=day, attachments=(DIGEST,), roles=roles)
    report = PeerReport(
        message_key=f"answer-{external_id}", key=AppealKey(external_id=external_id),
        event=EventType.ANSWERED, occurred_on=day, answer=told,
        outcome=OutcomeFacts(result="explained"),
    )  # fmt: skip
    files = (File(name=file, media_type="", data=SCAN, sha256=DIGEST),) if file else ()
    inbound = Inbound(
        operation="answer", message_key=report.message_key, report=report, files=files
    )
    arrival = room.arrival(report.message_key.encode())
    arrival = replace(arrival, peer=peer)
    room.accept.submit_sync(ingest.entry(arrival, inbound, room.blobs))


def test_each_appeal_has_its_file_under_the_name_it_came_with(room, snapshot):
    for external_id, name in (("a", "ответ Иванову.pdf"), ("b", "ответ Яковлеву.pdf")):
        room.submit(external_id)
        answer(room, external_id, PEER, name)
    room.work_off()
    for external_id, name in (("a", "ответ Иванову.pdf"), ("b", "ответ Яковлеву.pdf")):
        shown = snapshot(external_id)
        [letter] = shown.appeal.answers
        assert [file.declared_name for file in letter.attachments] == [name]
        assert shown.context.files == {DIGEST: SCAN}


@pytest.mark.parametrize("roles", [(), ("after",), ("no such thing",)])
def test_a_file_of_an_answer_is_for_what_its_sender_said(room, snapshot, roles):
    room.submit("a")
    answer(room, "a", PEER, "после.png", roles)
    room.work_off()

    [letter] = snapshot("a").appeal.answers

    told = "after" if roles == ("after",) else "answer"
    assert [file.role for file in letter.attachments] == [told]


@pytest.mark.parametrize(
    ("urgency", "rule"),
    [
        ("emergency", "incident-emergency"),
        ("important", "incident-important"),
        ("usual", "incident-first-reaction"),
    ],
)
def test_the_first_word_on_an_incident_is_due_by_what_its_source_calls_urgent(room, urgency, rule):
    told = Code(system="feed.urgency", value=urgency)
    room.submit_appeal("a", Appeal(regime=Regime.INCIDENT, text="Нет света", urgency=told))
    room.work_off()

    assert room.rows("SELECT rule FROM deadline WHERE rule LIKE 'incident%%'") == [(rule,)]


def test_the_files_that_came_with_an_appeal_can_go_on_with_it(room, snapshot):
    with room.connection() as db:
        peers.add(db, Peer(code="node", name="node"), room.now)
    photo = Attachment(sha256=DIGEST, declared_name="скан.pdf")
    files = (File(name="скан.pdf", media_type="", data=SCAN, sha256=DIGEST),)
    for external_id, peer, sent in (("a", PEER, files), ("b", "node", ())):
        appeal = Appeal(text="Нет света", attachments=(photo,))
        inbound = Inbound(operation="submit", external_id=external_id, appeal=appeal, files=sent)
        arrival = replace(room.arrival(external_id.encode()), peer=peer)
        room.accept.submit_sync(ingest.entry(arrival, inbound, room.blobs))
    room.work_off()

    assert snapshot("a").context.files == {DIGEST: SCAN}
    assert snapshot("b").context.files == {}, "named only: it came from another"


def test_naming_the_digest_of_a_strangers_file_does_not_send_it(room, snapshot):
    with room.connection() as db:
        peers.add(db, Peer(code="node", name="node"), room.now)
    room.submit("a")
    answer(room, "a", PEER, "ответ.pdf")
    room.submit_appeal("b", Appeal(text="Нет света"), peer="node")
    answer(room, "b", "node")
    room.work_off()
    assert snapshot("a").context.files == {DIGEST: SCAN}
    assert snapshot("b").context.files == {}


def test_what_became_of_a_message_is_there_for_whoever_is_told(room, snapshot):
    room.rules = room.rules._replace(registers=frozenset())
    room.submit_appeal("m", Appeal(text="Яма", regime=Regime.MESSAGE))
    room.work_off()
    rework = ReasonFacts(code="not_solved", system="pos.decision", due=date(2026, 4, 1))
    steps = [
        ("SentToModeration", {"moderation": ModerationFacts(stage="portal")}),
        ("ModerationPassed", {"comment": "по теме"}),
        ("ClarificationAsked", {"comment": "Какой дом?"}),
        ("ClarificationAnswered", {"comment": "Третий"}),
        ("Answered", {"outcome": OutcomeFacts(result="explained")}),
        ("Rated", {"rating": RatingFacts(score=2, scale="1-5"), "comment": "Плохо"}),
        ("ReturnedForRework", {"reason": rework, "comment": "Яма на месте"}),
    ]
    for n, (event, facts) in enumerate(steps):
        room.report("m", f"k-{n}", EventType(event), **facts)
        room.work_off()

    shown = snapshot("m").appeal

    [moderation] = shown.moderations
    assert (moderation.stage, moderation.verdict, moderation.reason) == (
        "portal", "accepted", "по теме",
    )  # fmt: skip
    [question] = shown.clarifications
    assert (question.text, question.answer) == ("Какой дом?", "Третий")
    rating, again = shown.feedback
    assert (rating.kind, rating.score, rating.scale.value, rating.text) == (
        "rating", 2, "1-5", "Плохо",
    )  # fmt: skip
    assert (again.kind, again.peer_kind.value, again.due, again.text) == (
        "rework", "not_solved", date(2026, 4, 1), "Яма на месте",
    )  # fmt: skip
    assert shown.questions[0].state == "in_work"
    terms = room.rows("SELECT rule, due_legal FROM deadline WHERE closed_at IS NULL")
    assert ("message-rework", date(2026, 4, 1)) in terms
    assert not room.verified().faults


def test_a_decision_on_a_message_is_put_off_and_its_term_goes_with_it(room, snapshot):
    room.rules = room.rules._replace(registers=frozenset())
    room.submit_appeal("p", Appeal(text="Дорога", regime=Regime.MESSAGE))
    room.work_off()
    later = ExtensionFacts(ground="postponed", new_due=date(2026, 10, 1))
    room.report("p", "k-1", EventType.EXTENDED, extension=later)
    room.work_off()
    assert room.rows("SELECT due_legal FROM deadline WHERE rule = 'message-answer'") == [
        (date(2026, 10, 1),)
    ]
    assert snapshot("p").appeal.questions[0].extended


def test_a_topic_given_by_a_table_goes_with_the_one_that_came(room, snapshot):
    with room.connection() as db:
        topics.map_codes(db, "pos.topic", "sstu", {"42": "0005.0005.0056.1149"}, room.now)
    own = Topic(code=Code(system="pos.topic", value="42"), name_as_given="Вода")
    room.submit_appeal("t", Appeal(text="Вода", questions=(Question(ordinal=1, topics=(own,)),)))
    room.work_off()
    came, given = snapshot("t").appeal.questions[0].topics
    assert came == own
    assert (given.code.value, given.assigned_by) == ("0005.0005.0056.1149", "rule")
    changed = TopicFacts(system="sstu", code="0005.0005.0056.1154", by="peer")
    room.report("t", "k-1", EventType.TOPIC_CHANGED, topic=changed)
    room.work_off()
    _, given = snapshot("t").appeal.questions[0].topics
    assert (given.code.value, given.assigned_by) == ("0005.0005.0056.1154", "peer")
