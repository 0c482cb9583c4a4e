"""What a façade's method makes of values that spyne gives it."""

from __future__ import annotations

from typing import Any

from gateway.errors import TooLargeError
from gateway.soap.splitter import Part


def content(given: Any) -> Any:
    """Return what a ByteArray holds as a struct of the main contract takes it: bytes, or a `Part`.

    given: spyne's value, in pieces or None; a `Part` when the bytes came beside the envelope.
    """
    return given if isinstance(given, Part) else b"".join(given or ())


def octets(given: Any) -> bytes:
    """Return the bytes of a ByteArray; raise TooLargeError when they are not held in memory."""
    held = content(given)
    data = held.data if isinstance(held, Part) else held
    if isinstance(data, bytes):
        return data
    raise TooLargeError("a part of the package is too large here", found=f"{data.size} bytes")


def items(given: Any) -> list[Any]:
    """Return what a list of `many` holds; an absent list is empty, and nil items are left out."""
    return [item for item in given or () if item is not None]
