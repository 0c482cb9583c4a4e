"""A simulator says all that the row of its peer needs to reach it on this machine."""

from __future__ import annotations

import pytest

from gateway.registry import lack, load
from simulators.process import running


@pytest.mark.parametrize("name", ["pos", "incident", "asdou", "sadko", "edds", "sstu"])
def test_the_options_that_it_prints_are_a_whole_row(name, tmp_path):
    with running(name, "--journal", str(tmp_path / "journal.jsonl")) as peer:
        options = peer.facts["options"]
        manifest = load([name])[name].manifest
        assert lack(manifest, {**manifest.options, **options}) is None
        assert options["allow_private"] == ["127.0.0.1"]


def test_an_answer_of_asdou_has_somebody_who_signs(tmp_path):
    with running("asdou", "--journal", str(tmp_path / "journal.jsonl")) as peer:
        assert len(peer.facts["options"]["author"].split()) == 3
