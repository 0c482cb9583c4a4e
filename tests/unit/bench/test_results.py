"""The page of results keeps what counts and says what does not."""

from __future__ import annotations

import msgspec

from bench.figures import Run, figure, void
from bench.results import last, page


def _line(at: str, provisional: str = "", ours: float = 1000.0) -> bytes:
    made = figure(
        "accept",
        "appeals/s",
        [(ours, 90.0, 2000.0)] * 7,
        judged="peer",
        target=10.0,
        run=Run(at, provisional),
        detail={"processes": 2},
    )
    return msgspec.json.encode(made)


def test_a_later_figure_replaces_an_earlier_one():
    found = last([_line("2026-11-20T10:00Z"), _line("2026-11-21T10:00Z", ours=1100.0)])
    assert found["accept"].ours == 1100.0


def test_a_quick_run_never_replaces_a_final_figure():
    found = last([_line("2026-11-20T10:00Z"), _line("2026-11-21T10:00Z", "quick")])
    assert found["accept"].at == "2026-11-20T10:00Z"


def test_a_final_figure_replaces_a_quick_one():
    found = last([_line("2026-11-20T10:00Z", "quick"), _line("2026-11-21T10:00Z")])
    assert not found["accept"].provisional


def test_the_page_tells_bounds_targets_and_what_is_provisional():
    shown = page(last([_line("2026-11-20T10:00Z", "quick")]).values())
    assert (
        "| accept, appeals/s | 1000.0 | 90.0 | 2000.0 | 11.11 (11.11–11.11) | ≥ 10.0 | yes |"
        in shown
    )
    assert "provisional" in shown
    assert '"processes":2' in shown


def test_the_page_shows_a_void_figure_with_its_reason():
    shown = page(
        [void("dispatch", "deliveries/s", 0.5, "a delivery arrived twice", Run("now", ""))]
    )
    assert "| void |" in shown
    assert "a delivery arrived twice" in shown


def test_a_figure_that_was_not_taken_again_stays_on_the_page():
    first = _line("2026-11-20T10:00Z").replace(b'"accept"', b'"idle"')
    before = page(last([_line("2026-11-20T10:00Z"), first]).values())
    again = _line("2026-11-21T10:00Z", ours=500.0).replace(b'"accept"', b'"idle"')
    after = page(last([again]).values(), before)
    rows = [line for line in after.splitlines() if line.startswith("| ")][1:]
    assert [row.partition(",")[0] for row in rows] == ["| accept", "| idle"]
    assert ("2026-11-20" in rows[0], "2026-11-21" in rows[1]) == (True, True)
    assert after.count("**idle**") == after.count("**accept**") == 1


def test_a_quick_run_does_not_replace_a_final_figure_of_the_page():
    before = page(last([_line("2026-11-20T10:00Z")]).values())
    assert page(last([_line("2026-11-21T10:00Z", "quick")]).values(), before) == before
