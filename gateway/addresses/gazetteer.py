"""Regions, settlements and streets in memory, found by the key of a name within a place.

A region is arrays of numbers in the order of a walk down the administrative tree, so that all that
lies in an object stands right behind it: `at` is an object's place in that order, `last[at]` that
of the last object in it. No Python object stands for a street: about 200 bytes each, keys and names
among them (measured by `Region.size`).
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from sys import getsizeof
from typing import TYPE_CHECKING, Final, NamedTuple
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

NONE: Final = 0xFFFFFFFF
NOW, BEFORE, MERGED, SYNONYM = 0, 1, 2, 3
"""Kinds of names: of address_name, and what people have chosen."""


class ObjectRow(NamedTuple):
    """A row of address_object."""

    id: int
    guid: UUID
    level: int
    type: str
    type_name: str
    name: str
    parent: int
    parent_mun: int
    oktmo: str
    okato: str
    postal_code: str
    houses: int


class NameRow(NamedTuple):
    """A row of address_name."""

    key: str
    object: int
    type: str
    kind: int


class Synonym(NamedTuple):
    """What people have chosen: a name that means an object, in all the region or in one place."""

    region: str
    scope: str
    key: str
    target: str


class Named(NamedTuple):
    """An object that bears a name: its place in the order, the type it bore it with, the kind."""

    at: int
    type: str
    kind: int


class Interned:
    """Distinct texts, each once."""

    __slots__ = ("numbers", "texts")

    def __init__(self) -> None:
        self.texts: list[str] = [""]
        self.numbers: dict[str, int] = {"": 0}

    def number(self, text: str) -> int:
        """Return the number of a text; it is kept when it is new."""
        number = self.numbers.get(text)
        if number is None:
            number = self.numbers[text] = len(self.texts)
            self.texts.append(text)
        return number


class Region:
    """What has a name in one region."""

    def __init__(
        self, code: int, objects: Iterable[ObjectRow], names: Iterable[NameRow], version: str = ""
    ) -> None:
        self.code = code
        self.version = version
        self.labels: tuple[dict[int, str], dict[int, str]] = {}, {}
        """Full names of settlements in either division, once they were asked for."""
        self.flats = True
        """Whether apartments are loaded, as far as is known."""
        rows = list(objects)
        order, last = _walk(rows, "parent")
        rows = [rows[number] for number in order]
        self.count = len(rows)
        self.id = array("q", (row.id for row in rows))
        self.guid = b"".join(row.guid.bytes for row in rows)
        self.level = bytes(row.level for row in rows)
        self.last = array("I", last)
        self._texts = texts = Interned()
        self._type = array("I", (texts.number(row.type) for row in rows))
        self._type_name = array("I", (texts.number(row.type_name) for row in rows))
        self._name = array("I", (texts.number(row.name) for row in rows))
        self._oktmo = array("I", (texts.number(row.oktmo) for row in rows))
        self._okato = array("I", (texts.number(row.okato) for row in rows))
        self._postal = array("I", (texts.number(row.postal_code) for row in rows))
        self.houses = array("I", (row.houses for row in rows))
        self._by_id = array("I", sorted(range(self.count), key=self.id.__getitem__))
        self._ids = array("q", (self.id[at] for at in self._by_id))
        self.parent = array("I", (self._place(row.parent) for row in rows))
        self.parent_mun = array("I", (self._place(row.parent_mun) for row in rows))
        mun, mun_last = _walk(rows, "parent_mun")
        self.mun = array("I", bytes(4 * self.count))
        self.mun_last = array("I", bytes(4 * self.count))
        for place, at in enumerate(mun):
            self.mun[at], self.mun_last[at] = place, mun_last[place]
        self.root = next((at for at in range(self.count) if self.level[at] == 1), NONE)
        del texts.numbers, rows
        self.synonyms: dict[str, list[tuple[int, int]]] = {}
        self._index(names)

    def _index(self, names: Iterable[NameRow]) -> None:
        types = Interned()
        found: dict[str, list[tuple[int, int, int]]] = {}
        for row in names:
            at = self.place(row.object)
            if at != NONE:
                found.setdefault(row.key, []).append((at, row.kind, types.number(row.type)))
                if 1 < self.level[at] <= 4 and (short := district(row.key)) != row.key:
                    found.setdefault(short, []).append((at, row.kind, types.number(row.type)))
        self._types = types.texts
        self.keys: dict[str, int] = {}
        self._start = array("I", [0])
        self._at = array("I")
        self._kind = bytearray()
        self._bore = array("H")
        for key in sorted(found):
            self.keys[key] = len(self.keys)
            for at, kind, bore in sorted(found.pop(key)):
                self._at.append(at)
                self._kind.append(kind)
                self._bore.append(bore)
            self._start.append(len(self._at))
        self._words()

    def _words(self) -> None:
        """Index the words of keys: which keys have each."""
        of: dict[str, array[int]] = {}
        for key, number in self.keys.items():
            for word in set(key.split()):
                of.setdefault(word, array("I")).append(number)
        self.spelt = list(self.keys)
        self.words = {word: number for number, word in enumerate(of)}
        self._word_start = array("I", [0])
        self._word_keys = array("I")
        self.by_length: dict[int, list[str]] = {}
        for word, numbers in of.items():
            self._word_keys.extend(numbers)
            self._word_start.append(len(self._word_keys))
            if not word.isdigit():
                self.by_length.setdefault(len(word), []).append(word)
        self._shorten()

    def _shorten(self) -> None:
        """Index the words without any one of their letters: an error away is a letter away."""
        short = sorted(
            (hash(less), number)
            for number, word in enumerate(self.words)
            if len(word) > 2 and not word.isdigit()
            for less in lessened(word)
        )
        self._short = array("q", (code for code, _ in short))
        self._short_of = array("I", (number for _, number in short))
        self._spelt_words = list(self.words)

    def near(self, word: str) -> list[str]:
        """Return the words that may be one error away: also some that are two."""
        found: set[int] = set()
        for less in lessened(word):
            code = hash(less)
            at = bisect_left(self._short, code)
            while at < len(self._short) and self._short[at] == code:
                found.add(self._short_of[at])
                at += 1
        return [self._spelt_words[number] for number in sorted(found)]

    def choose(self, synonyms: Iterable[Synonym]) -> None:
        """Let names mean objects, instead of those before; what is not of this region is passed."""
        chosen: dict[str, list[tuple[int, int]]] = {}
        for code, scope, key, target in synonyms:
            if code not in {"", f"{self.code:02d}"}:
                continue
            at = self.by_guid(target)
            within = self.by_guid(scope) if scope else self.root
            if at != NONE and (within != NONE or not scope):
                chosen.setdefault(key, []).append((within, at))
        self.synonyms = chosen

    def place(self, number: int) -> int:
        """Return where an OBJECTID stands, NONE when it is not here."""
        found = bisect_left(self._ids, number)
        if found < len(self._ids) and self._ids[found] == number:
            return self._by_id[found]
        return NONE

    def _place(self, number: int) -> int:
        return self.place(number) if number else NONE

    def by_guid(self, guid: str) -> int:
        """Return where an OBJECTGUID stands, NONE when it is not here."""
        try:
            wanted = UUID(guid).bytes
        except ValueError:
            return NONE
        found = self.guid.find(wanted)
        while found > 0 and found % 16:
            found = self.guid.find(wanted, found + 1)
        return NONE if found < 0 else found // 16

    def called(self, key: str, within: int) -> Iterator[Named]:
        """Give the objects of a name in a place (NONE: anywhere), the place itself among them."""
        number = self.keys.get(key)
        if number is not None:
            yield from self.of_key(number, within)
        for scope, at in self.synonyms.get(key, ()):
            if self._holds(within, at) or (scope != self.root and self._holds(scope, within)):
                yield Named(at, self.type(at), SYNONYM)

    def of_key(self, number: int, within: int) -> Iterator[Named]:
        """Give the objects of a key by its number, in a place."""
        start, end = self._start[number], self._start[number + 1]
        low, high = start, end
        if within != NONE:
            low = bisect_left(self._at, within, start, end)
            high = bisect_right(self._at, self.last[within], low, end)
            if self.level[within] in {3, 4}:
                low, high = start, end
        for entry in range(low, high):
            at = self._at[entry]
            if within == NONE or self._holds(within, at):
                yield Named(at, self._types[self._bore[entry]], self._kind[entry])

    def count_of(self, number: int, within: int) -> int:
        """Return how many entries a key has within a place of the administrative division."""
        start, end = self._start[number], self._start[number + 1]
        if within == NONE:
            return end - start
        low = bisect_left(self._at, within, start, end)
        return bisect_right(self._at, self.last[within], low, end) - low

    def keys_of(self, word: str) -> Sequence[int]:
        """Return the numbers of the keys that have a word."""
        number = self.words.get(word)
        if number is None:
            return ()
        return self._word_keys[self._word_start[number] : self._word_start[number + 1]]

    def _holds(self, outer: int, inner: int) -> bool:
        return outer == NONE or (inner != NONE and self.holds(outer, inner))

    def holds(self, outer: int, inner: int) -> bool:
        """Tell whether an object lies in another, in either division, or is it."""
        if outer <= inner <= self.last[outer]:
            return True
        return self.mun[outer] <= self.mun[inner] <= self.mun_last[outer]

    def type(self, at: int) -> str:
        """Return the type as a whole word: `улица`."""
        return self._texts.texts[self._type[at]]

    def type_name(self, at: int) -> str:
        """Return the type as the registry has it: `ул.`."""
        return self._texts.texts[self._type_name[at]]

    def name(self, at: int) -> str:
        """Return the name as the registry has it."""
        return self._texts.texts[self._name[at]]

    def oktmo(self, at: int) -> str:
        """Return the ОКТМО of an object, else of the nearest above that has one."""
        return self._nearest(self._oktmo, at)

    def okato(self, at: int) -> str:
        """Return the ОКАТО of an object, else of the nearest above that has one."""
        return self._nearest(self._okato, at)

    def postal_code(self, at: int) -> str:
        """Return the postal code of an object itself."""
        return self._texts.texts[self._postal[at]]

    def _nearest(self, numbers: array[int], at: int) -> str:
        while at != NONE:
            if numbers[at]:
                return self._texts.texts[numbers[at]]
            at = self.parent[at]
        return ""

    def guid_of(self, at: int) -> str:
        """Return the OBJECTGUID, in small letters."""
        return str(UUID(bytes=self.guid[16 * at : 16 * at + 16]))

    def above(self, at: int, *, municipal: bool = False) -> list[int]:
        """Return an object and what it lies in, from the region down."""
        parents = self.parent_mun if municipal else self.parent
        line = [at]
        while (at := parents[at]) != NONE and len(line) < 16:
            line.append(at)
        return line[::-1]

    def settlement(self, at: int) -> int:
        """Return the nearest settlement that an object lies in or is; the region when none."""
        while self.level[at] not in {1, 5, 6} and self.parent[at] != NONE:
            at = self.parent[at]
        return at

    @property
    def size(self) -> int:
        """Bytes that it takes, texts and keys among them."""
        total = 0
        for value in vars(self).values():
            total += _size(value)
        return total


class Gazetteer:
    """The regions that are loaded."""

    def __init__(self, regions: Iterable[Region] = (), synonyms: Iterable[Synonym] = ()) -> None:
        self.regions = {region.code: region for region in regions}
        chosen = list(synonyms)
        for region in self.regions.values():
            region.choose(chosen)

    @property
    def version(self) -> str:
        """The newest VersionId of the regions."""
        return max((region.version for region in self.regions.values()), default="")

    @property
    def size(self) -> int:
        """Bytes that all the regions take."""
        return sum(region.size for region in self.regions.values())


_COMMON: Final = frozenset(
    """
    город городской городское муниципальный муниципальное муниципального район района округ
    поселение сельское сельсовет городского поселок рабочий село станица поселения
    """.split()  # noqa: SIM905
)


def lessened(word: str) -> set[str]:
    """Return a word and what is left of it without any one letter."""
    return {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}


def district(key: str) -> str:
    """Return the key of a municipality without what it is: `воронеж город` → `воронеж`."""
    own = [word for word in key.split() if word not in _COMMON]
    return " ".join(own) if own else key


def _walk(rows: list[ObjectRow], parent: str) -> tuple[list[int], list[int]]:
    """Return rows' numbers in the order of a walk down the tree, and where each one's own end."""
    number = {row.id: at for at, row in enumerate(rows)}
    below: dict[int, list[int]] = {}
    for at, row in enumerate(rows):
        above = number.get(getattr(row, parent), -1)
        below.setdefault(-1 if above == at else above, []).append(at)
    order: list[int] = []
    last = [0] * len(rows)
    seen = bytearray(len(rows))
    for top in [*below.get(-1, ()), *range(len(rows))]:  # the second: rings without a top
        stack = [top]
        places: list[int] = []
        while stack:
            at = stack.pop()
            if at < 0:
                last[places.pop()] = len(order) - 1
            elif not seen[at]:
                seen[at] = 1
                places.append(len(order))
                order.append(at)
                stack.append(-1)
                stack.extend(reversed(below.get(at, ())))
    return order, last


def _size(value: object) -> int:
    total = getsizeof(value)
    if isinstance(value, Interned):
        return total + _size(value.texts)
    if isinstance(value, dict):
        return total + sum(_size(k) + _size(v) for k, v in value.items())
    if isinstance(value, list) and value and isinstance(value[0], str):
        return total + sum(getsizeof(text) for text in value)
    return total
