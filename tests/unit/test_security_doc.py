"""docs/security.md: each line of the penetration list names a test, and the test is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOC = (ROOT / "docs/security.md").read_text("utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|\n ").split(" | ")]
    for line in DOC.splitlines()
    if line.startswith("| ") and "::" in line
]
NAMED = sorted({name for row in ROWS for name in re.findall(r"`(tests/[\w/]+\.py::\w+)`", row[-1])})
REASONS = set(re.findall(r'"(\w+)",', re.search(
    r"TrustReason = Literal\[(.*?)\]", (ROOT / "gateway/errors.py").read_text("utf-8"), re.DOTALL
)[1]))  # fmt: skip


def functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


def test_every_line_has_an_attack_an_answer_and_a_test():
    assert len(ROWS) >= 60
    for row in ROWS:
        assert len(row) == 3, row
        assert re.search(r"`tests/[\w/]+\.py::\w+`", row[-1]), row


@pytest.mark.parametrize("name", NAMED)
def test_the_test_that_a_line_names_is_there(name):
    path, _, function = name.partition("::")
    assert function in functions(ROOT / path)


def test_every_reason_of_a_refusal_is_shown_by_some_line():
    told = {word for row in ROWS for word in re.findall(r"`(\w+)`", row[1])}
    assert told >= REASONS, sorted(REASONS - told)
