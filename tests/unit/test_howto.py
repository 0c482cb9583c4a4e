"""Examples on the pages for engineers are what the programs take."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from gateway import routing
from gateway.model.events import EventType
from gateway.wires.words import EventName

HOWTO = Path(__file__).parents[2] / "docs" / "howto"


def test_the_rules_on_the_page_of_routing_can_be_read(tmp_path):
    page = (HOWTO / "routing.md").read_text("utf-8")
    rules = tmp_path / "rules.toml"
    rules.write_text(re.search(r"```toml\n(.*?)```", page, re.DOTALL)[1], "utf-8")

    read = routing.read_rules(rules, peers=("sed", "sstu"))

    assert [rule.id for rule in read] == ["heating", "everything-else"]


def test_the_page_of_routing_names_every_key():
    page = (HOWTO / "routing.md").read_text("utf-8")

    for key in (*routing.When.__struct_fields__, *routing.Rule.__struct_fields__):
        assert f"`{key}`" in page or key == "when"


def test_the_index_names_every_page_once():
    index = (HOWTO / "README.md").read_text("utf-8")

    for page in HOWTO.glob("*.md"):
        assert index.count(f"]({page.name})") == (page.name != "README.md"), page.name


@pytest.mark.parametrize("name", ["soap-headers", "soap-outbound"])
def test_an_example_in_python_can_be_read_by_python(name):
    page = (HOWTO / f"{name}.md").read_text("utf-8")

    for example in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        compile(example, name, "exec")


def test_what_the_page_says_is_not_sent_is_what_the_call_back_has_no_word_for():
    page = (HOWTO / "soap-outbound.md").read_text("utf-8")
    told = page.split("What is not sent\n")[1].split("\n## ")[0]
    ours = {kind.value for kind in EventType}

    assert ours & set(re.findall(r"`(\w+)`", told)) == ours - set(get_args(EventName))
