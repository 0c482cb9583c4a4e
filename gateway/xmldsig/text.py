"""Pieces of text in the transform of СМЭВ: rules 2, 8 and 9 of `gateway.xmldsig.transform`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHORT: Final = 12
"""UTF-16 units from which on a piece of text is escaped in cuts."""
_CUT: Final = 512
_LEFT: Final = "\x00"
"""Stands for a `>` that is left as it is; no character of XML."""
_LEFT_SHORT: Final = re.compile(r"(?<=[^\]])>")
_LEFT_LONG: Final = re.compile(r"(?<=[^\]<&\r>])>++")
_LOW_SURROGATES: Final = range(0xDC00, 0xE000)
_CANONICAL: Final = (
    ("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#x9;", "\t"), ("&#xA;", "\n"),
    ("&#xD;", "\r"), ("&amp;", "&"),
)  # fmt: skip
"""The entities of a canonical form; `&amp;` comes last: what it makes is not read again."""


def piece(escaped: bytes) -> bytes:
    """Return a piece of text by rules 2 and 8, from the canonical form of it."""
    if b"&gt;" not in escaped:
        bare = escaped.replace(b"&#xD;", b"\r")
        return escaped.replace(b"&#xD;", b"&#xd;") if bare.strip() else b""
    text = meant(escaped.decode())
    length = len(text) if escaped.isascii() else len(units(text)) // 2
    if length < _SHORT:
        left = _LEFT_SHORT.sub(_LEFT, text)
    else:
        left = "".join(
            _LEFT_LONG.sub(lambda found: _LEFT * len(found[0]), cut) for cut in _cuts(text, length)
        )
    return _escaped(left).replace(_LEFT, ">").encode()


def value(escaped: bytes) -> bytes:
    """Return the value of an attribute as rule 9 has it, from the canonical form of it."""
    if b"&#x" not in escaped:
        return escaped
    return escaped.replace(b"&#xA;", b"&#xa;").replace(b"&#xD;", b"&#xd;")


def units(text: str) -> bytes:
    """Return the text so that its bytes compare as its UTF-16 units do."""
    return text.encode("utf-16-be")


def meant(text: str) -> str:
    """Return what canonical text stands for."""
    if "&" not in text:
        return text
    for written, character in _CANONICAL:
        text = text.replace(written, character)
    return text


def _cuts(text: str, length: int) -> Iterator[str]:
    """Yield what 512 UTF-16 units hold each.

    A pair of surrogates that a cut falls into goes to the next one: nothing hangs on the first half
    of it, and behind it a `>` is no longer the first.
    """
    if length == len(text):
        for start in range(0, length, _CUT):
            yield text[start : start + _CUT]
        return
    encoded, start = units(text), 0
    for at in range(_CUT, length, _CUT):
        end = at - (encoded[2 * at] << 8 | encoded[2 * at + 1] in _LOW_SURROGATES)
        yield encoded[2 * start : 2 * end].decode("utf-16-be")
        start = end
    yield encoded[2 * start :].decode("utf-16-be")


def _escaped(text: str) -> str:
    """Return text with every `&`, `<`, `>` and carriage return escaped."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("\r", "&#xd;")
