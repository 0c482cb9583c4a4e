"""A figure is only as good as its bounds: what decides, what stays open, what is void."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import pytest

from bench.figures import Figure, Interval, Run, exit_code, figure, interval, judge, publish, void

if TYPE_CHECKING:
    from pathlib import Path

RUN = Run(at="2026-11-20T10:00Z", provisional="")


def test_equal_pairs_leave_no_doubt():
    found = interval([2.0] * 7)
    assert found == pytest.approx((2.0, 2.0, 2.0))


def test_bounds_are_those_of_student_on_the_logarithms():
    ratios = [9.0, 10.0, 11.0, 10.5, 9.5, 10.2, 9.8]
    logs = [math.log(r) for r in ratios]
    mean = sum(logs) / 7
    deviation = math.sqrt(sum((x - mean) ** 2 for x in logs) / 6)
    half = 1.943 * deviation / math.sqrt(7)
    found = interval(ratios)
    assert found.low == pytest.approx(math.exp(mean - half))
    assert found.high == pytest.approx(math.exp(mean + half))


def test_one_pair_decides_nothing():
    assert judge(interval([100.0]), 1.0) == "undecided"


@pytest.mark.parametrize("ratios", [[], [0.0], [-1.0]])
def test_no_ratio_and_impossible_ones_are_refused(ratios):
    with pytest.raises(ValueError, match="positive ratios"):
        interval(ratios)


@pytest.mark.parametrize(
    ("low", "high", "at_most", "met"),
    [
        (10.0, 12.0, False, True),
        (9.9, 12.0, False, "undecided"),
        (8.0, 9.9, False, False),
        (2.0, 3.0, True, True),
        (2.9, 3.1, True, "undecided"),
        (3.1, 3.5, True, False),
    ],
)
def test_only_what_both_bounds_agree_on_is_decided(low, high, at_most, met):
    target = 3.0 if at_most else 10.0
    assert judge(Interval(low, (low + high) / 2, high), target, at_most=at_most) == met


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        ([True, True], 0),
        ([True, "undecided"], 2),
        (["undecided", False], 1),
        ([True, "void"], 1),
        ([], 0),
    ],
)
def test_exit_code_tells_the_worst(verdicts, code):
    assert exit_code(verdicts) == code


def test_a_figure_is_one_line_of_json_with_the_promised_names(tmp_path: Path, capsys):
    made = figure(
        "accept", "appeals/s", [(1000.0, 90.0, 2000.0)] * 7, judged="peer", target=10.0, run=RUN
    )
    kept = tmp_path / "results.jsonl"
    assert publish([made], kept) == 0
    line = kept.read_text().splitlines()[0]
    assert capsys.readouterr().out.strip() == line
    told = msgspec.json.decode(line)
    assert list(told)[:9] == [
        "figure", "unit", "ours", "peer", "limit", "ratio_peer", "ratio_limit", "target", "met",
    ]  # fmt: skip
    assert (told["ratio_peer"], told["ratio_limit"], told["met"]) == (11.11, 0.5, True)


def test_results_are_appended(tmp_path: Path):
    kept = tmp_path / "results.jsonl"
    for _ in range(2):
        publish([void("accept", "appeals/s", 10.0, "wrk is not installed", RUN)], kept)
    lines = kept.read_bytes().splitlines()
    assert [msgspec.json.decode(line, type=Figure).met for line in lines] == ["void", "void"]
