"""The body that works: it pulls what it is told, answers every appeal once, and again on rework."""

from __future__ import annotations

import base64
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from simulators.demo.clients import OK
from simulators.seed.files import letter_scan, photograph

if TYPE_CHECKING:
    from simulators.demo.clients import Client

HANDS: Final = 6
"""Answers that are sent at once."""
PAGE: Final = 500
REFUSED: Final = 300


class Office(threading.Thread):
    """One thread that pulls, hands that answer; `answered` says what was sent to whom."""

    def __init__(self, client: Client) -> None:
        super().__init__(name="channels-office", daemon=True)
        self._client = client
        self._halt = threading.Event()
        self._files = _files()
        self.registered: dict[str, date] = {}
        """Receipt number → day of registration."""
        self.numbers: dict[str, str] = {}
        """Receipt number → number of registration."""
        self.answered: dict[str, int] = {}
        """Receipt number → answers that the gateway took."""
        self.told: dict[str, list[str]] = {}
        """Receipt number → events told, in order."""
        self.trouble: list[str] = []

    def run(self) -> None:
        """Work until told to stop."""
        with ThreadPoolExecutor(HANDS) as hands:
            while not self._halt.is_set():
                try:
                    pulled = self._pull(hands)
                except Exception as error:  # noqa: BLE001 - the round tells it; a thread must not die unseen
                    self.trouble.append(f"{type(error).__name__}: {error}")
                    pulled = 0
                if not pulled:
                    self._halt.wait(0.3)

    def stop(self) -> None:
        """Finish the round under way and end."""
        self._halt.set()
        self.join(60)

    def _pull(self, hands: ThreadPoolExecutor) -> int:
        status, page = self._client.json("GET", f"/api/v1/changes?max={PAGE}&maxBytes=2000000")
        if status != OK:
            raise RuntimeError(f"changes: {status} {page}")
        work = [item for change in page["items"] if (item := self._hear(change)) is not None]
        for told in hands.map(lambda item: self._answer(*item), work):
            if told:
                self.trouble.append(told)
        if page["items"]:
            self._client.json("POST", "/api/v1/changes/ack", {"cursor": page["nextCursor"]})
        return len(page["items"])

    def _hear(self, change: dict[str, Any]) -> tuple[str, date, int] | None:
        """Return what is to be answered: receipt, day, the number of the answer."""
        receipt, event = change["key"]["receiptNumber"], change["eventType"]
        self.told.setdefault(receipt, []).append(event)
        told = (change.get("status") or {}).get("registration")
        if event == "Registered" and told and receipt not in self.registered:
            self.registered[receipt] = date.fromisoformat(told["date"])
            self.numbers[receipt] = told["number"]
            return receipt, self.registered[receipt], 1
        if event == "ReturnedForRework":
            return receipt, self.registered[receipt], self.answered.get(receipt, 0) + 1
        return None

    def _answer(self, receipt: str, day: date, times: int) -> str:
        document = {
            "messageKey": f"answer/{receipt}/{times}",
            "key": {"receiptNumber": receipt},
            "kind": "final",
            "number": f"{receipt}-о{times}",
            "date": day.isoformat(),
            "text": "По существу вопроса сообщаем: работы выполнены, снимки прилагаются.",
            "outcome": {"result": "supported", "actionsTaken": True},
            "signedBy": "Заместитель руководителя Выдуманцев А. Б.",
            "attachments": self._files,
        }
        status, told = self._client.json("POST", "/api/v1/answers", document)
        if status >= REFUSED:
            return f"{receipt}: {status} {told}"
        self.answered[receipt] = times
        return ""


def _files() -> list[dict[str, str]]:
    """The letter's scan, and how the place looked before and after."""
    made = [
        ("Ответ.pdf", "application/pdf", "answer", letter_scan("Answer")),
        ("до.png", "image/png", "before", photograph(1)),
        ("после.png", "image/png", "after", photograph(2)),
    ]
    return [
        {
            "fileName": name,
            "mediaType": media_type,
            "role": role,
            "sha256": sha256(data).hexdigest(),
            "content": base64.b64encode(data).decode(),
        }
        for name, media_type, role, data in made
    ]
