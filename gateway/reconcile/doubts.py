"""Doubtful deliveries: the peer is asked what became of each, and says so in a finding."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from gateway.adapter import SENT_AT, Wire
from gateway.dispatch.prepare import visible
from gateway.errors import GatewayError, PeerDoubtful, PeerRefused, UnsupportedError
from gateway.reconcile.compare import Finding, Repair

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from gateway.adapter import Receipt
    from gateway.dispatch import Destination, Snapshots
    from gateway.reconcile.read import Doubt
    from gateway.store.lanes import LastSent


class Asked(NamedTuple):
    """What asking about a doubt came to; None: it is too fresh, or taken and not yet settled."""

    finding: Finding | None


def ask(
    doubts: Sequence[Doubt],
    last: Mapping[UUID, LastSent],
    target: Destination,
    snapshots: Snapshots,
    now: datetime,
) -> list[Asked]:
    """Ask about each doubt; raise PeerUnavailable when the peer does not answer.

    A doubt that is younger than `settle_after` is left alone: the peer may still be working on it,
    and "not there" would send it twice.
    """
    wait = timedelta(seconds=target.policy.timeout + target.policy.settle_after)
    asked = []
    for doubt in doubts:
        sent = last.get(doubt.delivery.id)
        if (sent.started_at if sent else doubt.delivery.created_at) + wait > now:
            asked.append(Asked(None))
            continue
        asked.append(_one(doubt, sent, target, snapshots))
    return asked


def _one(doubt: Doubt, sent: LastSent | None, target: Destination, snapshots: Snapshots) -> Asked:
    try:
        wire = _wire(doubt, sent, target, snapshots)
        receipt = target.channel.settle(wire, str(doubt.delivery.id))
    except (PeerDoubtful, PeerRefused, UnsupportedError) as error:
        said = {"error": error.message, "todo": error.todo}
        return Asked(_finding(doubt, sent, said, "cannot_tell", "ask_operator"))
    if receipt is None:
        return Asked(_finding(doubt, sent, {}, "never_arrived", "resend"))
    if not receipt.final:
        return Asked(None)
    return Asked(_finding(doubt, sent, _said(receipt), "arrived", "mark_acknowledged"))


def _wire(doubt: Doubt, sent: LastSent | None, target: Destination, snapshots: Snapshots) -> Wire:
    """The document as it was sent; made anew where it was too large to keep, if it still is it."""
    if sent is None:
        raise PeerDoubtful("nothing is kept of the send in doubt", todo="settle it by hand")
    began = sent.started_at.isoformat()
    if sent.request is not None:
        head: dict[str, Any] = sent.head
        return Wire(
            media_type=head.get("media_type", ""),
            body=sent.request,
            name=head.get("name", ""),
            headers={**head.get("headers", {}), SENT_AT: began},
        )
    try:
        shown = visible(
            snapshots.load([doubt.delivery])[doubt.delivery.id], target.policy, target.code
        )
        context = msgspec.structs.replace(shown.context, key=str(doubt.delivery.id))
        wire = target.codec.encode(shown.appeal, shown.event, context)
    except (GatewayError, KeyError) as error:
        raise PeerDoubtful(f"the document cannot be made again: {error}") from error
    if sha256(wire.body).digest() != sent.sha256:
        raise PeerDoubtful(
            "the content has changed since the send that is in doubt", todo="settle it by hand"
        )
    return msgspec.structs.replace(wire, headers={**wire.headers, SENT_AT: began})


def _said(receipt: Receipt) -> dict[str, Any]:
    """What a receipt says, without its body, which may name people."""
    told = {"reference": receipt.reference, "at": receipt.at and receipt.at.isoformat()}
    return {name: value for name, value in told.items() if value}


def _finding(
    doubt: Doubt, sent: LastSent | None, theirs: dict[str, Any], cause: str, repair: Repair
) -> Finding:
    delivery = doubt.delivery
    return Finding(
        class_="unknown_settled",
        key=doubt.receipt or str(delivery.id),
        appeal=delivery.appeal_id,
        ours={
            "receipt": doubt.receipt,
            "delivery": str(delivery.id),
            "delivery_state": delivery.state,
            "sent_at": sent.started_at.isoformat() if sent else "",
        },
        theirs=theirs,
        cause=cause,
        repair=repair,
    )
