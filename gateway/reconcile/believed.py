"""What we believe a peer holds: today's state through the peer's own codec, page by page."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import psycopg
import structlog

from gateway.adapter import RemoteState, Wire
from gateway.dispatch.prepare import visible
from gateway.errors import BusyError, ConfigurationError, GatewayError, ValidationError
from gateway.reconcile import read
from gateway.reconcile.compare import Finding, Ours, unsendable
from gateway.reconcile.standing import Standing, Told, standing
from gateway.store import lanes
from gateway.store.lanes import Delivery

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from psycopg import Connection

    from gateway.dispatch import Destination, Snapshot, Snapshots
    from gateway.reconcile.ports import Register
    from gateway.reconcile.read import Scoped


log = structlog.get_logger(__name__)

_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)

OF_ALL: Final = (BusyError, ConfigurationError, psycopg.Error)
"""Errors that say nothing of the appeal at hand."""


class Believed(NamedTuple):
    """A page of what we believe.

    findings: appeals that cannot be compared because no document can be made. moving: those that
    are on their way for the first time. unlisted: bodies whose register the channel does not read.
    """

    ours: list[Ours]
    findings: list[Finding]
    moving: int
    unlisted: list[str]


class Shown(NamedTuple):
    """Today's document as the peer's register would show it, or why there is none."""

    expected: RemoteState | None
    sha256: bytes = b""
    problem: str = ""


def believed(
    connection: Connection[Any],
    page: Sequence[Scoped],
    target: Destination,
    register: Register,
    snapshots: Snapshots,
    *,
    reaches_citizen: bool,
) -> Believed:
    """Return what we believe of a page of appeals.

    Snapshots are read before deliveries: a change is written together with its delivery, so what
    the snapshot shows is owed already and counts as on its way.
    """
    loaded = _load(target.code, page, snapshots)
    told = read.told(connection, target.code, [item.appeal_id for item in page])
    out = Believed([], [], 0, [])
    moving = 0
    for item in page:
        stands = standing(told.get(item.appeal_id, []))
        if not stands.counts:
            continue
        shown = _shown(loaded.get(item.appeal_id), target, register)
        acked = _acknowledged(connection, stands, shown, register)
        expected = shown.expected or acked
        ours = Ours(
            appeal=item.appeal_id,
            receipt=item.receipt,
            expected=expected or RemoteState(key=item.receipt, key_folded=""),
            acked_digest=acked.digest if acked else "",
            since=stands.since,
            acked_at=stands.last.changed_at if stands.last else None,
            moving=stands.moving,
            whole=stands.last is not None and stands.last.payload_sha256 == shown.sha256,
            citizen=reaches_citizen and _citizen(stands),
            skipped=stands.skipped,
            problem=shown.problem,
            by_number=item.by_number,
            **_blocked(stands.blocked),
        )
        if expected is None:
            if stands.blocked:
                out.findings.append(unsendable(ours))
            else:
                moving += 1
        elif not register.lists(expected.organisation):
            out.unlisted.append(expected.organisation)
        else:
            out.ours.append(ours)
    return out._replace(moving=moving)


def _load(
    peer: str, page: Sequence[Scoped], snapshots: Snapshots
) -> dict[UUID, Snapshot | Exception]:
    """Read snapshots by appeal; one that fails harms itself only."""
    asked = [_asking(peer, item) for item in page]
    try:
        found = snapshots.load(asked)
    except OF_ALL:
        raise
    except Exception as error:  # noqa: BLE001 - one by one, to find whose it is
        if len(page) == 1:
            return {page[0].appeal_id: error}
        single: dict[UUID, Snapshot | Exception] = {}
        for item in page:
            single.update(_load(peer, [item], snapshots))
        return single
    return {d.appeal_id: found[d.id] for d in asked if d.appeal_id and d.id in found}


def _asking(peer: str, item: Scoped) -> Delivery:
    """A delivery of the appeal as a whole, as `Snapshots` takes it; it is never stored."""
    return Delivery(
        id=item.appeal_id, destination=peer, lane="", seq=0, kind="push",
        appeal_id=item.appeal_id, event_seq=None, event_type="", state="", attempts=0,
        created_at=_NEVER, may_reach_citizen=False, test=False, payload_sha256=None,
        through=item.through,
    )  # fmt: skip


def _shown(loaded: Snapshot | Exception | None, target: Destination, register: Register) -> Shown:
    if loaded is None:
        return Shown(None, problem="the appeal is not in the store")
    try:
        if isinstance(loaded, Exception):
            raise loaded
        shown = visible(loaded, target.policy, target.code)
        wire = target.codec.encode(shown.appeal, shown.event, shown.context)
    except OF_ALL:
        raise
    except ValidationError as error:
        named = "; ".join(f"{v.path}: {v.message}" for v in error.violations)
        return Shown(None, problem=named or error.message)
    except Exception as error:  # a defect in one appeal is that appeal's finding
        if not isinstance(error, GatewayError):
            log.exception("reconcile.defect", peer=target.code)
        return Shown(None, problem=_words(error))
    return Shown(register.expected(wire), sha256(wire.body).digest())


def _words(error: Exception) -> str:
    return error.message if isinstance(error, GatewayError) else type(error).__name__


def _acknowledged(
    connection: Connection[Any], stands: Standing, shown: Shown, register: Register
) -> RemoteState | None:
    """How the register shows what the peer took last; None when that is no longer known."""
    last = stands.last
    if last is None:
        return None
    if shown.expected is not None and last.payload_sha256 == shown.sha256:
        return shown.expected
    sent = lanes.last_sent(connection, [last.id]).get(last.id)
    if sent is None or sent.request is None:
        return None
    return register.expected(
        Wire(media_type=str(sent.head.get("media_type", "")), body=sent.request)
    )


def _citizen(stands: Standing) -> bool:
    row = stands.blocked or stands.last
    return row is not None and row.may_reach_citizen


def _blocked(row: Told | None) -> dict[str, Any]:
    if row is None:
        return {}
    return {
        "blocked": row.id,
        "blocked_state": row.state,
        "blocked_at": row.sent_at or row.created_at,
        "error": row.error,
    }
