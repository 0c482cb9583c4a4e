"""The simulated node shows what it holds, and makes reports up that only it has."""

from zoneinfo import ZoneInfo

import pytest

from simulators.page import page
from simulators.sstu import rules
from simulators.sstu.__main__ import Node
from simulators.sstu.store import DEPARTMENT, Store


@pytest.fixture
def store():
    return Store(ZoneInfo("Europe/Moscow"))


def test_the_same_seed_makes_the_same_reports_up(store):
    other = Store(ZoneInfo("Europe/Moscow"))
    keys = store.command({"emit": 5, "seed": 3})["keys"]
    assert keys == other.command({"emit": 5, "seed": 3})["keys"]
    assert keys != other.command({"emit": 5, "seed": 4})["keys"]
    assert {item["key"] for item in store.holds()} == set(keys)
    assert len(store.listing(DEPARTMENT)) == len(set(keys))


def test_what_it_made_up_it_would_have_taken(store):
    store.emit(20, 1)
    for records in store._records.values():
        # the bytes of files are not kept
        reasons = rules.refusals(records[0]["document"])
        assert set(reasons) <= {"Вопрос 1: Не прикреплен ответ на обращение"}


def test_its_page_shows_numbers_and_rules_but_no_names(store):
    (key,) = store.emit(1, 1)
    shown = page(Node(store).face()).decode()
    assert key in shown
    assert "Имитатор" in shown
    assert rules.SOURCED[0].partition(" · ")[0] in shown
    assert store.listing(DEPARTMENT)[0]["name"].split()[0] not in shown


def test_it_counts_answers_by_their_statuses(store):
    (number,) = store.emit(1, 1)
    assert store.holds()[0]["answers"] == 0
    store.command({"change": number, "status": "Explained"})
    assert store.holds()[0]["answers"] >= 1
