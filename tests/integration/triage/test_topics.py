"""A peer's own topics: what tables say they mean, where that leads, and what nobody knows."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from gateway import policies
from gateway.model.appeal import Appeal
from gateway.model.base import Code
from gateway.model.events import EventType
from gateway.model.facts import TopicFacts
from gateway.model.question import AssignedBy, Question, Topic
from gateway.settings import Settings
from gateway.store import topics
from tests.integration.accept.conftest import PEER
from tests.integration.triage.conftest import OURS

FEES = "0005.0005.0056.1149"
ROUTING = """
[[rule]]
id = "fees"
when = { topic = ["0005.0005.0056"] }
executor = "gzhi"
destinations = ["hook"]
reason = "ЖКХ"

[[rule]]
id = "rest"
executor = "archive"
destinations = ["archive"]
reason = "Прочее"
"""


@pytest.fixture
def mapped(room, tmp_path):
    """A room that routes by ССТУ's codes and knows what one of a portal's own means."""
    path = tmp_path / "by-topic.toml"
    path.write_text(ROUTING)
    room.rules = policies.rules(
        Settings(organisation=OURS, register_channels=("*",), routing_file=str(path))
    )
    with room.connection() as db:
        topics.map_codes(db, "pos.topic", "sstu", {"42": FEES}, room.now)
    return room


def question(*topics_: tuple[str, str], ordinal: int = 1) -> Question:
    return Question(
        ordinal=ordinal,
        topics=tuple(Topic(code=Code(system=s, value=v), name_as_given="Тема") for s, v in topics_),
    )


def send(room, external_id: str, *questions: Question) -> None:
    room.submit_appeal(external_id, Appeal(text="Вода", questions=questions))
    room.work_off()


def queue(room):
    return room.rows("SELECT system, code, title, count FROM topic_unmapped ORDER BY 1, 2")


def given(room):
    rows = room.rows("SELECT type, convert_from(body, 'UTF8')::jsonb FROM event ORDER BY seq")
    return [
        (body["actor"]["id"], body["question"], body["payload"]["code"])
        for kind, body in rows
        if kind in ("TopicAssigned", "TopicChanged")
    ]


def test_a_mapped_topic_is_a_fact_by_rule_and_the_appeal_is_routed_by_it(mapped):
    send(mapped, "a", question(("pos.topic", "42")))

    assert given(mapped) == [("topic-table", 1, FEES)]
    assert mapped.rows("SELECT executor, route_rule FROM appeal") == [("gzhi", "fees")]
    assert mapped.rows("SELECT topic FROM question") == [(FEES,)]
    assert queue(mapped) == []
    assert not mapped.verified().faults


def test_each_question_gets_its_own(mapped):
    send(
        mapped, "a",
        question(("sstu", "0005.0005.0056.1154")),
        question(("pos.topic", "42"), ordinal=2),
    )  # fmt: skip
    assert given(mapped) == [("topic-table", 2, FEES)]


def test_an_unknown_code_stops_nothing_and_is_counted_for_a_person(mapped):
    for name in ("a", "b"):
        mapped.submit_appeal(name, Appeal(text="Лифт", questions=(question(("pos.topic", "99")),)))
    mapped.work_off()
    send(mapped, "c", question(("pos.topic", "99")))

    assert queue(mapped) == [("pos.topic", "99", "Тема", 3)]
    assert mapped.rows("SELECT DISTINCT route_rule FROM appeal") == [("rest",)]
    with mapped.connection() as db:
        topics.map_codes(db, "pos.topic", "sstu", {"99": "0005.0005.0056.1168"}, mapped.now)
    assert queue(mapped) == []
    send(mapped, "d", question(("pos.topic", "99")))
    assert given(mapped) == [("topic-table", 1, "0005.0005.0056.1168")]


def test_a_worker_that_goes_on_sees_a_table_that_was_changed(mapped):
    triage = mapped.triage()
    for name, code in (("a", FEES), ("b", "0005.0005.0056.1154")):
        with mapped.connection() as db:
            topics.map_codes(db, "pos.topic", "sstu", {"42": code}, mapped.now)
        mapped.submit_appeal(name, Appeal(text="Вода", questions=(question(("pos.topic", "42")),)))
        while triage.run_once().items:
            pass
    triage.close()
    assert [code for _, _, code in given(mapped)] == [FEES, "0005.0005.0056.1154"]


def test_a_topic_that_a_peer_changes_is_mapped_anew(mapped):
    send(mapped, "a", question(("pos.topic", "99")))
    told = TopicFacts(system="pos.topic", code="42", by="peer")
    mapped.report("a", "k-1", EventType.TOPIC_CHANGED, topic=told)
    mapped.work_off()
    assert given(mapped) == [(PEER, 1, "42"), ("topic-table", 1, FEES)]
    assert not mapped.verified().faults


def test_questions_that_an_amendment_adds_are_mapped_too(mapped):
    first = question(("pos.topic", "42"))
    send(mapped, "a", first)
    both = Appeal(text="Вода", questions=(first, question(("pos.topic", "42"), ordinal=2)))
    mapped.amend("a", 2, both)
    mapped.work_off()
    assert given(mapped) == [("topic-table", 1, FEES), ("topic-table", 2, FEES)]


def test_a_persons_topic_is_not_taken_from_the_question(mapped):
    person = Topic(
        code=Code(system="sstu", value="0005.0005.0056.1154"), assigned_by=AssignedBy.PERSON
    )
    asked = question(("pos.topic", "42"))
    send(mapped, "a", replace(asked, topics=(*asked.topics, person)))
    assert given(mapped) == []
