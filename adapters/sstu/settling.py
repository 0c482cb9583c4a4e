"""What a closed network gave back is read, and the deliveries that it speaks of are settled."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec.structs import replace

from adapters.sstu import analytics, offline, stored
from adapters.sstu.analytics import Row
from adapters.sstu.array import AT_ONCE
from adapters.sstu.offline import Result, Waiting
from adapters.sstu.work import asking, connected, document_of, pieces_of
from gateway.adapter import RemoteState, Wire
from gateway.errors import BusyError, Violation
from gateway.store import deliveries, lanes
from gateway.store import work as expectations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path
    from typing import Any
    from uuid import UUID

    import psycopg

    from adapters.sstu.offline import Settled
    from adapters.sstu.work import Node, Opened
    from gateway.reconcile.standing import Told


HELD: Final = "Отправка занята, повторите · a worker has it in hand, repeat"


class Read(NamedTuple):
    """What files of a closed network told. faults: what of them could not be read."""

    acknowledged: int
    refused: int
    waiting: int
    expected: int
    faults: tuple[str, ...]


def result(gw: Opened, node: Node, files: Sequence[Path], *, commit: bool) -> Read:
    """Read lists and result files, and settle what they say; see `offline`."""
    rows: dict[tuple[str, str], list[Row]] = {}
    results: dict[str, Result] = {}
    faults: list[str] = []
    for file in files:
        with file.open("rb") as source:
            start = source.read(AT_ONCE)
            source.seek(0)
            if offline.is_list(start):
                faults += _take_list(file.name, pieces_of(source), node, rows)
            else:
                faults += _take_results(file.name, offline.lines(source), results)
    with connected(gw.url) as db:
        strangers = _strangers(db, rows)
        groups = list(_waiting(db, node, with_list=bool(rows)))
        uploaded = node.adapter.options.ack == "upload"
        told = {one.id: one for one in offline.by_results(groups, results, uploaded=uploaded)}
        # what the node holds now says more than what it answered then
        told |= {one.id: one for one in offline.by_list(groups, rows, uploaded=uploaded)}
        held: set[UUID] = set()
        if commit:
            _expect(db, node.code, strangers, gw.now)
            held = _settle(db, node.code, list(told.values()), gw.now)
    done = [one for one in told.values() if one.id not in held]
    refused = sum(one.state == "refused" for one in done)
    waiting = sum(len(group) for group in groups) - len(done)
    if held:
        faults.append(f"{HELD}: {len(held)}")
    return Read(len(done) - refused, refused, waiting, len(strangers), tuple(faults))


def _take_list(
    name: str,
    pieces: Iterator[bytes],
    node: Node,
    rows: dict[tuple[str, str], list[Row]],
) -> Iterator[str]:
    for row in analytics.read(pieces, node.adapter.options.zone):
        if isinstance(row, Row):
            state = replace(row.state, raw=b"")
            key = (state.organisation.lower(), state.key_folded)
            rows.setdefault(key, []).append(row._replace(state=state))
        else:
            yield f"{name}: {row.key}: {row.exception_message}"


def _take_results(name: str, lines: Iterable[bytes], results: dict[str, Result]) -> Iterator[str]:
    for one in offline.read(lines):
        if isinstance(one, Violation):
            yield f"{name}:{one.line}: {one.message} ({one.found})"
        else:
            results[one.sha256.lower()] = one


def _strangers(
    db: psycopg.Connection[Any], rows: dict[tuple[str, str], list[Row]]
) -> list[RemoteState]:
    """Rows whose numbers no appeal of ours has."""
    ours = stored.here(db, [key for _, key in rows])
    return [same[0].state for (_, key), same in rows.items() if key and key not in ours]


def _waiting(
    db: psycopg.Connection[Any], node: Node, *, with_list: bool
) -> Iterator[list[Waiting]]:
    """Yield, appeal by appeal, the deliveries whose fate is not known, the oldest first."""
    for page in stored.awaiting(db, node.code):
        for appeal, rows in page.items():
            open_ = [row for row in rows if row.state in {"sent", "unknown"}]
            last = lanes.last_sent(db, [row.id for row in open_]) if with_list else {}
            group = []
            for row in open_:
                sent = last.get(row.id)
                body = sent.request if sent else None
                if body is None and with_list:
                    body = _today(node, appeal, row)
                group.append(_one(node, row, body))
            yield group


def _today(node: Node, appeal: UUID, row: Told) -> bytes | None:
    """The bytes of a document too large to be kept, if the appeal has not changed since."""
    snapshot = node.snapshots.load([asking(node.code, appeal, row.through)]).get(appeal)
    wire = document_of(snapshot, node)
    if isinstance(wire, Wire) and sha256(wire.body).digest() == row.payload_sha256:
        return wire.body
    return None


def _one(node: Node, row: Told, body: bytes | None) -> Waiting:
    digest = row.payload_sha256.hex() if row.payload_sha256 else ""
    if body is None:
        return Waiting(row.id, row.appeal_id, digest)
    shows = node.adapter.expected(Wire(media_type="application/json", body=body))
    key = (shows.organisation.lower(), shows.key_folded)
    return Waiting(row.id, row.appeal_id, digest, key, shows.digest)


def _expect(
    db: psycopg.Connection[Any],
    code: str,
    strangers: Sequence[RemoteState],
    now: Callable[[], datetime],
) -> None:
    """Keep what only the node has until its appeal comes."""
    for at in range(0, len(strangers), stored.PAGE):
        with db.transaction():
            told = [(code, state) for state in strangers[at : at + stored.PAGE]]
            expectations.expect_all(db, told, (), now())


def _settle(
    db: psycopg.Connection[Any], code: str, told: Sequence[Settled], now: Callable[[], datetime]
) -> set[UUID]:
    """Write what was told, some hundreds in a transaction; return what a worker has in hand."""
    taken = [one.id for one in told if one.state == "acknowledged"]
    held = set(taken)
    for at in range(0, len(taken), stored.PAGE):
        with db.transaction():
            held -= set(deliveries.acknowledge(db, code, now(), ids=taken[at : at + stored.PAGE]))
    for one in told:
        if one.state == "refused":
            try:
                with db.transaction():
                    _refuse(db, one, now())
            except BusyError:
                held.add(one.id)
    db.execute("NOTIFY gateway_work")
    return held


def _refuse(db: psycopg.Connection[Any], one: Settled, now: datetime) -> None:
    decision = deliveries.Decision(
        "refused", ("sent", "unknown"), "peer_refused", one.reason[:2000].replace("\0", "")
    )
    deliveries._decide(db, one.id, decision, now)  # noqa: SLF001 - the store has no name for it yet
    db.execute(stored.CLOSE, (one.id,))
