"""The reference page says what the table does."""

from __future__ import annotations

from pathlib import Path

from gateway.lifecycle import ROWS
from gateway.lifecycle.reference import render

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "lifecycle.md"


def test_the_page_is_current():
    page = PAGE.read_text("utf-8")
    assert render(page) == page, (
        "run: python -m gateway.lifecycle.reference docs/reference/lifecycle.md"
    )


def test_every_event_stands_in_the_table():
    page = PAGE.read_text("utf-8")
    assert [row.event for row in ROWS if f"| `{row.event}`" not in page] == []
