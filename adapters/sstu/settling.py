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
from gateway.errors import BusyError, StateError, Violation
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


_ASKED: Final = frozenset({"sent", "unknown"})
_OPEN: Final = _ASKED | {"ready", "retry", "refused", "dead"}
CARRIED: Final = "Принято узлом из пакета · the node took it from a package"
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
        asked: set[UUID] = set()
        groups = list(_waiting(db, node, asked, with_list=bool(rows)))
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
    settled = {one.id for one in done}
    waiting = sum(one.id in asked - settled for group in groups for one in group)
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
    db: psycopg.Connection[Any], node: Node, asked: set[UUID], *, with_list: bool
) -> Iterator[list[Waiting]]:
    """Yield, appeal by appeal, the deliveries that were packed, the oldest first.

    A package tells an appeal as it is, whatever of it dispatch has got through with: where a
    refusal keeps the lane, the newest delivery stands for the document of today. asked: takes in
    those whose fate only the node can tell.
    """
    for page in stored.awaiting(db, node.code):
        for appeal, rows in page.items():
            open_ = [row for row in rows if row.state in _OPEN]
            asked |= {row.id for row in open_ if row.state in _ASKED}
            last = lanes.last_sent(db, [row.id for row in open_]) if with_list else {}
            group = []
            for row in open_:
                sent = last.get(row.id)
                body = sent.request if sent else None
                if row is open_[-1] and row.state not in _ASKED:
                    body = _today(node, appeal, row)
                elif body is None and with_list and row.state in _ASKED:
                    body = _today(node, appeal, row, row.payload_sha256)
                group.append(_one(node, row, body))
            yield group


def _today(node: Node, appeal: UUID, row: Told, digest: bytes | None = None) -> bytes | None:
    """The document as it would be packed; None when it cannot be, or has another digest."""
    snapshot = node.snapshots.load([asking(node.code, appeal, row.through)]).get(appeal)
    wire = document_of(snapshot, node)
    if isinstance(wire, Wire) and digest in (None, sha256(wire.body).digest()):
        return wire.body
    return None


def _one(node: Node, row: Told, body: bytes | None) -> Waiting:
    known = row.payload_sha256.hex() if row.payload_sha256 else ""
    error = row.error if row.state == "refused" else ""
    if body is None:
        return Waiting(row.id, row.appeal_id, known, error=error)
    since = row.created_at - node.adapter.options.clock_skew
    handed = row.state in _ASKED
    shows = node.adapter.expected(Wire(media_type="application/json", body=body))
    key = (shows.organisation.lower(), shows.key_folded)
    digest = sha256(body).hexdigest()
    return Waiting(row.id, row.appeal_id, digest, key, shows.digest, error, since, handed)


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
        if one.state == "refused" or one.id in held:
            try:
                with db.transaction():
                    _decide(db, one, now())
                held.discard(one.id)
            except (BusyError, StateError):
                held.add(one.id)
    db.execute("NOTIFY gateway_work")
    return held


def _decide(db: psycopg.Connection[Any], one: Settled, now: datetime) -> None:
    """Settle what dispatch may never have sent itself: the package has carried it."""
    code = "peer_refused" if one.state == "refused" else "confirmed"
    decision = deliveries.Decision(one.state, tuple(_OPEN), code, one.reason or CARRIED)
    deliveries._decide(db, one.id, decision, now)  # noqa: SLF001 - the store has no name for it yet
    if one.state == "refused":
        db.execute(stored.CLOSE, (one.id,))
