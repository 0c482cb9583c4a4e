"""What the simulated desks take and refuse, without a network."""

import pytest

from simulators.edds import rules, soap
from simulators.edds.store import Refused, Store

CARD = {
    "key": "k-1", "number": "2026-00017", "type": "0005.0005.0056.1153", "urgency": "HIGH",
    "address": "Хабаровск, улица Ленина, д. 7", "lat": 48.48, "lon": 135.07, "due": "2026-03-04",
}  # fmt: skip


def test_a_whole_card_is_taken():
    assert rules.refusals("rest", CARD) == []
    assert rules.refusals("soap", {**CARD, "urgency": "1", "lat": "48.48", "lon": "135.07"}) == []


def test_a_type_may_be_told_in_words_alone():
    assert rules.refusals("rest", {**CARD, "type": None, "title": "Утечка газа"}) == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"type": "пожар"}, "тип"),
        ({"type": "", "title": "Пожар"}, "тип"),
        ({"type": None}, "Нет типа"),
        ({"type": None, "title": " "}, "Нет типа"),
        ({"urgency": "1"}, "срочность"),
        ({"lat": 91}, "точка"),
        ({"lat": True}, "точка"),
        ({"address": " ", "lat": None}, "места"),
        ({"due": "завтра"}, "срок"),
        ({"number": None}, "номера"),
        ({"key": ""}, "ключа"),
    ],
)
def test_a_card_that_breaks_a_rule_is_refused_with_the_reason(change, reason):
    found = rules.refusals("rest", {**CARD, **change})
    assert any(reason in line for line in found), found


def keep(store, kind="card", body=b"1", **change):
    told = {**CARD, **change}
    return store.keep("rest", kind, told, body, store.check("rest", kind, told, body))


def test_a_second_card_of_a_number_keeps_the_first_ones_number():
    store = Store()
    assert keep(store)["card"] == keep(store, key="k-2")["card"]
    assert keep(store)["repeat"]


def test_a_key_with_another_body_and_a_card_that_is_not_there_are_refused():
    store = Store()
    keep(store)
    missing = {"key": "k-9", "kind": "amend", "number": "x"}
    for change, status in (({"body": b"2"}, 409), (missing, 404)):
        with pytest.raises(Refused) as caught:
            keep(
                store, **{"key": "k-1", **change} if "body" in change else {"key": "k-9", **change}
            )
        assert caught.value.status == status


def test_a_withdrawn_card_is_not_corrected():
    store = Store()
    keep(store)
    keep(store, "cancel", key="k-2")
    with pytest.raises(Refused):
        keep(store, "amend", key="k-3")


def test_an_envelope_is_read_by_names_and_anything_else_is_refused():
    call = soap.envelope(
        "<d:RegisterCard><d:MessageId>k</d:MessageId>"
        '<d:IncidentType code="1">Трубы</d:IncidentType></d:RegisterCard>'
    )
    assert soap.read(call) == ("RegisterCard", {"key": "k", "type": "1", "title": "Трубы"})
    for body in (b"", b"<a/>", b"{}"):
        with pytest.raises(ValueError):  # noqa: PT011 - told to the caller as it is
            soap.read(body)


def test_there_is_nothing_to_call_back_about_without_a_card():
    with pytest.raises(LookupError):
        Store().call_back("rest", "", 1, "DONE")


def test_a_person_sees_the_newest_card_first_and_no_answers_that_never_come():
    store = Store()
    keep(store)
    keep(store, number="2026-00018", key="k-9", body=b"2")
    first, second = store.rows()
    assert (first["key"], second["key"]) == ("2026-00018", "2026-00017")
    assert first["withdrawn"] is False
    assert "answers" not in first
