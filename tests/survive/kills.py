"""SIGKILL again and again, each time with enough under way, then the reckoning.

Victims in turn: a server, the worker, PostgreSQL's postmaster, the supervisor, the guard of the
database, and everything at once. Each kill happens with at least 20 requests unanswered (counted by
the clients) or 20 deliveries unanswered (counted by the peers).
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from tests.survive import account
from tests.survive.clients import Clients
from tests.survive.say import say
from tests.survive.stand import SENDER, standing

if TYPE_CHECKING:
    from tests.survive.stand import Stand

AT_LEAST = 20
CONNECTIONS = 48
ROUND = 80
PATIENCE = 2.0
"""Seconds after which a round that came through unharmed is given more."""
VICTIMS = ("serve", "work", "postgres", "run", "all", "work", "postgres", "serve", "work", "guard")
SLOW = {"drip": 82, "hang_after": 10, "hang_before": 4}
"""Of a hundred deliveries: answered slowly, kept without an answer, not kept and no answer."""


class Kills:
    """One run of so many kills."""

    def __init__(self, stand: Stand, count: int, seed: int) -> None:
        self.stand = stand
        self.count = count
        self.random = random.Random(seed)
        self.killed: Counter[str] = Counter()
        self.clients = Clients(stand.address, SENDER, stand.key, connections=CONNECTIONS, seed=seed)
        self._names = 0
        self._given = 0.0

    def run(self) -> dict[str, Any]:
        """Kill, wait for recovery, and again; then reckon. Return the figures."""
        self.clients.start()
        try:
            for number in range(1, self.count + 1):
                self._round(number, VICTIMS[(number - 1) % len(VICTIMS)])
            return self._reckon()
        finally:
            self.clients.stop()

    def _round(self, number: int, victim: str) -> None:
        pids = self._settled()
        kill = _Kill(self, victim, pids)
        deliveries = victim == "work" or (victim != "serve" and self.random.random() < 0.5)
        outcomes = self.clients.outcomes.copy()
        if deliveries:
            self._slow(on=True)
            self._submit(ROUND)
            self.stand.wait(self._enough, "deliveries under way")
            time.sleep(self.random.uniform(0, 0.8))
            self.stand.wait(self._enough, "deliveries under way")
            self._submit(ROUND // 4)
            kill.now()
            self._slow(on=False)
        else:
            kill.after(self.random.randrange(ROUND // 2))
            self._submit(ROUND)
            self.stand.wait(lambda: kill.done.is_set() or self._more(), "requests under way")
        enough = kill.deliveries if deliveries else kill.requests
        back = self._back(kill)
        ended = self.clients.outcomes - outcomes
        say(
            f"kill {number:3d}/{self.count} {victim:8s} pid {'+'.join(map(str, kill.pids))}: "
            f"in flight {kill.requests} requests, {kill.deliveries} deliveries; "
            f"back after {back:.1f} s; "
            + ", ".join(f"{name} {n}" for name, n in sorted(ended.items()))
        )
        if enough < AT_LEAST:
            raise RuntimeError(f"only {enough} were in flight at kill {number}")

    def _settled(self) -> dict[str, list[int]]:
        """Wait until every process is there again; return their pids."""

        def complete() -> bool:
            found = self.stand.pids()
            return all(len(found[name]) == 1 for name in found)

        self.stand.wait(complete, "every process, once")
        return self.stand.pids()

    def _back(self, kill: _Kill) -> float:
        """Wait until the killed part does its work again; return the seconds since the kill."""
        self.stand.wait(lambda: self.clients.idle, "acknowledgements")
        if kill.victim in {"work", "all", "run"}:
            self._settled()
            seen = self._delivered()
            self._submit(1)
            self.stand.wait(lambda: self._delivered() > seen, "a delivery")
        return time.monotonic() - kill.at

    def _delivered(self) -> int:
        return sum(path.stat().st_size for path in self.stand.journals.values() if path.exists())

    def delivering(self) -> int:
        """Deliveries that the peers have in hand."""
        return sum(p.control(in_hand=True)["deliveries"] for p in self.stand.peers.values())

    def _enough(self) -> bool:
        """Whether enough deliveries are under way; gives more to deliver when they ran out."""
        found = self.delivering()
        return found >= AT_LEAST or (found == 0 and self._more())

    def _more(self) -> bool:
        """Submit more when what was given was answered before the kill; always False."""
        if self.clients.idle and time.monotonic() - self._given > PATIENCE:
            self._submit(ROUND)
        return False

    def _slow(self, *, on: bool) -> None:
        for peer in self.stand.peers.values():
            if on:
                peer.control(mix={"shares": SLOW, "seconds": 20, "pause": 0.01})
            else:
                peer.control(clear_faults=True)

    def _submit(self, count: int) -> None:
        self.clients.submit(f"kill-{self._names + n:06d}" for n in range(count))
        self._names += count
        self._given = time.monotonic()

    def _reckon(self) -> dict[str, Any]:
        clients, stand = self.clients, self.stand
        # The last submission only showed that the last part killed is back; it has no answer yet.
        stand.wait(lambda: clients.idle, "the last acknowledgement")
        first = {name: list(receipts) for name, receipts in clients.acknowledged.items()}
        with stand.store() as store:
            quiet = stand.wait(store.quiet, "everything worked on and delivered", 180)
        say(f"quiet after {quiet:.1f} s; asking for every receipt once more")
        clients.acknowledged.clear()
        clients.submit(first)
        stand.wait(lambda: clients.idle, "receipts once more")
        with stand.store() as store:
            stand.wait(store.quiet, "quiet again")
        found = account.reckon(stand, first, clients.acknowledged)
        if len(first) != self._names or clients.refused:
            raise RuntimeError(
                f"submitted {self._names}, acknowledged {len(first)}, refused {clients.refused[:3]}"
            )
        return {
            "kills": self.count,
            "victims": dict(self.killed),
            "restarts_of_run": stand.restarts,
            "submitted": self._names,
            **found._asdict(),
            "wrong": found.wrong,
        }


class _Kill:
    """One kill: whom, when, and what was under way."""

    def __init__(self, kills: Kills, victim: str, pids: dict[str, list[int]]) -> None:
        self._kills = kills
        self.victim = victim
        names = [*pids] if victim == "all" else [victim]
        self.pids = [pid for name in names for pid in pids[name]]
        self.requests = self.deliveries = 0
        self.at = 0.0
        self.done = threading.Event()
        self._acknowledged = 0

    def after(self, acknowledged: int) -> None:
        """Let the clients' thread kill as soon as enough is under way after so many answers."""
        clients = self._kills.clients
        begun = clients.outcomes["acknowledged"]

        def look() -> None:
            if (
                clients.in_flight >= AT_LEAST
                and clients.outcomes["acknowledged"] - begun >= acknowledged
            ):
                clients.watch = None
                self.now()

        clients.watch = look

    def now(self) -> None:
        """Kill; count at the same moment."""
        self.deliveries = self._kills.delivering()
        self.requests = self._kills.clients.in_flight
        for pid in self.pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.at = time.monotonic()
        self._kills.killed[self.victim] += 1
        self.done.set()


def run(count: int, seed: int, *, keep: bool = False) -> dict[str, Any]:
    """Make a stand and run; return the figures."""
    with standing(keep=keep) as stand:
        say(f"gateway at {stand.address}, {count} kills, seed {seed}")
        return Kills(stand, count, seed).run()
