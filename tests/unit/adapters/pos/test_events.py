"""What the platform reports of an item after its submission."""

import datetime as dt

import pytest

from gateway.errors import ValidationError
from gateway.lifecycle import check_report
from gateway.model.events import EventType

NOW = dt.datetime(2026, 4, 1, tzinfo=dt.UTC)
BODY = {"organisation": {"id": "B-1", "name": "Управление дорог"}}
WORDS = {
    "moderation_started": {},
    "moderation_passed": {},
    "moderation_refused": {"reason": {"code": "spam"}},
    "assigned": {"executor": BODY},
    "reassigned": {"executor": BODY},
    "taken_to_work": {},
    "postponed": {"postponed": {"ground": "погода", "due": "2026-05-01"}},
    "redirected": {"redirect": {**BODY, "number": "И-1"}},
    "answer_prepared": {"decision": "explained"},
    "answer_returned": {"reason": {"code": "incomplete"}},
    "answered": {"decision": "solved", "answer": {"text": "Сделано."}},
    "published": {},
    "rated": {"rating": {"score": 4, "scale": 5}},
    "confirmed": {"rating": {"score": 5}},
    "returned_for_rework": {"reason": {"code": "not_done"}},
    "clarification_asked": {"text": "Какой подъезд?", "due": "2026-03-12"},
    "clarification_given": {"text": "Третий."},
    "withdrawn": {"text": "Уже не нужно."},
    "stage": {"stage": "approval"},
}


@pytest.mark.parametrize("word", sorted(WORDS))
def test_every_word_becomes_a_report_that_the_gateway_takes(read, happened, word):
    found = read(happened(word, **WORDS[word]))
    check_report(found.report, NOW)
    assert found.message_key == found.report.message_key == "E-1"
    assert found.report.key.external_id == "POS-1"


def test_the_manifest_lets_the_platform_report_every_word_it_has(codec):
    from adapters.pos.codes import EVENTS
    from gateway.registry import read_manifest

    assert {event.value for event in EVENTS.values()} <= set(read_manifest("adapters.pos").events)
    assert EVENTS.keys() == WORDS.keys()


def test_the_day_is_that_of_the_rows_zone(read, happened):
    found = read({**happened("taken_to_work"), "at": "2026-03-10T22:30:00+00:00"})
    assert found.report.occurred_on == dt.date(2026, 3, 11)


def test_a_score_comes_with_its_scale_and_the_words_beside(read, happened):
    found = read(happened("rated", rating={"score": 4, "scale": 5}, text="Быстро")).report
    assert (found.rating.score, found.rating.scale, found.comment) == (4, "5", "Быстро")


def test_a_message_goes_back_to_work_for_a_reason_until_a_day(read, happened):
    event = happened("returned_for_rework", reason={"code": "not_done"}, due="2026-03-20")
    found = read(event).report
    assert found.event is EventType.RETURNED_FOR_REWORK
    assert (found.reason.code, found.reason.due) == ("not_done", dt.date(2026, 3, 20))


@pytest.mark.parametrize(
    ("decision", "result", "taken"),
    [("solved", "supported", True), ("postponed", "supported", False),
     ("explained", "explained", None), ("declined", "not_supported", None)],
)  # fmt: skip
def test_decisions_are_outcomes(read, happened, decision, result, taken):
    found = read(happened("answered", decision=decision, answer={"text": "Ответ."}))
    assert found.operation == "answer"
    assert (found.report.outcome.result, found.report.outcome.actions_taken) == (result, taken)


def test_a_word_that_is_not_known_is_a_state_in_the_platforms_own_words(read, happened):
    plain = read(happened("archived")).report
    staged = read(happened("archived", stage="closed")).report
    assert plain.event is staged.event is EventType.PEER_STATE_REPORTED
    assert (plain.peer_state.code, staged.peer_state.code) == ("archived", "closed")


@pytest.mark.parametrize(
    ("word", "places"),
    [("moderation_refused", ["/reason"]), ("assigned", ["/executor"]),
     ("postponed", ["/postponed"]), ("redirected", ["/redirect"]), ("rated", ["/rating"]),
     ("answered", ["/decision", "/answer"]), ("stage", ["/stage"])],
)  # fmt: skip
def test_what_an_event_lacks_is_named(read, happened, word, places):
    with pytest.raises(ValidationError) as caught:
        read(happened(word))
    assert [v.path for v in caught.value.violations] == places
