"""What the simulated service holds: its assignments, and the reports on them."""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from lxml import etree

from simulators.asdou import rules

if TYPE_CHECKING:
    from collections.abc import Callable


class Verdict(NamedTuple):
    """What is answered, and what keeps the report when it is to be kept."""

    code: str
    message: str
    key: str
    keep: Callable[[], dict[str, Any]] | None = None


class Store:
    """Thread-safe. An assignment is known by its import id, a report by its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._assignments: dict[str, bool] = {}
        self._reports: dict[str, dict[str, Any]] = {}
        self._made = 0

    def emit(self, count: int, seed: int, *, responsible: bool = True) -> list[dict[str, Any]]:
        """Give out assignments to executors who are responsible, or not."""
        with self._lock:
            out = []
            for _ in range(count):
                self._made += 1
                key = f"РЗ-2026-{seed}-{self._made}"
                self._assignments[key] = responsible
                out.append({"importId": key, "responsible": responsible})
            return out

    def assign(self, key: str, *, responsible: bool) -> None:
        """Give out one assignment of this import id."""
        with self._lock:
            self._assignments[key] = responsible

    def judge(self, name: str, document: Any) -> Verdict:
        """Say what becomes of a report."""
        told = {element.tag.rpartition("}")[2]: element.text or "" for element in document}
        key, parent = told.get("importId", ""), told.get("parentId", "")
        wrong = rules.refusals(name, document)
        if wrong:
            return Verdict("INVALID", "; ".join(wrong), key)
        digest = hashlib.sha256(etree.tostring(document, method="c14n")).hexdigest()
        with self._lock:
            known = self._reports.get(key)
            if known is not None:
                same = known["digest"] == digest
                return Verdict("ALREADY_ACCEPTED" if same else "CONFLICT", "", key)
            if parent not in self._assignments:
                return Verdict("NOT_FOUND", f"Нет поручения {parent}", key)
            if name == "FinalReport" and not self._assignments[parent]:
                return Verdict("FORBIDDEN", "Исполнитель не ответственный", key)
            before = key[:-1] + "\u041e"
            if name == "FinalReport" and before not in self._reports:
                return Verdict("ORDER", "Сначала нужен доклад", key)
        kind = document.findtext(".//{*}reviewResult/{*}type") or ""
        row = {"parent": parent, "name": name, "type": kind, "digest": digest}
        return Verdict("0", "Принято", key, lambda: self._put(key, row))

    def holds(self) -> list[dict[str, Any]]:
        """Return what was received, an item an assignment."""
        with self._lock:
            out = []
            for parent in dict.fromkeys(row["parent"] for row in self._reports.values()):
                rows = [row for row in self._reports.values() if row["parent"] == parent]
                finals = [row["type"] for row in rows if row["name"] == "FinalReport"]
                out.append(
                    {"key": parent, "statuses": finals, "answers": len(finals),
                     "reports": len(rows) - len(finals)}
                )  # fmt: skip
            return out

    def rows(self) -> list[dict[str, Any]]:
        """Return what a person sees on the page, newest first."""
        with self._lock:
            rows = [
                {"importId": key, "parentId": row["parent"], "document": row["name"],
                 "type": row["type"]}
                for key, row in self._reports.items()
            ]  # fmt: skip
        return rows[::-1]

    def _put(self, key: str, row: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            self._reports.setdefault(key, row)
        return {"key": key, **row}
