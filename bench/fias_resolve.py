"""Resolving: hard questions with true answers, against the way of SQL on the same questions."""

from __future__ import annotations

from collections import Counter
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from bench import fias_sql
from bench.command import Plan, say
from bench.fias_ground import REGION, child
from bench.figures import Figure, figure
from gateway.addresses.found import Question
from gateway.store import addresses

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import psycopg

    from bench.fias_ground import Ground
    from gateway.addresses.found import Resolved
    from simulators.gar.questions import Question as Labelled

EXACT: Final = 0.99
WRONG: Final = 0.001
TIMES: Final = 4.0
BATCH: Final = 500
MEMORY_MB: Final = 250.0
_SIGNATURES: Final = (64, 128, 256, 512, 1024)


def measure(ground: Ground, plan: Plan, *, misses: bool) -> list[Figure]:
    """Return the figures of resolving."""
    with ground.database.connect() as connection:
        connection.prepare_threshold = 1
        kept = addresses.Kept()
        kept.read(connection)
        answers = _all(connection, kept, ground.asked)
        others = {
            str(seed): _counts(asked, _all(connection, kept, asked))
            for seed, asked in ground.others.items()
        }
        found = _accuracy(ground, answers, others, plan, misses=misses)
        with ground.database.connect() as other:
            other.prepare_threshold = 1
            size = _fastest(other, ground.asked[:60])
            found += _speed(ground, plan, connection, other, kept, size)
    held = child("names", ground.database.url)
    million = ground.houses / 1_000_000
    detail = {**held, "houses": ground.houses}
    found.append(
        figure(
            "fias-names-memory", "MB a million houses",
            [(held["with_suggest_mb"] / million, None, MEMORY_MB)] * 2, judged="limit", target=1.0,
            run=plan.run, at_most=True, detail=detail,
        )
    )  # fmt: skip
    return found


def _ours(
    connection: psycopg.Connection[Any], kept: addresses.Kept, asked: Sequence[Labelled]
) -> list[Resolved]:
    return addresses.resolve(connection, kept, [Question(text=each.text) for each in asked])


def _all(
    connection: psycopg.Connection[Any], kept: addresses.Kept, asked: Sequence[Labelled]
) -> list[Resolved]:
    return [
        each
        for start in range(0, len(asked), BATCH)
        for each in _ours(connection, kept, asked[start : start + BATCH])
    ]


def _counts(asked: Sequence[Labelled], answers: Sequence[Resolved]) -> dict[str, int]:
    """Count what is determined, what of it is exact, and what is wrong anywhere."""
    found: Counter[str] = Counter(asked=len(asked), determined=0, exact=0, wrong=0)
    for each, answer in zip(asked, answers, strict=True):
        wanted = each.determined and each.expect == "exact"
        sure = answer.outcome == "exact"
        found["determined"] += wanted
        found["exact"] += wanted and sure and _guid(answer) == each.guid
        found["wrong"] += sure and _guid(answer) != each.guid
    return dict(found)


def _guid(answer: Resolved) -> str:
    """Return the GUID of the house (of the street where that is all) that an answer is sure of."""
    best = answer.best
    return "" if best is None else best.house_guid or best.guid


def _accuracy(
    ground: Ground, answers: list[Resolved], others: dict[str, dict[str, int]], plan: Plan, *,
    misses: bool,
) -> list[Figure]:  # fmt: skip
    """Return the figures of exactness; others: counts of questions by other seeds."""
    counts = _counts(ground.asked, answers)
    outcomes: Counter[str] = Counter()
    noise: Counter[str] = Counter()
    for asked, answer in zip(ground.asked, answers, strict=True):
        outcomes[f"{asked.expect} → {answer.outcome}"] += 1
        hit = answer.outcome == "exact" and _guid(answer) == asked.guid
        false = answer.outcome == "exact" and not hit
        if false or (asked.determined and asked.expect == "exact" and not hit):
            noise.update(asked.noise)
            if misses:
                label = answer.best.label if answer.best else ""
                print(f"{'WRONG' if false else 'miss '} {asked.text} → {answer.outcome} {label}"
                      f" {answer.notes} {asked.expect} {asked.guid} {asked.noise}")  # fmt: skip
    total, sure, exact, wrong = (counts[key] for key in ("asked", "determined", "exact", "wrong"))
    say(f"exact {exact} of {sure} determined ({exact / sure:.2%}), wrong {wrong} of {total}")
    for seed, other in others.items():
        say(f"questions by seed {seed}: {other}")
    detail: dict[str, object] = {
        **counts, "outcomes": dict(outcomes.most_common()),
        "noise_of_misses": dict(noise.most_common(12)), "other_seeds": others,
    }  # fmt: skip
    return [
        figure(
            "fias-exact", "share of determined", [(exact / sure, None, 1.0)] * 2, judged="limit",
            target=EXACT, run=plan.run, detail=detail,
        ),
        figure(
            "fias-wrong", "share of all; limit: 1 of 1000",
            [(max(wrong, 0.001) / total, None, WRONG)] * 2, judged="limit", target=1.0,
            run=plan.run, at_most=True, detail={"wrong": wrong, "asked": total},
        ),
    ]  # fmt: skip


def _fastest(connection: psycopg.Connection[Any], asked: Sequence[Labelled]) -> int:
    """Leave the peer with the length of signatures that is fastest for it; return it."""
    taken = {}
    for size in _SIGNATURES:
        fias_sql.prepare(connection, size)
        fias_sql.one(connection, asked[0].text)
        begun = perf_counter()
        for each in asked:
            fias_sql.one(connection, each.text)
        taken[size] = perf_counter() - begun
    best = min(taken, key=lambda size: taken[size])
    fias_sql.prepare(connection, best)
    return best


def _speed(
    ground: Ground, plan: Plan, connection: psycopg.Connection[Any],
    other: psycopg.Connection[Any], kept: addresses.Kept, size: int,
) -> list[Figure]:  # fmt: skip
    """Time both ways on the same questions, one by one and in batches."""

    def singly(asked: Sequence[Labelled]) -> None:
        for each in asked:
            _ours(connection, kept, (each,))

    def together(asked: Sequence[Labelled]) -> None:
        _ours(connection, kept, asked)

    peer: Counter[str] = Counter()
    target = 0.0 if plan.quick else TIMES

    def by_sql(asked: Sequence[Labelled]) -> None:
        for each in asked:
            _count(peer, each, fias_sql.one(other, each.text))

    def by_sql_together(asked: Sequence[Labelled]) -> None:
        fias_sql.many(other, [each.text for each in asked])

    found = []
    for name, ours, theirs in (
        ("fias-resolve-single", singly, by_sql), ("fias-resolve-batch", together, by_sql_together),
    ):  # fmt: skip
        samples = _pairs(ground.asked, plan.pairs, ours, theirs)
        say(f"{name}: {samples[-1][0]:,.0f} a second, by SQL {samples[-1][1]:,.0f}")
        detail = {"region": REGION, "siglen": size, "peer": dict(peer)}
        found.append(
            figure(
                name, "questions a second", samples, judged="peer", target=target, run=plan.run,
                detail=detail,
            )
        )  # fmt: skip
    return found


def _count(peer: Counter[str], asked: Labelled, guid: str) -> None:
    if guid:
        peer["exact" if guid == asked.guid else "wrong"] += 1
    else:
        peer["doubt"] += 1


def _pairs(
    asked: Sequence[Labelled], pairs: int,
    ours: Callable[[Sequence[Labelled]], None], theirs: Callable[[Sequence[Labelled]], None],
) -> list[tuple[float, float, None]]:  # fmt: skip
    samples = []
    blocks = [asked[start : start + BATCH] for start in range(0, len(asked), BATCH)]
    for pair in range(pairs + 1):
        block = blocks[pair % len(blocks)]
        rates = {}
        for side, run in (
            (("ours", ours), ("peer", theirs)) if pair % 2 else (("peer", theirs), ("ours", ours))
        ):
            begun = perf_counter()
            run(block)
            rates[side] = len(block) / (perf_counter() - begun)
        if pair:
            samples.append((rates["ours"], rates["peer"], None))
    return samples
