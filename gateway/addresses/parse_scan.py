"""The first pass over the words of an address: types are bound to names, numbers to their words.

A segment is what stands between commas; within it a type opens a name (`ул. Ленина`) or closes one
(`Ленина ул`). What no type explains stays an item without a role; `parse_untyped` gives it one by
its place among the others. One pass, left to right; every decision looks a few words ahead at most.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.addresses import numbers
from gateway.addresses.split import COMMA, MARK, NUM, ORD, QUOTE, WORD
from gateway.addresses.words import (
    AFTER_NUMBER,
    BEGINS_NAME,
    CITIES,
    COUNTRY,
    KINDS,
    MARKERS,
    NUMERIC,
    SPEECH,
    adjective,
    city,
    match,
)
from gateway.addresses.words_regions import CALLS, called

if TYPE_CHECKING:
    from gateway.addresses.split import Word
    from gateway.addresses.words import Kind, Spelling
    from gateway.addresses.words_regions import Region

_COUNTRY = {name[0] for name in COUNTRY}
_ABOVE = frozenset({"region", "municipality", "district"})
_PLACES = frozenset({"settlement", "municipality", "district"})
_CITY = KINDS["город"]


class Item:
    """One piece of the address, not yet a part.

    role: empty until it is known. kind: its type; kinds: every reading of it. first, last: words of
    the name, -1 while there is none. marks: words of the type. name: instead of the words, for a
    number and for a region called by another name. aside: within brackets.
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


class Scan:
    """The state of the pass. items: in order of the text. noise: words that say nothing."""

    def __init__(self, words: list[Word]) -> None:
        self.words = words
        self.items: list[Item] = []
        self.noise: list[int] = []
        self.open: Item | None = None
        self.seen: set[str] = set()
        self.segment = 0
        self.aside = False

    def run(self) -> None:
        """Read all the words."""
        words = self.words
        count = len(words)
        at = 0
        while at < count:
            kind = words[at].kind
            if kind == WORD:
                at = self._word(at)
            elif kind == COMMA:
                self.close()
                self.segment += 1
                at += 1
            elif kind in (NUM, ORD):
                at = self._number(at)
            else:
                at = self._mark(at)
        self.close()

    def close(self) -> None:
        """End the name that is being read."""
        item = self.open
        if item is None:
            return
        self.open = None
        if item.first < 0:
            self.noise.extend(item.marks)
            return
        item.aside = self.aside
        self.items.append(item)
        if item.role:
            self.seen.add(item.role)

    def _mark(self, at: int) -> int:
        """Pass over a quote or a sign; brackets and slashes end a name."""
        text = self.words[at].text
        if text in "([":
            self.close()
            self.aside = True
            self.segment += 1
        elif text in ")]":
            self.close()
            self.aside = False
            self.segment += 1
        elif text in "/\\":
            self.close()
        return at + 1

    def _add(self, at: int, end: int = 0) -> int:
        """Take words into the name that is being read, or begin one without a type."""
        end = end or at + 1
        item = self.open
        if item is None:
            item = self.open = Item("", None, self.segment)
        if item.first < 0:
            item.first = at
        item.last = end - 1
        return end

    def _word(self, at: int) -> int:
        """Read a word: of a region, of a type, of a name."""
        word = self.words[at]
        key = word.key
        item = self.open
        if key in CALLS and (item is None or item.first < 0):
            end = self._region(at)
            if end:
                return end
        if key in MARKERS:
            found = match(self.words, at)
            if found:
                spelling, end = found
                if self._initial(at, end):
                    return self._add(at)
                return self._marker(at, spelling, end)
        if key in _COUNTRY and (item is None or item.first < 0):
            end = self._country(at)
            if end:
                return end
        return self._name(at)

    def _country(self, at: int) -> int:
        """Read the country's name; return the place after it, 0 when it is not here."""
        for name in COUNTRY:
            end = at + len(name)
            if tuple(word.key for word in self.words[at:end]) == name:
                item = Item("country", None, self.segment)
                item.first, item.last = at, end - 1
                self.items.append(item)
                return end
        return 0

    def _name(self, at: int) -> int:
        """Read a word that is no type."""
        word = self.words[at]
        key = word.key
        item = self.open
        if key in SPEECH and not self._held(word, item):
            joins = key in ("и", "на") and item is not None and item.first >= 0
            if not (joins and self._capital(at + 1)):
                self.close()
                self.noise.append(at)
                return at + 1
        if key in CITIES and "settlement" not in self.seen:
            end = self._known_city(at)
            if end:
                return end
        return self._add(at)

    def _held(self, word: Word, item: Item | None) -> bool:
        """Tell whether a word that is also one of speech belongs to the name: first, or an initial."""
        if item is not None and item.kind is not None and item.first < 0:
            return True
        return len(word.key) == 1 and word.text.isupper() and (word.dot or item is not None)

    def _capital(self, at: int) -> bool:
        """Tell whether a capitalised word stands here."""
        words = self.words
        return at < len(words) and words[at].kind == WORD and words[at].text[0].isupper()

    def _known_city(self, at: int) -> int:
        """Read a well-known city, so that what follows without a comma is not its name."""
        words = self.words
        item = self.open
        if item is not None and not (item.kind is _CITY and item.first < 0):
            return 0
        end = city(words, at)
        if not end:
            return 0
        if item is None:
            if end == at + 1 and adjective(words[at].key):
                return 0
            if end < len(words) and words[end].kind in (WORD, NUM, ORD) and self._typed_after(end):
                return 0
            self._add(at, end)
            self.open.role = "settlement"  # type: ignore[union-attr]
        else:
            self._add(at, end)
        if end < len(words) and words[end].kind == WORD and words[end].key in ("г", "город"):
            if self._boundary(end + 1) and item is None:
                self.open.kind = _CITY  # type: ignore[union-attr]
                self.open.marks = (end,)  # type: ignore[union-attr]
                end += 1
        self.close()
        return end

    def _typed_after(self, at: int) -> bool:
        """Tell whether a type that closes the name before it stands here (`Киров ул, 5`)."""
        if self.words[at].kind != WORD:
            return self.words[at].kind == NUM and "street" not in self.seen and self._last(at)
        found = match(self.words, at)
        return bool(
            found and found[0].named and found[0].named[0] is not _CITY and self._boundary(found[1])
        )

    def _last(self, at: int) -> bool:
        """Tell whether nothing but numbers and their words follows: what precedes is a street."""
        return not any(
            word.kind == WORD and len(word.key) > 2 and word.key not in MARKERS
            for word in self.words[at:]
        )

    def _region(self, at: int) -> int:
        """Read a region's name with its type; return the place after it, 0 when it is not one."""
        words = self.words
        opened = self.open
        if "region" in self.seen:
            return 0
        if opened is not None and opened.role != "region" and opened.kind is not _CITY:
            return 0
        found = called(words, at)
        if found is None:
            return 0
        calls, end = found
        typed: Kind | None = None
        marks: tuple[int, ...] = ()
        after = numbers.skip(words, end)
        if after < len(words) and words[after].kind == MARK and words[after].text in "/)":
            end = after = after + 1
        closing = match(words, after) if after < len(words) and words[after].kind == WORD else None
        if closing and closing[0].named and self._closes_region(closing[0], closing[1], opened):
            typed = self._region_kind(closing[0])
            marks = tuple(range(after, closing[1]))
        if opened is not None:
            typed_by = opened.kind
        else:
            typed_by = typed
        chosen = next(
            (one for one in calls if typed_by and one.region.type == typed_by.whole), None
        )
        if chosen is None:
            chosen = next((one for one in calls if one.noun), None)
            if opened is not None and opened.role == "region":
                chosen = chosen or calls[0]
            if typed is not None and typed.role == "region":
                chosen = chosen or calls[0]
        if chosen is None or (
            opened is not None and opened.kind is _CITY and chosen.region.type != "город"
        ):
            return 0
        if typed_by is None and chosen.noun and self._typed_after_region(end):
            return 0
        item = Item("region", typed_by, self.segment)
        item.region = chosen.region
        item.first, item.last = at, end - 1
        item.marks = (*(opened.marks if opened else ()), *marks)
        if not chosen.own:
            item.name = chosen.region.name
        self.open = item
        self.close()
        return self._tails(item, marks[-1] + 1 if marks else end)

    def _typed_after_region(self, at: int) -> bool:
        """Tell whether a street's type follows, which makes the noun its name (`Крым ул`)."""
        words = self.words
        if at >= len(words) or words[at].kind != WORD:
            return False
        found = match(words, at)
        return bool(
            found
            and found[0].named
            and found[0].named[0].role in ("street", "plan", "municipality")
            and self._boundary(found[1])
        )

    def _region_kind(self, spelling: Spelling) -> Kind | None:
        """Return the reading of a type that a region can have."""
        return next(
            (kind for kind in spelling.named if kind.role == "region" or kind is _CITY), None
        )

    def _closes_region(self, spelling: Spelling, end: int, opened: Item | None) -> bool:
        """Tell whether a type after a region's name is its own."""
        kind = self._region_kind(spelling)
        if kind is None:
            return False
        return kind is not _CITY or (opened is None and self._boundary(end))

    def _tails(self, item: Item, at: int) -> int:
        """Pass over the tail of an official name (`… - Югра`); return the place after it."""
        words = self.words
        place = numbers.skip(words, at)
        region = item.region
        while place < len(words) and words[place].kind == MARK and words[place].text in "(/":
            place += 1
        if region and place < len(words) and words[place].key in region.tails:
            item.marks = (*item.marks, place)
            return place + 1
        return at

    def _initial(self, at: int, end: int) -> bool:
        """Tell whether a letter that is also a type is an initial (`К.Либкнехта`, `Титова Г.`)."""
        words = self.words
        word = words[at]
        if end != at + 1 or len(word.key) != 1 or not word.text.isupper():
            return False
        item = self.open
        if item is None:
            return (
                "settlement" in self.seen
                and word.dot
                and "street" not in self.seen
                and self._capital(at + 1)
            )
        if item.role not in ("street", "plan", "settlement", ""):
            return False
        if item.first < 0:
            return self._capital(at + 1)
        before = words[at - 1]
        if len(before.key) == 1 and before.text.isupper() and before.dot:
            return True
        if not word.dot:
            return False
        if at + 1 >= len(words) or words[at + 1].kind == COMMA:
            return True
        after = words[at + 1]
        return after.kind == WORD and len(after.key) == 1 and after.text.isupper()

    def _marker(self, at: int, spelling: Spelling, end: int) -> int:
        """Read a type: of a number, or of a name that it opens or closes."""
        kind = self._numeric(at, spelling, end) if spelling.numeric else None
        if kind is not None:
            return self._numbered(at, end, kind)
        item = self.open
        if not spelling.named:
            if item is not None and item.kind is not None and item.kind.role not in NUMERIC:
                return self._add(at, end)
            if item is not None and not spelling.full:
                return self._add(at, end)
            self.close()
            self.noise.extend(range(at, end))
            return end
        if item is None:
            return self._opening(at, spelling, end)
        if item.first < 0:
            return self._second(at, spelling, end, item)
        if item.kind is None:
            return self._closing(at, spelling, end, item)
        return self._within(at, spelling, end, item)

    def _prefix(self, at: int, spelling: Spelling, end: int) -> int:
        """Open a name by its type."""
        self.close()
        kind = spelling.named[0]
        item = self.open = Item(kind.role, kind, self.segment)
        item.kinds = spelling.named
        item.marks = tuple(range(at, end))
        return end

    def _postfix(self, at: int, spelling: Spelling, end: int, start: int) -> int:
        """Close a name by its type; what stands before `start` is a name by itself."""
        item = self.open
        assert item is not None
        kind = spelling.named[0]
        if start > item.first or item.kind is not None:
            item.last = start - 1
            while item.last >= item.first and self.words[item.last].kind in (QUOTE, MARK):
                item.last -= 1
            last = at - 1
            self.close()
            item = self.open = Item(kind.role, kind, self.segment)
            item.first, item.last = start, last
        item.role, item.kind, item.kinds = kind.role, kind, spelling.named
        item.marks = tuple(range(at, end))
        self.close()
        return end

    def _opening(self, at: int, spelling: Spelling, end: int) -> int:
        """Read a type at the beginning of a segment, or after what is complete."""
        kind = spelling.named[0]
        if spelling.full and kind.role in ("street", "plan") and self._boundary(end):
            place = numbers.skip(self.words, end)
            plain = place < len(self.words) and self.words[place].kind in (NUM, ORD)
            if not (kind.numbered and plain) and not self._names(place, kind):
                return self._add(at, end)
        return self._prefix(at, spelling, end)

    def _second(self, at: int, spelling: Spelling, end: int, item: Item) -> int:
        """Read a type directly after a type (`г.о. город`, `ул. Набережная`, `тер. СНТ`)."""
        kind = spelling.named[0]
        held = item.kind
        assert held is not None
        if item.role in ("municipality", "region"):
            if item.role == "municipality" and kind.role == "settlement":
                item.marks = (*item.marks, *range(at, end))
                return end
            return self._prefix(at, spelling, end)
        if held.whole == "территория" and kind.role == "plan":
            marks = item.marks
            self.open = None
            self._prefix(at, spelling, end)
            self.open.marks = (*marks, *range(at, end))  # type: ignore[union-attr]
            return end
        if spelling.full and item.role in ("street", "plan", "settlement", "district"):
            if held.whole == "территория" and kind.role == "settlement":
                item.role = "settlement"
            return self._add(at, end)
        return self._prefix(at, spelling, end)

    def _closing(self, at: int, spelling: Spelling, end: int, item: Item) -> int:
        """Read a type after words without one: it closes them, or opens the next name."""
        kind = spelling.named[0]
        words = self.words
        last = words[item.last].key
        closes = self._boundary(end)
        if not closes and adjective(last):
            closes = kind.role in _ABOVE or kind.role == "region"
            closes = closes or (kind.role == "street" and spelling.full and last not in CITIES)
        if closes:
            return self._postfix(at, spelling, end, self._start(item, kind))
        return self._prefix(at, spelling, end)

    def _start(self, item: Item, kind: Kind) -> int:
        """Return where the name begins that a type closes, in a run of words."""
        words = self.words
        if item.count == 1:
            return item.first
        if kind.role in _ABOVE:
            return item.last if adjective(words[item.last].key) else item.first
        if kind.role != "street" or self.seen & {"settlement"}:
            return item.first
        head = words[item.first]
        if head.kind != WORD or adjective(head.key) or head.key in BEGINS_NAME:
            return item.first
        if len(head.key) == 1 or words[item.first + 1].kind != WORD:
            return item.first
        return item.first + 1

    def _within(self, at: int, spelling: Spelling, end: int, item: Item) -> int:
        """Read a type while a typed name is being read: a part of it, or the next one's."""
        kind = spelling.named[0]
        if not self._boundary(end):
            if spelling.full and self._joins(item, kind):
                return self._add(at, end)
            return self._prefix(at, spelling, end)
        if kind.numbered and item.count == 1 and self._plain(end) and item.role != kind.role:
            return self._prefix(at, spelling, end)
        several = item.count >= 2
        if spelling.full:
            if item.role == "street":
                return self._add(at, end)
            numbered = self._plain(end)
            if kind.main and several and (numbered or item.role in _PLACES):
                return self._postfix(at, spelling, end, item.last)
            if kind.role in ("region", "municipality") and several:
                return self._postfix(at, spelling, end, item.last)
            return self._add(at, end)
        if several:
            return self._postfix(at, spelling, end, item.last)
        return self._prefix(at, spelling, end)

    def _joins(self, item: Item, kind: Kind) -> bool:
        """Tell whether a whole word goes on with a street's name (`Парк Победы`)."""
        return item.role == "street" and kind.role == "street" and not kind.main

    def _plain(self, at: int) -> bool:
        """Tell whether a number stands here."""
        place = numbers.skip(self.words, at)
        return place < len(self.words) and self.words[place].kind in (NUM, ORD)

    def _boundary(self, at: int) -> bool:
        """Tell whether a name cannot begin here: the end, a comma, a number, another type."""
        words = self.words
        at = numbers.skip(words, at)
        if at >= len(words):
            return True
        word = words[at]
        if word.kind in (NUM, ORD):
            return not self._names(at, None)
        if word.kind != WORD:
            return True
        if word.key not in MARKERS:
            return word.key in SPEECH and word.text.islower()
        found = match(words, at)
        if not found:
            return False
        spelling, end = found
        if spelling.numeric and numbers.peek(words, end):
            return not (len(word.key) == 1 and word.text.isupper() and self._capital(at + 1))
        if not spelling.named:
            return False
        if not spelling.full:
            return not (len(word.key) == 1 and word.text.isupper() and self._capital(at + 1))
        if spelling.named[0].role in ("street", "plan"):
            after = numbers.skip(words, end)
            return (
                after < len(words) and words[after].kind == WORD and words[after].key not in MARKERS
            )
        return True

    def _names(self, at: int, kind: Kind | None) -> bool:
        """Tell whether a number belongs to a name (`9 Января`, `2 микрорайон`, `мкр 4`)."""
        words = self.words
        if at >= len(words) or words[at].kind not in (NUM, ORD):
            return False
        word = words[at]
        after = words[at + 1] if at + 1 < len(words) else None
        if word.kind == ORD and "-" in word.text:
            return True
        if kind is not None and kind.numbered:
            return True
        if after is None or after.kind != WORD or after.glued:
            return False
        if after.key in AFTER_NUMBER:
            return True
        return after.key not in MARKERS and len(after.key) > 1 and word.kind == ORD

    def _number(self, at: int) -> int:
        """Read a number without a word of its own: of a name, of a house, of a flat, an index."""
        word = self.words[at]
        if word.kind == NUM and len(word.text) == 6 and word.text[0] in "123456":
            if "postal_code" not in self.seen:
                self.close()
                self._value("postal_code", None, (), word.text, at, at + 1)
                return at + 1
        if self._of_name(at):
            return self._add(at)
        if self.open is None and not self.items and word.kind == ORD:
            return self._add(at)
        if "house" not in self.seen:
            return self._house(at, at, None)
        self.close()
        if "apartment" not in self.seen:
            value, first, end = numbers.read(self.words, at, ranges=True)
            self._value("apartment", None, (), value, first, end)
            return end
        return self._add(at)

    def _of_name(self, at: int) -> bool:
        """Tell whether the number here belongs to the name that is being read, or begins one."""
        words = self.words
        word = words[at]
        item = self.open
        empty = item is not None and item.first < 0
        if self._names(at, item.kind if empty and item is not None else None):
            return True
        after = words[at + 1] if at + 1 < len(words) else None
        plain = after is not None and after.kind == WORD and not after.glued and len(after.key) > 1
        if empty:
            return True
        if plain and after is not None:
            found = match(words, at + 1)
            if found:
                named = found[0].named
                if not named or not named[0].numbered or not self._boundary(found[1]):
                    return False
                if found[0].numeric and numbers.peek(words, found[1]):
                    return False
                return item is None or (item.role in _PLACES) or named[0].whole == "линия"
            if item is None and "house" not in self.seen and "street" not in self.seen:
                return any(later.kind in (NUM, ORD) for later in words[at + 2 :])
        if item is None or item.role not in ("street", "plan", "settlement"):
            return False
        return word.kind == NUM and item.kind is not None and self._house_later(at + 1)

    def _house_later(self, at: int) -> bool:
        """Tell whether a house is named by its word further on."""
        words = self.words
        for place in range(at, len(words)):
            spellings = MARKERS.get(words[place].key)
            if spellings and words[place].kind == WORD:
                kinds = spellings[-1].numeric
                if kinds and kinds[0].role == "house" and numbers.peek(words, place + 1):
                    return True
        return False

    def _numeric(self, at: int, spelling: Spelling, end: int) -> Kind | None:
        """Return the reading of a type as the word of a number, None when it is not one here."""
        words = self.words
        value = numbers.peek(words, end)
        if not value:
            return None
        kind = spelling.numeric[0]
        key = words[at].key
        seen = self.seen
        if len(spelling.numeric) > 1 and "apartment" in seen:
            kind = spelling.numeric[1]
        if not spelling.named:
            letters = value == numbers.LETTERS
            if letters and len(key) == 1 and "house" not in seen:
                return None
            if "g" in kind.flags and "house" in seen:
                return kind._replace(role="apartment")
            return kind
        if key == "д":
            return kind if self._is_house(end, value) else None
        if key == "кв":
            if "house" in seen:
                return kind
            return None if self._house_later(end) or "street" not in self._roles() else kind
        return kind if "house" in seen else None

    def _roles(self) -> set[str]:
        """Return the roles read so far, that of the open name included."""
        return self.seen | {self.open.role} if self.open else self.seen

    def _is_house(self, at: int, value: int) -> bool:
        """Tell whether `д` before a value is a house, and not a village."""
        words = self.words
        place = numbers.skip(words, at)
        word = words[place]
        if value == numbers.LETTERS:
            return word.key.startswith("б") and len(word.key) > 1 or "street" in self._roles()
        after = words[place + 1] if place + 1 < len(words) else None
        if after is None or after.kind != WORD or after.glued or after.key in MARKERS:
            return word.kind == NUM or "-" not in word.text or bool(self._roles() & {"street"})
        return bool(self._roles() & {"street", "settlement", "plan"}) and word.kind == NUM

    def _numbered(self, at: int, end: int, kind: Kind) -> int:
        """Read the number after its word."""
        if kind.role == "house":
            if "house" in self.seen:
                self.close()
                value, first, after = numbers.read(self.words, end, ranges=True)
                self.noise.extend(range(at, after))
                return after
            return self._house(at, end, kind)
        self.close()
        value, first, after = numbers.read(
            self.words, end, ranges=kind.role in ("apartment", "room", "other")
        )
        after, value = self._list(after, value)
        self._value(kind.role, kind, tuple(range(at, end)), value, first, after)
        return after

    def _list(self, at: int, value: str) -> tuple[int, str]:
        """Read on a list of three numbers and more (`к. 7, 8, 9`)."""
        words = self.words
        more: list[str] = []
        place = at
        while (
            place + 1 < len(words)
            and words[place].kind == COMMA
            and words[place + 1].kind == NUM
            and (place + 2 >= len(words) or words[place + 2].kind == COMMA)
        ):
            more.append(words[place + 1].text)
            place += 2
        if len(more) < 2:
            return at, value
        return place, ", ".join((value, *more))

    def _house(self, at: int, end: int, kind: Kind | None) -> int:
        """Read the number of a house, and the flat that a hyphen adds (`5-12`)."""
        self.close()
        words = self.words
        value, first, after = numbers.read(words, end, ranges=False)
        self._value("house", kind, tuple(range(at, end)), value, first, after)
        if (
            after + 1 < len(words)
            and words[after].kind == MARK
            and words[after].text in "-–—−"
            and words[after + 1].kind == NUM
        ):
            flat, first, after = numbers.read(words, after + 1, ranges=True)
            self._value("apartment", None, (), flat, first, after)
        return after

    def _value(
        self, role: str, kind: Kind | None, marks: tuple[int, ...], value: str, first: int, end: int
    ) -> None:
        """Keep a number as an item."""
        item = Item(role, kind, self.segment)
        item.marks, item.name = marks, value
        item.first, item.last = first, end - 1
        item.aside = self.aside
        self.items.append(item)
        self.seen.add(role)
