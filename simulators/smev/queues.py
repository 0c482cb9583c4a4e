"""Queues of СМЭВ: what waits, what was given and not acknowledged, when it is given again."""

from __future__ import annotations

import heapq
from collections import deque
from datetime import datetime
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from simulators.smev.names import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

State = Literal["ready", "given", "accepted", "ignored", "expired", "rejected"]
"""accepted, ignored: acknowledged with accepted=true or false. expired: its EOL passed."""


class Stored(NamedTuple):
    """A file of the file storage that a message refers to."""

    uuid: str
    name: str


class Letter(msgspec.Struct, kw_only=True):
    """One message. data, signature: what the sender signed and its signature, as XML texts.

    node: the only node that takes it, empty for any. original: the request that it answers.
    stands: kinds by which it can be asked for. Content is let go when it is acknowledged.
    """

    id: str
    form: Literal["REQUEST", "RESPONSE"]
    version: str
    kind: Kind
    stands: frozenset[Kind]
    sender: str
    recipient: str
    sent: datetime
    data: str
    signature: str
    contents: dict[str, bytes] = {}
    files: tuple[Stored, ...] = ()
    stored_bytes: int = 0
    node: str = ""
    own_node: str = ""
    original: str = ""
    reference: str = ""
    transaction: str = ""
    eol: datetime | None = None
    state: State = "ready"
    sent_again: int = 0
    given: int = 0
    acked: int = 0
    answers: int = 0
    delivered: datetime | None = None

    @property
    def open(self) -> bool:
        """Whether it waits for its recipient, or for the Ack of it."""
        return self.state in ("ready", "given")

    def let_go(self) -> None:
        """Drop the content: only the account of it stays."""
        self.data = self.signature = ""
        self.contents, self.files = {}, ()


class Wanted(NamedTuple):
    """What is asked for: a kind or any, a node or any."""

    kind: Kind | None
    node: str

    def fits(self, letter: Letter) -> bool:
        """Whether a message is of the kind, and for the node."""
        if self.kind is not None and self.kind not in letter.stands:
            return False
        return not self.node or letter.node in ("", self.node)


class Queue:
    """One recipient's queue of one form in one version. The caller holds the lock."""

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._clock = clock
        self._ready: deque[Letter] = deque()
        self._given: list[tuple[float, int, Letter]] = []
        self._places = 0

    def put(self, letter: Letter) -> None:
        """Add a message to the end."""
        letter.state = "ready"
        self._ready.append(letter)

    def again(self, letter: Letter, seconds: float) -> None:
        """Let a message be given, once more, after so many seconds."""
        letter.state = "given"
        self._lease(letter, seconds)

    def take(self, wanted: Wanted, now: datetime, *, seconds: float | None = None) -> Letter | None:
        """Return the first message that fits, until it is acknowledged or its time is over."""
        self._return()
        while self._ready and not self._ready[0].open:
            self._ready.popleft()
        for place, letter in enumerate(self._ready):
            if not letter.open or not wanted.fits(letter):
                continue
            del self._ready[place]
            if letter.eol is not None and letter.eol <= now:
                letter.state = "expired"
                return letter
            letter.state = "given"
            self._lease(letter, self._seconds if seconds is None else seconds)
            return letter
        return None

    def depth(self) -> tuple[int, int]:
        """Return how many wait, and how many were given and not acknowledged."""
        self._return()
        waiting = sum(letter.state == "ready" for letter in self._ready)
        given = {letter.id for _, _, letter in self._given if letter.state == "given"}
        return waiting, len(given)

    def overdue(self) -> int:
        """Let the time of all that was given be over; return how many come again."""
        now = self._clock()
        self._given = [(min(until, now), place, one) for until, place, one in self._given]
        heapq.heapify(self._given)
        waited = len(self._ready)
        self._return()
        return len(self._ready) - waited

    def _lease(self, letter: Letter, seconds: float) -> None:
        self._places += 1
        heapq.heappush(self._given, (self._clock() + seconds, self._places, letter))

    def _return(self) -> None:
        """Put back what was not acknowledged in time, before what has never been given."""
        now = self._clock()
        while self._given and self._given[0][0] <= now:
            letter = heapq.heappop(self._given)[2]
            if letter.state == "given":
                letter.state = "ready"
                self._ready.appendleft(letter)
