"""channels-round: appeals in over every channel while calls fail, statuses and answers back out.

What is counted lies outside the gateway: what each simulated peer gave out and holds in the end,
and its journal of calls and failures. An appeal is unreconciled when its peer has not both its
number and its answer, or when a comparison of the two registers finds a difference.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Final

from bench.command import say
from bench.figures import Figure
from simulators.channels import crew
from simulators.channels.round import Round
from simulators.demo import cast
from simulators.demo.stage import Stage
from simulators.demo.tell import Teller

if TYPE_CHECKING:
    from bench.command import Plan

COUNT: Final = 10_000
QUICK: Final = 140
FAILING: Final = 0.05
SEED: Final = 2026


def measure(plan: Plan) -> list[Figure]:
    """Play one round and return how many appeals are left unreconciled: none are allowed."""
    count = QUICK if plan.quick else COUNT
    teller, names = Teller(), crew.present()
    begun = time.monotonic()
    with Stage() as stage:
        running = crew.raise_curtain(stage, SEED, names, FAILING)
        cast.configure(stage, adapters=tuple(names))
        stage.start_gateway()
        stage.command("org", "import", str(stage.path("bodies.csv")), "--commit")
        played = Round(stage, teller, running, SEED)
        account = played.play(count)
        differ = played.reconcile()
        stage.failed = any(one.missing for one in account.values())
    left = {name: len(one.missing) for name, one in account.items() if one.missing}
    calls = sum(one.calls for one in account.values())
    failed = sum(one.failed for one in account.values())
    seconds = time.monotonic() - begun
    say(f"{count} appeals in {seconds:.0f} s; {failed} of {calls} calls failed")
    say(f"left {left}; registers differ {differ}")
    unreconciled = sum(left.values()) + sum(differ.values())
    return [
        Figure(
            figure="channels-round",
            unit=f"appeals of {count} whose peer lacks the number or the answer, or differs",
            ours=unreconciled,
            peer=None,
            limit=None,
            ratio_peer=None,
            ratio_limit=None,
            target=0,
            met=unreconciled == 0 and not teller.wrong,
            judged="ours",
            at_most=True,
            provisional="quick" if plan.quick else "",
            at=plan.run.at,
            detail={
                "channels": {n: f"{c.back} of {c.given}" for n, c in account.items()},
                "calls": calls,
                "failed": failed,
                "ways": dict(sum((one.ways for one in account.values()), Counter()).most_common()),
                "replayed": played.replayed,
                "decided": played.decided,
                "differ": differ,
                "seconds": round(seconds),
            },
        )
    ]
