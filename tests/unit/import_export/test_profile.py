"""Profiles are checked when they are loaded, and say what to mend."""

from __future__ import annotations

import pytest

from gateway.errors import ConfigurationError
from import_export import profile as profiles

GOOD = {
    "name": "p",
    "key": {"columns": ["id"]},
    "column": [{"name": "id"}, {"name": "t", "field": "text"}],
}


@pytest.mark.parametrize("path", sorted(profiles.PROFILES.glob("*.toml")), ids=lambda p: p.stem)
def test_every_shipped_profile_loads_and_is_named_like_its_file(path):
    assert profiles.load(path.stem).name == path.stem


def test_every_column_of_the_default_profile_is_documented():
    profile = profiles.load("appeals-default")
    assert [c.name for c in profile.columns if not (c.note or c.also)] == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"key": {"columns": ["nr"]}}, "nr"),
        ({"key": {"columns": []}}, "at least one"),
        ({"key": {"columns": ["id"], "revision": "rev"}}, "rev"),
        ({"key": {"columns": ["id"], "revision": 0}}, "revision"),
        ({"column": [{"name": "id", "field": "txet"}]}, "txet"),
        ({"column": [{"name": "id", "field": "questions.text"}]}, "list"),
        ({"column": [{"name": "id", "field": "text[0]"}]}, "no list"),
        ({"column": [{"name": "id", "field": "applicants[0].person"}]}, "too early"),
        ({"column": [{"name": "id", "field": "questions[].text"}]}, "rows"),
        ({"column": [{"name": "id", "field": "a b"}]}, "no path"),
        ({"column": [{"name": "id", "field": "urgency"}]}, "system"),
        ({"column": [{"name": "id"}, {"name": "ID"}]}, "once"),
        ({"column": [{"name": "id", "field": "type", "words": {"x": "y"}}]}, "y"),
        ({"table": {"encoding": "utf-7"}}, "utf-7"),
        ({"table": {"delimiter": ";;"}}, "one ASCII"),
        ({"table": {"delimiter": '"'}}, "another"),
        ({"table": {"zone": "Europe/Nowhere"}}, "Nowhere"),
        ({"table": {"marker": ".done"}}, ".done"),
        ({"table": {"colour": "red"}}, "colour"),
        ({"defaults": {"txt": "x"}}, "txt"),
    ],
)
def test_a_wrong_profile_says_what_to_mend(change, says):
    with pytest.raises(ConfigurationError) as caught:
        profiles.build(GOOD | change)
    assert says in str(caught.value)


def test_a_profile_that_is_not_there_names_those_that_are():
    with pytest.raises(ConfigurationError, match="legacy-cp1251"):
        profiles.load("nowhere")
    with pytest.raises(ConfigurationError, match="no such profile"):
        profiles.load("../../secrets.toml")


def test_a_profile_that_is_no_toml_is_refused(tmp_path):
    (tmp_path / "x.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigurationError, match="UTF-8"):
        profiles.load(str(tmp_path / "x.toml"))
