"""An adapter's memory in memory, with the answers of the stored one (`gateway.lent.Memory`)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime


class FakeMemory:
    """Keeps JSON, as the table does. rows: everything, for tests to look at."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self.rows: dict[tuple[str, str], tuple[datetime, str]] = {}

    def get(self, kind: str, key: str) -> Mapping[str, Any] | None:
        """Return what is remembered, None for nothing."""
        found = self.rows.get((kind, key))
        return json.loads(found[1]) if found else None

    def add(self, kind: str, key: str, value: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Remember unless something is remembered already; return that, None when it was new."""
        found = self.get(kind, key)
        if found is None:
            self.put(kind, key, value)
        return found

    def put(self, kind: str, key: str, value: Mapping[str, Any]) -> None:
        """Remember instead of whatever was remembered."""
        self.rows[kind, key] = (self._now(), json.dumps(dict(value)))

    def since(self, kind: str, start: datetime) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield what was remembered or changed after an instant, oldest first."""
        found = sorted((at, key, value) for (k, key), (at, value) in self.rows.items() if k == kind)
        for at, key, value in found:
            if at > start:
                yield key, json.loads(value)

    def forget(self, kind: str, before: datetime) -> int:
        """Forget what was last changed before an instant; return how many."""
        gone = [one for one, (at, _) in self.rows.items() if one[0] == kind and at < before]
        for one in gone:
            del self.rows[one]
        return len(gone)
