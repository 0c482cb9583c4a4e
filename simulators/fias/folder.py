"""The deliveries that lie in a folder, and their bytes as a host of files gives them.

A release is a directory `YYYY.MM.DD` with `gar_xml.zip`, `gar_delta_xml.zip`, or one of them.
"""

from __future__ import annotations

import re
import threading
import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from simulators import peer as base

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FULL: Final = "gar_xml.zip"
DELTA: Final = "gar_delta_xml.zip"
ZIP: Final = "application/zip"
_DAY: Final = re.compile(r"\d{4}\.\d{2}\.\d{2}")
_ONE: Final = re.compile(r"bytes=(\d{1,15})-(\d{0,15})")
_PIECE: Final = 65_536
_SLOW_SECONDS: Final = 0.01

FileKind = Literal["break", "ignore_range", "whole", "length", "corrupt", "slow", "moved"]
"""How a file fails: break: the line ends after `at` bytes · ignore_range: the whole file for any
Range · whole: the same, but for the question how long it is (`bytes=0-0`) · length: more bytes are
announced than come · corrupt: byte `at` of the file is another one · slow: a pause before each
piece · moved: another ETag, as if the file was changed."""


class FileFault(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One planned failure of files. name: end of the path, empty for any; times 0: for ever."""

    kind: FileKind
    name: str = ""
    at: int = 1000
    times: int = 1


class Stretch:
    """Bytes [start, end) of a file, perhaps failing on the way."""

    def __init__(self, path: Path, start: int, end: int, fault: FileFault | None) -> None:
        self._path, self._start, self._end, self._fault = path, start, end, fault

    def __len__(self) -> int:
        more = 7 if self._kind == "length" else 0
        return self._end - self._start + more

    def __iter__(self) -> Iterator[bytes]:
        left = self._end - self._start
        stop = self._fault.at if self._fault and self._kind == "break" else left
        at = self._start
        with self._path.open("rb") as file:
            file.seek(at)
            while left and (piece := file.read(min(_PIECE, left, stop or 1))):
                if not stop:
                    break
                if self._kind == "slow":
                    time.sleep(_SLOW_SECONDS)
                yield self._spoiled(piece, at)
                at, left, stop = at + len(piece), left - len(piece), stop - len(piece)
        if self._kind in {"break", "length"}:
            raise ConnectionAbortedError("as planned")

    @property
    def _kind(self) -> str:
        return self._fault.kind if self._fault else ""

    def _spoiled(self, piece: bytes, at: int) -> bytes:
        where = self._fault.at - at if self._fault and self._kind == "corrupt" else -1
        if not 0 <= where < len(piece):
            return piece
        return piece[:where] + bytes((piece[where] ^ 0xFF,)) + piece[where + 1 :]


class Folder:
    """Releases in a directory, read anew for every question."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._faults: list[FileFault] = []
        self._lock = threading.Lock()
        self.asked: list[dict[str, Any]] = []

    def releases(self, address: str) -> list[dict[str, Any]]:
        """Return the releases as the catalogue names their fields, newest first."""
        out = []
        for place in sorted(self.root.iterdir() if self.root.is_dir() else (), reverse=True):
            if not (_DAY.fullmatch(place.name) and place.is_dir()):
                continue
            year, month, day = place.name.split(".")
            urls = {
                name: f"{address}/downloads/{place.name}/{file}"
                for name, file in (("GarXMLFullURL", FULL), ("GarXMLDeltaURL", DELTA))
                if (place / file).is_file()
            }
            if urls:
                out.append(
                    {
                        "VersionId": int(year + month + day),
                        "TextVersion": f"БД ФИАС от {day}.{month}.{year}",
                        "GarXMLFullURL": "",
                        "GarXMLDeltaURL": "",
                        **urls,
                        "ExpDate": f"{year}-{month}-{day}T00:00:00",
                        "Date": f"{day}.{month}.{year}",
                    }
                )
        return out

    def plan(self, fault: FileFault) -> None:
        """Let a file fail."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Forget the plan."""
        with self._lock:
            self._faults.clear()

    def answer(self, request: base.Request) -> base.Answer:
        """Give a file, or the part of it that is asked for (RFC 9110 §14)."""
        day, _, name = request.path.removeprefix("/downloads/").partition("/")
        path = self.root / day / name
        if not _DAY.fullmatch(day) or name not in {FULL, DELTA} or not path.is_file():
            return base.Answer(404, b"not found", key="file")
        wanted = request.headers.get("range", "")
        fault = self._take(request.path, asks=wanted == "bytes=0-0")
        self.asked.append({"path": request.path, "range": wanted, "fault": fault and fault.kind})
        stat = path.stat()
        tag = f'"{stat.st_size:x}-{stat.st_mtime_ns:x}{"m" if _is(fault, "moved") else ""}"'
        headers = (("ETag", tag), ("Last-Modified", formatdate(stat.st_mtime, usegmt=True)))
        if request.headers.get("if-range", tag) not in {tag, headers[1][1]}:
            wanted = ""
        ignored = _is(fault, "ignore_range") or _is(fault, "whole")
        found = None if ignored else _ONE.fullmatch(wanted)
        if found is None:
            return self._whole(path, stat.st_size, fault, headers)
        start = int(found[1])
        end = min(int(found[2] or stat.st_size - 1) + 1, stat.st_size)
        if start >= end:
            told = (("Content-Range", f"bytes */{stat.st_size}"),)
            return base.Answer(416, b"Range " + wanted.encode(), key="file", headers=told)
        told = (("Content-Range", f"bytes {start}-{end - 1}/{stat.st_size}"),)
        body = Stretch(path, start, end, fault)
        return base.Answer(206, body, ZIP, key="file", headers=(*headers, *told))

    @staticmethod
    def _whole(
        path: Path, size: int, fault: FileFault | None, headers: tuple[tuple[str, str], ...]
    ) -> base.Answer:
        if not _is(fault, "ignore_range"):
            headers = (*headers, ("Accept-Ranges", "bytes"))
        return base.Answer(200, Stretch(path, 0, size, fault), ZIP, key="file", headers=headers)

    def _take(self, path: str, *, asks: bool) -> FileFault | None:
        """Return the first failure that fits; what only asks for a length uses up none."""
        with self._lock:
            for fault in self._faults:
                if fault.name and not path.endswith(fault.name):
                    continue
                if asks and fault.kind not in {"ignore_range", "moved"}:
                    return None
                if fault.times and not asks:
                    fault.times -= 1
                    if not fault.times:
                        self._faults.remove(fault)
                return fault
        return None


def _is(fault: FileFault | None, kind: FileKind) -> bool:
    return fault is not None and fault.kind == kind
