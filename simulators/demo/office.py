"""The executing body's СЭД: reads its changes, works by the seed's plan, reports and answers."""

from __future__ import annotations

import base64
import threading
from datetime import date, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from simulators.demo.clients import OK
from simulators.seed.files import letter_scan

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.demo.clients import Client, Log
    from simulators.seed.appeals import Appeal

ANSWERS: Final = {
    "supported": {"result": "supported", "actionsTaken": True},
    "explained": {"result": "explained"},
    "not_supported": {"result": "not_supported"},
}
SCAN: Final = "Ответ.pdf"
REDIRECT: Final = 300


class Work(NamedTuple):
    """What the СЭД did with an appeal. number, day: of its letters; words: question → fate."""

    number: str
    day: date
    words: dict[int, str]
    transfer_to: str = ""


class Registered(NamedTuple):
    """A registration that the СЭД was told of."""

    number: str
    day: date


class Office(threading.Thread):
    """The peer `sed`: one thread that pulls, works and acknowledges until told to stop.

    whose: from a receipt number to the seed's appeal, None while its sender's log lacks it.
    transfer_to: code of the organisation that an appeal is forwarded to.
    """

    def __init__(
        self,
        client: Client,
        whose: Callable[[str], Appeal | None],
        transfer_to: Callable[[Appeal], str],
    ) -> None:
        super().__init__(name="office", daemon=True)
        self._client = client
        self._whose = whose
        self._transfer_to = transfer_to
        self._halt = threading.Event()
        self._waiting: set[str] = set()
        self.registered: dict[str, Registered] = {}
        """Receipt number → its registration, as told by changes."""
        self.told: dict[str, list[str]] = {}
        """Receipt number → events told, in order."""
        self.done: dict[str, Work] = {}
        """External id → what was done."""
        self.trouble: list[str] = []
        self.changes = 0

    @property
    def log(self) -> Log:
        """What the СЭД writes down."""
        return self._client.log

    def run(self) -> None:
        """Work until told to stop."""
        while not self._halt.is_set():
            try:
                pulled = self._pull()
                self._work()
            except Exception as error:  # noqa: BLE001 - the story tells it; a thread must not die unseen
                self.trouble.append(f"{type(error).__name__}: {error}")
                pulled = 0
            if not pulled:
                self._halt.wait(0.3)

    def stop(self) -> None:
        """Finish the round under way and end."""
        self._halt.set()
        self.join(30)

    @property
    def idle(self) -> bool:
        """Whether nothing waits to be worked on."""
        return not self._waiting

    def _pull(self) -> int:
        status, page = self._client.json("GET", "/api/v1/changes?max=200&maxBytes=400000")
        if status != OK:
            raise RuntimeError(f"changes: {status} {page}")
        for change in page["items"]:
            self._take(change)
        if page["items"]:
            cursor = {"cursor": page["nextCursor"]}
            status, answer = self._client.json("POST", "/api/v1/changes/ack", cursor)
            if status >= REDIRECT:
                raise RuntimeError(f"ack: {status} {answer}")
        return len(page["items"])

    def _take(self, change: dict[str, Any]) -> None:
        receipt, event = change["key"]["receiptNumber"], change["eventType"]
        self.changes += 1
        self.log.write(
            peer="sed", receipt=receipt, sequence=change["sequence"], event=event,
            applied=change.get("applied"), message_key=change.get("messageKey"),
        )  # fmt: skip
        self.told.setdefault(receipt, []).append(event)
        told = (change.get("status") or {}).get("registration")
        if event == "Registered" and told and receipt not in self.registered:
            day = date.fromisoformat(told["date"])
            self.registered[receipt] = Registered(told["number"], day)
            self._waiting.add(receipt)

    def _work(self) -> None:
        for receipt in sorted(self._waiting):
            appeal = self._whose(receipt)
            if appeal is None:
                continue
            self._decide(receipt, appeal, self.registered[receipt].day)
            self._waiting.discard(receipt)

    def _decide(self, receipt: str, appeal: Appeal, day: date) -> None:
        """Do what the seed says, on the day of registration: nothing may be answered before it."""
        number = f"{len(self.done) + 1}-ОГ/{day:%y}"
        everything = range(1, len(appeal.questions) + 1)
        words: dict[int, str] = {}
        transfer_to = ""
        match appeal.fate:
            case "supported" | "explained" | "not_supported" as word:
                self._answer(receipt, appeal, day, number, word, ())
                words = dict.fromkeys(everything, word)
            case "split" if len(appeal.questions) > 1:
                transfer_to = self._transfer_to(appeal)
                self._answer(receipt, appeal, day, number, "explained", ("1",))
                words = {1: "explained"}
                for question in list(everything)[1:]:
                    self._transfer(receipt, appeal, day, number, transfer_to, question)
                    words[question] = "transferred"
            case "split":
                self._answer(receipt, appeal, day, number, "explained", ())
                words = dict.fromkeys(everything, "explained")
            case "transferred":
                transfer_to = self._transfer_to(appeal)
                self._transfer(receipt, appeal, day, number, transfer_to, None)
                words = dict.fromkeys(everything, "transferred")
            case "declined":
                decline = {
                    "article": "11",
                    "part": "5",
                    "text": "Переписка по данному вопросу прекращена: новых доводов не приведено.",
                }
                self._report(receipt, appeal, day, "Declined", decline=decline)
                words = dict.fromkeys(everything, "declined")
            case "extended":
                extension = {
                    "ground": "Запрошены документы у третьих лиц",
                    "newDueDate": (day + timedelta(days=55)).isoformat(),
                    "decidedOn": day.isoformat(),
                }
                self._report(receipt, appeal, day, "Extended", extension=extension)
                words = dict.fromkeys(everything, "extended")
        self.done[appeal.external_id] = Work(number, day, words, transfer_to)

    def _answer(
        self,
        receipt: str,
        appeal: Appeal,
        day: date,
        number: str,
        word: str,
        questions: tuple[str, ...],
    ) -> None:
        data = scan_of(number)
        answer = {
            "messageKey": f"answer/{appeal.external_id}",
            "key": {"receiptNumber": receipt},
            "questionIds": list(questions),
            "kind": "final",
            "number": number,
            "date": day.isoformat(),
            "text": "По существу вопроса сообщаем: проведена проверка, сведения прилагаются.",
            "outcome": ANSWERS[word],
            "signedBy": "Заместитель руководителя Выдуманцев А. Б.",
            "attachments": [
                {
                    "fileName": SCAN,
                    "mediaType": "application/pdf",
                    "sha256": sha256(data).hexdigest(),
                    "content": base64.b64encode(data).decode(),
                    "role": "answer",
                }
            ],
        }
        self._send("/api/v1/answers", answer, appeal)

    def _transfer(
        self, receipt: str, appeal: Appeal, day: date, number: str, to: str, question: int | None
    ) -> None:
        transfer = {
            "toOrganisation": to,
            "date": day.isoformat(),
            "number": number,
            "ground": "8 ч. 3",
        }
        more: dict[str, Any] = {"transfer": transfer}
        if question:
            more["questionOrdinal"] = question
        self._report(receipt, appeal, day, "Transferred", **more)

    def _report(self, receipt: str, appeal: Appeal, day: date, event: str, **more: Any) -> None:
        ordinal = more.get("questionOrdinal", "")
        report = {
            "messageKey": f"{event}/{appeal.external_id}/{ordinal}".rstrip("/"),
            "key": {"receiptNumber": receipt},
            "event": event,
            "occurredOn": day.isoformat(),
            **more,
        }
        self._send("/api/v1/statuses", report, appeal)

    def _send(self, path: str, document: dict[str, Any], appeal: Appeal) -> None:
        status, answer = self._client.json("POST", path, document)
        self.log.write(
            peer="sed", path=path, external_id=appeal.external_id,
            message_key=document["messageKey"], status=status,
            code=(answer or {}).get("code", ""),
        )  # fmt: skip
        if status >= REDIRECT:
            raise RuntimeError(f"{path} {document['messageKey']}: {status} {answer}")


def scan_of(number: str) -> bytes:
    """Return the bytes of the scan that went with an answer of this number."""
    return letter_scan(f"Answer {number.partition('-')[0]}")
