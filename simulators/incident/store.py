"""What the simulated system holds: the feed, the answers by their keys, how each message stands."""

from __future__ import annotations

import hashlib
import json
import threading
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from simulators.incident import rules
from simulators.incident.messages import make
from simulators.peer import clock

ZONE = ZoneInfo("Europe/Moscow")
_STATES = {
    "answer": "answered", "first_reaction": "reacted", "interim": "reacted", "closed": "closed",
}  # fmt: skip


class Store:
    """Thread-safe. The cursor of the feed and of the states is a place in them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._messages: dict[str, dict[str, Any]] = {}
        self._feed: list[str] = []
        self._states: dict[str, dict[str, Any]] = {}
        self._answers: dict[str, dict[str, Any]] = {}
        self._made = 0

    def emit(self, count: int, seed: int, *, fed: bool) -> list[dict[str, Any]]:
        """Make messages; fed: they are to be fetched, not pushed."""
        now = clock(ZONE)
        with self._lock:
            out = []
            for _ in range(count):
                self._made += 1
                message = make(self._made, seed, now)
                self._messages[message["id"]] = message
                self._states[message["id"]] = {"state": "new", "modified": now.isoformat()}
                if fed:
                    self._feed.append(message["id"])
                out.append(message)
            return out

    def page(self, after: str, limit: int) -> dict[str, Any]:
        """Return a page of the feed; raise ValueError for a cursor that is none."""
        start = int(after or "0")
        with self._lock:
            ids = self._feed[start : start + limit]
            return {
                "items": [self._messages[i] for i in ids],
                "cursor": str(start + len(ids)),
                "more": start + len(ids) < len(self._feed),
            }

    def known(self, key: str) -> dict[str, Any] | None:
        """Return the answer of a key."""
        with self._lock:
            return self._answers.get(key)

    def refusals(self, answer: Any) -> list[str]:
        """Return why an answer is refused."""
        item_id = str(answer.get("id")) if isinstance(answer, dict) else ""
        with self._lock:
            state = self._states.get(item_id, {}).get("state", "")
            message = self._messages.get(item_id)
            repeated = any(
                row["id"] == item_id and row["kind"] == "answer" == answer.get("kind")
                and row["text"] == answer.get("text")
                for row in self._answers.values()
            )  # fmt: skip
        out = rules.refusals(answer, message, state)
        return [*out, "text: такой ответ уже есть"] if repeated and not out else out

    def take(self, key: str, answer: dict[str, Any], body: bytes) -> dict[str, Any]:
        """Keep an answer; return what the journal says of it."""
        with self._lock:
            row = {
                "id": answer["id"],
                "kind": answer["kind"],
                "text": answer.get("text", ""),
                "closed": answer.get("closed", ""),
                "photos": sum(len(side) for side in (answer.get("photos") or {}).values()),
                "digest": hashlib.sha256(body).hexdigest(),
                "reference": reference(key),
            }
            held = self._answers.setdefault(key, row)
            before = self._states[answer["id"]]["state"]
            state = _STATES.get(answer["kind"]) or str(answer["state"])
            if before == "answered" and answer["kind"] != "closed":
                state = before
            self._states[answer["id"]] = {"state": state, "modified": clock(ZONE).isoformat()}
        return {"key": key, **{k: v for k, v in held.items() if k != "text"}}

    def states(self, start: str, end: str, after: str) -> dict[str, Any]:
        """Return what changed within an interval, 100 at a time."""
        first, last = datetime.fromisoformat(start), datetime.fromisoformat(end)
        begin = int(after or "0")
        with self._lock:
            rows = [
                {"id": item_id, **state}
                for item_id, state in self._states.items()
                if first <= datetime.fromisoformat(state["modified"]) < last
            ]
        shown = rows[begin : begin + 100]
        more = begin + len(shown) < len(rows)
        return {"states": shown, "cursor": str(begin + len(shown)), "more": more}

    def holds(self) -> list[dict[str, Any]]:
        """Return what was received, an item a message."""
        with self._lock:
            out = []
            for item_id, state in self._states.items():
                rows = [row for row in self._answers.values() if row["id"] == item_id]
                if rows:
                    out.append(
                        {"key": item_id, "state": state["state"],
                         "statuses": [row["kind"] for row in rows],
                         "answers": sum(row["kind"] == "answer" for row in rows),
                         "photos": sum(row["photos"] for row in rows),
                         "closed": [row["closed"] for row in rows if row["closed"]]}
                    )  # fmt: skip
            return out

    def rows(self) -> list[dict[str, Any]]:
        """Return what a person sees on the page, newest first."""
        with self._lock:
            rows = [
                {"id": row["id"], "kind": row["kind"], "text": row["text"] or row["closed"],
                 "photos": row["photos"], "reference": row["reference"]}
                for row in self._answers.values()
            ]  # fmt: skip
        return rows[::-1]


def reference(key: str) -> str:
    """Return the number that an answer of this key gets."""
    return f"И-{hashlib.sha256(key.encode()).hexdigest()[:8]}"


def dumped(value: Any) -> bytes:
    """Return a value as JSON."""
    return json.dumps(value, ensure_ascii=False).encode()
