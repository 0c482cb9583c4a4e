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
        answers = [
            each
            for start in range(0, len(ground.asked), BATCH)
            for each in _ours(connection, kept, ground.asked[start : start + BATCH])
        ]
        found = _accuracy(ground, answers, plan, misses=misses)
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


def _guid(answer: Resolved) -> str:
    """Return the GUID of the house (of the street where that is all) that an answer is sure of."""
    best = answer.best
    return "" if best is None else best.house_guid or best.guid


def _accuracy(ground: Ground, answers: list[Resolved], plan: Plan, *, misses: bool) -> list[Figure]:
    """Count what is exact where it is determined, and what is wrong anywhere."""
    sure = exact = wrong = 0
    outcomes: Counter[str] = Counter()
    by_noise: Counter[str] = Counter()
    for asked, answer in zip(ground.asked, answers, strict=True):
        hit = answer.outcome == "exact" and _guid(answer) == asked.guid
        wanted = asked.determined and asked.expect == "exact"
        miss = wanted and not hit
        false = answer.outcome == "exact" and _guid(answer) != asked.guid
        sure += wanted
        exact += wanted and hit
        wrong += false
        outcomes[f"{asked.expect} → {answer.outcome}"] += 1
        if miss or false:
            by_noise.update(asked.noise)
            if misses:
                label = answer.best.label if answer.best else ""
                print(f"{'WRONG' if false else 'miss '} {asked.text} → {answer.outcome} {label}"
                      f" {answer.notes} {asked.expect} {asked.guid} {asked.noise}")  # fmt: skip
    total = len(answers)
    say(f"exact {exact} of {sure} determined ({exact / sure:.2%}), wrong {wrong} of {total}")
    detail: dict[str, object] = {
        "asked": total, "determined": sure, "exact": exact, "wrong": wrong,
        "outcomes": dict(outcomes.most_common()), "noise_of_misses": dict(by_noise.most_common(12)),
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
                name, "questions a second", samples, judged="peer", target=TIMES, run=plan.run,
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
