"""What is loaded, as the database says it, and a fetched delivery put into it."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, Protocol

import psycopg

from adapters.fias import loads, room
from adapters.fias.drift import Drift
from adapters.fias.load import Wish, load
from adapters.fias.members import Delivery
from gateway.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from adapters.fias.refresh import Step
    from gateway.settings import Settings

LOADED: Final = "SELECT region, version FROM address_version ORDER BY region"


class Opened(Protocol):
    """What a command works with; the program that runs the commands lends it."""

    settings: Settings
    url: str

    def connection(self) -> AbstractContextManager[psycopg.Connection[Any]]:
        """Open a connection of the house: autocommit, `$1` placeholders."""
        ...

    def now(self) -> datetime:
        """Return the instant, in UTC."""
        ...


def loaded(url: str) -> dict[int, int]:
    """Return the VersionId that each region is at."""
    db: psycopg.Connection[Any]
    with psycopg.connect(url, connect_timeout=5, application_name="gateway fias") as db:
        return dict(db.execute(LOADED).fetchall())


def put(gw: Opened, step: Step, path: Path, *, extras: frozenset[str]) -> None:
    """Load the delivery of a step for its regions; raise GatewayError.

    extras: what is loaded of regions besides houses where nothing is loaded yet; the others keep
    what they have. A region is done as a whole or not at all, so one that failed leaves those
    before it at the new version: the next plan goes by region.
    """
    drift = Drift()
    with Delivery(path, drift) as delivery, gw.connection() as db:
        if step.kind == "full":
            _require_there(delivery, step)
        for wish in _wishes(db, gw.settings, step, extras):
            load(db, delivery, wish, gw.now, drift=drift)


def _require_there(delivery: Delivery, step: Step) -> None:
    """Raise ConfigurationError for a region that the delivery does not have; the file is sound."""
    wanted = {f"{region:02d}" for region in step.regions}
    if missing := sorted(wanted.difference(delivery.regions)):
        raise ConfigurationError(
            "такого региона в поставке нет · the delivery has no such region",
            found=", ".join(missing),
            expected=", ".join(delivery.regions),
            where="[adapter_options.fias] regions",
        )


def _wishes(
    db: psycopg.Connection[Any], settings: Settings, step: Step, extras: frozenset[str]
) -> Iterator[Wish]:
    """Yield what is to be loaded: regions of which the same is kept go together."""
    known = loads.versions(db)
    kept = {
        region: loads.extras_of(db, region) if region in known else extras
        for region in step.regions
    }
    free = None if settings.database_url else room.free(settings.data_dir)

    def by(region: int) -> list[str]:
        return sorted(kept[region])

    for names, regions in groupby(sorted(step.regions, key=by), key=by):
        yield Wish(
            regions=tuple(f"{region:02d}" for region in regions),
            extras=frozenset(names),
            kind=step.kind,
            version=step.version,
            after=step.over,
            free=free,
        )
