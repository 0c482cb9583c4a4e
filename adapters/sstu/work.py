"""What the commands do: join the store, a node's channel and files. Each step is a page long."""

from __future__ import annotations

import getpass
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import psycopg

from adapters.sstu import analytics, export, month, review_csv, review_rules, stored
from adapters.sstu.adapter import Sstu
from adapters.sstu.analytics import Row
from adapters.sstu.array import AT_ONCE
from gateway import audit, registry
from gateway.adapter import RemoteState, Window, Wire
from gateway.destinations import Builder
from gateway.dispatch.prepare import visible
from gateway.errors import (
    BusyError,
    ConfigurationError,
    GatewayError,
    InternalError,
    NotFoundError,
)
from gateway.snapshots import StoredSnapshots
from gateway.store import arrays, peers, readings
from gateway.store.blobs import BlobDirectory
from gateway.store.lanes import Delivery
from gateway.store.pool import Pool

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date
    from pathlib import Path
    from uuid import UUID

    from adapters.sstu.review_rules import Fault
    from gateway.dispatch import Destination, Snapshot
    from gateway.model.peer import Peer
    from gateway.settings import Settings

ADAPTER: Final = "sstu"
AT_A_TIME: Final = 20
"""Appeals read and encoded together; their files are read one appeal at a time."""
REPORT: Final = ("Квитанция", "Часть", "Документ", "SHA-256", "Причины")
_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ALWAYS: Final = Window(start=_NEVER, end=datetime(9999, 1, 1, tzinfo=UTC))
_STORE_AWAY: Final = (BusyError, psycopg.OperationalError)


class Opened(Protocol):
    """An open database with the settings of the installation."""

    settings: Settings
    url: str

    def now(self) -> datetime:
        """Return the instant, aware."""
        ...


class Node(NamedTuple):
    """A peer that speaks this adapter: what it is sent, and how appeals are read for it."""

    code: str
    target: Destination
    adapter: Sstu
    snapshots: StoredSnapshots


class Packing(NamedTuple):
    """What became of a month: documents packed, appeals left out, files made."""

    packed: int
    bad: int
    parts: tuple[str, ...]
    report: str


@contextmanager
def connected(url: str) -> Iterator[psycopg.Connection[Any]]:
    """Open a connection of the house: autocommit, `$1` placeholders, arrays registered."""
    with psycopg.connect(
        url, autocommit=True, cursor_factory=psycopg.RawCursor, connect_timeout=5
    ) as connection:
        arrays.register(connection)
        yield connection


def chosen(db: psycopg.Connection[Any], code: str) -> Peer:
    """Return the peer named, or the only one that speaks this adapter and is not disabled."""
    known = {c: row for c, row in peers.read_all(db).items() if row.adapter == ADAPTER}
    if not code:
        known = {c: row for c, row in known.items() if row.enabled} or known
    if code and code not in known:
        raise NotFoundError(
            "no such node", found=code, expected=", ".join(known), todo="`gateway peer list`"
        )
    if not code and len(known) != 1:
        raise ConfigurationError(
            "say which node", expected=", ".join(sorted(known)) or "a peer with adapter sstu",
            todo="add --peer",
        )  # fmt: skip
    return known[code] if code else next(iter(known.values()))


@contextmanager
def node(gw: Opened, code: str) -> Iterator[Node]:
    """Lend a node's destination and the snapshots for it; raise when its row does not fit."""
    with ExitStack() as stack:
        pool = Pool(gw.url)
        pool.open()
        stack.callback(pool.close)
        with pool.connection() as db:
            row = chosen(db, code)
        if not row.enabled:
            raise ConfigurationError(
                "узел отключён · this peer is disabled",
                where=f"peer {row.code}",
                todo=f"`gateway peer enable {row.code}`",
            )
        # only this row is built: what other rows need is none of this command's business
        builder = Builder(registry.load((ADAPTER,)), gw.settings, gw.now)
        stack.callback(builder.close)
        target = builder.build(row)
        assert isinstance(target.codec, Sstu)
        snapshots = StoredSnapshots(
            pool, BlobDirectory(gw.settings.blobs), lambda _: builder.options(row), gw.now
        )
        yield Node(row.code, target, target.codec, snapshots)


def zone_of(gw: Opened) -> ZoneInfo:
    """Return the zone of the house; raise ConfigurationError when there is none of its name."""
    try:
        return ZoneInfo(gw.settings.zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigurationError(
            "нет такого пояса · no such time zone",
            found=gw.settings.zone,
            expected="Europe/Moscow",
            where="zone",
        ) from error


def listed(node: Node, file: Path | None, *, ask: bool) -> dict[str, month.Listed] | None:
    """Return the node's list by number: of a file, or asked for; None when neither is wanted."""
    if file is not None:
        with file.open("rb") as source:
            return month.index(
                _states(analytics.read(pieces_of(source), node.adapter.options.zone))
            )
    if not ask:
        return None
    return month.index(node.adapter.reconcile(_ALWAYS))


def _states(rows: Iterable[Row | RemoteState]) -> Iterator[RemoteState]:
    for row in rows:
        yield row.state if isinstance(row, Row) else row


def pieces_of(source: Any) -> Iterator[bytes]:
    """Yield a file as it is read, some kilobytes at a time."""
    while piece := source.read(AT_ONCE):
        yield piece


def pack(
    gw: Opened,
    node: Node,
    span: tuple[date, date],
    out: Path,
    *,
    stem: str,
    whole: bool,
) -> Packing:
    """Write the month's packages and a report of what is where, and what is left out and why.

    whole: also what the node acknowledged, and what it is not told of. Raises ConfigurationError
    when the directory holds packages of the month already.
    """
    ground = node.target.policy.disclosure_ground
    _record(gw, "sstu pack", f"{span[0]:%Y-%m} → {node.code}", ground)
    out.mkdir(parents=True, exist_ok=True)
    if any(out.glob(f"{stem}*")):
        raise ConfigurationError(
            "the directory holds packages of this month already",
            found=str(out),
            todo="name another directory, or take those away",
        )
    report = out / f"{stem}report.csv"
    hidden = out / f".{report.name}.tmp"
    options = node.adapter.options
    packed = bad = 0
    parts: dict[str, None] = {}
    with connected(gw.url) as db, hidden.open("wb") as target:
        target.write(b"\xef\xbb\xbf" + review_csv.line(REPORT))
        for one in export.pack(
            _documents(stored.of_month(db, node.code, span, gw.settings.zone), node, whole=whole),
            out,
            now=gw.now().astimezone(options.zone),
            bounds=options.limits,
            stem=stem,
        ):
            packed, bad = packed + (one.error is None), bad + (one.error is not None)
            if one.part:
                parts[one.part] = None
            cells = (one.key, one.part, one.name, one.sha256, "; ".join(one.reasons))
            target.write(review_csv.line(review_csv.guarded(cells)))
    hidden.replace(report)
    return Packing(packed, bad, tuple(parts), str(report))


def _record(gw: Opened, what: str, subject: str, ground: str = "") -> None:
    """Note who took personal data out, before it is there to be taken."""
    reading = audit.Reading(
        at=gw.now(), who=getpass.getuser(), what=what, subject=subject, ground=ground
    )
    audit.record(gw.settings.data_dir, reading)
    with connected(gw.url) as db:
        readings.record(
            db, at=reading.at, who=reading.who, role="command", what=what, subject=subject,
            ground=ground,
        )  # fmt: skip


def _documents(
    found: Iterator[stored.Found], node: Node, *, whole: bool
) -> Iterator[tuple[str, Wire | GatewayError]]:
    """Yield the documents of those appeals that the node has still to be told of."""
    wanted: list[stored.Found] = []
    for one in found:
        if (whole and not one.known.aside) or stored.open_of(one.rows):
            wanted.append(one)
        if len(wanted) == AT_A_TIME:
            yield from _encoded(wanted, node)
            wanted = []
    yield from _encoded(wanted, node)


def _encoded(
    wanted: Sequence[stored.Found], node: Node
) -> Iterator[tuple[str, Wire | GatewayError]]:
    through = [next((row.through for row in one.rows[-1:]), None) for one in wanted]
    asked = [asking(node.code, one.appeal, own) for one, own in zip(wanted, through, strict=True)]
    snapshots = node.snapshots.load(asked)
    for one in wanted:
        yield one.known.receipt, document_of(snapshots.get(one.appeal), node)


def asking(peer: str, appeal: UUID, through: UUID | None) -> Delivery:
    """A delivery of the appeal as a whole, as `Snapshots` takes it; it is never stored."""
    return Delivery(
        id=appeal, destination=peer, lane="", seq=0, kind="push", appeal_id=appeal,
        event_seq=None, event_type="", state="", attempts=0,
        created_at=_NEVER, may_reach_citizen=False, test=False,
        payload_sha256=None, through=through,
    )  # fmt: skip


def document_of(snapshot: Snapshot | None, node: Node) -> Wire | GatewayError:
    """Return the document as dispatch would send it, or what is wrong with this one appeal."""
    if snapshot is None:
        return NotFoundError("the appeal is not in the store")
    try:
        shown = visible(snapshot, node.target.policy, node.code)
        return node.adapter.encode(shown.appeal, shown.event, shown.context)
    except _STORE_AWAY:
        raise
    except GatewayError as error:
        return error
    except Exception as error:  # noqa: BLE001 - a defect in one appeal never costs the others
        return InternalError("the appeal could not be encoded", where=type(error).__name__)


def check(file: Path, span: tuple[int, int] | None) -> list[Fault]:
    """Return what is wrong with an overview on disk."""
    with file.open("rb") as source:
        return list(review_rules.validate(pieces_of(source), span))


def overview(gw: Opened, out: Path, span: tuple[int, int]) -> tuple[int, list[Fault]]:
    """Write the overview of a month; return how many rows, and the faults of what was left out.

    An appeal with a bad row is left out whole; `column` of a fault begins with its receipt number.
    """
    first, after = month.bounds(*span)
    _record(gw, "sstu overview", f"{first:%Y-%m}")
    faults: list[Fault] = []
    written = 0
    hidden = out.with_name(f".{out.name}.tmp")
    pool = Pool(gw.url)
    pool.open()
    try:
        snapshots = StoredSnapshots(pool, BlobDirectory(gw.settings.blobs), lambda _: {}, gw.now)
        with connected(gw.url) as db, hidden.open("wb") as target:
            target.write(review_csv.HEAD)
            for page in stored.with_letters(db, (first, after)):
                loaded = snapshots.load([asking("", appeal, None) for appeal in page])
                for appeal in page:
                    rows = review_csv.rows(loaded[appeal].appeal) if appeal in loaded else []
                    wrong = [f for n, cells in enumerate(rows, start=1)
                             for f in review_rules.row(n, cells, span)]  # fmt: skip
                    if wrong:
                        receipt = loaded[appeal].appeal.receipt_number
                        faults += [f._replace(column=f"{receipt}: {f.column}") for f in wrong]
                        continue
                    written += len(rows)
                    target.writelines(review_csv.line(cells) for cells in rows)
        hidden.replace(out)
    finally:
        pool.close()
    return written, faults
