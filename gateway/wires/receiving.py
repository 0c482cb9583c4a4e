"""One request body as it comes: first the envelope, then, once its sender is known, the rest."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from gateway import ns
from gateway.errors import InputError, SecurityError
from gateway.limits import (
    INLINE_DECODE_BYTES,
    PACKAGE_BYTES,
    SIGNED_PARTS_BYTES,
    SIGNED_PARTS_SECONDS,
    SOAP_ROOT_BYTES,
)
from gateway.soap import mime, xop
from gateway.soap.security import SECURITY, presigned
from gateway.soap.splitter import Splitter
from gateway.wires.edge import Gone
from gateway.wires.inflate import PIECE_BYTES, in_pieces
from gateway.wires.spool import Spool, on_disk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping

    from lxml.etree import _Element

    from gateway.soap.envelope import Context, Opened
    from gateway.soap.splitter import Part
    from gateway.soap.xop import Form
    from gateway.store.blobs import BlobDirectory
    from gateway.wires.proving import Turn
    from gateway.wires.room import Body, Room

_DIGITS: Final = 18
"""Of a Content-Length that is taken for one."""


class Incoming:
    """The body of one request.

    receive: of ASGI. headers: of HTTP, with lower-case names. held: counts what is in memory.
    limit: bytes that the envelope may have. package_bytes: what a package may have, whole. Raises
    UnsupportedError for a media type that is not SOAP, or a coding that is not read here, before
    the first byte is taken.
    """

    def __init__(
        self,
        receive: Any,
        headers: Mapping[str, str],
        held: Body,
        limit: int = SOAP_ROOT_BYTES,
        package_bytes: int = PACKAGE_BYTES,
    ) -> None:
        self._receive = receive
        self._headers = headers
        self._held = held
        caps = mime.DEFAULT
        if package_bytes != caps.total:
            caps = mime.Caps(total=package_bytes, part=package_bytes)
        self._splitter = Splitter(headers.get("content-type", ""), limit, caps)
        self.packed: Final = self._splitter.packed
        """Whether the envelope comes in a package."""
        whole = package_bytes if self.packed else limit
        self._pieces, self._close = in_pieces(headers.get("content-encoding", ""), whole)
        self._beyond: AsyncIterator[mime.Event] | None = None
        self._inlined = False
        self.parts: Mapping[str, Part] = {}
        """Parts behind the envelope that have come whole, by Content-ID."""

    @property
    def form(self) -> Form | None:
        """What the package is, None for an envelope by itself; known when the envelope is."""
        return self._splitter.form

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers as they would be of the envelope by itself; once it is known."""
        if not self.packed:
            return self._headers
        return {**self._headers, "content-type": self._splitter.content_type}

    async def root(self) -> bytes:
        """Return the envelope, unpacked; raise Gone when the client closed before it was whole.

        Raise BusyError when too much is being received at once, of this caller or in all.
        """
        if self.packed:
            self._beyond = self._flow()
            async for _ in self._beyond:
                break
            return await self._whole()
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Gone
            for piece in self._pieces(message.get("body", b"")):
                self._splitter.feed(self._held.add(piece))
                if len(piece) >= PIECE_BYTES:  # 100 KB may unpack to 12 MB; others are waiting
                    await asyncio.sleep(0)
            if not message.get("more_body"):
                self._close()
                self._splitter.close()
                return await self._whole()

    async def _whole(self) -> bytes:
        """Return the envelope, of which all pieces are there; a long one is joined in a thread."""
        if self._splitter.size <= INLINE_DECODE_BYTES:
            found = self._splitter.root
        else:
            found = await asyncio.to_thread(lambda: self._splitter.root)
        assert found is not None
        return found

    async def inline(self, envelope: _Element | None, blobs: BlobDirectory) -> None:
        """Put the parts into the envelope as base64, as far as they may stand in memory.

        For a message whose signature is over that form, and for a service that reads it.
        """
        await self._take(None, blobs, self._held.peer, SIGNED_PARTS_BYTES)
        held = {cid: part.data for cid, part in self.parts.items() if isinstance(part.data, bytes)}
        self._inlined = True
        if envelope is not None:
            xop.inlined(envelope, held)

    async def inline_signed(
        self, opened: Opened, blobs: BlobDirectory, opening: Context, turn: Turn, room: Room
    ) -> None:
        """Do that with a message that has a signature; raise SecurityError for what cannot be.

        Who sent it is not proven yet, and may be told what is in the way of the proof. opening: who
        holds which certificate: the parts are taken only when a peer's signature stands in the
        header, and count for that peer, in `room`: there are few places for those who wait for
        their parts, and a stranger would keep them. turn: where the signature is looked at.
        """
        if not self.packed or not any(
            block.tag == SECURITY and block.find(ns.tag(ns.DS, "Signature")) is not None
            for block in opened.blocks
        ):
            return
        found = await turn.run(
            presigned,
            opened.envelope,
            opened.blocks,
            opened.frame.version,
            opening,
            opening.algorithms,
        )
        if found is None:
            return
        with turn.package(found.seen):
            if self._held.room is not room or not self._held.peer:
                self._held.free()
                self._held.room = room
                self._held.claim(found.peer, turn.size)
            await self._inline_in_time(opened.envelope, blobs)

    async def _inline_in_time(self, envelope: _Element, blobs: BlobDirectory) -> None:
        try:
            async with asyncio.timeout(SIGNED_PARTS_SECONDS):
                await self.inline(envelope, blobs)
        except TimeoutError as error:
            raise SecurityError(
                "the parts of a signed message came too slowly",
                expected=f"all of them in {SIGNED_PARTS_SECONDS:.0f} s",
                where="package",
                todo="send large files by AttachFile over TLS, in a message that is not signed",
            ) from error
        except InputError as error:
            raise SecurityError(
                error.message,
                found=error.found,
                expected=error.expected,
                where=error.where,
                todo=error.todo,
            ) from error

    async def rest(
        self, body: _Element | None, files: Collection[str], blobs: BlobDirectory, peer: str
    ) -> Mapping[_Element, Part]:
        """Receive and store what the body points to, and return it by element.

        body: of the envelope; its pointers are taken out, so that the schema sees empty files.
        files: Clark names of its elements that are base64. peer: who sends. Asked for when the
        sender is known. Raises InputError, BusyError, Gone.
        """
        if self.form is None or self._inlined:
            return {}
        if not files:
            await self.inline(body, blobs)
            return {}
        links = xop.take_out(body, files, self.form) if body is not None else ()
        await self._take({link.cid for link in links}, blobs, peer, None)
        return xop.resolve(links, self.parts)

    async def _take(
        self, wanted: Collection[str] | None, blobs: BlobDirectory, peer: str, limit: int | None
    ) -> None:
        counted = Spool(blobs, self._held, wanted, limit, peer)
        with self._held.room.package(peer), counted as spool:
            self.parts = spool.parts
            if wanted:
                length = self._headers.get("content-length", "")[:_DIGITS]
                await on_disk(blobs.require_room, int(length) if length.isdecimal() else 0)
            assert self._beyond is not None
            async for event in self._beyond:
                await spool.take(event)

    async def _flow(self) -> AsyncIterator[mime.Event]:
        """Yield the end of the envelope of a package, then what comes behind it.

        A piece is dealt with before the next one is unpacked or asked for.
        """
        whole = False
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Gone
            for piece in self._pieces(message.get("body", b"")):
                for event in self._splitter.feed(piece if whole else self._held.add(piece)):
                    whole = True
                    yield event
                if len(piece) >= PIECE_BYTES:
                    await asyncio.sleep(0)
            if not message.get("more_body"):
                break
        self._close()
        self._splitter.close()
