"""Planned failures of a simulated peer: which request fails, how, and how many times.

A fault is planned for one key (a number, a message key), for every key, or by rate. Random choices
come from one seeded generator, so a run can be repeated.
"""

from __future__ import annotations

import random
import threading
from typing import Literal

import msgspec

Kind = Literal[
    "refuse",
    "error",
    "busy",
    "hang_before",
    "hang_after",
    "drip",
    "garbage",
    "reset",
    "reset_after",
]
"""What goes wrong:

refuse: 400 with a text, nothing stored · error: 500, nothing stored · busy: 503 with Retry-After,
nothing stored · hang_before: nothing stored, no answer for `seconds`, then the line is dropped ·
hang_after: stored, then the same · drip: stored, the answer comes one byte every `pause` seconds ·
garbage: stored, the answer is not HTTP · reset: nothing stored, the line is reset · reset_after:
stored, the line is reset.
"""
STORES: frozenset[Kind] = frozenset({"hang_after", "drip", "garbage", "reset_after"})
_HUNDRED = 100


class Fault(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One planned failure. `key` empty means any; `times` 0 means without end; `rate` 0..1."""

    kind: Kind
    key: str = ""
    times: int = 1
    rate: float = 1.0
    status: int = 0
    text: str = ""
    seconds: float = 30.0
    pause: float = 0.2


class Mix(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Failures in fixed shares of calls: of each hundred, so many of each kind, shuffled.

    key: only calls of this key; empty: all that have no mix of their own.
    """

    shares: dict[Kind, int]
    key: str = ""
    seconds: float = 30.0
    pause: float = 0.2


class Faults:
    """The plan. Thread-safe; the first planned fault that fits a key is taken, then the mix."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._plan: list[Fault] = []
        self._mixes: dict[str, Mix] = {}
        self._decks: dict[str, list[Kind | None]] = {}

    def mix(self, mix: Mix) -> None:
        """Let shares of further calls fail; raise ValueError when they are more than all."""
        if sum(mix.shares.values()) > _HUNDRED:
            raise ValueError("shares of a hundred")
        with self._lock:
            self._mixes[mix.key], self._decks[mix.key] = mix, []

    def plan(self, fault: Fault) -> None:
        """Add one failure to the end of the plan."""
        with self._lock:
            self._plan.append(fault)

    def clear(self) -> None:
        """Forget the plan."""
        with self._lock:
            self._plan.clear()
            self._mixes.clear()

    def take(self, key: str) -> Fault | None:
        """The failure for this request, if any; a counted one is used up."""
        with self._lock:
            for fault in self._plan:
                if fault.key not in {"", key}:
                    continue
                if fault.rate < 1.0 and self._random.random() >= fault.rate:
                    continue
                if fault.times:
                    fault.times -= 1
                    if not fault.times:
                        self._plan.remove(fault)
                        return msgspec.structs.replace(fault, times=1)
                return fault
            return self._drawn(key if key in self._mixes else "")

    def _drawn(self, key: str) -> Fault | None:
        """The next card of a mix; the lock must be held."""
        mix = self._mixes.get(key)
        if mix is None:
            return None
        deck = self._decks[key]
        if not deck:
            deck += [kind for kind, share in mix.shares.items() for _ in range(share)]
            deck += [None] * (_HUNDRED - len(deck))
            self._random.shuffle(deck)
        kind = deck.pop()
        return Fault(kind=kind, seconds=mix.seconds, pause=mix.pause) if kind else None
