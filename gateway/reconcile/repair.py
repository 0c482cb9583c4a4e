"""Repairs: put back into its lane what the peer lacks; nothing is sent from here.

Each repair is one transaction that looks again under the lane's lock: what moved meanwhile is left
to dispatch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID

import msgspec

from gateway.adapter import RemoteState
from gateway.errors import BusyError, StateError
from gateway.reconcile import findings, read
from gateway.reconcile.standing import standing
from gateway.store import deliveries, lanes, work

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from psycopg import Connection

    from gateway.reconcile.findings import Stored

REPAIRABLE: Final = frozenset({"resend", "mark_acknowledged", "expect"})
BY_PEER: Final = "reconcile: the peer shows it"

LOCK: Final = """
SELECT FROM lane l WHERE l.destination = $1
  AND l.key IN (SELECT d.lane FROM delivery d WHERE d.destination = $1 AND d.appeal_id = $2)
ORDER BY l.key FOR UPDATE
"""
"""The lanes of one appeal to one peer: nothing is added to them or taken while we decide."""


class Done(NamedTuple):
    """What became of one proposed repair; left: why it was not made, empty when it was."""

    finding: Stored
    left: str = ""


def repair(
    connection: Connection[Any], peer: str, run: UUID, now: datetime, limit: int | None
) -> Iterator[Done]:
    """Make the repairs of a run, at most `limit`; yield each with what became of it."""
    made = 0
    for finding in findings.read(connection, run):
        if finding.repair not in REPAIRABLE or finding.repaired_at is not None:
            continue
        if limit is not None and made >= limit:
            return
        try:
            with connection.transaction():
                left = _one(connection, peer, finding, now)
                if not left:
                    findings.repaired(connection, finding.id, now)
        except (BusyError, StateError) as error:
            left = error.message
        made += not left
        yield Done(finding, left)


def _one(connection: Connection[Any], peer: str, finding: Stored, now: datetime) -> str:
    delivery = UUID(finding.ours["delivery"]) if finding.ours.get("delivery") else None
    if finding.repair == "expect":
        state = msgspec.convert(finding.theirs, RemoteState)
        work.expect(connection, peer, state, now)
    elif finding.repair == "mark_acknowledged" and delivery is not None:
        deliveries.confirm(connection, delivery, now, BY_PEER)
    elif finding.class_ == "unknown_settled" and delivery is not None:
        deliveries.replay(connection, delivery, now)
    elif finding.appeal_id is not None:
        return _resend(connection, peer, finding.appeal_id, now)
    return ""


def _resend(connection: Connection[Any], peer: str, appeal_id: UUID, now: datetime) -> str:
    """Open the lane that a refusal closed, or owe today's state once more at the lane's end."""
    connection.execute(LOCK, (peer, appeal_id))
    stands = standing(read.told(connection, peer, [appeal_id]).get(appeal_id, []))
    if stands.blocked is not None:
        deliveries.replay(connection, stands.blocked.id, now, by_filter=True)
    elif stands.moving:
        return "on its way already"
    elif (last := stands.last) is not None and last.may_reach_citizen:
        return "it may reach a citizen: only a person sends it again, by its id"
    elif last is not None:
        again = lanes.NewDelivery(
            destination=peer,
            lane_key=last.lane,
            appeal_id=appeal_id,
            event_seq=last.event_seq,
            event_type=last.event_type,
            may_reach_citizen=last.may_reach_citizen,
            test=last.test,
            through=last.through,
        )
        lanes.enqueue(connection, [again], now)
    else:
        return "nothing was ever owed"
    return ""
