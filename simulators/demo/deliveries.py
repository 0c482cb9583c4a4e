"""What an operator does while deliveries are under way: looks, and sends again what was refused."""

from __future__ import annotations

import re
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from simulators.demo.stage import Failed

if TYPE_CHECKING:
    from simulators.demo.office import Office
    from simulators.demo.stage import Stage
    from simulators.demo.tell import Teller

DRAIN_SECONDS: Final = 120.0
ROUND_SECONDS: Final = 8.0
BUSY: Final = ("sending", "retry", "unknown", "sent")
PUSHED: Final = ("sstu", "hook")
BY_PEER: Final = "peer_refused"
_LINE: Final = re.compile(
    r'gateway_waiting\{destination="(\w*)",queue="(\w+)",state="(\w*)"\} ([\d.]+)'
)


class Deliveries:
    """Everything is seen through `/metrics` and the command `gateway deliveries`."""

    def __init__(self, stage: Stage, teller: Teller, pushed: tuple[str, ...] = PUSHED) -> None:
        self._stage = stage
        self._teller = teller
        self._pushed = pushed
        self.replayed = 0
        self._ours = 0

    def drain(self, office: Office) -> None:
        """Return when nothing is on its way and no peer's refusal is left.

        On a slow machine it may take long; it has failed when nothing moves any more.
        """
        moved, before = time.monotonic(), self.waiting()
        while True:
            self._calm(ROUND_SECONDS)
            refused = self.replay_refused()
            if not refused and office.idle and self._still():
                return
            if (now := self.waiting()) != before or refused:
                moved, before = time.monotonic(), now
            if time.monotonic() > moved + DRAIN_SECONDS:
                left = {k: int(n) for k, n in self.waiting().items() if k[1] in self._pushed}
                raise Failed(f"за {DRAIN_SECONDS:.0f} с не дошло · not delivered in time: {left}")

    def busy(self) -> int:
        """Return how many items triage and dispatch work on; what waits behind a refusal is not."""
        return sum(
            int(count)
            for (queue, destination, state), count in self.waiting().items()
            if queue == "triage" or (destination in self._pushed and state in BUSY)
        )

    def triaging(self) -> int:
        """Return how many accepted messages triage has not applied yet."""
        return int(sum(n for (queue, _, _), n in self.waiting().items() if queue == "triage"))

    def waiting(self) -> dict[tuple[str, str, str], float]:
        """Return (queue, destination, state) → how many, as the metrics say."""
        url = f"{self._stage.address}/metrics"
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(url, timeout=10) as answer:
            text = answer.read().decode()
        return {(q, d, s): float(n) for d, q, s, n in _LINE.findall(text)}

    def refused_by_rule(self) -> list[dict[str, Any]]:
        """Return deliveries that our own check of the peer's rules stopped before sending."""
        return [r for r in self._refused() if r["error_code"] != BY_PEER]

    def doubts(self, seconds: float) -> list[dict[str, Any]]:
        """Return deliveries in doubt that wait for a person, or have been in doubt for so long."""
        if not any(state == "unknown" for _, _, state in self.waiting()):
            return []
        found: list[dict[str, Any]] = self._stage.command(
            "deliveries", "list", "--state", "unknown", "--limit", "1000"
        )
        old = (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()
        return [row for row in found if row["due"] is None or row["created_at"] < old]

    def still(self, state: str, ids: list[str]) -> list[str]:
        """Return those that are in a state now, in the same order."""
        found = self._stage.command("deliveries", "list", "--state", state, "--limit", "1000")
        there = {row["id"] for row in found}
        return [id_ for id_ in ids if id_ in there]

    def replay_refused(self) -> int:
        """Send again what peers refused by chance; return how many that were."""
        refused = self._by_peer()
        self.replay(refused)
        return len(refused)

    def replay(self, ids: list[str]) -> None:
        """Send again, one command for all."""
        if ids:
            self._stage.command("deliveries", "replay", *ids, "--commit")
            self.replayed += len(ids)
            self._ours = 0  # what was replayed may be refused again, this time by the peer

    def _calm(self, seconds: float) -> None:
        """Wait until nothing moves, or so long: replaying in rounds spares the machine."""
        deadline = time.monotonic() + seconds
        while self.busy() and time.monotonic() < deadline:
            time.sleep(0.3)

    def _still(self) -> bool:
        """Whether nothing moves, looked at for a while, and nothing has ended for good."""
        before = self.waiting()
        for _ in range(5):
            if self.busy():
                return False
            time.sleep(0.3)
            if self.waiting() != before:
                return False
        stopped = {k: n for k, n in before.items() if n and (k[0] == "parked" or k[2] == "dead")}
        if stopped:
            raise Failed(f"остановлено навсегда · parked or dead: {stopped}")
        return True

    def _by_peer(self) -> list[str]:
        """Return the ids of what peers refused; our own refusals wait for a person."""
        known = self.waiting()
        count = sum(int(n) for (_, _, state), n in known.items() if state == "refused")
        if count == self._ours:
            return []
        found = self._refused()
        self._ours = sum(r["error_code"] != BY_PEER for r in found)
        return [r["id"] for r in found if r["error_code"] == BY_PEER]

    def _refused(self) -> list[dict[str, Any]]:
        if not any(state == "refused" for _, _, state in self.waiting()):
            return []
        found: list[dict[str, Any]] = self._stage.command(
            "deliveries", "list", "--state", "refused", "--limit", "1000"
        )
        return found
