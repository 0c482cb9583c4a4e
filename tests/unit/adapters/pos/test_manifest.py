"""The manifest, the schema and the words of the profile say the same."""

import json
from pathlib import Path

import adapters.pos
from adapters.pos import codes
from adapters.pos.encode import _OUT, _STAGES
from gateway import registry
from simulators.pos import rules

FOLDER = Path(adapters.pos.__file__).parent


def test_the_registry_takes_the_manifest_with_its_contract():
    manifest = registry.load(["pos"])["pos"].manifest
    assert set(manifest.kinds) == {"codec", "channel", "source", "answering"}
    assert [contract.name for contract in manifest.contracts] == ["item.schema.json"]


def test_nothing_claims_to_be_the_official_contract():
    manifest = registry.read_manifest("adapters.pos")
    readme = (FOLDER / "README.md").read_text("utf-8")
    assert manifest.conformity.startswith("profile of our own, pos-profile/0, not the official")
    assert not manifest.seen_by_real_system
    assert "not the official contract" in readme.split("\n\n")[1]


def test_the_schema_names_every_event():
    schema = json.loads((FOLDER / "item.schema.json").read_text("utf-8"))
    told = schema["$defs"]["event"]["properties"]["event"]["description"]
    assert all(word in told for word in codes.EVENTS)


def test_stages_and_decisions_are_words_of_the_table():
    tables = codes.tables()
    assert {stage for _, stage, _ in _OUT.values()} <= tables.stages.keys()
    assert set(_STAGES.values()) <= tables.stages.keys()
    assert set(tables.outcomes.values()) <= tables.decisions.keys() == codes.RESULTS.keys()
    assert set(tables.moderation_of.values()) <= tables.moderation.keys()
    assert tables.profile == codes.PROFILE


def test_parents_of_the_classifier_are_there():
    tables = codes.tables()
    assert {n.parent for n in tables.facts.values()} <= tables.subcategories.keys()
    assert {n.parent for n in tables.subcategories.values()} <= tables.categories.keys()


def test_the_simulator_knows_the_same_words():
    words = {word for word, _, _ in _OUT.values()} | {"copied", "state"}
    assert words == rules.WORDS
    assert codes.tables().stages.keys() == rules.RANKS.keys()
