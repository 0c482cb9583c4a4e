"""The thread that reads and encodes what was leased, beside the commits of the others.

While one transaction waits for the database the next batch is made ready; otherwise the senders
would wait for both in turn.
"""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import structlog

from gateway.dispatch.prepare import STORE_AWAY, Failed, Prepared, prepare
from gateway.store import lanes, replies

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from gateway.dispatch.hand import Hand
    from gateway.dispatch.inbox import Inbox
    from gateway.dispatch.ports import Destination, Snapshots
    from gateway.dispatch.session import Session
    from gateway.dispatch.starter import Starter
    from gateway.store.lanes import Claimed, LastSent

log = structlog.get_logger(__name__)

AT_ONCE: Final = 128
"""Claims read and encoded together: the first of many shall leave before the last is read."""


class Batch(NamedTuple):
    """Claims to be prepared; leased_at: monotonic seconds, not after their leases began."""

    claims: Sequence[Claimed]
    destinations: Mapping[str, Destination]
    leased_at: float


class Preparer:
    """Hands jobs to the starter and puts the rest into the inbox.

    Its thread starts with the first batch.
    """

    def __init__(
        self,
        session: Session,
        snapshots: Snapshots,
        starter: Starter,
        hand: Hand,
        inbox: Inbox[Any],
    ) -> None:
        self._session = session
        self._snapshots = snapshots
        self._starter = starter
        self._hand = hand
        self._inbox = inbox
        self._batches: queue.SimpleQueue[Batch | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._closing = False

    def put(self, batch: Batch) -> None:
        """Queue a batch."""
        for first in range(0, len(batch.claims), AT_ONCE):
            self._batches.put(batch._replace(claims=batch.claims[first : first + AT_ONCE]))
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="prepare", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Prepare nothing more; what waits is given back."""
        self._closing = True
        self._batches.put(None)

    def _work(self) -> None:
        with self._session:
            while (batch := self._batches.get()) is not None:
                done = self._prepared(batch)
                if done.jobs:
                    self._hand.hold(done.jobs)
                    self._starter.put(done.jobs)
                if any(done[1:]):
                    self._inbox.put(done)

    def _prepared(self, batch: Batch) -> Prepared:
        if self._closing:
            return Prepared([], [], [], list(batch.claims))
        try:
            return prepare(
                batch.claims,
                batch.destinations,
                self._snapshots,
                self._before(batch),
                room=self._hand.room,
                leased_at=batch.leased_at,
            )
        except STORE_AWAY as error:
            log.warning("dispatch.not_read", reason=type(error).__name__, detail=str(error))
            return Prepared([], [], [], list(batch.claims), away=True)
        except Exception as error:  # noqa: BLE001 - judged by its class, shown to a person
            return Prepared([], [Failed(claimed, error) for claimed in batch.claims], [], [])

    def _before(self, batch: Batch) -> dict[UUID, LastSent]:
        """Return the earlier sends that matter: those in doubt, or never cleared up."""
        doubtful: list[UUID] = []
        again: list[UUID] = []
        ready: list[UUID] = []
        for delivery, _ in batch.claims:
            target = batch.destinations[delivery.destination]
            if delivery.event_type == replies.EVENT:
                ready.append(delivery.id)  # the bytes themselves are kept, for every attempt
            elif delivery.state in {"unknown", "sending"}:
                doubtful.append(delivery.id)
            elif delivery.state == "retry" and target.policy.idempotent:
                again.append(delivery.id)  # the peer may know its key from an earlier send
        if not doubtful and not again and not ready:
            return {}
        connection = self._session.connection()
        return (
            replies.read(connection, ready)
            | lanes.last_sent(connection, doubtful)
            | lanes.open_doubts(connection, again)
        )
