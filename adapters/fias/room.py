"""What a load takes: disk, rows and hours, from measured figures. Pure but for asking the disk.

The figures are of one synthetic region (see MEASURED); a real file differs by the length of its
names. A region is staged and built before its old tables are dropped, so both have to fit.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.errors import TooLargeError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from adapters.fias.members import Member

MEASURED: Final = "2026-11-23, 2 cores, 1 region, 300,000 houses (simulators.gar)"


class Rate(NamedTuple):
    """Of one table: bytes of XML in a row, bytes on disk to a byte of XML.

    disk: with the table's part of what is searched, and its indexes.
    """

    row: float
    disk: float


RATES: Final = {
    "ADDR_OBJ": Rate(291, 2.1),
    "ADDR_OBJ_PARAMS": Rate(168, 0.51),
    "ADDR_OBJ_DIVISION": Rate(64, 0.80),
    "ADM_HIERARCHY": Rate(301, 0.32),
    "MUN_HIERARCHY": Rate(244, 0.48),
    "HOUSES": Rate(284, 1.15),
    "HOUSES_PARAMS": Rate(179, 0.43),
    "APARTMENTS": Rate(265, 1.1),
    "APARTMENTS_PARAMS": Rate(179, 0.43),
    "STEADS": Rate(265, 1.15),
    "STEADS_PARAMS": Rate(179, 0.43),
}
MARGIN: Final = 1.5
"""For temporary tables and sorts of the build, and the log of the database."""

STAGING_BYTES_PER_SECOND: Final = 40e6
"""XML read out of the archive, parsed and copied, by one process."""
BUILD_SHARE: Final = 0.5
"""Seconds of the build to one of staging."""

TABLE_SHARES: Final = {
    "ADDR_OBJ": 0.004, "ADDR_OBJ_PARAMS": 0.02, "ADDR_OBJ_DIVISION": 0.0005, "HOUSES": 0.08,
    "HOUSES_PARAMS": 0.27, "ADM_HIERARCHY": 0.11, "MUN_HIERARCHY": 0.09,
}  # fmt: skip
"""Assumed shares of the tables that are loaded always in the bytes of a full delivery; nobody
publishes them. The rest is apartments, rooms, plots and the history of changes."""


class Need(NamedTuple):
    """What a load takes: bytes of XML that are read, rows, bytes of disk, seconds."""

    xml: int
    rows: int
    disk: int
    seconds: float


def need(sizes: Iterable[tuple[str, int]]) -> Need:
    """Return what files take; sizes: kind and unpacked bytes of each."""
    xml = rows = disk = 0.0
    for kind, size in sizes:
        rate = RATES[kind]
        xml, rows, disk = xml + size, rows + size / rate.row, disk + size * rate.disk
    seconds = xml / STAGING_BYTES_PER_SECOND * (1 + BUILD_SHARE)
    return Need(int(xml), int(rows), int(disk * MARGIN), seconds)


def of_members(members: Iterable[Member]) -> Need:
    """Return what files of a delivery take."""
    return need((member.kind, member.size) for member in members)


def of_bytes(total: int) -> Need:
    """Return what a full delivery of so many unpacked bytes takes, by the assumed shares."""
    return need((kind, int(total * share)) for kind, share in TABLE_SHARES.items())


def free(directory: Path) -> int:
    """Return the free bytes of the disk that a directory is on."""
    told = os.statvfs(directory)
    return told.f_bavail * told.f_frsize


def require(of_regions: dict[str, Need], available: int) -> None:
    """Raise TooLargeError when the disk does not hold what the regions take.

    available: bytes free. Says what each of the smallest regions would take by itself.
    """
    taken = sum(one.disk for one in of_regions.values())
    if taken <= available:
        return
    small = sorted(of_regions.items(), key=lambda item: item[1].disk)[:5]
    fitting = ", ".join(f"--region {code}: {gigabytes(one.disk)}" for code, one in small)
    raise TooLargeError(
        "на диске базы не хватит места; ничего не записано · the database's disk is too small;"
        " nothing was written",
        found=f"{gigabytes(available)} свободно · free",
        expected=f"{gigabytes(taken)} нужно · needed",
        todo="освободите место или назовите регионы · free some, or name regions: " + fitting,
    )


def gigabytes(size: float) -> str:
    """Return bytes as people read them."""
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e6:.1f} MB"
