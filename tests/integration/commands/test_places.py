"""`gateway fias doubts`, `choose`, `synonyms`: a person settles what the register left open."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from adapters.fias.commands import attach
from gateway import settings
from gateway.commands import context, output
from gateway.keepers import Keeper
from gateway.store import keepers
from tests.integration.commands.conftest import NOW
from tests.integration.register import load

ROUTING = """
[[rule]]
id = "house"
executor = "@management"
reason = "Дом: кто управляет"
"""
DOUBT = "Воронежская обл, Берёзовка, ул. Лесная, д. 1"
EXACT = "г Воронеж, ул 9 Января 68к2 кв 15"


@pytest.fixture
def city(house, tmp_path):
    path = tmp_path / "by-house.toml"
    path.write_text(ROUTING)
    house.environ["GATEWAY_ROUTING_FILE"] = str(path)
    house.settings = settings.load(house.environ)
    with house.connection() as db:
        house.land = load(db)
        kept = Keeper(house_guid=guid(house), service="management", organisation="uk")
        keepers.write(db, [], [kept], [], NOW)
    return house


def fias(house, *words: str, code: int = 0) -> str:
    """Run a command as `gateway.cli` joins it; return all it said."""
    root = output.app("gateway", "gateway")
    attach(root, lambda: context.opened(context.settings()))
    result = CliRunner().invoke(root, ["fias", *words], env=house.environ)
    assert result.exit_code == code, (result.output, result.exception)
    return result.output if code else result.stdout


def told(house, *words: str):
    return json.loads(fias(house, *words, "--json"))


def guid(house, label: str = "68к2") -> str:
    return next(row.guid for row in house.land.houses if row.label == f"д. {label}")


def write(house, external_id: str, raw: str):
    appeal_id = house.submit(external_id, problemAddress={"raw": raw})
    house.triage()
    return appeal_id


def test_doubts_are_listed_without_addresses_and_one_is_shown_on_the_record(city):
    write(city, "a", DOUBT)
    write(city, "b", EXACT)

    listed = fias(city, "doubts")
    [waiting] = told(city, "doubts")
    assert waiting["external_id"] == "a"
    assert "Лесная" not in listed

    shown = told(city, "doubts", "a")
    assert shown["address"] == DOUBT
    assert all("Лесная" in choice["label"] for choice in shown["choices"])
    assert "fias doubts" in (city.settings.data_dir / "audit.jsonl").read_text()


def test_choosing_is_shown_first_and_done_when_told(city):
    write(city, "a", DOUBT)
    second = told(city, "doubts", "a")["choices"][1]

    assert told(city, "choose", "a", "2")["committed"] is False
    assert len(told(city, "doubts")) == 1

    made = told(city, "choose", "a", "2", "--by", "ivanova", "--commit")
    assert made["place"]["guid"] == second["guid"]
    assert told(city, "doubts") == []
    assert told(city, "appeals", second["house_guid"])[0]["external_id"] == "a"


def test_any_house_of_the_register_can_be_chosen(city):
    write(city, "a", DOUBT)

    made = told(city, "choose", "a", guid(city), "--commit")

    assert made["routed"]["organisation"] == "uk"
    assert city.json("rules", "explain", "a")["chosen"]["executor"] == "uk"


def test_rules_explain_who_serves_the_house_and_why_nobody_does(city):
    write(city, "a", EXACT)
    write(city, "b", DOUBT)

    assert "управление домом: uk" in city.json("rules", "explain", "a")["chosen"]["reason"]
    [rule] = city.json("rules", "explain", "b")["rules"]
    assert rule["conditions"][-1]["words"].endswith("(подходит несколько адресов)")


def test_a_synonym_is_added_used_listed_and_revoked(city):
    street = str(city.land.guid(city.land.houses[0].parent))
    said = ("synonyms", "add", "Старособорная", street, "--by", "ivanova")
    assert told(city, *said)["committed"] is False
    assert told(city, "synonyms", "list") == []
    number = told(city, *said, "--commit")["id"]

    write(city, "a", "Воронеж, Старособорная, 7")
    assert told(city, "doubts") == []
    [row] = told(city, "synonyms", "list")
    assert (row["author"], row["uses"], row["key"]) == ("ivanova", 1, "старособорная")

    told(city, "synonyms", "revoke", str(number), "--by", "petrov", "--commit")
    write(city, "b", "Воронеж, Старособорная, 7")
    assert [one["external_id"] for one in told(city, "doubts")] == ["b"]
    [row] = told(city, "synonyms", "list")
    assert row["revoked_by"] == "petrov"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("choose", "a", "99"), "1 …"),
        (("choose", "a"), "--none"),
        (("choose", "a", "0c5b2444-70a0-4932-980c-b4dc0d3f02b5"), "нет такого объекта"),
        (("choose", "a", "1", "--by", "Иванова Анна"), "логин"),
        (("synonyms", "revoke", "7"), "нет такого действующего синонима"),
        (("appeals", "дом"), "не ГУИД"),
    ],
)
def test_what_cannot_be_done_is_said(city, words, said):
    write(city, "a", DOUBT)

    assert said in fias(city, *words, code=2)


def test_what_the_register_knows_cannot_be_made_to_mean_something_else(city):
    street = str(city.land.guid(city.land.houses[0].parent))

    said = fias(city, "synonyms", "add", "Ленина", street, code=2)

    assert "справочник знает это написание" in said


def test_doubts_are_asked_about_again_once_a_name_is_known(city):
    street = str(city.land.guid(city.land.houses[0].parent))
    write(city, "a", "Воронеж, Старособорная, 7")
    fias(city, "synonyms", "add", "Старособорная", street, "--by", "ivanova", "--commit")
    assert told(city, "again")["outcomes"] == {}

    found = told(city, "again", "--doubts", "--commit")

    assert found == {"outcomes": {"exact": 1}, "committed": True}
    assert told(city, "doubts") == []
