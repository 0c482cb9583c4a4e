"""One piece of an address while it is being read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.addresses.words import Kind
    from gateway.addresses.words_regions import Region


class Item:
    """One piece of the address, not yet a part.

    role: empty until it is known. kind: its type; kinds: every reading of it. first, last: words of
    the name, -1 while there is none. marks: words of the type. name: instead of the words, for a
    number and for a region called by another name. aside: within brackets. segment: how many commas
    and brackets stand before it.
    """

    __slots__ = (
        "aside", "first", "kind", "kinds", "last", "marks", "name", "region", "role", "segment",
    )  # fmt: skip

    def __init__(self, role: str, kind: Kind | None, segment: int) -> None:
        self.role = role
        self.kind = kind
        self.kinds: tuple[Kind, ...] = ()
        self.first = -1
        self.last = -1
        self.marks: tuple[int, ...] = ()
        self.name = ""
        self.region: Region | None = None
        self.segment = segment
        self.aside = False

    @property
    def count(self) -> int:
        """Return how many pieces the name spans."""
        return self.last - self.first + 1
