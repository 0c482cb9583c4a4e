"""Cards of the simulated desks, and what they call back."""

from __future__ import annotations

import hashlib
import threading
from typing import Any

from simulators.edds import rules
from simulators.peer import clock


class Refused(Exception):
    """A card is not taken. status: of HTTP."""

    def __init__(self, status: int, reasons: list[str]) -> None:
        super().__init__("; ".join(reasons))
        self.status = status


class Store:
    """Cards by vendor and number. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cards: dict[tuple[str, str], dict[str, Any]] = {}
        self._keys: dict[tuple[str, str], tuple[str, int, str]] = {}
        self._calls = 0

    def check(self, vendor: str, kind: str, told: dict[str, Any], body: bytes) -> int:
        """Return the number that the card has or will have; raise Refused.

        kind: card, amend or cancel. told: as `rules.refusals` reads it.
        """
        number, key = str(told.get("number") or ""), str(told.get("key") or "")
        reasons = [] if kind == "cancel" else rules.refusals(vendor, told)
        if reasons:
            raise Refused(422, reasons)
        with self._lock:
            known = self._keys.get((vendor, key))
            if known and known[0] != hashlib.sha256(body).hexdigest():
                raise Refused(409, ["Этот ключ занят другим содержанием"])
            card = self._cards.get((vendor, number))
            if kind != "card" and card is None:
                raise Refused(404, ["Такой карточки нет"])
            if not known and kind == "amend" and card and card["withdrawn"]:
                raise Refused(409, ["Карточка отозвана"])
            return int(card["card"]) if card else 4711 + len(self._cards)

    def keep(
        self, vendor: str, kind: str, told: dict[str, Any], body: bytes, card: int
    ) -> dict[str, Any]:
        """Keep a card that was checked; return what the journal says."""
        number, key = str(told["number"]), str(told["key"])
        with self._lock:
            repeat = (vendor, key) in self._keys
            if not repeat:
                now = clock().isoformat()
                self._keys[vendor, key] = (hashlib.sha256(body).hexdigest(), card, now)
                row = self._cards.setdefault(
                    (vendor, number), {"card": card, "statuses": [], "withdrawn": False}
                )
                row["statuses"].append(kind)
                row["withdrawn"] = row["withdrawn"] or kind == "cancel"
                shown = ("type", "urgency", "address", "revision")
                row |= {name: told[name] for name in shown if told.get(name)}
            return {"vendor": vendor, "number": number, "card": card, "repeat": repeat}

    def delivery(self, vendor: str, key: str) -> tuple[int, str] | None:
        """Return the card of a delivery and when it came; None when it did not."""
        with self._lock:
            found = self._keys.get((vendor, key))
            return found[1:] if found else None

    def holds(self) -> list[dict[str, Any]]:
        """Every card, in the order they came."""
        with self._lock:
            return [
                {
                    "key": number,
                    "vendor": vendor,
                    "answers": 0,
                    **row,
                    "statuses": row["statuses"][:],
                }
                for (vendor, number), row in self._cards.items()
            ]

    def rows(self) -> list[dict[str, Any]]:
        """Return what a person sees on the page, newest first."""
        names = (
            "key", "vendor", "card", "type", "urgency", "address", "statuses", "revision",
            "withdrawn",
        )  # fmt: skip
        return [{name: card.get(name) for name in names} for card in self.holds()[::-1]]

    def call_back(self, vendor: str, number: str, count: int, state: str) -> list[dict[str, Any]]:
        """Return what a desk says of its newest cards, or of one; raise LookupError for none."""
        with self._lock:
            found = [
                (known, row["card"])
                for (owner, known), row in reversed(self._cards.items())
                if owner == vendor and number in ("", known)
            ][:count]
            if not found:
                raise LookupError("no such card")
            out = []
            for known, card in found:
                self._calls += 1
                out.append({
                    "event": f"{vendor}-{self._calls}", "number": known, "card": card,
                    "state": state, "at": clock().isoformat(timespec="seconds"),
                })  # fmt: skip
            return out
