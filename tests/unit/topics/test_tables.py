"""What a peer's codes mean elsewhere, and which of them nobody knows."""

from __future__ import annotations

from gateway.model.base import Code
from gateway.model.question import AssignedBy, Topic
from gateway.topics import EMPTY, Classifier, Node, seed
from gateway.topics.tables import Seen, with_maps

FEES = "0005.0005.0056.1149"
TABLES = with_maps([seed()], [("pos.topic", "42", "sstu", FEES), ("pos.topic", "7", "own", "x")])


def topic(system: str, value: str, label: str = "", **more) -> Topic:
    return Topic(code=Code(system=system, value=value, label=label), **more)


def test_a_mapped_topic_stands_beside_with_its_title_and_who_gave_it():
    (found,) = TABLES.mapped((topic("pos.topic", "42"),))
    assert (found.code.system, found.code.value) == ("sstu", FEES)
    assert found.code.label.startswith("Оплата")
    assert found.code.version == seed().version
    assert found.assigned_by is AssignedBy.RULE


def test_a_topic_that_the_question_has_already_is_left_alone():
    own = topic("sstu", "0005.0005.0056.1154", assigned_by=AssignedBy.PERSON)
    assert TABLES.mapped((topic("pos.topic", "42"), own)) == ()
    assert TABLES.mapped((own,)) == ()


def test_a_code_may_mean_something_in_a_classifier_that_nobody_keeps():
    (found,) = TABLES.mapped((topic("pos.topic", "7"),))
    assert (found.code.system, found.code.value, found.code.label) == ("own", "x", "")


def test_what_neither_a_table_nor_a_classifier_has_is_told():
    strange = topic("pos.topic", "99", "Лифты")
    assert TABLES.unknown((strange,)) == (Seen("pos.topic", "99", "Лифты"),)
    assert TABLES.unknown((topic("pos.topic", "42"),)) == ()
    assert TABLES.unknown((topic("sstu", "ЖКХ", ""),)) == (Seen("sstu", "ЖКХ", ""),)
    assert TABLES.unknown((topic("sstu", ""),)) == ()


def test_a_question_that_stands_in_a_kept_classifier_lacks_nothing():
    assert TABLES.unknown((topic("pos.topic", "99"), topic("sstu", FEES))) == ()


def test_a_code_that_is_missing_from_a_whole_classifier_is_told():
    whole = with_maps(
        [Classifier("sstu", [Node(system="sstu", code=FEES, title="О", level=4)])], []
    )
    (told,) = whole.unknown((topic("sstu", "0005.0005.0056.1155"),))
    assert told.code == "0005.0005.0056.1155"


def test_without_classifiers_nothing_is_said():
    assert EMPTY.unknown((topic("pos.topic", "1"),)) == ()
    assert EMPTY.mapped((topic("pos.topic", "1"),)) == ()
