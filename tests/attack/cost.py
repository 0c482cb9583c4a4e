"""What one message costs the gateway: each is sent by itself while nothing else goes on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from tests.attack.wire import ANSWER_SECONDS, ask
from tests.survive.say import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.attack.meter import Meter
    from tests.attack.rows import Row, Shot
    from tests.attack.stand import Target

CPU_MS = 250.0
GROWTH_MB = 96.0
SLOW_SECONDS = 2.0
"""What takes longer to be answered is told at once."""
AFTER_SECONDS = 0.01
"""A moment for what goes on behind the answer."""


class Cost(msgspec.Struct, kw_only=True):
    """One kind of message: what came back, how often wrongly, and what the dearest one took."""

    shot: str
    caller: str
    came: str
    wrong: str = ""
    cpu_ms: float = 0.0
    growth_mb: float = 0.0
    seconds: float = 0.0

    def misses(self, slack: float = 1.0) -> list[str]:
        """What is not as it has to be. slack: how many times its bound of time it may take."""
        found = [f"{self.shot} by {self.caller}: {self.wrong}"] if self.wrong else []
        if self.cpu_ms > slack * CPU_MS:
            found.append(f"{self.shot} by {self.caller}: {self.cpu_ms:.0f} ms of CPU")
        if self.growth_mb > GROWTH_MB:
            found.append(f"{self.shot} by {self.caller}: {self.growth_mb:.0f} MB")
        return found


def callers(shot: Shot, key: str) -> Iterator[tuple[str, str, frozenset[str]]]:
    """Yield who sends a message: name, credential, what may come back."""
    yield ("a peer" if shot.stranger is not None else "anybody"), f"x-api-key: {key}", shot.expect
    if shot.stranger is not None:
        yield "a stranger", "", shot.stranger


def measure(row: Row, target: Target, meter: Meter, times: int) -> list[Cost]:
    """Send every message of a row so many times, one after the other."""
    costs = []
    for shot in row.shots:
        for caller, credential, expect in callers(shot, target.key):
            cost = Cost(shot=shot.name, caller=caller, came="")
            for _ in range(times):
                _once(shot, target, meter, cost, credential, expect)
            costs.append(cost)
            if cost.misses() or cost.seconds > SLOW_SECONDS:
                say(f"# {row.name}: {cost}")
    return costs


def _once(
    shot: Shot, target: Target, meter: Meter, cost: Cost, credential: str, expect: frozenset[str]
) -> None:
    data = shot.make(target, credential)
    meter.forget_peak()
    before = meter.cpu()
    came = ask(target.address, data)
    time.sleep(AFTER_SECONDS)
    cost.cpu_ms = max(cost.cpu_ms, (meter.cpu() - before) * 1e3)
    cost.growth_mb = max(cost.growth_mb, meter.growth_mb())
    cost.came, cost.seconds = came.outcome, max(cost.seconds, round(came.seconds, 3))
    if came.outcome == "closed" and came.seconds > ANSWER_SECONDS / 2:
        cost.wrong = f"no answer within {came.seconds:.0f} s"
    elif came.outcome not in expect:
        cost.wrong = f"came {came.outcome}: {came.body[-300:].decode(errors='replace')}"
    elif shot.forbid in came.body:
        cost.wrong = f"{shot.forbid.decode()} stands in the answer"
    elif target.touched():
        cost.wrong = "somebody called an address that the message named"
