"""A delivery of ГАР: the archive as it was fetched, or a folder it was unpacked to.

    gar_xml.zip/version.txt, AS_HOUSE_TYPES_….XML, 36/AS_HOUSES_….XML, …

Nothing is unpacked: a file is read out of the archive as it is needed. A folder may be a single
region too, `…/36`, with the files in it.
"""

from __future__ import annotations

import re
import zipfile
from collections import Counter
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Final, Literal, NamedTuple, Self

from adapters.fias.format import DICTIONARIES, FILE, PASSED_OVER, REGION, TABLES
from adapters.fias.whole import DAMAGE, require_whole
from gateway.errors import GatewayError, MalformedError, NotFoundError, TooLargeError
from gateway.limits import FIAS_ZIP_MEMBERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adapters.fias.drift import Drift

Kind = Literal["full", "delta"]
PIECE: Final = 256 * 1024
_VERSION: Final = re.compile(rb"(\d{4})[.-]?(\d{2})[.-]?(\d{2})")
_AGAIN: Final = "скачайте её заново · fetch it again"


class Member(NamedTuple):
    """A file of a delivery. region: `36`, empty for a dictionary. size: unpacked bytes.

    mark: CRC-32 in an archive, the time of last change of a loose file.
    """

    name: str
    kind: str
    region: str
    size: int
    mark: int
    date: int


class Delivery:
    """An opened delivery; a context manager. version: VersionId, 0 when nothing says it."""

    def __init__(self, path: Path, drift: Drift) -> None:
        self.path = path
        self._zip = _archive(path) if path.is_file() else None
        try:
            self._read(path, drift)
        except GatewayError:
            self.__exit__()
            raise

    def _read(self, path: Path, drift: Drift) -> None:
        """Look through the names; raise NotFoundError where none is of the format."""
        entries = _of_archive(self._zip) if self._zip else _of_folder(path)
        folder = path.resolve().name
        alone = folder if self._zip is None and REGION.fullmatch(folder) else ""
        self.members = _members(entries, alone, drift)
        self.kind: Kind = "delta" if "delta" in path.resolve().name.lower() else "full"
        self.version = self._version([name for name, _, _ in entries])
        if not self.members:
            raise NotFoundError(
                "в выгрузке нет ни одного файла ГАР · no file of ГАР in it",
                found=str(path), expected="36/AS_HOUSES_20260908_….XML",
                todo="укажите gar_xml.zip, gar_delta_xml.zip или папку с ними · name such a file",
            )  # fmt: skip

    def __enter__(self) -> Self:
        """Return the delivery."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the archive."""
        if self._zip:
            self._zip.close()

    @property
    def regions(self) -> list[str]:
        """Codes of the regions that have files in it."""
        return sorted({member.region for member in self.members if member.region})

    def of(self, region: str, kinds: tuple[str, ...]) -> list[Member]:
        """Return the files of a region (`""`: the dictionaries), in the order of kinds."""
        found = [m for m in self.members if m.region == region and m.kind in kinds]
        return sorted(found, key=lambda member: kinds.index(member.kind))

    def pieces(self, member: Member) -> Iterator[bytes]:
        """Yield a file piece by piece; raise MalformedError where the archive is damaged."""
        try:
            with self._open(member.name) as file:
                while piece := file.read(PIECE):
                    yield piece
        except DAMAGE as error:
            raise self._damaged(member.name, error) from error

    @contextmanager
    def _open(self, name: str) -> Iterator[IO[bytes]]:
        if self._zip:
            with self._zip.open(name) as packed:
                yield packed
        else:
            with (self.path / name).open("rb") as loose:
                yield loose

    def _damaged(self, name: str, error: Exception) -> MalformedError:
        return MalformedError(
            f"файл не читается, архив повреждён? · the archive is damaged: {error}",
            where=f"{self.path.name}: {name}", todo=_AGAIN,
        )  # fmt: skip

    def _version(self, names: list[str]) -> int:
        """Return what version.txt says, or else the newest date in the names of files."""
        for name in names:
            if PurePosixPath(name).name.lower() == "version.txt":
                try:
                    with self._open(name) as file:
                        found = _VERSION.search(file.read(1000))
                except DAMAGE as error:
                    raise self._damaged(name, error) from error
                if found:
                    return int(b"".join(found.groups()))
        return max((member.date for member in self.members), default=0)


def _archive(path: Path) -> zipfile.ZipFile:
    """Open an archive and look at its directory; raise MalformedError, TooLargeError."""
    require_whole(path, sums=False)
    archive = zipfile.ZipFile(path)
    infos = archive.infolist()
    faults = (
        ("зашифрован · encrypted", next((i.filename for i in infos if i.flag_bits & 1), "")),
        (
            "имя вне архива · a name outside",
            next((i.filename or "?" for i in infos if _out(i)), ""),
        ),
        ("имя повторяется · a name twice", _twice([info.filename for info in infos])),
    )
    for what, name in faults:
        if name:
            archive.close()
            raise MalformedError(f"архив: {what}", found=name, where=str(path), todo=_AGAIN)
    return archive


def _out(info: zipfile.ZipInfo) -> bool:
    name = info.filename.replace("\\", "/")
    return not name or name.startswith("/") or ".." in name.split("/") or ":" in name


def _twice(names: list[str]) -> str:
    return next((name for name, times in Counter(names).items() if times > 1), "")


def _of_archive(archive: zipfile.ZipFile) -> list[tuple[str, int, int]]:
    return [(i.filename, i.file_size, i.CRC) for i in archive.infolist() if not i.is_dir()]


def _of_folder(path: Path) -> list[tuple[str, int, int]]:
    """Return the files of a folder and of its regions' folders."""
    if not path.is_dir():
        raise NotFoundError("нет такого файла или папки · no such file or folder", found=str(path))
    found = []
    for number, file in enumerate(sorted([*path.glob("*"), *path.glob("[0-9][0-9]/*")])):
        if number > FIAS_ZIP_MEMBERS:
            raise TooLargeError(
                "в папке слишком много файлов · too many files in the folder",
                expected=f"<= {FIAS_ZIP_MEMBERS}", where=str(path),
            )  # fmt: skip
        if file.is_file():
            told = file.stat()
            found.append((str(file.relative_to(path)), told.st_size, told.st_mtime_ns))
    if REGION.fullmatch(path.resolve().name):
        return [(name, size, mark) for name, size, mark in found if "/" not in name]
    return found


def _members(entries: list[tuple[str, int, int]], alone: str, drift: Drift) -> list[Member]:
    """Return the files of the format; raise MalformedError for two of one table and region."""
    members: dict[tuple[str, str], Member] = {}
    for name, size, mark in entries:
        place = PurePosixPath(name)
        named = FILE.fullmatch(place.name)
        if named is None:
            if place.name.lower() != "version.txt":
                drift.note("unknown file", name)
            continue
        kind, folder = named["kind"].upper(), place.parent.name
        region = alone or (folder if REGION.fullmatch(folder) else "")
        if kind not in (TABLES if region else DICTIONARIES):
            if kind not in PASSED_OVER and kind not in DICTIONARIES and kind not in TABLES:
                drift.note(f"unknown table AS_{kind}", name)
            elif kind in TABLES:
                drift.note("a table outside of the folders of regions", name)
            continue
        member = Member(name, kind, region, size, mark, int(named["date"]))
        other = members.setdefault((region, kind), member)
        if other is not member:
            raise MalformedError(
                "два файла одной таблицы: смешаны две выгрузки? · two files of one table",
                found=f"{other.name}, {name}",
                todo="оставьте файлы одной выгрузки · keep those of one delivery",
            )
    return list(members.values())
