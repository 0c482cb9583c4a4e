"""docs/errors.md and the error tree say the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway import errors

DOC = Path(__file__).parents[2] / "docs" / "errors.md"
SECTIONS = {
    heading: body.strip()
    for heading, body in re.findall(
        r"^## (\S+)\n(.*?)(?=^## |\Z)", DOC.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
}


def test_every_code_has_a_section_and_every_section_a_code():
    assert sorted(SECTIONS) == sorted(errors.codes())


def test_every_code_has_its_look_on_the_wire():
    assert sorted(errors.WIRE) == sorted(errors.codes())


def test_codes_are_unique_so_that_a_heading_means_one_class():
    def tree(cls: type[errors.GatewayError]):
        yield cls
        for child in cls.__subclasses__():
            yield from tree(child)

    ours = [cls for cls in tree(errors.GatewayError) if cls.__module__ == errors.__name__]
    named = [cls.code for cls in ours if cls is not errors.GatewayError]
    assert sorted(named) == sorted(set(named))


@pytest.mark.parametrize("code", sorted(errors.WIRE))
def test_the_summary_line_is_what_the_code_does(code):
    wire, cls = errors.WIRE[code], errors.codes()[code]
    challenge = f", {wire.challenge} as a challenge" if wire.challenge else ""
    expected = (
        f"`{wire.fault}` · {wire.soap11} / {wire.soap12} · HTTP {wire.status}{challenge}"
        f" · {cls.retry} · {cls.who}"
    )
    assert SECTIONS[code].splitlines()[0] == expected


@pytest.mark.parametrize("code", sorted(errors.WIRE))
def test_a_section_says_it_in_russian_first_then_meaning_cause_and_what_to_do(code):
    summary, russian, english = SECTIONS[code].split("\n\n", 2)
    assert summary
    assert re.search("[а-яё]{4}", russian)
    leads = re.findall(r"^- \*\*([^*]+)\.\*\*", english, re.MULTILINE)
    assert leads == ["Meaning", "Cause", "What to do"]
