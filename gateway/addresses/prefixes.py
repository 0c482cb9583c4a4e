"""Words of names in order of the alphabet, and what bears them: for what is being typed.

The words and names are those of the `Region`; beside them stand only arrays of numbers, about 20
bytes for an object (`Prefixes.size`). Where a beginning leads to many objects, as `л` does, the
first of them are known beforehand.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from sys import getsizeof
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.addresses.gazetteer import NONE
from gateway.addresses.keys import fold

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gateway.addresses.gazetteer import Region

MANY: Final = 128
"""Past so many objects of a beginning, only the first of them are looked at."""
FIRST: Final = 48
_LAST: Final = "\U0010ffff"
_SHOWN: Final = frozenset({1, 2, 5, 6, 7, 8})
"""Levels that may be the answer; a municipal district only tells where something lies."""
_CACHED: Final = 32


class Bearers(NamedTuple):
    """What bears a word, or a word that begins so, in the order of the region's places.

    own: objects that may be the answer. places: those in which others lie, the largest first.
    everywhere: the region itself is one of them.
    """

    own: Sequence[int]
    places: Sequence[int]
    everywhere: bool

    def bears(self, at: int) -> bool:
        """Tell whether an object is among them."""
        found = bisect_left(self.own, at)
        return found < len(self.own) and self.own[found] == at


class Prefixes:
    """The words of one region."""

    def __init__(self, region: Region) -> None:
        self.region = region
        self.large = _large(region)
        """Houses in an object and in all that lies in it."""
        self.words = sorted(region.words)
        self._own, self._own_start = array("I"), array("I", [0])
        self._places, self._places_start = array("I"), array("I", [0])
        for word in self.words:
            borne = {
                named.at for number in region.keys_of(word) for named in region.of_key(number, NONE)
            }
            self._own.extend(sorted(at for at in borne if region.level[at] in _SHOWN))
            self._own_start.append(len(self._own))
            self._places.extend(sorted(at for at in borne if region.last[at] > at))
            self._places_start.append(len(self._places))
        self._first: dict[str, array[int]] = {}
        self._learn(0, len(self.words), 0, [fold(region.name(at)) for at in range(region.count)])
        self._kept: dict[str, Bearers] = {}

    def first(self, beginning: str) -> Sequence[int]:
        """Return objects of which a word begins so, all or the first of many."""
        known = self._first.get(beginning)
        if known is not None:
            return known
        start, end = self._range(beginning)
        return self._own[self._own_start[start] : self._own_start[end]]

    def bearers(self, word: str, *, begins: bool) -> Bearers:
        """Return what bears a word. begins: or any that begins so; so too when none is the word."""
        at = bisect_left(self.words, word)
        if not begins and at < len(self.words) and self.words[at] == word:
            return self._bearers(at, at + 1)
        known = self._kept.get(word)
        if known is None:
            if len(self._kept) >= _CACHED:
                self._kept.clear()
            known = self._kept[word] = self._bearers(*self._range(word))
        return known

    def _bearers(self, start: int, end: int) -> Bearers:
        own = self._own[self._own_start[start] : self._own_start[end]]
        places = self._places[self._places_start[start] : self._places_start[end]]
        if end - start > 1:
            own = array("I", sorted(own))
        return Bearers(own, self.largest(places), self.region.root in places)

    def largest(self, objects: Sequence[int]) -> list[int]:
        """Return the first of many objects by size."""
        return sorted(objects, key=self.large.__getitem__, reverse=True)[:FIRST]

    def _range(self, beginning: str) -> tuple[int, int]:
        start = bisect_left(self.words, beginning)
        return start, bisect_left(self.words, beginning + _LAST, start)

    def _learn(self, start: int, end: int, length: int, names: list[str]) -> None:
        """Keep the first objects of every beginning that leads to many."""
        for beginning, low, high in self._groups(start, end, length):
            borne = self._own[self._own_start[low] : self._own_start[high]]
            if len(borne) > MANY:
                best = sorted(
                    set(borne),
                    key=lambda at: (not names[at].startswith(beginning), -self.large[at]),
                )
                self._first[beginning] = array("I", best[:FIRST])
                self._learn(low, high, length + 1, names)

    def _groups(self, start: int, end: int, length: int) -> Iterator[tuple[str, int, int]]:
        """Give the beginnings one letter longer, and where their words stand."""
        while start < end:
            beginning = self.words[start][: length + 1]
            high = start + 1
            if len(beginning) > length:
                high = bisect_left(self.words, beginning + _LAST, start, end)
                yield beginning, start, high
            start = high

    @property
    def size(self) -> int:
        """Bytes that it takes beside the region; texts are the region's."""
        arrays = (self.large, self._own, self._own_start, self._places, self._places_start)
        first = sum(getsizeof(key) + getsizeof(found) for key, found in self._first.items())
        return sum(map(getsizeof, (*arrays, self.words, self._first))) + first


def _large(region: Region) -> array[int]:
    """Return how many houses stand in each object with all that lies in it."""
    before = [0]
    for count in region.houses:
        before.append(before[-1] + count)
    return array("I", (before[region.last[at] + 1] - before[at] for at in range(region.count)))
