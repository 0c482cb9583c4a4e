"""Rules whose executor is whoever serves the house, or whose territory it is."""

from __future__ import annotations

from datetime import date

import pytest

from gateway.errors import ConfigurationError
from gateway.keepers import Keeper, Territory
from gateway.routing import RouteSubject, doubts, explain, read_rules, route
from gateway.served import NOBODY, Served

DAY = date(2026, 11, 23)
HOUSE = "bbbbbbbb-0000-0000-0000-000000000001"
RULES = """
[[rule]]
id = "lift"
executor = "@lift"
reason = "Лифт"
when = { words = ["лифт"] }

[[rule]]
id = "house"
executor = "@management"
reason = "Дом"
when = { words = ["подъезд", "лифт"] }

[[rule]]
id = "roads"
executor = "@territory:roads"
reason = "Дорога"
when = { words = ["дорог"] }

[[rule]]
id = "managed"
executor = "inspection"
reason = "Есть управляющая организация"
when = { service = ["management"], words = ["жалоба"] }

[[rule]]
id = "unclear"
executor = "desk"
reason = "Адрес неясен"
when = { place = ["ambiguous", "not_found"] }
"""


@pytest.fixture
def rules(tmp_path):
    return read_rules(written(tmp_path, RULES), organisations={"inspection", "desk"})


def written(folder, text):
    path = folder / "routing.toml"
    path.write_text(text)
    return path


def subject(text: str, served: Served = NOBODY, oktmo: str = "") -> RouteSubject:
    return RouteSubject(text=text, served=served, oktmo=oktmo)


def known(*services: str, **more) -> Served:
    keepers = tuple(Keeper(house_guid=HOUSE, service=s, organisation=f"org-{s}") for s in services)
    return Served(outcome="exact", house=HOUSE, keepers=keepers, day=DAY, **more)


def test_the_executor_is_who_serves_the_house_and_the_reason_says_as_what_and_when(rules):
    found = route(subject("Лифт стоит", known("management", "lift")), rules)

    assert (found.rule, found.executor) == ("lift", "org-lift")
    assert found.reason == "Лифт (слова: лифт; лифты: org-lift на 2026-11-23)"


def test_a_service_that_nobody_is_known_for_leaves_it_to_the_next_rule(rules):
    served = known("management")
    found = route(subject("Лифт стоит", served), rules)

    assert (found.rule, found.executor) == ("house", "org-management")
    assert doubts(subject("Лифт стоит", served), rules) == ()
    [first, *_] = explain(subject("Лифт стоит", served), rules)
    assert str(first) == (
        "lift: нет (+ слова: лифт; − лифты: на 2026-11-23 никто не указан для дома)"
    )


@pytest.mark.parametrize(
    ("outcome", "why"),
    [
        ("ambiguous", "подходит несколько адресов"),
        ("not_found", "адрес не найден"),
        ("street_only", "известна только улица"),
        ("exact", "в адресе нет номера дома"),
    ],
)
def test_a_house_that_is_not_sure_is_a_doubt_of_each_rule_that_asks_for_it(rules, outcome, why):
    asked = subject("Грязь в подъезде", Served(outcome=outcome, day=DAY))

    assert doubts(asked, rules) == (f"house: управление домом: дом не определён ({why})",)


def test_the_reason_of_the_rule_that_took_it_names_those_passed_over(rules):
    found = route(subject("Грязь в подъезде", Served(outcome="ambiguous", day=DAY)), rules)

    assert found.rule == "unclear"
    assert found.reason.endswith(
        "; пропущено: house: управление домом: дом не определён (подходит несколько адресов)"
    )


def test_an_address_that_nobody_looked_up_is_no_doubt(rules):
    assert doubts(subject("Грязь в подъезде"), rules) == ()
    assert route(subject("Грязь в подъезде"), rules) is None


def test_the_body_of_a_territory_is_asked_for_by_what_it_answers_for(rules):
    land = (
        Territory(oktmo="20701", organisation="town"),
        Territory(oktmo="20", organisation="road-agency", service="roads"),
    )
    served = Served(outcome="street_only", territories=land, day=DAY)

    found = route(subject("Яма на дороге", served, "20701000001"), rules)
    assert found.executor == "road-agency"
    assert "ОКТМО 20: road-agency на 2026-11-23" in found.reason
    assert route(subject("Яма на дороге", served, "31000000"), rules) is None
    assert doubts(subject("Яма на дороге", served, "31000000"), rules) == ()
    assert len(doubts(subject("Яма на дороге", served), rules)) == 1


def test_a_condition_may_ask_whether_a_house_has_a_service(rules):
    asked = subject("Жалоба", known("management"))

    assert route(asked, rules).executor == "inspection"
    assert doubts(subject("Жалоба", Served(outcome="not_found", day=DAY)), rules)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ('executor = "@managment"', "no such service"),
        ('executor = "@territory:road"', "no such service"),
        ('executor = "@"', "no such service"),
        ('executor = "a"\nwhen = { service = ["warmth"] }', "no such service"),
        ('executor = "a"\nwhen = { place = ["sure"] }', "never found so"),
    ],
)
def test_a_rule_that_asks_for_what_there_is_not_is_refused(tmp_path, text, wrong):
    with pytest.raises(ConfigurationError, match=wrong):
        read_rules(written(tmp_path, f'[[rule]]\nid = "x"\nreason = "р"\n{text}\n'))


def test_a_rule_for_whoever_serves_the_house_may_stand_before_others(tmp_path):
    text = """
[[rule]]
id = "house"
executor = "@management"
reason = "Дом"

[[rule]]
id = "rest"
executor = "desk"
reason = "Прочее"
"""
    table = read_rules(written(tmp_path, text))

    assert route(subject("а", known("management")), table).rule == "house"
    assert route(subject("а"), table).rule == "rest"
