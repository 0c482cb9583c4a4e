"""Asks the peers that have something for us: feeds, inboxes, folders, queues (`adapter.Source`).

A thread a peer. The order of one asking: take the lease, `receive`, store everything,
`acknowledge`, keep the cursor, give the lease back. Killed in between, the same messages come again
and get their first receipts (docs/adr/0020).
"""

from __future__ import annotations

import asyncio
import random
import threading
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

import structlog

from gateway import ingest, notes, taking
from gateway.access.policy import Refused
from gateway.adapter import Source
from gateway.errors import (
    BusyError,
    ConfigurationError,
    DeliveryError,
    GatewayError,
    InternalError,
    TrustError,
)
from gateway.model.ids import uuid7
from gateway.store import sources

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from gateway.adapter import Batch, Decoded, Taken, Verdict, Wire
    from gateway.dispatch.ports import Destination
    from gateway.model.peer import Peer
    from gateway.store.blobs import BlobDirectory
    from gateway.store.committer import Committer
    from gateway.store.pool import Pool

log = structlog.get_logger(__name__)

EVERY_SECONDS: Final = 10.0
"""How often a source is asked that has nothing more; `poll_every` of the peer's row."""
LOOK_SECONDS: Final = 2.0
"""How often rows of peers are looked at."""
LONGEST_PAUSE: Final = 300.0
SLACK_SECONDS: Final = 120.0
"""What a lease has beyond `timeout` of the two calls: storing what came."""


class Asked(NamedTuple):
    """A peer with the channel that it is asked through."""

    row: Peer
    destination: Destination


class Polling:
    """The sources of one process; any number of processes may share a database.

    refused: is told of each message whose signature or token was not believed.
    """

    def __init__(
        self,
        pool: Pool,
        committer: Committer,
        blobs: BlobDirectory,
        asked: Callable[[], Mapping[str, Asked]],
        *,
        owner: str,
        now: Callable[[], datetime],
        refused: Callable[[Refused], None] = lambda _refused: None,
    ) -> None:
        self._refused = refused
        self._pool = pool
        self._committer = committer
        self._blobs = blobs
        self._asked = asked
        self._owner = owner
        self._now = now
        self._random = random.Random()  # noqa: S311 - jitter
        self._threads: dict[str, tuple[Asked, threading.Event, threading.Thread]] = {}

    def run(self, stop: threading.Event) -> None:
        """Keep a thread for every peer that is asked, until told to stop."""
        try:
            while not stop.is_set():
                self._look()
                stop.wait(LOOK_SECONDS)
        finally:
            for _, ended, _ in self._threads.values():
                ended.set()
            for _, _, thread in self._threads.values():
                thread.join(10.0)
            self._threads = {}

    def run_once(self, code: str) -> int:
        """Ask one peer until it has nothing more; return how many messages were taken."""
        asked = self._asked()[code]
        taken = 0
        while (found := self._ask(asked)) is not None:
            taken += found[0]
            if not found[1]:
                break
        return taken

    def _look(self) -> None:
        wanted = {
            code: asked
            for code, asked in self._asked().items()
            if isinstance(asked.destination.channel, Source)
        }
        for code, (asked, ended, _) in list(self._threads.items()):
            if code not in wanted or wanted[code].destination is not asked.destination:
                ended.set()
                del self._threads[code]
        for code, asked in wanted.items():
            if code not in self._threads:
                ended = threading.Event()
                thread = threading.Thread(
                    target=self._follow, args=(asked, ended), name=f"ask {code}", daemon=True
                )
                self._threads[code] = (asked, ended, thread)
                thread.start()

    def _follow(self, asked: Asked, ended: threading.Event) -> None:
        every = float(asked.row.options.get("poll_every", EVERY_SECONDS))
        while not ended.is_set():
            try:
                found = self._ask(asked)
            except BusyError as error:
                log.info("polling.busy", peer=asked.row.code, reason=error.message)
                found = None
            except Exception:
                log.exception("polling.defect", peer=asked.row.code)
                found = None
            if found is None or not found[1]:
                ended.wait(min(every, LOOK_SECONDS) if found is None else every)

    def _ask(self, asked: Asked) -> tuple[int, bool] | None:
        """Ask once: how many messages came, and whether there is more; None when it is not due."""
        code, now = asked.row.code, self._now()
        lease = timedelta(seconds=2 * asked.destination.policy.timeout + SLACK_SECONDS)
        with self._pool.connection() as connection:
            claim = sources.claim(connection, code, self._owner, now + lease, now)
        if claim is None:
            return None
        try:
            return self._carry(asked, claim.cursor)
        except GatewayError as error:
            self._failed(asked, claim.failures + 1, error)
            if isinstance(error, DeliveryError | ConfigurationError):
                return None
            raise
        except Exception as defect:
            told = InternalError("the source failed", where=type(defect).__name__)
            self._failed(asked, claim.failures + 1, told)
            raise

    def _carry(self, asked: Asked, cursor: str) -> tuple[int, bool]:
        code, channel = asked.row.code, asked.destination.channel
        assert isinstance(channel, Source)
        batch = channel.receive(cursor)
        verdicts = asyncio.run(self._take(asked, batch)) if batch.messages else ()
        for verdict in verdicts:
            if isinstance(verdict.error, TrustError):
                self._refused(_refusal(asked.row, verdict.error, verdict.correlation))
        if verdicts:
            channel.acknowledge(verdicts)
        if batch.cursor != cursor:
            with self._pool.connection() as connection:
                if not sources.keep(connection, code, self._owner, batch.cursor):
                    raise BusyError("another process asks this peer now", where=code)
        refused = sum(verdict.error is not None for verdict in verdicts)
        if verdicts:
            log.info("polling.taken", peer=code, messages=len(verdicts), refused=refused)
        every = 0.0 if batch.more else float(asked.row.options.get("poll_every", EVERY_SECONDS))
        self._settle(code, every)
        return len(verdicts), batch.more

    async def _take(self, asked: Asked, batch: Batch) -> tuple[Verdict, ...]:
        """Store the messages in their order; neighbours that only bring appeals share commits."""
        codec = asked.destination.codec

        async def decode(wire: Wire) -> Decoded:
            return codec.decode(wire)

        read = []
        for taken in batch.messages:
            message = self._message(asked, taken)
            read.append((message, await taking.read(message, decode)))
        verdicts: list[Verdict] = []
        for _, run in groupby(read, key=lambda one: taking.opens(one[1])):
            verdicts += await asyncio.gather(*(taking.store(*one) for one in run))
        return tuple(verdicts)

    def _message(self, asked: Asked, taken: Taken) -> taking.Message:
        now, correlation = self._now(), str(uuid7())
        arrival = ingest.Arrival(
            peer=asked.row.code,
            wire=asked.row.adapter,
            correlation=correlation,
            now=now,
            body=taken.wire.body,
            media_type=taken.wire.media_type,
            test=asked.row.test,
        )
        door = taking.StoreDoor(arrival, self._committer, self._blobs, notes.of_wire(taken.wire))
        return taking.Message(taken.wire, door, now, correlation, taken.token)

    def _failed(self, asked: Asked, failures: int, error: GatewayError) -> None:
        code = asked.row.code
        pause = min(LONGEST_PAUSE, 2.0 ** min(failures, 16)) * self._random.uniform(0.5, 1.0)
        pause = min(pause, float(asked.row.options.get("backoff_cap", LONGEST_PAUSE)))
        # What was found are a peer's own words, which may name a citizen: `gateway sources` has it.
        # A row that cannot work is ours: where it is wrong names the option.
        where = {"where": error.where} if isinstance(error, ConfigurationError) else {}
        log.warning(
            "polling.failed",
            peer=code,
            code=error.code,
            reason=error.message,
            again=pause,
            **where,
        )
        self._settle(code, pause, failures, str(error))

    def _settle(self, code: str, pause: float, failures: int = 0, error: str = "") -> None:
        now = self._now()
        with self._pool.connection() as connection:
            sources.settle(
                connection,
                code,
                self._owner,
                now=now,
                due=now + timedelta(seconds=pause),
                failures=failures,
                error=error,
            )


def _refusal(row: Peer, error: TrustError, correlation: str) -> Refused:
    """Return the record of a fetched message that is not believed: whose, from where, and why."""
    return Refused(
        reason=f"{error.reason}: {error.message}"[:300],
        peer=row.code,
        address=urlsplit(str(row.options.get("url", ""))).hostname or "",
        path=f"{row.adapter} {error.where}".strip()[:200],
        correlation=correlation,
        code=error.code,
    )
