"""Examples on the pages for engineers are what the programs take."""

from __future__ import annotations

import re
from pathlib import Path

from gateway import routing

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
