"""A name of a file is neither a path nor another name to the eye."""

from __future__ import annotations

import pytest

from gateway.model.filenames import NAMELESS, cleaned, flaw


@pytest.mark.parametrize(
    "name",
    ["акт.pdf", "…", ".htaccess", "Снимок 1 (2).jpg", "a..b", "фото\u202f10.png", "émoji 👍🏽.jpg"],
)
def test_a_name_of_a_file_is_kept(name):
    assert (flaw(name), cleaned(name)) == ("", name)


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        (".", NAMELESS), ("..", NAMELESS), ("", NAMELESS), (" ", NAMELESS), (" .. ", NAMELESS),
        ("\u00a0", NAMELESS), ("../a", ".._a"), ("c:\\a", "c:_a"), ("a\u202egpj.exe", "a_gpj.exe"),
        ("\u2067a", "_a"), ("a\x00b", "a_b"), ("a\nb", "a_b"), ("\u200fa", "_a"), ("a\x85b", "a_b"),
    ],
)  # fmt: skip
def test_what_is_none_is_refused_or_cleaned(name, instead):
    assert flaw(name)
    assert cleaned(name) == instead
    assert not flaw(cleaned(name))
