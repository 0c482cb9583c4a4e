"""A delivery into what is searched: region by region, staged, built, swapped.

    with Delivery(path, drift) as delivery:
        loaded = load(connection, delivery, Wish(regions=("36",)), now)

A full delivery is staged file by file and may be broken off at any moment; what was loaded before
is searched until the last statement. A delta is one transaction for each region.
"""

from __future__ import annotations

from array import array
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import msgspec

from adapters.fias import delta, loads, room
from adapters.fias.build import ALL, build
from adapters.fias.drift import Drift
from adapters.fias.format import TABLES, wanted
from adapters.fias.staging import dictionaries, make, raw, stage
from adapters.fias.swap import TRIES, Label, bump, partition, swap
from gateway.errors import BusyError, ConfigurationError, MalformedError, NotFoundError, StateError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    import psycopg

    from adapters.fias.build import Built
    from adapters.fias.members import Delivery, Kind
    from adapters.fias.staging import Staged, Told

SHRINKS: Final = 0.5
"""A delivery that says nothing of its kind and has fewer objects than this share of what is loaded
is taken for a delta, and refused."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be loaded of a delivery.

    regions: codes (`36`), all of the delivery when none are named (of a delta: all that are loaded).
    extras: `apartments`, `steads`. kind, version: when they are not to be read from the delivery.
    after: the VersionId that a delta follows. free: bytes that the load may take, None to not ask.
    restart: forget what a load that was broken off has staged. tries: for the locks of the swap.
    """

    regions: tuple[str, ...] = ()
    extras: frozenset[str] = frozenset()
    kind: Kind | None = None
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
    with loads.alone(connection):
        if kind == "delta":
            return _deltas(connection, delivery, wish, version, now, told, drift or Drift())
        regions = _regions(delivery, wish)
        kinds = wanted(wish.extras)
        if wish.free is not None:
            room.require({r: room.of_members(delivery.of(r, kinds)) for r in regions}, wish.free)
        general = drift or Drift()
        dictionaries(connection, delivery, general)
        return [
            _full(connection, delivery, wish, region, version, now, told, general)
            for region in regions
        ]


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


def _full(
    connection: psycopg.Connection[Any],
    delivery: Delivery,
    wish: Wish,
    region: str,
    version: int,
    now: Callable[[], datetime],
    told: Told,
    general: Drift,
) -> Loaded:
    """Stage, build and swap one region."""
    code, source = int(region), delivery.path.name
    number = loads.begin(
        connection, code, version, "full", source, wish.extras, now(), restart=wish.restart
    )
    _make_all(connection, code, number)
    staged = stage(connection, delivery, region, wanted(wish.extras), number, now(), told)
    if not staged.rows.get("gar_addr_obj"):
        loads.drop(connection, code, number)
        raise MalformedError(
            "в выгрузке нет ни одного адресного объекта региона · no ADDR_OBJ rows of the region",
            where=f"{source}: {region}/AS_ADDR_OBJ_*.XML",
            todo="скачайте выгрузку заново · fetch it again",
        )
    sources = {kind: raw(TABLES[kind].name, code, number) for kind in ALL}
    built = build(connection, code, number, sources, now().date(), lambda s: told(s, 0, 0))
    if wish.kind is None:
        _not_a_delta(connection, code, built, delivery)
    started = monotonic()
    with connection.transaction():
        swap(connection, code, number, built, Label(version, source, now()), tries=wish.tries)
        made = _loaded(region, version, "full", staged, built, general, started)
        loads.finish(connection, number, msgspec.to_builtins(made), now())
    return made


def _make_all(connection: psycopg.Connection[Any], region: int, load: int) -> None:
    """Make every raw table of a region, also those that nothing is read into."""
    for kind in ALL:
        make(connection, TABLES[kind].name, region, load)


def _not_a_delta(
    connection: psycopg.Connection[Any], region: int, built: Built, delivery: Delivery
) -> None:
    """Refuse a delivery that would take the place of one twice as large."""
    row = connection.execute(
        "SELECT objects FROM address_version WHERE region = $1", (region,)
    ).fetchone()
    if row and built.objects < SHRINKS * row[0]:
        raise StateError(
            "в выгрузке вдвое меньше объектов, чем загружено: это дельта? · half the objects: a"
            " delta?",
            current_state=f"{region:02d}: {row[0]}, {delivery.path.name}: {built.objects}",
            todo="назовите, что это · say what it is: --delta --after N, or --full",
        )


def _deltas(
    connection: psycopg.Connection[Any],
    delivery: Delivery,
    wish: Wish,
    version: int,
    now: Callable[[], datetime],
    told: Told,
    general: Drift,
) -> list[Loaded]:
    """Put a delta over every wanted region that is loaded."""
    loaded = loads.versions(connection)
    chosen = [int(region) for region in wish.regions] or list(loaded)
    strangers = [f"{region:02d}" for region in chosen if region not in loaded]
    if strangers or not chosen:
        raise StateError(
            "регион не загружен: дельту не к чему приложить · the region is not loaded",
            current_state=", ".join(strangers) or "-",
            todo=f"{delta.FULL} {strangers[0] if strangers else 36}",
        )
    over = delta.fitting(loaded, chosen, version, wish.after)
    if wish.free is not None:
        room.require({f"{r:02d}": _of_delta(connection, delivery, r) for r in over}, wish.free)
    if over:
        dictionaries(connection, delivery, general)
    done = []
    for region in sorted(chosen):
        if region in over:
            done.append(_delta(connection, delivery, wish, region, version, now, told, general))
        else:
            done.append(
                Loaded(
                    region=f"{region:02d}", version=version, kind="delta", state="applied already"
                )
            )
    return done


def _of_delta(connection: psycopg.Connection[Any], delivery: Delivery, region: int) -> room.Need:
    """Return what a delta takes: its rows, and the searched tables of the region once more."""
    kinds = wanted(loads.extras_of(connection, region))
    own = room.of_members(delivery.of(f"{region:02d}", kinds))
    sizes = [
        connection.execute("SELECT pg_total_relation_size($1::regclass)", (name,)).fetchone()
        for table in ("address_object", "address_name", "address_house", "address_flat")
        if (name := partition(connection, table, region))
    ]
    return own._replace(disk=own.disk + sum(size[0] for size in sizes if size))


def _delta(
    connection: psycopg.Connection[Any],
    delivery: Delivery,
    wish: Wish,
    region: int,
    version: int,
    now: Callable[[], datetime],
    told: Told,
    general: Drift,
) -> Loaded:
    """Put a delta over one region as one transaction: rows, searched tables, version."""
    code, source = f"{region:02d}", delivery.path.name
    kinds = wanted(loads.extras_of(connection, region))
    if not delivery.of(code, kinds):
        with connection.transaction():
            connection.execute(
                "UPDATE address_version SET version = $2, loaded_at = $3 WHERE region = $1",
                (region, version, now()),
            )
            bump(connection)
        return Loaded(region=code, version=version, kind="delta", state="no change")
    with connection.transaction():
        number = loads.begin(connection, region, version, "delta", source, frozenset(), now())
        ids: dict[str, array[int]] = {}
        staged = stage(connection, delivery, code, kinds, number, now(), told, ids=ids)
        delta.put(connection, region, number, kinds, ids, staged.drift)
        sources = {kind: _standing(connection, kind, region) for kind in ALL}
        built = build(connection, region, number, sources, now().date(), lambda s: told(s, 0, 0))
        started = monotonic()
        label = Label(version, source, now())
        swap(connection, region, number, built, label, raws=False, tries=wish.tries)
        made = _loaded(code, version, "delta", staged, built, general, started)
        loads.finish(connection, number, msgspec.to_builtins(made), now())
    return made


def _standing(connection: psycopg.Connection[Any], kind: str, region: int) -> str:
    """Return the raw table of a region that is in use."""
    table = TABLES[kind].name
    found = partition(connection, table, region)
    if found is None:
        raise BusyError("таблицы региона исчезли · the region's tables are gone", where=table)
    return found


def _loaded(
    region: str,
    version: int,
    kind: Kind,
    staged: Staged,
    built: Built,
    general: Drift,
    swapping: float,
) -> Loaded:
    strange = Drift()
    for drift in (general, staged.drift, built.drift):
        strange.add(drift)
    seconds = {
        "staging": round(staged.seconds, 2), "building": round(built.seconds, 2),
        "swapping": round(monotonic() - swapping, 2),
    }  # fmt: skip
    return Loaded(
        region=region, version=version, kind=kind, objects=built.objects, names=built.names,
        houses=built.houses, flats=built.flats, rows=staged.rows, xml_bytes=staged.bytes,
        kept_files=staged.kept, seconds=seconds, strange=strange.counts, examples=strange.examples,
    )  # fmt: skip
