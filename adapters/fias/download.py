"""Fetches a delivery to a folder: resumed where it broke, and in its place only when it is whole.

A file grows as `NAME.part`, with `NAME.part.json` beside it that says of what it is a part; its
SHA-256 is taken while it comes, so a resumed one is read again once. Only a whole zip gets its
name, after fsync, with `NAME.sha256` beside it, which `sha256sum -c` reads.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import shutil
import time
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from adapters.fias.catalogue import NAME
from adapters.fias.whole import require_whole
from gateway import limits
from gateway.errors import (
    ConfigurationError,
    GatewayError,
    MalformedError,
    PeerUnavailable,
    TooLargeError,
    UnsupportedError,
)
from gateway.pinning import parse_target
from gateway.retry import Backoff, pause

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from gateway.outbound import Outbound

ATTEMPTS: Final = 8
"""Failures in a row, each with less than STEP_BYTES gained, after which it is given up for now."""
STEP_BYTES: Final = limits.MB
ROUNDS: Final = 2_000
"""Requests for one file at most, whatever each of them brings."""
SLICE_SECONDS: Final = 600.0
"""A request's total where it can be resumed: a peer that fell silent is left after that."""
WHOLE_SECONDS: Final = 86_400.0
"""A request's total where the server knows no Range."""
BACKOFF: Final = Backoff(base=2.0, cap=120.0)
_READ: Final = 1024 * 1024
_RANGE: Final = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})")


class Remote(NamedTuple):
    """What the server says of a file. validator: for If-Range, empty when it gives none."""

    size: int
    ranges: bool
    validator: str


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """Of what a `.part` is a part."""

    url: str
    size: int
    validator: str


class Fetched(NamedTuple):
    """A whole delivery. resumed: bytes that were there already; all of them for a kept file."""

    path: Path
    size: int
    sha256: str
    resumed: int


def _free(folder: Path) -> int:
    return shutil.disk_usage(folder).free


class Downloads:
    """Fetches deliveries into one folder, from the hosts listed and no others.

    hosts: `host` or `host:port`. plain: http may be spoken, to a mirror in the own network. most:
    bytes of a file. backoff: pauses between attempts. told: is called with bytes that are there and
    bytes in all.
    """

    def __init__(
        self,
        outbound: Outbound,
        folder: Path,
        hosts: Sequence[str],
        *,
        plain: bool = False,
        most: int = limits.FIAS_FILE_BYTES,
        backoff: Backoff = BACKOFF,
        free: Callable[[Path], int] = _free,
        told: Callable[[int, int], None] = lambda _there, _all: None,
    ) -> None:
        self._outbound = outbound
        self._folder = folder
        self._hosts = frozenset(host.strip().lower() for host in hosts)
        self._plain = plain
        self._most = most
        self._backoff = backoff
        self._free = free
        self._told = told

    def fetch(self, url: str, name: str) -> Fetched:
        """Return a delivery, fetched now or kept from before.

        Raises ConfigurationError for an address that is not allowed and a disk that is too full,
        UnsupportedError for one of `Actual/`, TooLargeError, PeerUnavailable and PeerRefused as the
        server answers, MalformedError for what is no whole zip; then nothing has the name.
        """
        self._require_allowed(url)
        require_folder(self._folder)
        target = self._folder / name
        if kept := kept_file(target):
            return kept
        part = _Part(target)
        failures = 0
        for _ in range(ROUNDS):
            before = part.size
            try:
                self._round(url, part)
            except PeerUnavailable:
                failures = 0 if part.size - before >= STEP_BYTES else failures + 1
                if failures >= ATTEMPTS:
                    raise
                chance = random.random()  # noqa: S311 - jitter
                time.sleep(pause(self._backoff, max(failures, 1), chance).total_seconds())
            else:
                return part.finish()
        raise PeerUnavailable(f"{NAME}: файл не кончается · the file does not end", where=url)

    def _round(self, url: str, part: _Part) -> None:
        """Ask what the file is, then take what is missing of it; raise PeerUnavailable."""
        remote = self._measure(url)
        if remote.size > self._most:
            raise TooLargeError(
                "поставка больше предела · the delivery is past the limit",
                found=f"{remote.size} bytes",
                expected=f"{self._most} bytes",
                where=url,
            )
        part.begin(Note(url=url, size=remote.size, validator=remote.validator), remote.ranges)
        self._require_room(remote.size - part.size)
        if part.size == remote.size:
            return
        headers = {"Range": f"bytes={part.size}-"} if part.size else {}
        if part.size and remote.validator:
            headers["If-Range"] = remote.validator
        pieces = self._outbound.stream(
            url,
            NAME,
            headers=headers,
            timeout=SLICE_SECONDS if remote.ranges else WHOLE_SECONDS,
            headed=lambda status, told: part.headed(status, told, remote.size),
        )
        try:
            with contextlib.closing(pieces), contextlib.closing(part):
                for piece in pieces:
                    part.write(piece, remote.size)
                    self._told(part.size, remote.size)
        except OSError as error:
            raise _unwritable(self._folder, error) from error
        if part.size != remote.size:
            raise PeerUnavailable(
                f"{NAME}: пришло не всё · not all of it came",
                found=f"{part.size} bytes",
                expected=f"{remote.size} bytes",
            )

    def _measure(self, url: str) -> Remote:
        """Ask for the first byte: a HEAD says less, and some servers refuse it."""
        found: list[Remote] = []

        def headed(status: int, headers: Mapping[str, str]) -> None:
            found.append(_remote(status, headers))

        pieces = self._outbound.stream(url, NAME, headers={"Range": "bytes=0-0"}, headed=headed)
        with contextlib.closing(pieces):
            next(pieces, b"")
        if not found or found[0].size <= 0:
            raise PeerUnavailable(
                f"{NAME}: длина файла не сказана · the server does not say how long the file is",
                where=url,
                todo="скачайте сами и загрузите · fetch it by hand, load it: gateway fias load",
            )
        return found[0]

    def _require_allowed(self, url: str) -> None:
        target = parse_target(url)
        if target.scheme != "https" and not self._plain:
            raise ConfigurationError(
                "по открытому каналу поставку не берут: её могли подменить"
                " · a delivery is not fetched in the clear: anybody could have changed it",
                found=url,
                expected="https://…",
                todo="для зеркала в своей сети · for a mirror in the own network: allow_private",
            )
        if target.host not in self._hosts and target.authority not in self._hosts:
            raise ConfigurationError(
                "этот узел не в списке · this host is not listed",
                found=target.authority,
                expected=", ".join(sorted(self._hosts)),
                where="[adapter_options.fias] hosts",
                todo="если узлу можно верить, добавьте его · add it if it can be trusted",
            )
        if "/actual/" in target.path.lower():
            raise UnsupportedError(
                "по адресу Actual/ файл меняется и не назван выпуск"
                " · what lies under Actual/ changes, and names no release",
                found=url,
                expected="…/YYYY.MM.DD/gar_xml.zip",
            )

    def _require_room(self, wanted: int) -> None:
        free = self._free(self._folder)
        if free < wanted + limits.FIAS_FREE_BYTES:
            raise ConfigurationError(
                "на диске нет места для поставки · the disk has no room for the delivery",
                found=f"{free // limits.MB} МБ",
                expected=f"{(wanted + limits.FIAS_FREE_BYTES) // limits.MB} МБ",
                where=str(self._folder),
                todo="освободите место или назовите другую папку: [adapter_options.fias] directory"
                " · make room, or name another directory",
            )


class _Part:
    """The file while it grows, with its digest so far."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._path = target.with_name(f"{target.name}.part")
        self._about = target.with_name(f"{target.name}.part.json")
        self._note: Note | None = None
        self._digest = sha256()
        self._file: Any = None
        self.size = 0
        self._resumed = 0

    def begin(self, note: Note, ranges: bool) -> None:  # noqa: FBT001 - said by the caller's value
        """Take what lies there when it is of this very file; otherwise start with nothing."""
        if self._note is None:
            self._take_over(note)
        elif self._note != note:
            self._restart()
        if self.size > note.size or (self.size and not ranges):
            self._restart()
        if self._note != note or not self._about.exists():
            write_durably(self._about, msgspec.json.encode(note))
        self._note = note

    def headed(self, status: int, headers: Mapping[str, str], size: int) -> None:
        """Look at the head of an answer: which bytes come, and whether it is the file we know."""
        told = _remote(status, headers)
        at = 0
        if status == 206:
            found = _RANGE.fullmatch(headers.get("content-range", ""))
            at = int(found[1]) if found else -1
        if told.size != size or at not in (0, self.size):
            raise PeerUnavailable(
                f"{NAME}: сервер говорит о другом файле · the server tells of another file",
                found=headers.get("content-range", "") or f"{told.size} bytes",
                expected=f"{self.size}… / {size}",
            )
        if at != self.size:
            self._restart()

    def write(self, piece: bytes, most: int) -> None:
        """Append; raise MalformedError for more than there should be."""
        if self.size + len(piece) > most:
            raise MalformedError("файл длиннее объявленного · the file is longer than was said")
        if self._file is None:
            self._file = self._path.open("r+b" if self._path.exists() else "xb")
            self._file.seek(self.size)
            self._file.truncate()
        self._file.write(piece)
        self._digest.update(piece)
        self.size += len(piece)

    def close(self) -> None:
        """Put what came onto the disk."""
        if self._file is None:
            return
        file, self._file = self._file, None
        with file:
            file.flush()
            os.fsync(file.fileno())

    def finish(self) -> Fetched:
        """Check the zip and give the file its name; what is no whole zip is taken away."""
        try:
            require_whole(self._path, sums=self.size <= limits.FIAS_CHECKED_BYTES)
        except GatewayError:
            self._path.unlink(missing_ok=True)
            self._about.unlink(missing_ok=True)
            raise
        digest = self._digest.hexdigest()
        write_durably(sums_of(self._target), f"{digest}  {self._target.name}\n".encode())
        self._path.replace(self._target)
        self._about.unlink(missing_ok=True)
        _sync_folder(self._target.parent)
        return Fetched(self._target, self.size, digest, self._resumed)

    def _take_over(self, note: Note) -> None:
        with contextlib.suppress(OSError, msgspec.MsgspecError):
            if msgspec.json.decode(self._about.read_bytes(), type=Note) == note:
                with self._path.open("rb") as file:
                    while piece := file.read(_READ):
                        self._digest.update(piece)
                        self.size += len(piece)
        self._resumed = self.size

    def _restart(self) -> None:
        self.close()
        self._digest, self.size, self._resumed = sha256(), 0, 0


def kept_file(target: Path) -> Fetched | None:
    """Return a delivery that lies there whole by its sum; one that changed since is taken away."""
    try:
        wanted = sums_of(target).read_text("ascii").split()[0]
        size = target.stat().st_size
        digest = sha256()
        with target.open("rb") as file:
            while piece := file.read(_READ):
                digest.update(piece)
    except (OSError, IndexError, UnicodeDecodeError):
        return None
    if digest.hexdigest() == wanted:
        return Fetched(target, size, wanted, size)
    target.unlink(missing_ok=True)
    return None


def require_folder(folder: Path) -> None:
    """Make a folder for deliveries; raise ConfigurationError when that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error


def _unwritable(folder: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"не записать · cannot be written: {error.strerror}",
        where=str(folder),
        todo="освободите место, проверьте права · make room, check the modes",
    )


def sums_of(target: Path) -> Path:
    """Return the file beside a delivery that holds its SHA-256."""
    return target.with_name(f"{target.name}.sha256")


def write_durably(path: Path, data: bytes) -> None:
    """Write a small file so that it is there whole, or as it was."""
    made = path.with_name(f".{path.name}.{os.getpid()}")
    with made.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    made.replace(path)


def _remote(status: int, headers: Mapping[str, str]) -> Remote:
    size = -1
    if status == 206:
        found = _RANGE.fullmatch(headers.get("content-range", ""))
        size = int(found[3]) if found else -1
    elif headers.get("content-length", "").isdigit():
        size = int(headers["content-length"])
    tag = headers.get("etag", "")
    validator = tag if tag and not tag.startswith("W/") else headers.get("last-modified", "")
    return Remote(size, status == 206, validator)


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
