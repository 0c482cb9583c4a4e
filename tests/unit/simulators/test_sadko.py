import copy

import pytest

from simulators.sadko.rules import LATIN, RESULT, refusals
from simulators.sadko.store import Store


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def sent(store):
    keys = store.emit(5, 1)
    return store.item("InboxResol", keys[0])


def answer(sent):
    resolution = sent["Resolution"]
    return {
        "Card": copy.deepcopy(sent["Card"]),
        "Resolution": {
            "Guid": resolution["Guid"],
            "CreatedTime": "2026-03-20T16:05:00",
            "Author": resolution["Executor"],
            "Executor": resolution["Author"],
        },
        "LetterDetail": {"Closed": True, "StatusId": 3, "TextAnswer": "Сделано."},
        RESULT: {"ResultId": 1},
    }


def test_the_same_seed_makes_the_same_items_and_every_fifth_is_a_letter(store):
    assert store.emit(5, 3) == Store().emit(5, 3)
    assert [row["Type"] for row in store.listing()].count("InboxLetter") == 1


def test_an_answer_that_keeps_the_rules_is_taken_and_told_of(store, sent):
    document = answer(sent)
    assert refusals(document, sent) == []
    store.keep(sent["Card"]["Guid"], document)
    (held,) = store.holds()
    assert (held["answers"], held["closed"], held["results"]) == (1, True, [1])
    assert store.rows()[0]["Closed"] is True


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda d: d.update({LATIN: d.pop(RESULT)}), "латинская"),
        (lambda d: d["Card"].pop("DocumentTypeId"), "DocumentTypeId"),
        (lambda d: d["Card"].update(Own=1), "Own"),
        (lambda d: d["Card"].update(Files=[]), "Files"),
        (lambda d: d["Resolution"].update(Author="Другой"), "местами"),
        (lambda d: d["Resolution"].update(Guid="x"), "другую"),
        (lambda d: d["Resolution"].pop("CreatedTime"), "CreatedTime"),
        (lambda d: d["Resolution"].update(CreatedTime="2026-03-20T16:05:00+03:00"), "без пояса"),
        (lambda d: d["Resolution"].update(Themes=[{"Code": "1"}]), "Themes"),
        (lambda d: d["Resolution"].update(Files=[{"Data": "x"}]), "base64"),
        (lambda d: d["LetterDetail"].pop("StatusId"), "StatusId"),
        (lambda d: d.pop(RESULT), "ResultId"),
        (lambda d: d.update(Card=5), "не объект"),
    ],
)
def test_each_rule_refuses_with_its_words(sent, change, word):
    document = answer(sent)
    change(document)
    assert any(word in reason for reason in refusals(document, sent))


def test_what_was_never_in_the_inbox_is_not_answered(store, sent):
    assert refusals(answer(sent), store.sent({"Card": {"Guid": "x"}}))
    assert refusals([], None)
