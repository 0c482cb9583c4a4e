"""The account of the stand: every message, how often given, acknowledged, answered; and totals."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from typing import TYPE_CHECKING, Any, Final

import msgspec

from simulators.smev.queues import Letter, Queue, Wanted
from simulators.smev.rules import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from simulators.peer import Journal

Told = dict[str, Any]
SHOWN: Final = 500
"""The newest messages that are told; totals are over all."""


class Status(msgspec.Struct, kw_only=True):
    """One status for GetStatus. code, description: of SmevFault, empty for none."""

    original: str
    category: str
    details: str = ""
    code: str = ""
    description: str = ""


class Limits(msgspec.Struct, kw_only=True):
    """Limits of ours. redeliver: seconds without Ack. queue: messages. attachments: bytes."""

    redeliver: float = 900.0
    queue: int = 100_000
    attachments: int = 5 * 1024 * 1024


class Account:
    """What the stand holds. Thread-safe; every change is one line of the journal."""

    def __init__(
        self, journal: Journal, limits: Limits, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.limits = limits
        self._journal = journal
        self._clock = clock
        self._lock = threading.Lock()
        self._letters: dict[str, Letter] = {}
        self._queues: dict[tuple[str, str, str], Queue] = {}
        self._statuses: dict[tuple[str, str], deque[Status]] = {}
        self._open: Counter[tuple[str, str, str]] = Counter()
        self._totals: Counter[str] = Counter()

    def known(self, message_id: str) -> Letter | None:
        """Return a message by its number."""
        with self._lock:
            return self._letters.get(message_id)

    def repeated(self, message_id: str) -> bool:
        """Whether a number was sent already; each time is counted."""
        with self._lock:
            letter = self._letters.get(message_id)
            if letter is None:
                return False
            letter.sent_again += 1
            self._note("sent_again", letter)
            return True

    def room(self, recipient: str, form: str, version: str) -> None:
        """Refuse when the recipient's queue is full."""
        with self._lock:
            waiting = self._open[recipient, form, version]
        if waiting >= self.limits.queue:
            raise Refusal(
                "DestinationOverflow",
                f"в очереди {waiting}",
                MessageBrokerAddress="simulator",
                DestinationName=f"{recipient}.{form}",
            )

    def put(self, letter: Letter, *, twice: bool = False, waits: bool = True) -> Told:
        """Keep a message and let it wait for its recipient; the second of one number is nothing."""
        with self._lock:
            if letter.id in self._letters:
                return {"id": letter.id, "fact": "known"}
            self._letters[letter.id] = letter
            original = self._letters.get(letter.original)
            if original is not None:
                original.answers += 1
            self._note("sent", letter, original=letter.original)
            if not waits:
                letter.state = "rejected"
                letter.let_go()
                return {"id": letter.id, "fact": "rejected"}
            queue = self._queue(letter.recipient, letter.form, letter.version)
            queue.put(letter)
            self._open[_place(letter)] += 1
            if twice:
                queue.put(letter)
                self._note("doubled", letter)
            return {"id": letter.id, "fact": "sent"}

    def take(
        self, recipient: str, form: str, version: str, wanted: Wanted, now: datetime, *, early: bool
    ) -> Letter | None:
        """Reserve the next message, without saying yet that it was given."""
        expired: list[Letter] = []
        with self._lock:
            queue = self._queue(recipient, form, version)
            seconds = 0.0 if early else None
            while (letter := queue.take(wanted, now, seconds=seconds)) is not None:
                if letter.state != "expired":
                    break
                self._note("expired", letter)
                self._close(letter)
                expired.append(letter)
            if letter is not None:
                letter = msgspec.structs.replace(letter)
        for one in expired:
            told = {"details": "срок сообщения прошёл", "code": "EndOfLifeReached"}
            self.status(
                one.sender, one.version,
                Status(original=one.id, category="requestIsRejectedBySmev", **told),
            )  # fmt: skip
        return letter

    def gave(self, message_id: str, now: datetime) -> Told:
        """Note that a message was given out."""
        with self._lock:
            letter = self._letters[message_id]
            letter.given += 1
            letter.delivered = letter.delivered or now
            self._note("given", letter, times=letter.given)
        return {"id": message_id, "fact": "given"}

    def unacknowledged(self, message_id: str, recipient: str) -> None:
        """Refuse the Ack of what this recipient was not given, or has acknowledged."""
        with self._lock:
            letter = self._letters.get(message_id)
            if letter is None or letter.recipient != recipient or not letter.open:
                raise Refusal("TargetMessageIsNotFound", f"нет неподтверждённого {message_id}")

    def ack(self, message_id: str, *, accepted: bool, late: bool) -> Told:
        """Drain a message. late: it will be given again all the same."""
        with self._lock:
            letter = self._letters[message_id]
            letter.acked += 1
            self._note("accepted" if accepted else "ignored", letter, times=letter.acked)
            if late:
                queue = self._queue(letter.recipient, letter.form, letter.version)
                queue.again(letter, self.limits.redeliver)
                self._note("again_late", letter)
            else:
                letter.state = "accepted" if accepted else "ignored"
                self._close(letter)
        return {"id": message_id, "fact": "acked", "accepted": accepted}

    def status(self, mnemonic: str, version: str, status: Status) -> None:
        """Let a status wait for GetStatus."""
        with self._lock:
            self._statuses.setdefault((mnemonic, version), deque()).append(status)

    def next_status(self, mnemonic: str, version: str) -> Status | None:
        """Return the next status; it stays until `told` says that it was given."""
        with self._lock:
            waiting = self._statuses.get((mnemonic, version))
            return waiting[0] if waiting else None

    def told(self, mnemonic: str, version: str, status: Status) -> Told:
        """Note that a status was given out."""
        with self._lock:
            waiting = self._statuses[mnemonic, version]
            if status in waiting:
                waiting.remove(status)
            self._totals["statuses"] += 1
        return {"id": status.original, "fact": "status", "category": status.category}

    def depths(self, recipient: str = "", version: str = "") -> dict[str, tuple[int, int]]:
        """Return by queue how many wait, and how many were given and not acknowledged."""
        with self._lock:
            return {
                f"{whose}.{form}.{v}": queue.depth()
                for (whose, form, v), queue in self._queues.items()
                if recipient in ("", whose) and version in ("", v)
            }

    def overdue(self) -> Told:
        """Let what was given and not acknowledged come again now, without waiting for its time."""
        with self._lock:
            return {"again": sum(queue.overdue() for queue in self._queues.values())}

    def counts(self) -> Told:
        """Return totals of facts, and of messages by what became of them."""
        with self._lock:
            letters = tuple(self._letters.values())
            totals = dict(self._totals)
        states = Counter(letter.state for letter in letters)
        return {
            "facts": totals,
            "messages": len(letters),
            "states": dict(states),
            "open": states["ready"] + states["given"],
            "given_more_than_once": sum(letter.given > 1 for letter in letters),
            "never_given": sum(not letter.given for letter in letters),
            "acked_more_than_once": sum(letter.acked > 1 for letter in letters),
            "unanswered": sum(not letter.answers for letter in letters if letter.form == "REQUEST"),
            "queues": {name: list(depth) for name, depth in self.depths().items()},
        }

    def holds(self, message_id: str = "") -> list[Told]:
        """Return the account of one message, or of the newest, the oldest of these first."""
        with self._lock:
            if message_id:
                found = self._letters.get(message_id)
                return [_row(found)] if found else []
            return [_row(letter) for letter in list(self._letters.values())[-SHOWN:]]

    def _queue(self, recipient: str, form: str, version: str) -> Queue:
        key = (recipient, form, version)
        if key not in self._queues:
            self._queues[key] = Queue(self.limits.redeliver, self._clock)
        return self._queues[key]

    def _close(self, letter: Letter) -> None:
        """Let go of what waits no more."""
        self._open[_place(letter)] -= 1
        letter.let_go()

    def _note(self, fact: str, letter: Letter, **more: Any) -> None:
        self._totals[fact] += 1
        self._journal.write(
            what=fact, message=letter.id, form=letter.form, type=str(letter.kind),
            sender=letter.sender, recipient=letter.recipient, **more,
        )  # fmt: skip


def _place(letter: Letter) -> tuple[str, str, str]:
    return letter.recipient, letter.form, letter.version


def _row(letter: Letter) -> Told:
    return {
        "key": letter.id,
        "kind": letter.form,
        "type": letter.kind.root,
        "version": letter.version,
        "sender": letter.sender,
        "recipient": letter.recipient,
        "status": letter.state,
        "sent_again": letter.sent_again,
        "given": letter.given,
        "acked": letter.acked,
        "answers": letter.answers,
        "original": letter.original,
    }
