"""Counts from what the simulated peers wrote down: calls, failures, what they hold in the end."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from simulators.faults import STORES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Journal:
    """A simulator's journal as read now, up to its last whole line."""

    def __init__(self, path: Path) -> None:
        whole = path.read_bytes().rpartition(b"\n")[0] if path.exists() else b""
        self.records: list[dict[str, Any]] = [json.loads(line) for line in whole.splitlines()]

    @property
    def sent(self) -> list[dict[str, Any]]:
        """Calls that brought something; the others asked."""
        return [r for r in self.records if r["method"] != "GET"]

    @property
    def asked(self) -> list[dict[str, Any]]:
        """Calls that asked what became of something."""
        return [r for r in self.records if r["method"] == "GET"]

    def stored(self) -> dict[str, list[str]]:
        """Return key → digests stored under it, in order."""
        found: dict[str, list[str]] = {}
        for record in self.records:
            if record["stored"]:
                found.setdefault(record["key"], []).append(record["stored"]["digest"])
        return found

    @property
    def silent(self) -> int:
        """How often something was stored and the caller got no word of it."""
        return sum(r["fault"] in STORES and bool(r["stored"]) for r in self.records)

    def bodies(self) -> list[dict[str, Any]]:
        """Return the bodies kept in the journal, those of a repeat left out."""
        return [
            json.loads(record["stored"]["body"])
            for record in self.records
            if record["stored"] and record["stored"]["times"] == 1
        ]


def shares(calls: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Return the share of calls that failed in each way, in percent."""
    failures = Counter(call["fault"] for call in calls if call["fault"])
    return {kind: 100 * count / len(calls) for kind, count in failures.items()}
