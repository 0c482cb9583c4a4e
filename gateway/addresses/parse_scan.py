"""The pass over the words of an address: types are bound to names, numbers to their words.

A segment is what stands between commas; within it a type opens a name (`ул. Ленина`) or closes one
(`Ленина ул`), as `parse_types` decides. What no type explains stays an item without a role;
`parse_untyped` gives it one by its place among the others. One pass, left to right; every decision
looks a few words ahead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.addresses.parse_ahead import (
    bare_later,
    boundary,
    capital,
    house_later,
    only_numbers,
    typed,
)
from gateway.addresses.parse_initials import initial
from gateway.addresses.parse_item import Item
from gateway.addresses.parse_regions import CITY, COUNTRY_WORDS, country, region
from gateway.addresses.parse_types import marker
from gateway.addresses.parse_values import number
from gateway.addresses.split import COMMA, NUM, NUMBERED, ORD, WORD, loosen
from gateway.addresses.words import CITIES, MARKERS, SPEECH, adjective, city, match
from gateway.addresses.words_regions import CALLS

if TYPE_CHECKING:
    from gateway.addresses.split import Word

_OF_DISTRICT: Final = ("ский", "цкий", "ского", "цкого")
_NAMED: Final = ("street", "plan", "municipality", "district", "region")


class Scan:
    """The state of the pass. items: in order of the text. seen: their roles.

    capitals, small: the whole text is in capitals, in small letters. aside: within brackets.
    second: after a slash (`ул. Ленина/Мира`), until the next comma.
    """

    def __init__(self, words: list[Word], *, capitals: bool, small: bool) -> None:
        self.capitals = capitals
        self.small = small
        self.words = words
        self.items: list[Item] = []
        self.open: Item | None = None
        self.seen: set[str] = set()
        self.segment = 0
        self.aside = False
        self.second = False

    def run(self) -> None:
        """Read all the words."""
        words = self.words
        at = 0
        while at < len(words):
            kind = words[at].kind
            if kind == WORD:
                at = self._word(at)
            elif kind == COMMA:
                self.close()
                self.segment += 1
                self.second = False
                at += 1
            elif kind in (NUM, ORD):
                at = number(self, at)
            else:
                at = self._mark(at)
        self.close()

    def keep(self, item: Item) -> None:
        """Take a complete item."""
        self.close()
        item.aside = self.aside or self.second
        self.items.append(item)
        if item.role:
            self.seen.add(item.role)

    def close(self) -> None:
        """End the name that is being read; a type without a name is dropped."""
        item = self.open
        self.open = None
        if item is not None and item.first >= 0:
            self.keep(item)

    def add(self, at: int, end: int = 0) -> int:
        """Take words into the name that is being read, or begin one without a type."""
        end = end or at + 1
        item = self.open
        if item is None:
            item = self.open = Item("", None, self.segment)
        if item.first < 0:
            item.first = at
        item.last = end - 1
        return end

    def roles(self) -> set[str]:
        """Return the roles read so far, that of the open name included."""
        return self.seen | {self.open.role} if self.open is not None else self.seen

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
            self.second = self.open is not None
            self.close()
        return at + 1

    def _word(self, at: int) -> int:
        """Read a word: of a region, of a type, of a name."""
        words = self.words
        key = words[at].key
        item = self.open
        if item is None or item.first < 0:
            if key in CALLS:
                end = region(self, at)
                if end:
                    return end
            if key in COUNTRY_WORDS:
                end = country(self, at)
                if end:
                    return end
        if key in MARKERS and not (item is not None and self._lettered(item)):
            found = match(words, at)
            if found:
                spelling, end = found
                letters = all(len(one) == 1 for one in spelling.rest)
                # `ул. С.П.Королёва` is no rural settlement (с.п.), `с.п. Степное` is.
                single = len(key) == 1 and (
                    end == at + 1 or (letters and item is not None and item.role == "street")
                )
                if single and initial(self, at, named=bool(spelling.named)):
                    return self.add(at)
                return marker(self, at, spelling, end)
        return self._name(at)

    def _lettered(self, item: Item) -> bool:
        """Tell whether the name so far is initials alone: a word of a type is a surname then."""
        if item.first < 0 or item.role not in ("street", ""):
            return False
        letters = self.words[item.first : item.last + 1]
        return all(word.dot and len(word.key) == 1 for word in letters)

    def _name(self, at: int) -> int:
        """Read a word that is no type."""
        word = self.words[at]
        key = word.key
        item = self.open
        if len(key) == 1 and initial(self, at, named=False):
            return self.add(at)
        if key in SPEECH and self._idle(at, item):
            self.close()
            return at + 1
        if item is not None and item.kind is not None and item.first >= 0:
            self._end_district(item)
            item = self.open
        if key in CITIES and "settlement" not in self.seen:
            end = self._known_city(at)
            if end:
                return end
        if (
            key[-1].isdigit()
            and NUMBERED.fullmatch(key)
            and (item is None or item.role in ("", "street"))
        ):
            self._part_number(at)
        return self.add(at)

    def _part_number(self, at: int) -> None:
        """Part `Ленина-5` into a street and a house, where no other house is named."""
        words = self.words
        if "house" in self.seen or house_later(words, at + 1) or bare_later(words, at + 1):
            return
        if at + 1 < len(words) and words[at + 1].kind in (NUM, ORD, WORD):
            return
        words[at : at + 1] = loosen(words[at])

    def _end_district(self, item: Item) -> None:
        """End a district's name after its adjective: what follows without a comma is not of it."""
        assert item.kind is not None
        if "d" in item.kind.flags and self.words[item.last].key.endswith(_OF_DISTRICT):
            self.close()

    def _idle(self, at: int, item: Item | None) -> bool:
        """Tell whether a word of speech stands here, and not the first word of a typed name."""
        words = self.words
        if item is not None and item.kind is not None and item.first < 0:
            return len(words[at].key) == 1 and words[at].text.islower() and not words[at].dot
        if words[at].key not in ("и", "на") or item is None or item.first < 0:
            return True
        if capital(words, at + 1):
            return False
        following = words[at + 1] if at + 1 < len(words) else None
        return not (
            self.small
            and following is not None
            and following.kind == WORD
            and following.key not in MARKERS
            and following.key not in SPEECH
        )

    def _street_named_so(self, at: int, end: int) -> bool:
        """Tell whether a city's name is a street's here (`Заречный`, `Киров ул.`, `Тула 5`)."""
        words = self.words
        if end == at + 1 and adjective(words[at].key):
            return True
        if typed(words, end, _NAMED):
            return True
        return end < len(words) and words[end].kind == NUM and only_numbers(words, end)

    def _known_city(self, at: int) -> int:
        """Read a well-known city, so that what follows without a comma is not its name."""
        words = self.words
        item = self.open
        if item is not None and item.first < 0:
            if item.kind is not CITY and item.role != "municipality":
                return 0
        elif item is not None and (item.kind is None or item.role != "street"):
            return 0
        end = city(words, at)
        if not end:
            return 0
        if item is not None and item.first >= 0:
            # `ул Школьная Воронеж`
            if adjective(words[at].key) or (end < len(words) and words[end].kind != COMMA):
                return 0
            self.close()
        elif item is not None:
            self.add(at, end)
            self.close()
            return end
        if self._street_named_so(at, end):
            return 0
        item = Item("settlement", None, self.segment)
        item.first, item.last = at, end - 1
        if end < len(words) and words[end].key in ("г", "город") and boundary(words, end + 1):
            item.kind = CITY
            item.marks = (end,)
            end += 1
        self.keep(item)
        return end
