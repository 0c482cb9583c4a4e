"""smev-gateway: appeals from another body through the stand of СМЭВ into a gateway that runs.

The gateway polls by its real adapter, over a line that fails; a tenth and more of all messages is
given again. What is counted lies outside of it: the stand's journal says what was sent and what was
acknowledged, and the database how often each appeal is in it.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import psycopg

from bench.command import say
from bench.figures import Figure, Void
from bench.trust_exchange import LINE, TROUBLES
from gateway.embedded import open_cluster
from simulators.channels.crew import QUICK as BOUNDS
from simulators.demo.stage import Failed, Stage

if TYPE_CHECKING:
    from bench.command import Plan
    from simulators.process import Running

COUNT: Final = 1_000
QUICK: Final = 200
TARGET: Final = 0
SEED: Final = 2026
PEER: Final = "smev"
BATCH: Final = 8
"""Messages of one asking: a call that fails in the middle costs what was asked before it, because
nothing is acknowledged yet, so a line that fails often wants a small one."""
_PIECE: Final = 250
"""Appeals that are sent between two looks at the gateway."""
_STALL: Final = 180.0
_ROWS: Final = "SELECT count(*), count(DISTINCT external_id) FROM appeal WHERE peer = $1"


def measure(plan: Plan) -> list[Figure]:
    """Send the appeals and return how many are lost, there twice, or still in a queue."""
    count = QUICK if plan.quick else COUNT
    try:
        with Stage() as stage:
            stand = _raise(stage)
            begun = time.monotonic()
            keys = _send(stage, stand, count)
            rows, distinct = _watch(stage, stand, keys)
            seconds = time.monotonic() - begun
            return [_figure(plan, stage, stand, keys, (rows, distinct), seconds)]
    except Failed as error:
        raise Void(str(error)) from error


def _raise(stage: Stage) -> Running:
    """Start the stand and a gateway that knows it as a peer."""
    stand = stage.simulator(
        "smev", "--keys", str(stage.path("keys")), "--issue", "GATEWAY", "--redeliver", "2",
        "--seed", str(SEED),
    )  # fmt: skip
    stage.configure(
        {
            "data_dir": str(stage.path("data")),
            "port": 0,
            "pg_allow_nobody": True,
            "poll_seconds": 0.3,
            "adapters": [PEER],
            **stand.facts["settings"],
        },
        [],
    )
    stage.start_gateway()
    given = {**BOUNDS, **stand.facts["options"], "batch": BATCH}
    pairs = [f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in given.items()]
    stage.command(
        "peer", "add", PEER, "--no-key", "--name", "СМЭВ (имитатор)", "--adapter", PEER,
        "--disclosure", "full", "--disclosure-ground", "проба",
        *(part for pair in pairs for part in ("-o", pair)),
    )  # fmt: skip
    stand.control(mix={"shares": LINE})
    for kind, operation, rate in TROUBLES:
        stand.control(trouble={"kind": kind, "operation": operation, "rate": rate, "times": 0})
    return stand


def _send(stage: Stage, stand: Running, count: int) -> set[str]:
    """Let the other body send; a failing line does not meet it."""
    keys: set[str] = set()
    while len(keys) < count:
        piece = min(_PIECE, count - len(keys))
        keys |= set(stand.control(emit=piece, seed=SEED + len(keys))["keys"])
        if not stage.alive:
            raise Failed(f"gateway: {stage.last_log()}")
    return keys


def _watch(stage: Stage, stand: Running, keys: set[str]) -> tuple[int, int]:
    """Wait until the queues are empty and every appeal is there; return rows and distinct ones."""
    seen, since = (-1, -1), time.monotonic()
    with (
        open_cluster(stage.path("data"), allow_nobody=True) as cluster,
        psycopg.connect(
            cluster.url, autocommit=True, cursor_factory=psycopg.RawCursor
        ) as connection,
    ):
        while True:
            row = connection.execute(_ROWS, (PEER,)).fetchone()
            assert row is not None
            counts = stand.control(counts=True)
            found = (int(row[0]), int(row[1]))
            if found != seen:
                seen, since = found, time.monotonic()
                say(f"{found[0]} appeals of {len(keys)}; {counts['open']} messages in queues")
            if found[1] >= len(keys) and not counts["open"]:
                return found
            if time.monotonic() - since > _STALL:
                return found
            time.sleep(1.0)


def _figure(
    plan: Plan, stage: Stage, stand: Running, keys: set[str], found: tuple[int, int], seconds: float
) -> Figure:
    counts = stand.control(counts=True)
    failed, facts = _journal(stage)
    rows, distinct = found
    left, lost, twice = int(counts["open"]), len(keys) - distinct, rows - distinct
    say(f"{rows} appeals in {seconds:.0f} s: lost {lost}, twice {twice}, left {left}; {facts}")
    wrong = lost + twice + left + facts["ignored"]
    stage.failed = wrong != 0
    return Figure(
        figure="smev-gateway",
        unit=f"appeals of {len(keys)} lost, twice in the database, or left in a queue",
        ours=wrong,
        peer=None,
        limit=None,
        ratio_peer=None,
        ratio_limit=None,
        target=TARGET,
        met=wrong == 0,
        judged="ours",
        at_most=True,
        provisional=plan.run.provisional,
        at=plan.run.at,
        detail={
            "appeals": rows, "lost": lost, "twice": twice, "left": left, "facts": dict(facts),
            "failed": dict(failed), "given_more_than_once": counts["given_more_than_once"],
            "messages": counts["messages"], "seconds": round(seconds),
        },
    )  # fmt: skip


def _journal(stage: Stage) -> tuple[Counter[str], Counter[str]]:
    """Return how calls failed, and the facts, as the stand wrote them down."""
    failed: Counter[str] = Counter()
    facts: Counter[str] = Counter()
    with stage.path("smev.jsonl").open("rb") as lines:
        for line in lines:
            told: dict[str, Any] = json.loads(line)
            if fault := told.get("fault"):
                failed[fault] += 1
            if "what" in told:
                facts[told["what"]] += 1
    return failed, facts
