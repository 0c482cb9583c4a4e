"""Routing rules: the first match decides, says why, and a wrong file is named to the key."""

from __future__ import annotations

from pathlib import Path

import pytest

import gateway
from gateway.errors import ConfigurationError
from gateway.routing import Route, RouteSubject, Rule, When, explain, read_rules, route

EXAMPLE = Path(gateway.__file__).parent / "policy" / "routing.example.toml"


def rule(name="r", **when) -> Rule:
    return Rule(id=name, executor=f"{name}-org", reason="потому", destinations=("sed",),
                when=When(**when))  # fmt: skip


def matches(subject: RouteSubject, **when) -> bool:
    return route(subject, (rule(**when),)) is not None


def test_the_example_routes_by_words_topic_and_regime():
    rules = read_rules(EXAMPLE)
    cold = RouteSubject(regime="fz59", text="В квартире ХОЛОДНЫЕ  батареи, прошу помочь")
    found = route(cold, rules)
    assert found == Route(
        "utilities-heating",
        "housing-inspection",
        ("sed", "sstu"),
        "Отопление и горячая вода: жилищная инспекция "
        "(порядок рассмотрения: fz59; слова: холодн батаре)",
    )
    housing = RouteSubject(regime="fz59", topics=("0005.0005.0056.1160",), text="Вопрос")
    assert route(housing, rules).rule == "housing-topics"
    assert route(RouteSubject(regime="incident"), rules).destinations == ("webhook-incidents",)
    assert route(RouteSubject(regime="message"), rules).rule == "everything-else"


def test_the_reason_is_kept_with_the_event():
    facts = route(RouteSubject(), (rule(),)).facts()
    assert (facts.rule, facts.organisation, facts.destinations, facts.reason) == (
        "r",
        "r-org",
        ("sed",),
        "потому",
    )


def test_the_first_match_wins_and_none_is_said_to_be_none():
    rules = (rule("a", source=("portal",)), rule("b"), rule("c"))
    assert route(RouteSubject(source="portal"), rules).rule == "a"
    assert route(RouteSubject(source="file"), rules).rule == "b"
    assert route(RouteSubject(source="file"), rules[:1]) is None
    assert route(RouteSubject(), ()) is None


@pytest.mark.parametrize(
    ("subject", "when", "held"),
    [
        ({"topics": ("0003.0009.0097",)}, {"topic": ("0003.0009",)}, True),
        ({"topics": ("0003.0009",)}, {"topic": ("0003.0009",)}, True),
        ({"topics": ("0003.00091",)}, {"topic": ("0003.0009",)}, False),
        ({"topics": ("0001", "0003.0009")}, {"topic": ("0003",)}, True),
        ({"topics": ()}, {"topic": ("0003",)}, False),
        ({"oktmo": "01701000001"}, {"oktmo": ("01701",)}, True),
        ({"oktmo": "1701000"}, {"oktmo": ("01701",)}, False),
        ({"oktmo": ""}, {"oktmo": ("01",)}, False),
        ({"region": "АЛТАЙСКИЙ  край"}, {"region": ("Алтайский край",)}, True),
        ({"region": "Алтай"}, {"region": ("Алтайский край",)}, False),
        ({"settlement": "Берёзовка"}, {"settlement": ("Березовка",)}, True),
        ({"source": "pos"}, {"source": ("portal", "pos")}, True),
        ({"source": "pos2"}, {"source": ("pos",)}, False),
        ({"regime": "fz59"}, {"regime": ("message",)}, False),
        ({"urgency": "emergency"}, {"urgency": ("emergency", "high")}, True),
        ({"urgency": "normal"}, {"urgency": ("emergency",)}, False),
        ({}, {"urgency": ("emergency",)}, False),
        ({"type": "complaint"}, {"type": ("complaint",)}, True),
        ({"subject": "Отопление"}, {"words": ("отоплен",)}, True),
        ({"text": "нет отопления"}, {"words": ("отоплен",)}, True),
        ({"text": "отоплю"}, {"words": ("отоплен",)}, False),
        ({"text": "теплоотопление"}, {"words": ("отоплен",)}, False),
        ({"text": "Ещё ёлка"}, {"words": ("елк",)}, True),
        ({"text": "елка"}, {"words": ("ЁЛК",)}, True),
        ({"text": "горячей, воды нет"}, {"words": ("горяч вод",)}, True),
        ({"text": "вода горячая"}, {"words": ("горяч вод",)}, False),
        ({"text": "вода, горячая"}, {"words": ("вод горяч",)}, True),
        ({"subject": "горячая", "text": "вода"}, {"words": ("горяч вод",)}, False),
        ({"text": "горячая"}, {"words": ("горяч вод",)}, False),
        ({}, {"words": ("вод",)}, False),
        ({"source": "pos", "regime": "fz59"}, {"source": ("pos",), "regime": ("fz59",)}, True),
        ({"source": "pos", "regime": "message"}, {"source": ("pos",), "regime": ("fz59",)}, False),
    ],
)
def test_each_condition(subject, when, held):
    assert matches(RouteSubject(**subject), **when) is held


def test_explain_says_for_every_rule_why():
    rules = (
        rule("a", source=("pos",), words=("вод",)),
        rule("b", source=("portal",)),
        rule("c"),
    )
    found = explain(RouteSubject(source="portal", text="Вода"), rules)
    assert [str(line) for line in found] == [
        "a: нет (− источник: нужно pos, есть: portal; + слова: вод)",
        "b: выбрано (+ источник: portal)",
        "c: подходит, но не первое",
    ]
    assert [(line.matched, line.chosen) for line in found] == [
        (False, False),
        (True, True),
        (True, False),
    ]


def test_neither_the_reason_nor_the_explanation_repeats_the_citizens_text():
    subject = RouteSubject(text="Я, Иван Тестов, жалуюсь на воду", source="portal")
    rules = (rule("a", words=("отоплен",)), rule("b", words=("вод",)))
    told = "".join(map(str, explain(subject, rules))) + route(subject, rules).reason
    assert "Тестов" not in told


GOOD = '[[rule]]\nid = "a"\nexecutor = "o"\nreason = "потому"\ndestinations = ["sed"]\n'


@pytest.mark.parametrize(
    ("text", "words", "where"),
    [
        ("[[rule]]\nid = 1\n", "id", ": rule 1"),
        ('[[rule]]\nid = "a"\nexecutor = "o"\n', "reason", ": rule a"),
        (GOOD + 'prio = "1"\n', "prio", ": rule a"),
        (GOOD + '[rule.when]\nword = ["x"]\n', "word", ": rule a"),
        (GOOD + '[rule.when]\nwords = ["—"]\n', "empty", ": rule a, when.words"),
        (GOOD + '[rule.when]\nsource = [""]\n', "empty", ": rule a, when.source"),
        (GOOD + '[rule.when]\noktmo = ["01-7"]\n', "11 digits", ": rule a, when.oktmo"),
        (GOOD + '[rule.when]\ntopic = ["0003."]\n', "last dot", ": rule a, when.topic"),
        (GOOD.replace("потому", " "), "empty", ": rule a, reason"),
        (GOOD.replace("sed", "sde"), "no such peer", ": rule a, destinations"),
        (GOOD.replace('"o"', '"x"'), "no such organisation", ": rule a, executor"),
        ('[[rule]]\nid = "b"\nexecutor = "o"\nreason = "r"\n[rule.when]\nregime = ["fz59"]\n'
         + GOOD.replace('"a"', '"b"'), "twice", ": rule b"),
        (GOOD + GOOD.replace('"a"', '"b"'), "never asked", ": rule b"),
        ("mode = 1\n" + GOOD, "mode", ""),
        ("", "no rules", ""),
        ("rule = 3", "no rules", ""),
        ("[[rule]", "cannot be read", ""),
    ],
)  # fmt: skip
def test_a_wrong_file_is_named_to_the_key(tmp_path, text, words, where):
    path = tmp_path / "routing.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigurationError, match=words) as error:
        read_rules(path, peers={"sed"}, organisations={"o"})
    assert error.value.where == f"{path}{where}"


def test_codes_are_checked_only_when_they_are_known(tmp_path):
    path = tmp_path / "routing.toml"
    path.write_text(GOOD, "utf-8")
    assert read_rules(path) == read_rules(path, peers={"sed"}, organisations={"o"})
    with pytest.raises(ConfigurationError):
        read_rules(tmp_path / "absent.toml")
