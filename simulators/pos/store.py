"""What the simulated platform holds: items, the feed of them, updates by their keys."""

from __future__ import annotations

import hashlib
import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from simulators.peer import clock
from simulators.pos import citizens, rules
from simulators.pos.citizens import Manner

_AFTER: Final = {
    "moderation_started": "moderation", "moderation_refused": "refused", "withdrawn": "closed",
    "confirmed": "closed", "returned_for_rework": "rework", "redirected": "redirected",
    "answered": "answered", "taken_to_work": "execution", "assigned": "execution",
}  # fmt: skip
"""Stage of an item after what others than we did to it."""
PAGE: Final = 200
"""The most that one page holds."""


class Store:
    """Everything under one lock. seed: of the citizens' opinions."""

    def __init__(self, seed: int = 0, manner: Manner = Manner()) -> None:  # noqa: B008 - a tuple
        self._seed = seed
        self._manner = manner
        self._lock = threading.Lock()
        self._feed: list[dict[str, Any]] = []
        self._items: dict[str, dict[str, Any]] = {}
        self._updates: dict[str, dict[str, Any]] = {}
        self._made = 0
        self._last = datetime.min.replace(tzinfo=UTC)

    def page(self, after: str, limit: int) -> dict[str, Any]:
        """Return items of the feed behind a cursor; raise ValueError for one that is none."""
        with self._lock:
            start = int(after or 0)
            end = min(start + max(1, min(limit, PAGE)), len(self._feed))
            return {
                "items": self._feed[start:end],
                "cursor": str(max(start, end)),
                "more": end < len(self._feed),
            }

    def acknowledge(self, results: list[dict[str, Any]]) -> dict[str, Any]:
        """Note what became of items; what is to come later is given again."""
        later = 0
        with self._lock:
            for told in results:
                name = str(told.get("id", ""))
                item = self._items.get(name)
                if item is not None:
                    item["acknowledged"] = told["result"]
                    item["reason"] = told.get("reason", "")
                if told["result"] == "later":
                    later += self._again(told)
        return {"acknowledged": len(results), "again": later}

    def _again(self, told: dict[str, Any]) -> int:
        wanted = ("eventId", "version")
        found = [
            d
            for d in self._feed
            if d.get("id") == told.get("id")
            and all(d.get(name) == told[name] for name in wanted if name in told)
        ]
        self._feed += found[-1:]
        return len(found[-1:])

    def refusals(self, update: Any) -> list[str]:
        """Every reason to refuse an update."""
        name = update.get("id") if isinstance(update, dict) else None
        with self._lock:
            item = self._items.get(name) if isinstance(name, str) else None
            return rules.refusals(update, item)

    def known(self, key: str) -> dict[str, Any] | None:
        """Return what became of an update, None when it is not here."""
        with self._lock:
            return self._updates.get(key)

    def take(self, key: str, update: dict[str, Any], body: bytes) -> dict[str, Any]:
        """Keep an update once, move its item, let its author say what they think of an answer."""
        with self._lock:
            known = self._updates.get(key)
            if known:
                return {"reference": known["reference"], "repeat": True}
            reference = f"ПОС-О-{len(self._updates) + 1}"
            digest = hashlib.sha256(body).hexdigest()
            self._updates[key] = {"reference": reference, "result": "accepted", "digest": digest}
            item = self._items[update["id"]]
            item["stage"] = rules.moved(update, item["stage"])
            item["decision"] = update.get("decision", item["decision"])
            item["statuses"].append(update["event"])
            item["modified"] = self._now()
            if update["event"] == "answered":
                item["answers"] += 1
                self._judged(item)
            return {"reference": reference, "id": update["id"], "event": update["event"]}

    def _judged(self, item: dict[str, Any]) -> None:
        said = citizens.opinion(item, self._seed, self._manner, clock())
        if not said:
            return
        event = {**said, "eventId": f"{item['id']}-{said['event']}-{item['answers']}"}
        item["said"].append(said["event"])
        if said["event"] == "returned_for_rework":
            item["stage"] = "rework"
        self._feed.append(event)

    def states(self, start: str, end: str, after: str) -> dict[str, Any]:
        """Return a page of items that changed within an interval of instants."""
        first, last = datetime.fromisoformat(start), datetime.fromisoformat(end)
        with self._lock:
            rows = [
                {
                    "id": item["id"],
                    "stage": item["stage"],
                    "decision": item["decision"],
                    "modified": item["modified"].isoformat(),
                }
                for item in self._items.values()
                if first <= item["modified"] < last
            ]
        begin = int(after or 0)
        cursor = begin + PAGE
        return {"states": rows[begin:cursor], "cursor": str(cursor), "more": cursor < len(rows)}

    def emit(self, count: int, seed: int, kind: str, *, fed: bool = True) -> list[dict[str, Any]]:
        """Make items and put them into the feed; return their documents."""
        with self._lock:
            made = citizens.items(seed, clock().date(), count, kind)
            documents = [self._numbered(document) for document in made]
            if fed:
                self._feed += documents
        return documents

    def _numbered(self, document: dict[str, Any]) -> dict[str, Any]:
        self._made += 1
        number = f"POS-{clock():%y}-{self._made:06d}"
        document = {"id": number, **document}
        self._hold(number, document)
        return document

    def _hold(self, number: str, document: dict[str, Any]) -> None:
        """Hold an item; a returned answer under 59-ФЗ is one too, under the event's own id."""
        kind = document.get("kind", "item")
        self._items[number] = {
            "id": number, "kind": kind, "fz59": document.get("fz59", False), "document": document,
            "stage": "submitted", "decision": "", "statuses": [], "answers": 0, "said": [],
            "acknowledged": "", "reason": "", "modified": self._now(),
        }  # fmt: skip

    def _now(self) -> datetime:
        """The platform's time, never twice the same."""
        self._last = max(clock(), self._last + timedelta(microseconds=1))
        return self._last

    def holds(self) -> list[dict[str, Any]]:
        """What was received of each item, for tests and the page."""
        with self._lock:
            return [
                {
                    "key": item["id"],
                    "kind": item["kind"],
                    "fz59": item["fz59"],
                    "stage": item["stage"],
                    "decision": item["decision"],
                    "statuses": list(item["statuses"]),
                    "answers": item["answers"],
                    "said": list(item["said"]),
                    "acknowledged": item["acknowledged"],
                    "reason": item["reason"],
                }
                for item in self._items.values()
            ]

    def command(self, command: dict[str, Any]) -> dict[str, Any]:
        """Carry out a command; raise ValueError or LookupError.

        `{"emit": n, "seed": s, "kind": "item" | "poll" | "vote"}` · the same with `"as": "eml"` and
        `"directory"`, `"long": true` for texts that are cut · `{"amend": id, "text": …}` ·
        `{"event": {…}}` into the feed · `{"citizens": {"rate": r, "rework": r}}` ·
        `{"holds": true}`.
        """
        match command:
            case {"holds": True}:
                return {"items": self.holds()}
            case {"citizens": dict(shares)}:
                self._manner = Manner(**{str(k): float(v) for k, v in shares.items()})
                return {"set": True}
            case {"amend": str(number)}:
                return self._amend(number, str(command.get("text", "Уточняю: проблема осталась.")))
            case {"event": {"id": str(), "event": str()} as event}:
                return {"keys": [self._happened(event)]}
            case {"emit": int(count)}:
                return self._emitted(count, command)
        raise ValueError("unknown command")

    def _happened(self, event: dict[str, Any]) -> str:
        """Put an event into the feed; a returned answer under 59-ФЗ is an item of its own."""
        with self._lock:
            self._made += 1
            own = {"eventId": f"EV-{self._made}", "at": clock().isoformat()}
            item = self._items.get(event["id"])
            told = {"kind": "event", **own, **event}
            if told["event"] == "returned_for_rework" and (item is None or item["fz59"]):
                told["fz59"] = True
                self._hold(told["eventId"], {"fz59": True, "version": 1})
            elif item is not None:
                item["stage"] = _AFTER.get(told["event"], item["stage"])
                item["said"].append(told["event"])
                item["modified"] = self._now()
            self._feed.append(told)
        return str(told["eventId"])

    def _emitted(self, count: int, command: dict[str, Any]) -> dict[str, Any]:
        seed, kind = int(command.get("seed", 0)), str(command.get("kind", "item"))
        if kind not in ("item", "poll", "vote"):
            raise ValueError("no such kind")
        if command.get("as", "json") != "eml":
            return {"keys": [d["id"] for d in self.emit(count, seed, kind)]}
        folder = Path(str(command["directory"]))
        documents = self.emit(count, seed, "item", fed=False)
        for document in documents:
            if command.get("long"):
                document["text"] = (document["text"] + "\n") * 200
            write(folder / f"{document['id']}.eml", citizens.letter(document, seed))
        return {"keys": [d["id"] for d in documents]}

    def _amend(self, number: str, text: str) -> dict[str, Any]:
        with self._lock:
            item = self._items[number]
            document = item["document"]
            newer = {**document, "version": document["version"] + 1, "text": text}
            item["document"] = newer
            self._feed.append(newer)
        return {"keys": [number], "version": newer["version"]}


def write(path: Path, data: bytes) -> None:
    """Put a whole file where it is looked for: never a part of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(data)
    part.rename(path)


def dumped(value: Any) -> bytes:
    """Return JSON with Cyrillic as it is."""
    return json.dumps(value, ensure_ascii=False).encode()
