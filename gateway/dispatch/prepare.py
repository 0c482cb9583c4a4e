"""From a claimed delivery to the bytes that may leave: the one place where disclosure is enforced.

No channel and no codec sees an appeal that did not pass `visible` (docs/adr/0014).
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
import psycopg

from gateway.adapter import Wire
from gateway.additions import LETTERS, letter_id
from gateway.disclosure import disclose, disclose_event, files_of
from gateway.dispatch.ports import Snapshot
from gateway.dispatch.verdict import left_to_person, skipped
from gateway.errors import BusyError, InternalError, PeerRefused, UnsupportedError
from gateway.limits import BODY_IN_ROW_BYTES
from gateway.model.events import EventType
from gateway.model.ids import uuid7
from gateway.sharing import share, share_event

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence
    from datetime import datetime
    from uuid import UUID

    from gateway.adapter import EncodeContext
    from gateway.dispatch.ports import Destination, Policy, Snapshots
    from gateway.model.events import Event
    from gateway.store.lanes import Claimed, LastSent, Settled

TEST_STAYS: Final = "a test message does not leave to a production system"
STORE_AWAY: Final = (BusyError, psycopg.OperationalError)


class Job(NamedTuple):
    """A delivery ready to be sent, or to be asked about when `ask` is set.

    leased_at: monotonic seconds, not after the lease began.
    """

    claimed: Claimed
    destination: Destination
    wire: Wire
    attempt: UUID
    ask: bool = False
    doubted_at: datetime | None = None
    leased_at: float = 0.0

    @property
    def key(self) -> str:
        """The idempotency key: the delivery's id, the same for every attempt."""
        return str(self.claimed.delivery.id)

    @property
    def sha256(self) -> bytes:
        """Digest of the bytes that leave."""
        return sha256(self.wire.body).digest()

    @property
    def head(self) -> str:
        """What is kept of the request besides its body, as JSON."""
        wire = self.wire
        head = {"media_type": wire.media_type, "name": wire.name, "headers": dict(wire.headers)}
        return msgspec.json.encode(head).decode().replace("\\u0000", "")

    @property
    def kept(self) -> bytes | None:
        """The body as evidence and for a repeat; None when too large for a row."""
        return self.wire.body if len(self.wire.body) <= BODY_IN_ROW_BYTES else None


class Failed(NamedTuple):
    """A delivery that could not be prepared."""

    claimed: Claimed
    error: Exception


class Prepared(NamedTuple):
    """What became of a batch of claims.

    back: those that are to be leased again later. away: because the store could not be read.
    """

    jobs: list[Job]
    failures: list[Failed]
    ended: list[Settled]
    back: list[Claimed]
    away: bool = False


class _Shown(Mapping[str, bytes]):
    """Files that a destination may see; one is read when its encoder asks for it."""

    def __init__(self, files: Mapping[str, bytes], named: Container[str]) -> None:
        self._files = files
        self._digests = frozenset(digest for digest in files if digest in named)

    def __getitem__(self, digest: str) -> bytes:
        if digest not in self._digests:
            raise KeyError(digest)
        return self._files[digest]

    def __iter__(self) -> Iterator[str]:
        return iter(self._digests)

    def __len__(self) -> int:
        return len(self._digests)


def visible(snapshot: Snapshot, policy: Policy, peer: str, key: str = "") -> Snapshot:
    """Return what a destination may see of a snapshot; raise ConfigurationError.

    key: idempotency key that the encoder shall know.
    Files that the disclosed appeal no longer names are taken out of the context too.
    """
    level, redacted = policy.level, policy.text_is_redacted
    if snapshot.own is not None:
        appeal = share(snapshot.own, snapshot.appeal, level)
        event = snapshot.event and share_event(snapshot.event, level)
    else:
        appeal = disclose(snapshot.appeal, level, peer=peer, text_is_redacted=redacted)
        event = snapshot.event and disclose_event(snapshot.event, level)
    files = snapshot.context.files
    if files:
        files = _Shown(files, files_of(appeal))
    context = msgspec.structs.replace(snapshot.context, files=files, key=key, peer=peer)
    if snapshot.event is not None and event is not None:
        event, context = _own_word(snapshot.event, event, context)
    return Snapshot(appeal, event, context)


def _own_word(whole: Event, shown: Event, context: EncodeContext) -> tuple[Event, EncodeContext]:
    """Say which report of the destination's own the event answers, whatever its level hides.

    Why it was refused is hidden from nobody who made it.
    """
    own = whole.actor.kind == "peer" and whole.actor.id == context.peer
    if own and whole.type is EventType.REPORT_REFUSED:
        shown = msgspec.structs.replace(shown, payload=whole.payload)
    return shown, msgspec.structs.replace(
        context,
        own=own,
        message_key=whole.key if own else "",
        letter=str(letter_id(whole)) if whole.type in LETTERS else "",
    )


def prepare(
    claims: Sequence[Claimed],
    destinations: Mapping[str, Destination],
    snapshots: Snapshots,
    last_sent: Mapping[UUID, LastSent],
    *,
    room: int,
    leased_at: float,
) -> Prepared:
    """Read, disclose and encode a batch of claims; one that fails harms itself only.

    A codec that has no word for an event raises UnsupportedError: the delivery is skipped. room:
    bytes of bodies after which the rest of the batch is given back. Raises BusyError and
    psycopg.OperationalError when the store is away: that says nothing about the deliveries.
    """
    done = Prepared([], [], [], [])
    fresh = _sorted_out(claims, destinations, last_sent, done)
    loaded = _load(fresh, snapshots)
    size = sum(len(job.wire.body) for job in done.jobs)
    for claimed in fresh:
        if size >= room:
            done.back.append(claimed)
            continue
        target = destinations[claimed.delivery.destination]
        try:
            job = _encode(claimed, target, loaded, last_sent.get(claimed.delivery.id))
        except STORE_AWAY:
            raise
        except UnsupportedError as error:
            if _is_doubtful(claimed):
                done.failures.append(Failed(claimed, error))
            else:
                done.ended.append(skipped(claimed, error.message))
        except Exception as error:  # noqa: BLE001 - judged by its class, shown to a person
            done.failures.append(Failed(claimed, error))
        else:
            done.jobs.append(job)
            size += len(job.wire.body)
    return done._replace(jobs=[job._replace(leased_at=leased_at) for job in done.jobs])


def _sorted_out(
    claims: Sequence[Claimed],
    destinations: Mapping[str, Destination],
    last_sent: Mapping[UUID, LastSent],
    done: Prepared,
) -> list[Claimed]:
    """Return what must be read and encoded; the rest is done."""
    fresh: list[Claimed] = []
    for claimed in claims:
        delivery = claimed.delivery
        target = destinations[delivery.destination]
        last = last_sent.get(delivery.id)
        if delivery.test and not target.policy.test:
            done.ended.append(skipped(claimed, TEST_STAYS))
        elif _is_doubtful(claimed) and not (target.policy.can_ask or target.policy.idempotent):
            done.ended.append(left_to_person(claimed))
        elif last is not None and last.request is not None:
            done.jobs.append(_repeat(claimed, target, last, last.request))
        else:
            fresh.append(claimed)
    return fresh


def _load(claims: Sequence[Claimed], snapshots: Snapshots) -> Mapping[UUID, Snapshot | Exception]:
    if not claims:
        return {}
    try:
        return dict(snapshots.load([c.delivery for c in claims]))
    except STORE_AWAY:
        raise
    except Exception as error:  # noqa: BLE001 - one by one, to find whose it is
        if len(claims) == 1:
            return {claims[0].delivery.id: error}
    found: dict[UUID, Snapshot | Exception] = {}
    for claimed in claims:
        found.update(_load([claimed], snapshots))
    return found


def _is_doubtful(claimed: Claimed) -> bool:
    return claimed.delivery.state in {"unknown", "sending"}


def _repeat(claimed: Claimed, target: Destination, last: LastSent, request: bytes) -> Job:
    """A doubtful delivery as it was sent: to ask about it, or to send the very same bytes.

    Also one that a person sends again after a refusal, while an earlier send was never cleared up.
    """
    head: dict[str, Any] = last.head
    wire = Wire(
        media_type=head.get("media_type", ""),
        body=request,
        name=head.get("name", ""),
        headers=head.get("headers", {}),
    )
    doubtful = _is_doubtful(claimed)
    doubted_at = last.started_at if doubtful or not last.owed else None
    ask = target.policy.can_ask and doubtful
    return Job(claimed, target, wire, uuid7(), ask=ask, doubted_at=doubted_at)


def _encode(
    claimed: Claimed,
    target: Destination,
    loaded: Mapping[UUID, Snapshot | Exception],
    last: LastSent | None,
) -> Job:
    delivery = claimed.delivery
    snapshot = loaded.get(delivery.id)
    if snapshot is None:
        raise InternalError("there is nothing to send for this delivery", where="snapshots")
    if isinstance(snapshot, Exception):
        raise snapshot
    shown = visible(snapshot, target.policy, target.code, key=str(delivery.id))
    wire = target.codec.encode(shown.appeal, shown.event, shown.context)
    job = Job(claimed, target, wire, uuid7())
    if not _is_doubtful(claimed):
        return job
    ask = target.policy.can_ask
    if last is not None and not ask and last.sha256 != job.sha256:
        raise PeerRefused(
            "the content has changed since the send that is in doubt",
            todo="ask the peer, then confirm, replay or skip this delivery",
        )
    return job._replace(ask=ask, doubted_at=last.started_at if last else delivery.created_at)
