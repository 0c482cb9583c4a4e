"""Which deltas lead from what is loaded to the newest release. Pure.

What a delta is counted from is written nowhere: neither the catalogue nor the files name the
release before. The only order there is that of VersionId in the catalogue, so a chain holds every
release of it after the one loaded, and is broken where one is missing or has no delta.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Chain(NamedTuple):
    """VersionIds of the deltas to load, oldest first; broken: in Russian and English, why not.

    Nothing to load and not broken: what is loaded is the newest.
    """

    versions: tuple[int, ...] = ()
    broken: str = ""


def chain(loaded: int, releases: Mapping[int, bool]) -> Chain:
    """Return the unbroken chain of deltas from a loaded VersionId to the newest release.

    releases: every VersionId of the catalogue, and whether it has a delta.
    """
    if not releases:
        return Chain(broken="каталог пуст · the catalogue is empty")
    if loaded > max(releases):
        return Chain(broken=f"загружено новее каталога · loaded is newer than it: {loaded}")
    if loaded not in releases:
        return Chain(broken=f"загруженной версии нет в каталоге · {loaded} is not in it any more")
    after = tuple(sorted(version for version in releases if version > loaded))
    without = next((version for version in after if not releases[version]), 0)
    if without:
        return Chain(broken=f"у выпуска нет дельты · the release has no delta: {without}")
    return Chain(after)


def before(version: int, releases: Iterable[int]) -> int:
    """Return the VersionId that a release's delta is to be loaded over, 0 when there is none."""
    return max((known for known in releases if known < version), default=0)
