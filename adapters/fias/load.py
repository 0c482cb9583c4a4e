"""A delivery into what is searched: region by region, staged, built, swapped.

    with Delivery(path, drift) as delivery:
        loaded = load(connection, delivery, Wish(regions=("36",)), now)

A full delivery is staged file by file and may be broken off at any moment; what was loaded before
is searched until the last statement. A delta is one transaction for each region.
"""

from __future__ import annotations

from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
import psycopg

from adapters.fias import delta, loads, room
from adapters.fias.build import ALL, SEARCHED, build
from adapters.fias.drift import Drift
from adapters.fias.format import TABLES, wanted
from adapters.fias.members import Kind
from adapters.fias.staging import dictionaries, make, raw, stage
from adapters.fias.swap import TRIES, Label, bump, partition, swap
from gateway.errors import BusyError, ConfigurationError, MalformedError, NotFoundError, StateError

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from adapters.fias.build import Built
    from adapters.fias.members import Delivery
    from adapters.fias.staging import Staged, Told

SHRINKS: Final = 0.5
"""A delivery that says nothing of its kind and has fewer objects or houses than this share of what
is loaded is taken for a delta, or for one that lacks a file, and refused."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be loaded of a delivery.

    regions: codes (`36`); none named: all of the delivery, of a delta all that are loaded.
    extras: `apartments`, `steads`. kind, version: when they are not to be read from the delivery.
    smaller: a person has said that it may have less than half of what is loaded.
    after: the VersionId that a delta follows. free: bytes that the load may take, None to not ask.
    restart: forget what a load that was broken off has staged. tries: for the locks of the swap.
    """

    regions: tuple[str, ...] = ()
    extras: frozenset[str] = frozenset()
    kind: Kind | None = None
    smaller: bool = False
    version: int = 0
    after: int = 0
    free: int | None = None
    restart: bool = False
    tries: int = TRIES


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """What was done of one region. state: `loaded`, or `applied already`, `no change` of a delta.

    rows: kept in each raw table. seconds: of staging, building, swapping. strange: how often what,
    examples: the first of each.
    """

    region: str
    version: int
    kind: Kind
    state: str = "loaded"
    objects: int = 0
    names: int = 0
    houses: int = 0
    flats: int = 0
    rows: dict[str, int] = {}
    xml_bytes: int = 0
    kept_files: int = 0
    seconds: dict[str, float] = {}
    strange: dict[str, int] = {}
    examples: dict[str, list[str]] = {}


class _Work(NamedTuple):
    """One load: where to, of what, as wished, told to whom; drift: of the delivery as a whole."""

    connection: psycopg.Connection[Any]
    delivery: Delivery
    wish: Wish
    version: int
    now: Callable[[], datetime]
    told: Told
    drift: Drift

    def step(self, name: str) -> None:
        """Tell a step of the build."""
        self.told(name, 0, 0)


def load(
    connection: psycopg.Connection[Any],
    delivery: Delivery,
    wish: Wish,
    now: Callable[[], datetime],
    told: Told = lambda _name, _bytes, _rows: None,
    *,
    drift: Drift | None = None,
) -> list[Loaded]:
    """Load a delivery; return what was done of each region, in order.

    connection: autocommit with `$1` placeholders. drift: what opening the delivery found strange.
    Raises MalformedError, TooLargeError and UnsupportedError for a delivery that cannot be read,
    StateError for a delta out of order, BusyError when another load runs or the tables are held:
    what is searched stays as it was, but for regions that were done before.
    """
    kind = wish.kind or delivery.kind
    version = wish.version or delivery.version
    if not 19_000_101 <= version <= 99_991_231:
        raise ConfigurationError(
            "номер версии не найден ни в version.txt, ни в именах файлов · no VersionId",
            found=str(version), todo="--version 20260908",
        )  # fmt: skip
    work = _Work(connection, delivery, wish, version, now, told, drift or Drift())
    with _store(), loads.alone(connection):
        return _deltas(work) if kind == "delta" else _fulls(work)


@contextmanager
def _store() -> Iterator[None]:
    """Tell a database that went away, or whose disk is full, as an error of the house."""
    try:
        yield
    except psycopg.OperationalError as error:
        raise BusyError(
            f"база данных прервала загрузку; повторите её, разобранное не пропало · the database"
            f" broke the load off; load again: {error}",
            retry_after=60,
            where="database",
        ) from error


def _regions(delivery: Delivery, wish: Wish) -> list[str]:
    """Return the regions to load; raise NotFoundError for one that is not in the delivery."""
    there = delivery.regions
    missing = [region for region in wish.regions if region not in there]
    if missing or not there:
        raise NotFoundError(
            "в выгрузке нет такого региона · no such region in the delivery",
            found=", ".join(missing), expected=", ".join(there), where=str(delivery.path),
        )  # fmt: skip
    return sorted(wish.regions) or there


def _fulls(work: _Work) -> list[Loaded]:
    """Load every wanted region of a full delivery, one after the other."""
    regions, kinds = _regions(work.delivery, work.wish), wanted(work.wish.extras)
    if work.wish.free is not None:
        needs = {r: room.of_members(work.delivery.of(r, kinds)) for r in regions}
        room.require(needs, work.wish.free)
    dictionaries(work.connection, work.delivery, work.drift)
    return [_full(work, region) for region in regions]


def _full(work: _Work, region: str) -> Loaded:
    """Stage, build and swap one region."""
    connection, wish, now = work.connection, work.wish, work.now
    code, source = int(region), work.delivery.path.name
    begun = loads.Begun(code, work.version, "full", source, wish.extras)
    number = loads.begin(connection, begun, now(), restart=wish.restart)
    for kind in ALL:
        make(connection, TABLES[kind].name, region, number)
    staged = stage(
        connection, work.delivery, region, wanted(wish.extras), number, now(), told=work.told
    )
    if not staged.rows.get("gar_addr_obj"):
        loads.drop(connection, code, number)
        raise MalformedError(
            "в выгрузке нет ни одного адресного объекта региона · no ADDR_OBJ rows of the region",
            where=f"{source}: {region}/AS_ADDR_OBJ_*.XML",
            todo="скачайте выгрузку заново · fetch it again",
        )
    sources = {kind: raw(TABLES[kind].name, code, number) for kind in ALL}
    built = build(connection, code, number, sources, now().date(), told=work.step)
    if not wish.smaller:
        _not_a_delta(connection, code, built, work.delivery)
    started = monotonic()
    with connection.transaction():
        label = Label(work.version, source, now())
        swap(connection, code, number, built, label, tries=wish.tries)
        made = _loaded(work, region, "full", staged, built)
        made.seconds["swapping"] = round(monotonic() - started, 2)
        loads.finish(connection, number, msgspec.to_builtins(made), now())
    return made


def _not_a_delta(
    connection: psycopg.Connection[Any], region: int, built: Built, delivery: Delivery
) -> None:
    """Refuse a delivery that would take the place of one twice as large, in objects or houses."""
    row = connection.execute(
        "SELECT objects, houses FROM address_version WHERE region = $1", (region,)
    ).fetchone()
    for what, were, are in zip(
        ("объектов · objects", "домов · houses"), row or (), (built.objects, built.houses),
        strict=False,
    ):  # fmt: skip
        if are < SHRINKS * were:
            raise StateError(
                "в выгрузке вдвое меньше, чем загружено: это дельта, или в ней нет файла? · half"
                " of what is loaded: a delta, or a file is missing?",
                current_state=f"{region:02d}: {were}, {delivery.path.name}: {are}, {what}",
                todo="назовите, что это · say what it is: --delta --after N, or --full",
            )


def _deltas(work: _Work) -> list[Loaded]:
    """Put a delta over every wanted region that is loaded."""
    connection, wish = work.connection, work.wish
    loaded = loads.versions(connection)
    chosen = sorted(int(region) for region in wish.regions) or sorted(loaded)
    strangers = [f"{region:02d}" for region in chosen if region not in loaded]
    if strangers or not chosen:
        raise StateError(
            "регион не загружен: дельту не к чему приложить · the region is not loaded",
            current_state=", ".join(strangers) or "-",
            todo=f"{delta.FULL} {strangers[0] if strangers else 36}",
        )
    over = delta.fitting(loaded, chosen, work.version, wish.after)
    if wish.free is not None:
        room.require({f"{r:02d}": _of_delta(work, r) for r in over}, wish.free)
    if over:
        dictionaries(connection, work.delivery, work.drift, whole=False)
    return [
        _delta(work, region)
        if region in over
        else Loaded(
            region=f"{region:02d}", version=work.version, kind="delta", state="applied already"
        )
        for region in chosen
    ]


def _of_delta(work: _Work, region: int) -> room.Need:
    """Return what a delta takes: its rows, and the searched tables of the region once more."""
    kinds = wanted(loads.extras_of(work.connection, region))
    own = room.of_members(work.delivery.of(f"{region:02d}", kinds))
    sizes = [
        work.connection.execute("SELECT pg_total_relation_size($1::regclass)", (name,)).fetchone()
        for table in SEARCHED
        if (name := partition(work.connection, table, region))
    ]
    return own._replace(disk=own.disk + sum(size[0] for size in sizes if size))


def _delta(work: _Work, region: int) -> Loaded:
    """Put a delta over one region as one transaction: rows, searched tables, version."""
    connection, now = work.connection, work.now
    code, source = f"{region:02d}", work.delivery.path.name
    kinds = wanted(loads.extras_of(connection, region))
    if not work.delivery.of(code, kinds):
        with connection.transaction():
            connection.execute(
                "UPDATE address_version SET version = $2, loaded_at = $3 WHERE region = $1",
                (region, work.version, now()),
            )
            bump(connection)
        return Loaded(region=code, version=work.version, kind="delta", state="no change")
    with connection.transaction():
        begun = loads.Begun(region, work.version, "delta", source, frozenset())
        number = loads.begin(connection, begun, now())
        ids: dict[str, array[int]] = {}
        staged = stage(
            connection, work.delivery, code, kinds, number, now(), told=work.told, ids=ids
        )
        delta.put(connection, region, number, kinds, ids, staged.drift)
        sources = {kind: _standing(connection, kind, region) for kind in ALL}
        built = build(connection, region, number, sources, now().date(), told=work.step)
        started = monotonic()
        label = Label(work.version, source, now())
        swap(connection, region, number, built, label, raws=False, tries=work.wish.tries)
        made = _loaded(work, code, "delta", staged, built)
        made.seconds["swapping"] = round(monotonic() - started, 2)
        loads.finish(connection, number, msgspec.to_builtins(made), now())
    return made


def _standing(connection: psycopg.Connection[Any], kind: str, region: int) -> str:
    """Return the raw table of a region that is in use."""
    table = TABLES[kind].name
    found = partition(connection, table, region)
    if found is None:
        raise BusyError("таблицы региона исчезли · the region's tables are gone", where=table)
    return found


def _loaded(work: _Work, region: str, kind: Kind, staged: Staged, built: Built) -> Loaded:
    strange = Drift()
    for drift in (work.drift, staged.drift, built.drift):
        strange.add(drift)
    return Loaded(
        region=region, version=work.version, kind=kind, objects=built.objects, names=built.names,
        houses=built.houses, flats=built.flats, rows=staged.rows, xml_bytes=staged.bytes,
        kept_files=staged.kept, strange=strange.counts, examples=strange.examples,
        seconds={"staging": round(staged.seconds, 2), "building": round(built.seconds, 2)},
    )  # fmt: skip
