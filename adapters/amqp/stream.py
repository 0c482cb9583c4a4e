"""What pika leaves open of what a broker says: how large a frame and a message, what a table holds.

pika reads a header table into objects and fails where one cannot be made: a timestamp beyond the
year 9999, a float that is no number, tables within tables. RabbitMQ hands such a message on, and it
would come again for ever, before all others. Of a table nothing is read here but its strings.
"""

from __future__ import annotations

import struct
from contextlib import suppress
from typing import Any, Final

from pika import exceptions as trouble
from pika import frame, spec
from pika.adapters.select_connection import SelectConnection

from gateway import limits

FRAME_BYTES: Final = 131_072
"""Of a frame with its head and end: what pika asks for when a connection is tuned."""
MESSAGE_BYTES: Final = 128 * limits.MB
"""Of a body: what RabbitMQ takes unless told otherwise (`max_message_size` of 3.8 to 3.13)."""
CALL_BYTES: Final = MESSAGE_BYTES + 16 * limits.MB
"""Of all that a broker says in one call."""
VALUE_BYTES: Final = 8_000
"""Of a string among the headers; longer ones are passed over."""

_FIXED: Final = {
    b"V": 0, b"t": 1, b"b": 1, b"B": 1, b"U": 2, b"u": 2, b"s": 2, b"I": 4, b"i": 4, b"f": 4,
    b"D": 5, b"L": 8, b"l": 8, b"d": 8, b"T": 8,
}  # fmt: skip
_MEASURED: Final = frozenset((b"S", b"x", b"A", b"F"))
_HEADERS, _BEFORE = 1 << 13, (1 << 15, 1 << 14)
"""Flags of the header table, and of the short strings that may stand before it."""


class TooMuchError(trouble.AMQPConnectionError):  # type: ignore[misc] # pika has no types
    """The broker says more than is taken."""

    def __str__(self) -> str:
        """Say how much of what."""
        return str(self.args[0])


class Stream(SelectConnection):  # type: ignore[misc]
    """A connection of pika that bounds what it takes."""

    heard = 0
    """Bytes since the call began."""

    def _on_data_available(self, data: bytes) -> None:
        self.heard += len(data)
        if self.heard > CALL_BYTES:
            raise TooMuchError(f"the broker said more than {CALL_BYTES} bytes in one call")
        super()._on_data_available(data)

    def _read_frame(self) -> tuple[int, Any]:
        buffer = self._frame_buffer
        if len(buffer) < spec.FRAME_HEADER_SIZE or buffer.startswith(b"AMQP"):
            return super()._read_frame()  # type: ignore[no-any-return]
        kind, channel, size = struct.unpack_from(">BHL", buffer)
        end = spec.FRAME_HEADER_SIZE + size + spec.FRAME_END_SIZE
        if end > FRAME_BYTES:
            raise TooMuchError(f"a frame of {end} bytes, at most {FRAME_BYTES}")
        if kind != spec.FRAME_HEADER or len(buffer) < end:
            return super()._read_frame()  # type: ignore[no-any-return]
        if buffer[end - 1] != spec.FRAME_END:
            raise trouble.InvalidFrameError("Invalid FRAME_END marker")
        return end, header(channel, buffer[spec.FRAME_HEADER_SIZE : end - 1])


def header(channel: int, data: bytes) -> Any:
    """Return the frame before a body, its header table read as `strings` does.

    Raises TooMuchError for a body larger than MESSAGE_BYTES.
    """
    class_id, _, size, flags = struct.unpack_from(">HHQH", data)
    if size > MESSAGE_BYTES:
        raise TooMuchError(f"a message of {size} bytes, at most {MESSAGE_BYTES}")
    start, word = 14, flags
    while word & 1:  # flags beyond those that Basic has
        (word,) = struct.unpack_from(">H", data, start)
        start += 2
    rest, table = data[start:], b""
    if flags & _HEADERS:
        start = 0
        for flag in _BEFORE:
            if flags & flag:
                start += 1 + rest[start]
        (length,) = struct.unpack_from(">I", rest, start)
        table = rest[start + 4 : start + 4 + length]
        rest = rest[:start] + rest[start + 4 + length :]
    properties = spec.props[class_id]()
    properties.decode(struct.pack(">H", flags & ~(_HEADERS | 1)) + rest)
    if flags & _HEADERS:
        properties.headers = strings(table)
    return frame.Header(channel, size, properties)


def strings(table: bytes) -> dict[str, str]:
    """Return the strings in UTF-8 of a table; what is within its arrays and tables is passed over.

    Reads up to a type that is not known, or that stands for more than there is.
    """
    out: dict[str, str] = {}
    at = 0
    while at < len(table):
        key = table[at + 1 : at + 1 + table[at]]
        at += 1 + len(key)
        kind = table[at : at + 1]
        at += 1
        if kind not in _MEASURED:
            if kind not in _FIXED:
                break
            at += _FIXED[kind]
            continue
        size = int.from_bytes(table[at : at + 4])
        at += 4
        if at + size > len(table):
            break
        if kind == b"S" and size <= VALUE_BYTES:
            with suppress(UnicodeDecodeError):
                out[key.decode()] = table[at : at + size].decode()
        at += size
    return out
