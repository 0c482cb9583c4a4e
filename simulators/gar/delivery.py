"""Writing a delivery: a zip or a folder as the tax service lays them out, always the same bytes."""

from __future__ import annotations

import zipfile
from contextlib import contextmanager
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from simulators.gar import delta, dictionaries, tables
from simulators.gar.thing import guid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulators.gar.region import Region
    from simulators.gar.tables import Table

VERSION: Final = 20260908
"""VersionId of a full delivery when no other is asked for."""
_CHUNK: Final = 2_000
_STAMP: Final = (2026, 9, 8, 3, 0, 0)


def full(region: Region, target: Path, *, apartments: float = 0.0, version: int = VERSION) -> None:
    """Write a full delivery of one region.

    target: `….zip`, or a folder. apartments: share of the apartment buildings that have flats
    (those of the house that examples name are always there).
    """
    _write(target, region, version, tables.of(region, apartments))


def after(region: Region, target: Path, *, since: int = VERSION) -> delta.Delta:
    """Write the delta that follows the full delivery of a version; return what it changes."""
    change = delta.draw(region)
    _write(target, region, following(since), delta.tables(region, change))
    return change


def following(version: int) -> int:
    """Return the VersionId of the delivery after one: three days later."""
    day = date(version // 10_000, version // 100 % 100, version % 100) + timedelta(days=3)
    return int(f"{day:%Y%m%d}")


def _write(target: Path, region: Region, version: int, of_region: list[Table]) -> None:
    with _opened(target) as out:
        with out.member("version.txt") as file:
            text = str(version)
            file.write(f"{text[:4]}.{text[4:6]}.{text[6:]}\r\n".encode())
        for table in dictionaries.tables():
            _fill(out, table, _name(table, version, ""))
        for table in of_region:
            _fill(out, table, f"{region.code}/{_name(table, version, region.code)}")


def _name(table: Table, version: int, code: str) -> str:
    return f"{table.prefix}_{version}_{guid(table.prefix, version, code)}.XML"


def _fill(out: Target, table: Table, name: str) -> None:
    with out.member(name) as file:
        file.write(b"\xef\xbb\xbf" * table.bom + b'<?xml version="1.0" encoding="utf-8"?>')
        file.write(f"<{table.root}>".encode())
        lines = table.rows()
        while chunk := "".join(islice(lines, _CHUNK)):
            file.write(chunk.encode())
        file.write(f"</{table.root}>".encode())


class Target:
    """Where members are written, one after another."""

    def __init__(self, place: zipfile.ZipFile | Path) -> None:
        self._place = place

    @contextmanager
    def member(self, name: str) -> Iterator[IO[bytes]]:
        """Open one file of the delivery to be written."""
        if isinstance(self._place, Path):
            path = self._place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                yield file
            return
        info = zipfile.ZipInfo(name, _STAMP)
        info.compress_type = zipfile.ZIP_DEFLATED
        info._compresslevel = 1  # type: ignore[attr-defined]  # noqa: SLF001  no public way before 3.13
        with self._place.open(info, "w", force_zip64=True) as file:
            yield file


@contextmanager
def _opened(target: Path) -> Iterator[Target]:
    if target.suffix.lower() != ".zip":
        target.mkdir(parents=True, exist_ok=True)
        yield Target(target)
        return
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        yield Target(archive)
