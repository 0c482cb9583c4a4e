"""Packages for a closed network, written to disk as they come: one document in memory at a time.

A bad appeal is named and left out; it never costs the others. What a part is called and how large
it may be: `package`, `bounds`. A part has its name only once it is whole.
"""

from __future__ import annotations

import os
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

from adapters.sstu.encode import encode
from adapters.sstu.package import Part, part_name, refuse_larger, refuse_second
from gateway.errors import GatewayError, ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from pathlib import Path
    from typing import IO

    from adapters.sstu.bounds import Limits
    from gateway.adapter import EncodeContext, Wire
    from gateway.model.appeal import Appeal

STEM: Final = "sstu"


class Packed(NamedTuple):
    """What became of one appeal: where its document lies, or why there is none.

    key: the caller's own, `receipt_number` of the appeal. part: file name of the zip. name: of the
    document in it. sha256: of the document, by which a result is told. error: None when packed.
    """

    key: str
    part: str = ""
    name: str = ""
    sha256: str = ""
    error: GatewayError | None = None

    @property
    def reasons(self) -> list[str]:
        """Every fault, `path: message (found)` each."""
        if self.error is None:
            return []
        if not isinstance(self.error, ValidationError):
            return [str(self.error)]
        return [
            f"{v.path}: {v.message}" + (f" ({v.found})" if v.found else "")
            for v in self.error.violations
        ] or [self.error.message]


def documents(
    appeals: Iterable[tuple[str, Appeal, EncodeContext]],
) -> Iterator[tuple[str, Wire | GatewayError]]:
    """Encode one appeal after the other; what is wrong with one stands in its place."""
    for key, appeal, context in appeals:
        try:
            yield key, encode(appeal, context)
        except GatewayError as error:
            yield key, error


def pack(
    found: Iterable[tuple[str, Wire | GatewayError]],
    folder: Path,
    *,
    now: datetime,
    bounds: Limits,
    stem: str = STEM,
) -> Iterator[Packed]:
    """Write `<stem>001.zip`, `002`, … into a folder and yield what became of each document.

    found: (key, document) or (key, why there is none). now: local time of the body. The last part
    is whole when the iterator ends; an iterator that is dropped leaves only whole parts. Raises
    OSError when the folder cannot be written.
    """
    out = _Parts(folder, now, bounds, stem)
    try:
        for key, wire in found:
            if isinstance(wire, GatewayError):
                yield Packed(key, error=wire)
                continue
            try:
                part = out.add(wire)
            except ValidationError as error:
                yield Packed(key, name=wire.name, error=error)
            else:
                yield Packed(key, part, wire.name, sha256(wire.body).hexdigest())
        out.close()
    finally:
        out.drop()


class _Parts:
    """The part being written, and the number of the next."""

    def __init__(self, folder: Path, now: datetime, bounds: Limits, stem: str) -> None:
        self._folder = folder
        self._now = now
        self._bounds = bounds
        self._stem = stem
        self._number = 0
        self._names: set[str] = set()
        self._file: IO[bytes] | None = None
        self._part: Part | None = None

    def add(self, wire: Wire) -> str:
        """Put a document where it fits; return the name of the part."""
        refuse_second(wire, self._names)
        refuse_larger(wire, self._bounds.package)
        part = self._part or self._begin()
        if not part.fits(wire):
            self.close()
            part = self._begin()
        part.add(wire)
        self._names.add(wire.name)
        return self._name

    @property
    def _name(self) -> str:
        return part_name(self._stem, self._number)

    def _begin(self) -> Part:
        self._number += 1
        self._file = (self._folder / f".{self._name}.tmp").open("w+b")
        self._part = Part(self._file, self._now, self._bounds.package, self._bounds.documents)
        return self._part

    def close(self) -> None:
        """Make the part durable and give it its name; one without documents is no part."""
        if self._file is None or self._part is None:
            return
        if self._part.empty:
            self.drop()
            return
        self._part.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        (self._folder / f".{self._name}.tmp").replace(self._folder / self._name)
        self._file = self._part = None

    def drop(self) -> None:
        """Leave nothing of a part that is not whole."""
        if self._file is None:
            return
        if self._part is not None:
            with suppress(OSError, ValueError):
                self._part.close()
        self._file.close()
        (self._folder / f".{self._name}.tmp").unlink(missing_ok=True)
        self._file = self._part = None
