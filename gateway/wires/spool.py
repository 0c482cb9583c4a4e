"""Parts of a package on their way into the store: hashed and written as they come.

A part up to the size of a row stays in memory, a larger one becomes a file of the blob directory.
The disk is never waited for on the event loop: what has come is handed to a thread by the megabyte,
and the next bytes are asked for when it is written, so a sender is never faster than the disk.
"""

from __future__ import annotations

import asyncio
import errno
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import TYPE_CHECKING, Final, Self, TypeVar

from gateway import limits
from gateway.adapter import Stored
from gateway.errors import TooLargeError
from gateway.soap import mime, xop
from gateway.soap.splitter import Part, media_type
from gateway.store.blobs import no_room
from gateway.wires.allowance import Allowance

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from gateway.store.blobs import BlobDirectory, Writing
    from gateway.wires.room import Body

T = TypeVar("T")
BLOCK_BYTES: Final = limits.MB
_LOOK_BYTES: Final = 64 * limits.MB
"""How often the space that is left is looked at."""
_START_BYTES: Final = 16
"""Of a file, for whoever tells pictures by them."""
_DISK: Final = ThreadPoolExecutor(max_workers=4, thread_name_prefix="blobs")
"""Its own threads: those of everybody else must not wait for a disk that syncs 500 MB."""

ALLOWANCE: Final = Allowance(limits.PARTS_OF_DAY_BYTES)
"""Of this process, which has one disk; `gateway.app` sets its bound."""


async def on_disk(work: Callable[..., T], *arguments: object) -> T:
    """Do in a thread what waits for the disk; raise BusyError for what the disk refuses."""
    try:
        return await asyncio.get_running_loop().run_in_executor(_DISK, work, *arguments)
    except OSError as error:
        raise no_room(errno.errorcode.get(error.errno or 0, type(error).__name__)) from error


class Spool:
    """Takes the parts behind an envelope.

    wanted: Content-IDs that the envelope points to; any other part is refused before its first
    byte. held: counts what stays in memory. limit: bytes in all when nothing goes to the disk; with
    None the large ones do. peer: whose day is charged then, by default the holder's.
    """

    def __init__(
        self,
        blobs: BlobDirectory,
        held: Body,
        wanted: Collection[str] | None,
        limit: int | None = None,
        peer: str = "",
    ) -> None:
        self._blobs = blobs
        self._held = held
        self._peer = peer or held.peer
        self._wanted = wanted
        self._limit = limit
        self._in_all = 0
        self._looked = 0
        self._head: mime.Head | None = None
        self._start = b""
        self._chunks: list[bytes] = []
        self._waiting = 0
        self._file: Writing | None = None
        self.parts: dict[str, Part] = {}
        """Those that are whole, by Content-ID."""

    async def take(self, event: mime.Event) -> None:
        """Take what came next; raise ValidationError, TooLargeError or BusyError."""
        if isinstance(event, mime.Head):
            self._begin(event)
        elif isinstance(event, mime.Data):
            await self._add(event.data)
        else:
            await self._end()

    def close(self) -> None:
        """Let go of the part that is not whole."""
        self._chunks.clear()
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_how: object) -> None:
        self.close()

    def _begin(self, head: mime.Head) -> None:
        cid = head.content_id
        if cid in self.parts:
            raise xop.duplicate(cid, head.place)
        if not cid or (self._wanted is not None and cid not in self._wanted):
            raise xop.unreferenced(cid, head.place)
        self._head, self._start, self._chunks, self._waiting = head, b"", [], 0

    async def _add(self, data: bytes) -> None:
        self._in_all += len(data)
        if self._limit is not None and self._in_all > self._limit:
            raise TooLargeError(
                "the parts of a message that is read whole are too large: a signature is over"
                " their base64",
                found=f"over {self._limit} bytes",
                expected=f"at most {self._limit} bytes together",
                where="package",
                todo="send large files by AttachFile over TLS, in a message that is not signed",
            )
        if self._limit is None:
            ALLOWANCE.take(self._peer, len(data))
        if len(self._start) < _START_BYTES:
            self._start += data[: _START_BYTES - len(self._start)]
        self._chunks.append(data)
        self._waiting += len(data)
        if self._limit is None and self._waiting >= BLOCK_BYTES:
            await self._write()

    async def _write(self) -> None:
        if self._in_all - self._looked >= _LOOK_BYTES:
            self._looked = self._in_all
            await on_disk(self._blobs.require_room, 0)
        if self._file is None:
            self._file = await on_disk(self._blobs.writing)
        chunks, self._chunks, self._waiting = self._chunks, [], 0
        await on_disk(_write_all, self._file, chunks)

    async def _end(self) -> None:
        assert self._head is not None
        data: bytes | Stored
        small = self._file is None and self._waiting <= limits.BODY_IN_ROW_BYTES
        if small or self._limit is not None:
            data = self._held.add(b"".join(self._chunks))
            digest = sha256(data).hexdigest()
        else:
            await self._write()
            assert self._file is not None
            size = self._file.size
            digest = (await on_disk(self._file.finish)).hex()
            data = Stored(sha256=digest, size=size, start=self._start)
        self._file, self._chunks, self._waiting = None, [], 0
        cid = self._head.content_id
        self.parts[cid] = Part(cid, media_type(self._head.content_type).name, digest, data)


def _write_all(file: Writing, chunks: list[bytes]) -> None:
    for chunk in chunks:
        file.write(chunk)
