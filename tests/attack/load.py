"""Attackers at work while honest callers are served."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

from tests.attack.cost import callers
from tests.attack.wire import ask

if TYPE_CHECKING:
    from tests.attack.honest import Honest, Stretch
    from tests.attack.rows import Row
    from tests.attack.stand import Target

ATTACKERS = 4
PER_SECOND = 8.0
"""Hostile messages a second, of all attackers together."""


def under(row: Row, target: Target, honest: Honest, seconds: float) -> tuple[Stretch, Counter[str]]:
    """Return what honest callers saw, and what the attackers got."""
    kinds = [
        (shot, credential) for shot in row.shots for _, credential, _ in callers(shot, target.key)
    ]
    # Built beforehand: making a message must take no time from those who are measured.
    ready = [shot.make(target, credential) for shot, credential in kinds]
    turn, came, lock = itertools.count(), Counter[str](), threading.Lock()
    honest.go()
    begun = time.monotonic()

    def attack() -> None:
        while True:
            with lock:
                number = next(turn)
            due = begun + number / PER_SECOND
            if due > begun + seconds:
                return
            time.sleep(max(0.0, due - time.monotonic()))
            if time.monotonic() > begun + seconds:
                return
            outcome = ask(target.address, ready[number % len(ready)]).outcome
            with lock:
                came[outcome] += 1

    threads = [threading.Thread(target=attack) for _ in range(ATTACKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return honest.stop(), came
