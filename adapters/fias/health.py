"""What `gateway doctor` says of the register: how old it is, how its refresh fares, who answers."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from adapters.fias import state, stored
from adapters.fias.adapter import Fias
from adapters.fias.schedule import ADAPTER, configured
from gateway import registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from gateway.jobs import Told
    from gateway.settings import Settings

OLD_DAYS: Final = 45
"""Releases come twice a week; past six weeks new houses are missing that citizens live in."""


def check(settings: Settings, url: str, now: datetime) -> Iterator[Told]:
    """Yield findings: level, what, what to do. Nothing where the adapter is not switched on."""
    found = configured(settings)
    if found is None:
        return
    yield _age(stored.loaded(url), now)
    folder = found.folder(settings.data_dir)
    last = state.read(folder)
    if last is not None and last.error:
        told = f"{last.at:%Y-%m-%d %H:%M} UTC ({last.failures}): {last.error}"
        yield (
            "warn",
            f"обновление не удалось · the refresh failed: {told}",
            "gateway fias refresh",
        )
    if not found.address:
        yield "ok", "каталог не спрашивается, поставки привозят · deliveries come by hand", ""
        return
    adapter = registry.load((ADAPTER,))[ADAPTER]
    with closing(Fias(registry.options(adapter, settings.adapter_options))) as asked:
        health = asked.probe()
    if health.ok:
        yield "ok", f"каталог отвечает · the catalogue answers: {health.detail}", ""
    else:
        yield (
            "warn",
            f"каталог не отвечает · the catalogue does not answer: {health.detail}",
            health.todo,
        )


def _age(loaded: dict[int, int], now: datetime) -> Told:
    if not loaded:
        return (
            "warn",
            "реестр не загружен: адреса не определяются · not loaded: no address is resolved",
            "gateway fias load PATH --region NN | gateway fias refresh --full --commit",
        )
    oldest = min(loaded.values())
    what = f"регионов · regions: {len(loaded)}, версия · version {oldest}"
    age = _since(oldest, now)
    if age is not None and age.days > OLD_DAYS:
        return "warn", f"{what}, дней · days old: {age.days}", "gateway fias refresh --commit"
    return "ok", what, ""


def _since(version: int, now: datetime) -> timedelta | None:
    """Return how long ago a release was made, by its VersionId; None when that is no day."""
    try:
        return now - datetime.strptime(f"{version:08d}", "%Y%m%d").replace(tzinfo=UTC)
    except ValueError:
        return None
