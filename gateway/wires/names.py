"""Which names of a document a thread has not met before: libxml2 keeps each as long as it lives.

A document that follows the contract may bring new ones all the same: prefixes, blocks of its header
that nobody asked for, attributes of the envelope. Honest callers have some hundred in all.
"""

from __future__ import annotations

import re
from typing import Final

_TAG: Final = re.compile(rb"""<(?![!?/])((?:[^<>"']|"[^"]*+"|'[^']*+')*+)""")
_MOST: Final = 2_000
"""Names that are remembered of one caller."""


class Names:
    """The names that one caller brought."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: set[bytes] = set()

    def new(self, document: bytes) -> int:
        """Return how many bytes of names stand in it that were not there before.

        document: well-formed, in whatever encoding it came.
        """
        found = {name for tag in _TAG.findall(document) for name in _names(tag)}
        if not found:
            return len(document)
        unknown = found - self._known
        if len(self._known) < _MOST:
            self._known |= unknown
        return sum(map(len, unknown))


def _names(tag: bytes) -> list[bytes]:
    """Return the names in a tag, and the names of namespaces, as they stand there."""
    if b"=" not in tag:
        return [tag]
    # Outside of quotes and inside of them by turns.
    parts = tag.replace(b"'", b'"').split(b'"')
    outside = [name for part in parts[::2] for name in part.replace(b"=", b" ").split()]
    return outside + [
        value for before, value in zip(parts[::2], parts[1::2], strict=False) if b"xmlns" in before
    ]
