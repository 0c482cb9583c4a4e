"""Figures: ratios of interleaved pairs, their bounds, and the line that is printed and kept.

The ratio of a pair compares two measurements taken one after the other, so what the machine did
meanwhile weighs on both. The ratio of a figure is the geometric mean of the pairs' ratios, its
bounds the two-sided 90 % interval of Student's t on their logarithms: rates vary by factors, and
seven pairs are too few for anything that looks at ranks only.
"""

from __future__ import annotations

import math
from pathlib import Path
from statistics import fmean, median, stdev
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PAIRS: Final = 7
"""Pairs that count; the warm-up before them is dropped."""
RESULTS: Final = Path(__file__).parent / "results.jsonl"

_T95: Final = (
    6.314, 2.920, 2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833, 1.812,
    1.796, 1.782, 1.771, 1.761, 1.753, 1.746, 1.740, 1.734, 1.729, 1.725,
)  # fmt: skip
"""The 95 % points of Student's t for 1 to 20 degrees of freedom: a two-sided 90 % interval."""

Met = bool | Literal["undecided", "void"]


class Void(Exception):
    """The measurement proves nothing: rows and answers differ, or answers were no success."""


class Interval(NamedTuple):
    """A ratio with its bounds."""

    low: float
    middle: float
    high: float


def interval(ratios: Sequence[float]) -> Interval:
    """Return the geometric mean of positive ratios with its 90 % bounds.

    One ratio has no bounds: they are nought and infinity. Raises ValueError for none, or for a
    ratio that is not positive.
    """
    if not ratios or min(ratios) <= 0:
        message = f"a figure needs positive ratios, one a pair: {list(ratios)}"
        raise ValueError(message)
    logs = [math.log(ratio) for ratio in ratios]
    middle = math.exp(fmean(logs))
    if len(logs) == 1:
        return Interval(0.0, middle, math.inf)
    t = _T95[min(len(logs) - 1, len(_T95)) - 1]
    spread = math.exp(t * stdev(logs) / math.sqrt(len(logs)))
    return Interval(middle / spread, middle, middle * spread)


def judge(found: Interval, target: float, *, at_most: bool = False) -> Met:
    """Say whether a ratio meets its target: only what both bounds agree on is decided."""
    if at_most:
        if found.high <= target:
            return True
        return False if found.low > target else "undecided"
    if found.low >= target:
        return True
    return False if found.high < target else "undecided"


class Figure(msgspec.Struct, kw_only=True):
    """One figure as it is printed; rates are medians of the pairs, ratios their geometric means.

    ratio_peer: ours by the peer's; ratio_limit: ours by the limit. `target` is for the ratio that
    `judged` names, at least or, with `at_most`, at most. low, high: its 90 % bounds. provisional:
    why the figure is not final (a quick run, a busy machine).
    """

    figure: str
    unit: str
    ours: float
    peer: float | None
    limit: float | None
    ratio_peer: float | None
    ratio_limit: float | None
    target: float
    met: Met
    judged: str = ""
    at_most: bool = False
    low: float = 0.0
    high: float = 0.0
    pairs: int = 0
    provisional: str = ""
    at: str = ""
    detail: dict[str, object] = {}


class Run(NamedTuple):
    """What the figures of one run have in common."""

    at: str
    provisional: str


def figure(
    name: str,
    unit: str,
    samples: Sequence[tuple[float, float | None, float | None]],
    *,
    judged: Literal["peer", "limit"],
    target: float,
    run: Run,
    at_most: bool = False,
    detail: dict[str, object] | None = None,
) -> Figure:
    """Return the figure of (ours, peer, limit) samples, one a pair."""
    ratios = {
        side: [s[0] / s[place] for s in samples if s[place]]  # type: ignore[operator]
        for side, place in (("peer", 1), ("limit", 2))
    }
    found = interval(ratios[judged])
    return Figure(
        figure=name,
        unit=unit,
        ours=_short(median(s[0] for s in samples)),
        peer=_middle(s[1] for s in samples),
        limit=_middle(s[2] for s in samples),
        ratio_peer=_ratio(ratios["peer"]),
        ratio_limit=_ratio(ratios["limit"]),
        target=target,
        met=judge(found, target, at_most=at_most),
        judged=f"ratio_{judged}",
        at_most=at_most,
        low=_short(found.low),
        high=_short(found.high) if math.isfinite(found.high) else 0.0,
        pairs=len(samples),
        provisional=run.provisional,
        at=run.at,
        detail=detail or {},
    )


def void(name: str, unit: str, target: float, reason: str, run: Run) -> Figure:
    """Return a figure that proves nothing, with the reason."""
    return Figure(
        figure=name, unit=unit, ours=0.0, peer=None, limit=None, ratio_peer=None, ratio_limit=None,
        target=target, met="void", at=run.at, provisional=run.provisional,
        detail={"reason": reason},
    )  # fmt: skip


def publish(figures: Sequence[Figure], results: Path = RESULTS) -> int:
    """Print the figures and append them to the results; return the exit code."""
    with results.open("ab") as file:
        for each in figures:
            line = msgspec.json.encode(each)
            print(line.decode(), flush=True)
            file.write(line + b"\n")
    return exit_code(each.met for each in figures)


def exit_code(verdicts: Iterable[Met]) -> int:
    """Return 1 when a figure missed its target or is void, 2 when one is undecided, else 0."""
    found = set(verdicts)
    if False in found or "void" in found:
        return 1
    return 2 if "undecided" in found else 0


def _middle(values: Iterable[float | None]) -> float | None:
    given = [value for value in values if value is not None]
    return _short(median(given)) if given else None


def _ratio(ratios: Sequence[float]) -> float | None:
    return _short(interval(ratios).middle) if ratios else None


def _short(value: float) -> float:
    """Keep four digits: the rest is noise."""
    return float(f"{value:.4g}")
