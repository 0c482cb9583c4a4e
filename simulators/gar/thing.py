"""What the registry names (a region, a district, a village, a street), and where it belongs."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import md5
from typing import Final, NamedTuple

OPEN_END: Final = "2079-06-06"
"""How ГАР writes that something is in force."""
SINCE: Final = "2014-01-05"


class Before(NamedTuple):
    """A name that an object had, and until when."""

    name: str
    kind: str
    until: str


@dataclass(slots=True, kw_only=True, eq=False)
class Thing:
    """One object with a name.

    kind: short type as ГАР has it. level: of OBJECT_LEVELS. up: parent in the administrative
    division, over: in the municipal one. town: the settlement it is in (itself when it is one).
    houses: how many stand directly in it, their OBJECTIDs from `first` on. inner: the inner
    district of the city, only in the municipal path. forced: houses that must be
    there, (number, block). city: whether it has blocks of flats. active: False for what
    was closed; into: what it became, origin: what it was made from. apartments: the flats of its
    forced houses are always delivered. steads: plots of land in it. dense: it has every number, and
    many of the letters, fractions and blocks that made-up appeals name.
    """

    id: int
    guid: str
    level: int
    name: str
    kind: str
    up: Thing | None = None
    over: Thing | None = None
    town: Thing | None = None
    inner: Thing | None = None
    houses: int = 0
    first: int = 0
    steads: int = 0
    postal: str = ""
    oktmo: str = ""
    okato: str = ""
    code: str = "0"
    city: bool = False
    active: bool = True
    before: list[Before] = field(default_factory=list)
    into: list[Thing] = field(default_factory=list)
    origin: list[Thing] = field(default_factory=list)
    forced: tuple[tuple[int, int], ...] = ()
    dense: bool = False
    apartments: bool = False

    @property
    def path(self) -> str:
        """OBJECTIDs from the region down to this, dot by dot, in the administrative division."""
        return f"{self.up.path}.{self.id}" if self.up else str(self.id)

    @property
    def municipal_path(self) -> str:
        """The same in the municipal division; an inner district stands before its city."""
        if not self.over:
            return str(self.id)
        above = self.over.municipal_path
        if self.inner:
            head, _, city = above.rpartition(".")
            above = f"{head}.{self.inner.id}.{city}"
        return f"{above}.{self.id}"

    @property
    def above(self) -> list[Thing]:
        """What it lies in, in the administrative division, nearest first."""
        found = []
        up = self.up
        while up:
            found.append(up)
            up = up.up
        return found


def guid(*parts: object) -> str:
    """Return the GUID that follows from a seed and a number."""
    text = md5("/".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"
