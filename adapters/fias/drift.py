"""What was strange in a file: counted, with the first examples. Pure."""

from __future__ import annotations

from typing import Final

import msgspec

EXAMPLES: Final = 20
"""Of each kind of strangeness; the rest is counted."""
KINDS: Final = 200
"""Kinds that are told apart in one file; what comes after is counted as `other`."""
EXAMPLE_CHARS: Final = 200


class Drift(msgspec.Struct):
    """Kinds of strangeness of a file or a region: how often, and where first.

    A kind is spelled `unknown attribute NAME`, `unknown element NAME`, `missing attribute NAME`,
    `bad value`, `no parent`, ….
    """

    counts: dict[str, int] = {}
    examples: dict[str, list[str]] = {}

    def note(self, kind: str, example: str = "", times: int = 1) -> None:
        """Count one more of a kind, and keep the example while there are few."""
        if kind not in self.counts and len(self.counts) >= KINDS:
            kind = "other"
        self.counts[kind] = self.counts.get(kind, 0) + times
        if example:
            kept = self.examples.setdefault(kind, [])
            if len(kept) < EXAMPLES:
                kept.append(example[:EXAMPLE_CHARS])

    def wants(self, kind: str) -> bool:
        """Return whether another example of a kind is kept: on every row one costs too much."""
        return len(self.examples.get(kind, ())) < EXAMPLES

    def add(self, other: Drift) -> None:
        """Take in what another one counted."""
        for kind, times in other.counts.items():
            self.note(kind, times=times)
            for example in other.examples.get(kind, ()):
                self.note(kind, example, 0)
