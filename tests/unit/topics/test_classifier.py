"""Nodes of a classifier by code and date, and how codes are spelled."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.topics import SSTU, Classifier, Node, canonical, is_shaped, level_of, seed

SEED = seed()
DAY = dt.date(2026, 6, 1)


def node(code: str, title: str = "Тема", **more) -> Node:
    return Node(system=SSTU, code=code, title=title, level=level_of(SSTU, code), **more)


@pytest.mark.parametrize(
    ("spelled", "code"),
    [
        ("0005.0005.0056.1149", "0005.0005.0056.1149"),
        (" 0005.0005.0056.1149 ", "0005.0005.0056.1149"),
        ("0005. 0005. 0056. 1149.", "0005.0005.0056.1149"),
        ("0005.0005.0056.0000", "0005.0005.0056"),
        ("0005.0000.0000.0000", "0005"),
        ("0001.0002.0027.01262", "0001.0002.0027.0126"),
        ("0001.0002.0027.012612", "0001.0002.0027.0126"),
        ("0001.0001.0009.0040.00031", "0001.0001.0009.0040.0003"),
        ("жкх", "жкх"),
    ],
)
def test_one_node_has_one_spelling(spelled, code):
    assert canonical(SSTU, spelled) == code


def test_other_classifiers_spell_as_they_like():
    assert canonical("pos.topic", " 12.0000 ") == "12.0000"


@given(st.text(max_size=40))
def test_a_spelling_is_settled_in_one_step(text):
    once = canonical(SSTU, text)
    assert not is_shaped(SSTU, once) or canonical(SSTU, once) == once


def test_the_part_that_comes_with_the_gateway_hangs_together():
    assert (SEED.system, SEED.partial, SEED.source != "") == (SSTU, True, True)
    codes = {n.code for n in SEED.nodes}
    assert len(codes) == len(SEED.nodes) == 166
    assert {n.parent for n in SEED.nodes} - {""} <= codes
    assert all(is_shaped(SSTU, n.code) and n.title == n.title.strip() for n in SEED.nodes)
    assert sum(n.level == 1 for n in SEED.nodes) == 5
    assert sum(n.level == 2 for n in SEED.nodes) == 21


def test_a_node_is_found_by_any_spelling_of_its_code():
    found = SEED.lookup("0005.0005.0056.1149")
    assert found is not None
    assert found.title.startswith("Оплата жилищно-коммунальных услуг")
    assert SEED.lookup("0005.0005.0056.0000").title == "Коммунальное хозяйство"
    assert SEED.lookup("0005.0005.0056.9999") is None
    assert SEED.lookup("") is None


def test_a_five_block_code_is_its_question_with_a_shared_last_block():
    found = SEED.lookup("0005.0005.0056.1160.0004")
    assert found.title == "Обращение с твердыми коммунальными отходами — муниципальные услуги"
    assert (found.level, found.parent) == (5, "0005.0005.0056.1160")
    assert SEED.lookup("0005.0005.0056.1160.9999") is None
    assert SEED.lookup("0005.0005.0056.9999.0004") is None


def test_a_last_block_alone_may_be_many_questions():
    twice = Classifier(SSTU, [node("0001.0001.0009.0040"), node("0001.0001.0010.0040")])
    assert [n.code for n in twice.short("0040")] == ["0001.0001.0009.0040", "0001.0001.0010.0040"]
    assert twice.lookup("0040") is None
    assert twice.short("0041") == ()


def test_a_node_is_read_by_the_day_of_the_appeal():
    old = node("0005.0005.0056.1149", "Оплата", version="1", valid_to=DAY - dt.timedelta(days=1))
    new = node("0005.0005.0056.1149", "Оплата услуг", version="2", valid_from=DAY)
    both = Classifier(SSTU, [old, new])
    assert both.lookup(old.code, DAY - dt.timedelta(days=1)) is old
    assert both.lookup(old.code, DAY) is new
    assert both.lookup(old.code) is new
    assert both.current(DAY) == [new]


def test_a_part_does_not_say_that_the_rest_is_not_there():
    assert SEED.may_have("0003.0009.0097.0689")
    assert not SEED.may_have("0003.0009.0097")  # a group is given to no question
    assert not SEED.may_have("ЖКХ")
    whole = Classifier(SSTU, SEED.nodes)
    assert whole.may_have("0005.0005.0056.1149")
    assert not whole.may_have("0003.0009.0097.0689")


def test_what_has_ended_is_not_taken_for_one_that_is_missing():
    ended = node("0005.0005.0056.1149", valid_to=DAY)
    part = Classifier(SSTU, [ended], partial=True)
    assert part.may_have(ended.code, DAY)
    assert not part.may_have(ended.code, DAY + dt.timedelta(days=1))
