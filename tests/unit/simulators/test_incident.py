import json
from datetime import UTC, datetime

import pytest

from simulators.incident.messages import make
from simulators.incident.rules import refusals
from simulators.incident.store import Store

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
PHOTO = {"name": "а.png", "mediaType": "image/png", "content": "QUJD"}
MESSAGE = {"id": "a", "topics": ["snow"], "photos": [{}]}


def answer(**fields):
    photos = {"before": [PHOTO], "after": [PHOTO]}
    return {"id": "a", "kind": "answer", "text": "Сделано", "photos": photos} | fields


def test_the_same_seed_makes_the_same_message():
    assert make(1, 5, NOW) == make(1, 5, NOW)
    assert len({json.dumps(make(n, 5, NOW)["text"]) for n in range(60)}) > 20


@pytest.mark.parametrize(
    "wrong",
    [
        answer(kind="maybe"), answer(text=""), answer(text="а" * 4097), answer(own=1),
        answer(tags=[5]), answer(photos={"before": [PHOTO]}), answer(photos={"after": []}),
        answer(photos={"before": [{**PHOTO, "mediaType": "text/html"}], "after": [PHOTO]}),
        answer(photos={"before": [{**PHOTO, "content": "x"}], "after": [PHOTO]}),
        answer(photos={"before": [{"of_message": 2}], "after": [PHOTO]}), answer(photos=5),
        {"id": "a", "kind": "state", "state": "registered"}, {"id": "a", "kind": "state"},
        {"id": "a", "kind": "closed"}, {"id": "a", "kind": "closed", "closed": "spam"},
        {"id": "a", "kind": "closed", "closed": "abusive", "by_person": False}, [], "x",
    ],
)  # fmt: skip
def test_each_rule_refuses(wrong):
    assert refusals(wrong, MESSAGE, "new")


def test_what_keeps_the_rules_is_taken():
    for right in (
        answer(),
        answer(photos={"before": [{"of_message": 1}], "after": [PHOTO]}),
        {"id": "a", "kind": "first_reaction", "text": "Приняли", "tags": ["Ответ"]},
        {"id": "a", "kind": "state", "state": "registered", "number": "И-1"},
        {"id": "a", "kind": "state", "state": "in_work"},
        {"id": "a", "kind": "closed", "closed": "abusive", "by_person": True},
    ):
        assert refusals(right, MESSAGE, "new") == []
    assert refusals(answer(), MESSAGE, "closed")
    assert refusals(answer(), None, "")


def test_an_answer_is_kept_by_its_key_and_the_same_text_is_not_taken_under_another():
    store = Store()
    (message,) = store.emit(1, 1, fed=True)
    told = answer(id=message["id"])
    assert store.refusals(told) == []
    store.take("k", told, b"1")
    store.take("k", told, b"1")
    (held,) = store.holds()
    assert (held["answers"], held["photos"], held["state"]) == (1, 2, "answered")
    assert store.refusals(told)
    assert store.known("k")["reference"] == store.rows()[0]["reference"]
    assert store.page("", 5)["more"] is False
