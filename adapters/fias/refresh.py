"""What has to be fetched to be up to date, and doing it: download, then load, step by step.

Each step is loaded as a whole or not at all (`adapters.fias.load`), so a refresh that breaks off
leaves the regions at the version that they had reached, and the next one goes on from there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

from adapters.fias.download import sums_of
from adapters.fias.versions import before, chain
from gateway.errors import ConfigurationError, MalformedError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from adapters.fias.catalogue import Delivery
    from adapters.fias.download import Downloads, Fetched

Kind = Literal["full", "delta"]
FULL_TODO = "загрузите полную поставку · load a full delivery: gateway fias refresh --full --commit"


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery to fetch and load. regions: codes of those that it is loaded for.

    over: the VersionId that a delta is loaded over, 0 for a full delivery.
    """

    kind: Kind
    version: int
    url: str
    regions: tuple[int, ...]
    over: int = 0

    @property
    def name(self) -> str:
        """Name of the file, which says its release."""
        return file_name(self.version, self.kind)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The steps to the newest release, in order; none when everything is there.

    why: by region, in Russian and English, why deltas do not lead there.
    """

    newest: int
    steps: tuple[Step, ...] = ()
    why: dict[int, str] = {}

    @property
    def needs_full(self) -> bool:
        """Whether a full delivery is among the steps."""
        return any(step.kind == "full" for step in self.steps)


class Load(Protocol):
    """Loads one delivery that lies on the disk, whole or not at all."""

    def __call__(self, step: Step, path: Path) -> None:
        """Load it for the regions of the step; raise GatewayError."""
        ...


def file_name(version: int, kind: Kind) -> str:
    """Return the name under which a delivery is kept: `20260908_gar_delta_xml.zip`."""
    return f"{version}_gar_{'' if kind == 'full' else 'delta_'}xml.zip"


def find(deliveries: Sequence[Delivery], version: int, kind: Kind) -> str:
    """Return the address of a delivery; raise ConfigurationError when the catalogue has none."""
    for delivery in deliveries:
        if delivery.version_id == version:
            if url := delivery.full_url if kind == "full" else delivery.delta_url:
                return url
            break
    raise ConfigurationError(
        "такой поставки в каталоге нет · the catalogue has no such delivery",
        found=f"{version} {kind}",
        expected=", ".join(str(d.version_id) for d in deliveries[-5:]),
        todo="gateway fias catalogue",
    )


def plan(
    loaded: Mapping[int, int], deliveries: Sequence[Delivery], wanted: tuple[int, ...] = ()
) -> Plan:
    """Return what leads every wanted region to the newest release.

    loaded: VersionId by region. wanted: regions; none named: those that are loaded. A region goes
    by deltas where an unbroken chain leads on from what it has, otherwise by the newest full
    delivery and the deltas after that. Raises ConfigurationError when no region is named or loaded,
    and MalformedError when the catalogue has nothing to begin with.
    """
    regions = tuple(sorted(wanted or loaded))
    if not regions:
        raise ConfigurationError(
            "регионы не названы и ничего не загружено · no region is named, and none is loaded",
            where="[adapter_options.fias] regions",
            expected='["36"]',
        )
    has_delta = {d.version_id: bool(d.delta_url) for d in deliveries}
    if not has_delta:
        raise MalformedError("каталог пуст · the catalogue is empty")
    newest = max(has_delta)
    why: dict[int, str] = {}
    by_delta: dict[int, list[int]] = {}
    for region in regions:
        if region not in loaded:
            why[region] = "не загружен · it is not loaded"
        elif loaded[region] <= newest:
            found = chain(loaded[region], has_delta)
            if found.broken:
                why[region] = found.broken
            for version in found.versions:
                by_delta.setdefault(version, []).append(region)
    steps = []
    if why:
        base = _newest_full(deliveries)
        steps.append(
            Step(kind="full", version=base.version_id, url=base.full_url, regions=tuple(why))
        )
        found = chain(base.version_id, has_delta)
        for version in () if found.broken else found.versions:
            by_delta.setdefault(version, []).extend(why)
    steps += [
        Step(
            kind="delta",
            version=version,
            url=find(deliveries, version, "delta"),
            regions=tuple(sorted(by_delta[version])),
            over=before(version, has_delta),
        )
        for version in sorted(by_delta)
    ]
    return Plan(newest=newest, steps=tuple(steps), why=why)


def require_allowed(found: Plan, *, full: bool) -> None:
    """Raise ConfigurationError for a plan that needs a full delivery nobody allowed."""
    if found.needs_full and not full:
        region, why = next(iter(found.why.items()))
        raise ConfigurationError(
            f"дельтами не догнать, нужна полная поставка · deltas do not lead there: {why}",
            found=", ".join(f"{code:02d}" for code in found.why),
            where=f"регион · region {region:02d}",
            todo=FULL_TODO,
        )


def carry_out(
    found: Plan,
    downloads: Downloads,
    load: Load,
    told: Callable[[Step, Fetched], None] = lambda _step, _fetched: None,
) -> None:
    """Fetch and load every step; raise what the first that fails raises.

    told: is called with a step and its file before it is loaded. A delta is taken away once it is
    loaded, and full deliveries before the one loaded; that one stays, for regions that are added.
    A file that turned out to be no sound delivery is taken away too, to be fetched anew.
    """
    for step in found.steps:
        fetched = downloads.fetch(step.url, step.name)
        told(step, fetched)
        try:
            load(step, fetched.path)
        except (MalformedError, NotFoundError):
            _take_away(fetched.path)
            raise
        _tidy(step, fetched.path)


def _tidy(step: Step, path: Path) -> None:
    old = [path] if step.kind == "delta" else list(path.parent.glob("*_gar_xml.zip"))
    for each in old:
        if each != path or step.kind == "delta":
            _take_away(each)


def _take_away(path: Path) -> None:
    path.unlink(missing_ok=True)
    sums_of(path).unlink(missing_ok=True)


def _newest_full(deliveries: Sequence[Delivery]) -> Delivery:
    having = [delivery for delivery in deliveries if delivery.full_url]
    if not having:
        raise MalformedError(
            "в каталоге нет полной поставки · the catalogue has no full delivery",
            todo="gateway fias catalogue",
        )
    return max(having, key=lambda delivery: delivery.version_id)
