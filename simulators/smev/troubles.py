"""Failures that only a broker of messages has, beside those of every simulator (`faults.py`)."""

from __future__ import annotations

import random
import threading
from typing import Literal, get_args

import msgspec

Trouble = Literal[
    "failure",
    "again_early",
    "again_late",
    "twice",
    "broken_signature",
    "cut",
    "reject",
    "reject_as_response",
]
"""What goes wrong:

failure: SMEVFailure instead of any answer, nothing stored · again_early: given again at the next
call, before Ack · again_late: given again although it was acknowledged · twice: the same message
waits twice · broken_signature: SMEVSignature of an answer does not fit · cut: the package ends in
its middle · reject: a request is taken, and rejected later by GetStatus · reject_as_response: the
same, told as an answer of the recipient's.
"""


class Planned(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One planned trouble. operation: empty for any; times 0: for ever; rate 0..1."""

    kind: Trouble
    operation: str = ""
    times: int = 1
    rate: float = 1.0


class Troubles:
    """The plan. Thread-safe; random choices come from one seeded generator."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._plan: list[Planned] = []

    def plan(self, planned: Planned) -> None:
        """Add one to the end of the plan."""
        with self._lock:
            self._plan.append(planned)

    def clear(self) -> None:
        """Forget the plan."""
        with self._lock:
            self._plan.clear()

    def take(self, kind: Trouble, operation: str) -> bool:
        """Whether this goes wrong now; a counted one is used up."""
        with self._lock:
            for planned in self._plan:
                if planned.kind != kind or planned.operation not in {"", operation}:
                    continue
                if planned.rate < 1.0 and self._random.random() >= planned.rate:
                    continue
                if planned.times:
                    planned.times -= 1
                    if not planned.times:
                        self._plan.remove(planned)
                return True
        return False


KINDS = get_args(Trouble)
