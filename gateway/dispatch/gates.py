"""Breaker, rate, pause and maintenance as dispatch applies them in a round.

The state lies in `destination`, locked while lanes are leased, so that all workers share it.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from gateway.retry import closed_until, failed, probing, refill, succeeded
from gateway.store import lanes
from gateway.store.lanes import Gate, GateChange, Want

if TYPE_CHECKING:
    from collections.abc import Mapping

    from psycopg import Connection, Cursor

    from gateway.dispatch.ports import Destination, Observer
    from gateway.dispatch.verdict import Health

LAST_OK_EVERY: Final = timedelta(seconds=10)
"""How often a healthy destination's row says so; more often would only wear the row."""


class _News(NamedTuple):
    """What attempts said of a destination since the last round."""

    up: bool
    down: int
    trouble: str


class _Open(NamedTuple):
    """A gate as it stands in the open round; probe: one may try and its breaker waits for it."""

    gate: Gate
    probe: bool = False
    changed: bool = False
    ok: bool = False
    trouble: str = ""


class Gates:
    """What this process knows of its destinations' health between rounds."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._news: dict[str, _News] = {}
        self._known: dict[str, Gate] = {}
        self._round: dict[str, _Open] = {}
        self._told: dict[str, datetime] = {}

    def note(self, code: str, health: Health, trouble: str) -> None:
        """Remember what an attempt said of a destination; written in the next round."""
        if health == "none":
            return
        up, down, before = self._news.get(code, _News(up=False, down=0, trouble=""))
        if health == "up":
            self._news[code] = _News(up=True, down=0, trouble=before)
        else:
            self._news[code] = _News(up=up, down=down + 1, trouble=trouble or before)

    def is_out(self, code: str) -> bool:
        """Whether the breaker was not closed when last seen."""
        gate = self._known.get(code)
        return gate is not None and not gate.breaker.is_closed

    def open(
        self,
        connection: Connection[Any],
        destinations: Mapping[str, Destination],
        rooms: Mapping[str, int],
        now: datetime,
    ) -> list[Want]:
        """Lock the gates, bring them up to date, and say how much may be leased of each."""
        self._round = {}
        codes = sorted({c for c, room in rooms.items() if room > 0} | set(self._news))
        if not codes:
            return []
        wants = []
        for code, gate in lanes.gates(connection, codes).items():
            if (target := destinations.get(code)) is None:
                continue
            opened = self._updated(code, gate, target, now)
            room = min(rooms.get(code, 0), _allowed(opened.gate, target, now))
            if room > 0 and not opened.gate.breaker.is_closed:
                opened, room = opened._replace(probe=True), 1
            self._round[code] = opened
            policy = target.policy
            wants.append(Want(code, room, policy.max_in_flight, policy.lease))
        return wants

    def close(
        self,
        connection: Connection[Any],
        answer: Cursor[Any] | None,
        destinations: Mapping[str, Destination],
        now: datetime,
    ) -> None:
        """Take the tokens of what was leased, and write back what has changed.

        The answer of `lanes.claim` is waited for only when it matters here.
        """
        counted = any(
            o.probe or destinations[c].policy.rate.per_second for c, o in self._round.items()
        )
        taken = Counter(row[1] for row in answer) if counted and answer is not None else Counter()
        if taken and answer is not None:  # an answer without rows has no place to go back to
            answer.scroll(0, "absolute")
        changes = []
        for code, opened in self._round.items():
            gate, policy = opened.gate, destinations[code].policy
            changed = opened.changed
            if count := taken[code]:
                if policy.rate.per_second:
                    bucket = gate.bucket._replace(tokens=gate.bucket.tokens - count)
                    gate, changed = gate._replace(bucket=bucket), True
                if opened.probe:
                    breaker = probing(gate.breaker, now, policy.lease)
                    gate, changed = gate._replace(breaker=breaker), True
            self._round[code] = opened._replace(gate=gate)
            if changed:
                changes.append(
                    GateChange(code, gate.breaker, gate.bucket, opened.ok, opened.trouble)
                )
        lanes.save_gates(connection, changes, now)

    def committed(self, now: datetime) -> None:
        """The round is durable: what it wrote is known, and its news are told."""
        for code, opened in self._round.items():
            before = self._known.get(code, Gate()).breaker.is_closed
            self._known[code] = opened.gate
            if before != opened.gate.breaker.is_closed:
                self._observer.breaker(code, not opened.gate.breaker.is_closed)
            if opened.ok and opened.changed:
                self._told[code] = now
            self._news.pop(code, None)
        self._round = {}

    def _updated(self, code: str, gate: Gate, target: Destination, now: datetime) -> _Open:
        news = self._news.get(code)
        policy = target.policy
        breaker = gate.breaker
        ok, trouble = False, ""
        if news is not None:
            if news.up:
                breaker = succeeded(breaker)
                told = self._told.get(code)
                ok = told is None or now - told >= LAST_OK_EVERY or breaker != gate.breaker
            if news.down:
                breaker = failed(breaker, policy.breaker, now, news.down)
                trouble = news.trouble
        bucket = refill(gate.bucket, policy.rate, now) if policy.rate.per_second else gate.bucket
        changed = breaker != gate.breaker or ok or bool(trouble)
        return _Open(
            gate._replace(breaker=breaker, bucket=bucket), changed=changed, ok=ok, trouble=trouble
        )


def _allowed(gate: Gate, target: Destination, now: datetime) -> int:
    policy = target.policy
    if gate.paused_until is not None and now < gate.paused_until:
        return 0
    if gate.breaker.is_open(now) or closed_until(policy.maintenance, now):
        return 0
    return gate.bucket.tokens if policy.rate.per_second else policy.max_in_flight
