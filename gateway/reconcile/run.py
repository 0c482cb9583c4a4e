"""One reconciliation: ask the peer, hold both registers together, keep what differs."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from gateway.adapter import Window
from gateway.errors import ConfigurationError
from gateway.model.ids import uuid7
from gateway.reconcile import doubts, findings, read
from gateway.reconcile.believed import believed
from gateway.reconcile.compare import Context, Finding, judge, unreadable
from gateway.reconcile.ports import Register, quiet
from gateway.store import lanes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from uuid import UUID

    from psycopg import Connection

    from gateway.adapter import RemoteState
    from gateway.dispatch import Destination, Snapshots
    from gateway.reconcile.ports import Ask, Tell

ROWS_AT_ONCE: Final = 1_000
APPEALS_AT_ONCE: Final = 25
"""Snapshots carry the files of answers, so a page is small: 25 of the largest are 250 MB."""
DOUBTS_AT_ONCE: Final = 100

BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
FAR: Final = datetime(9000, 1, 1, tzinfo=UTC)


class Report(NamedTuple):
    """What a run found.

    run: names its rows in `finding`. found: (class, repair) → how many. explained: what is no
    difference, by why. compared: False when the peer keeps no register, so only doubts were asked.
    unlisted: bodies whose register the channel does not read, with how many appeals.
    """

    run: UUID
    found: Counter[tuple[str, str]]
    explained: Counter[str]
    compared: bool
    unlisted: Counter[str]

    @property
    def total(self) -> int:
        """How many differences there are."""
        return self.found.total()


def reconcile(
    connection: Connection[Any],
    target: Destination,
    snapshots: Snapshots,
    ask: Ask,
    now: Callable[[], datetime],
    tell: Tell = quiet,
) -> Report:
    """Compare with one peer and keep the findings; nothing else is changed.

    connection: of this house, in autocommit, for this run alone. Raises DeliveryError when the peer
    cannot be asked, ConfigurationError when nothing could be compared for want of settings.
    """
    run = _Run(connection, target, snapshots, ask, now)
    with read.staging(connection):
        return run.report(tell)


class _Run:
    """The state of one run; steps in the order of `report`."""

    def __init__(
        self,
        connection: Connection[Any],
        target: Destination,
        snapshots: Snapshots,
        ask: Ask,
        now: Callable[[], datetime],
    ) -> None:
        self.connection, self.target, self.snapshots, self.ask = connection, target, snapshots, ask
        self.start, self.end = ask.start or BEGINNING, ask.end or FAR
        self.clock, self.asked_at = now, now()
        self.id = uuid7()
        self.found: Counter[tuple[str, str]] = Counter()
        self.explained: Counter[str] = Counter()
        self.unlisted: Counter[str] = Counter()

    def report(self, tell: Tell) -> Report:
        """Read the peer's list first: a peer that cannot be asked must leave no finding."""
        channel = self.target.channel
        register = channel if isinstance(channel, Register) else None
        if register is not None:
            self._theirs(tell)
        self._doubts(tell)
        if register is not None:
            compared = self._ours(register, tell)
            if self.unlisted and not compared:
                raise ConfigurationError(
                    "the channel reads the register of none of the bodies that were reported",
                    found=", ".join(sorted(self.unlisted)),
                    where=f"peer {self.target.code}",
                    todo=f"`gateway peer option {self.target.code} departments=[…]`",
                )
            self._pairs(tell)
        return Report(self.id, self.found, self.explained, register is not None, self.unlisted)

    def _theirs(self, tell: Tell) -> None:
        """Stage the peer's list, from the first send of anything we look at to its newest row."""
        code = self.target.code
        earliest = read.scope(self.connection, code, self.start, self.end)
        since = max(BEGINNING, min(self.start, earliest or self.start) - self.ask.tolerance)
        self.asked_at = self.clock()
        rows = self.target.channel.reconcile(Window(start=since, end=FAR))
        for count, chunk in _chunks(rows):
            read.keep_theirs(self.connection, chunk, self.start, self.end)
            tell("theirs", count, None)

    def _doubts(self, tell: Tell) -> None:
        waiting = read.doubts(self.connection, self.target.code, self.start, self.end)
        for at in range(0, len(waiting), DOUBTS_AT_ONCE):
            page = waiting[at : at + DOUBTS_AT_ONCE]
            last = lanes.last_sent(self.connection, [d.delivery.id for d in page])
            asked = doubts.ask(page, last, self.target, self.snapshots, self.clock())
            self._keep([a.finding for a in asked if a.finding is not None])
            tell("doubts", at + len(page), len(waiting))

    def _ours(self, register: Register, tell: Tell) -> int:
        """Stage what we believe; return how many appeals can be compared."""
        total = read.scope_by_number(self.connection, self.target.code)
        done = compared = 0
        for page in read.pages(self.connection, APPEALS_AT_ONCE):
            made = believed(
                self.connection,
                page,
                self.target,
                register,
                self.snapshots,
                reaches_citizen=self.ask.reaches_citizen,
            )
            read.keep_ours(self.connection, made.ours)
            self._keep(made.findings)
            if made.moving:
                self.explained["in_flight"] += made.moving
            self.unlisted.update(made.unlisted)
            done += len(page)
            compared += len(made.ours)
            tell("ours", done, total)
        return compared

    def _pairs(self, tell: Tell) -> None:
        """Judge both sides, in one transaction, because the pairs come from a cursor of it."""
        torn = read.unreadable(self.connection)
        context = Context(asked_at=self.asked_at, tolerance=self.ask.tolerance, gaps=len(torn))
        self._keep([unreadable(row) for row in torn])
        done = 0
        with self.connection.transaction():
            for pairs in read.pairs(self.connection, self.target.code):
                verdicts = [verdict for pair in pairs for verdict in judge(pair, context)]
                self.explained.update(v for v in verdicts if isinstance(v, str))
                self._keep([v for v in verdicts if isinstance(v, Finding)])
                done += len(pairs)
                tell("pairs", done, None)

    def _keep(self, found: Sequence[Finding]) -> None:
        findings.write(self.connection, self.id, self.target.code, found, self.clock())
        self.found.update((f.class_, f.repair) for f in found)


def _chunks(rows: Iterable[RemoteState]) -> Iterator[tuple[int, list[RemoteState]]]:
    left, count = iter(rows), 0
    while chunk := list(islice(left, ROWS_AT_ONCE)):
        count += len(chunk)
        yield count, chunk
