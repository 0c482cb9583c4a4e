"""Binding a type to its name: before it, after it, beside another type, or as a part of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.addresses import numbers
from gateway.addresses.parse_ahead import boundary, capital, names, plain, typed
from gateway.addresses.parse_item import Item
from gateway.addresses.parse_values import meant, numbered
from gateway.addresses.split import COMMA, MARK, NUM, ORD, QUOTE, WORD
from gateway.addresses.words import BEGINS_NAME, CITIES, adjective

if TYPE_CHECKING:
    from gateway.addresses.parse_scan import Scan
    from gateway.addresses.split import Word
    from gateway.addresses.words import Kind, Spelling

_ABOVE: Final = frozenset({"region", "municipality", "district"})
_NAMES: Final = frozenset({"street", "plan", "settlement"})
_NEVER_NAMES: Final = frozenset(
    {
        "улица",
        "проспект",
        "переулок",
        "микрорайон",
        "территория",
        "город",
        "село",
        "деревня",
        "посёлок",
    }
)
"""Whole words of types that are never the whole of a name (`Набережная, 5` is one)."""
_SMALL: Final = frozenset({"street", "plan", "settlement", "district"})


def marker(scan: Scan, at: int, spelling: Spelling, end: int) -> int:
    """Read a type: of a number, or of a name that it opens or closes; return the place after."""
    kind = meant(scan, at, spelling, end) if spelling.numeric else None
    if kind is not None:
        return numbered(scan, at, end, kind)
    item = scan.open
    if not spelling.named:
        if item is not None and (not spelling.full or _holds(scan, item, spelling)):
            return scan.add(at, end)
        if spelling.full and item is None and _surname(scan, at, spelling, end):
            return scan.add(at, end)
        scan.close()
        return end
    if item is None:
        return _again(scan, at, spelling, end) or _opening(scan, at, spelling, end)
    if item.first < 0:
        return _second(scan, at, spelling, end)
    if item.kind is None:
        return _closing(scan, at, spelling, end)
    return _within(scan, at, spelling, end)


def _surname(scan: Scan, at: int, spelling: Spelling, end: int) -> bool:
    """Tell whether a word of numbers without one is a name (`Блока ул.`, `Блока, 5`)."""
    words = scan.words
    if typed(words, end, ("street",)):
        return True
    kind = spelling.numeric[0]
    alone = end >= len(words) or words[end].kind == COMMA
    return alone and kind.role != "house" and kind.whole != words[at].key and capital(words, at)


def _holds(scan: Scan, item: Item, spelling: Spelling) -> bool:
    """Tell whether a name goes on with a word of numbers (`п. Дом отдыха`, `ул. 15-й участок`)."""
    if item.kind is None:
        return False
    if item.first < 0:
        return True
    last = scan.words[item.last]
    return spelling.numeric[0].role != "house" and (last.kind == ORD or adjective(last.key))


def _prefix(scan: Scan, at: int, spelling: Spelling, end: int) -> int:
    """Open a name by its type."""
    scan.close()
    kind = spelling.named[0]
    item = scan.open = Item(kind.role, kind, scan.segment)
    item.kinds = spelling.named
    item.marks = tuple(range(at, end))
    return end


def _postfix(scan: Scan, at: int, spelling: Spelling, end: int, start: int) -> int:
    """Close a name by its type; what stands before `start` is a name by itself."""
    item = scan.open
    assert item is not None
    kind = spelling.named[0]
    if start > item.first:
        last = item.last
        item.last = start - 1
        while item.last > item.first and (
            scan.words[item.last].kind in (QUOTE, MARK) or item.last in item.marks
        ):
            item.last -= 1
        scan.close()
        item = scan.open = Item(kind.role, kind, scan.segment)
        item.first, item.last = start, last
    item.role, item.kind, item.kinds = kind.role, kind, spelling.named
    item.marks = tuple(range(at, end))
    scan.close()
    return end


def _opening(scan: Scan, at: int, spelling: Spelling, end: int) -> int:
    """Read a type at the beginning of a segment, or after what is complete.

    A whole word of a street with nothing to name is the name (`Набережная, 5`).
    """
    kind = spelling.named[0]
    if not spelling.full or kind.role not in _NAMES or kind.whole in _NEVER_NAMES:
        return _prefix(scan, at, spelling, end)
    words = scan.words
    place = numbers.skip(words, end)
    if kind.role == "settlement":
        alone = place >= len(words) or words[place].kind == COMMA
    else:
        number = place < len(words) and words[place].kind in (NUM, ORD)
        named = (kind.numbered and number) or names(words, place, kind)
        alone = boundary(words, end) and not named
    return scan.add(at, end) if alone else _prefix(scan, at, spelling, end)


def _again(scan: Scan, at: int, spelling: Spelling, end: int) -> int:
    """Take a type for a part of the name when another one closes it (`2 Линия ул.`); 0 when not."""
    kind = spelling.named[0]
    item = scan.items[-1] if scan.items else None
    if item is None or kind.role != "street" or item.role != "street" or not item.marks:
        return 0
    if item.marks[-1] != at - 1 or item.first > item.marks[0] or not boundary(scan.words, end):
        return 0
    if item.kind is None or not item.kind.numbered:
        return 0
    item.last, item.marks = item.marks[-1], tuple(range(at, end))
    item.kind, item.kinds = kind, spelling.named
    return end


def _second(scan: Scan, at: int, spelling: Spelling, end: int) -> int:
    """Read a type directly after a type (`г.о. город`, `ул. Набережная`, `тер. СНТ`)."""
    item = scan.open
    assert item is not None
    assert item.kind is not None
    kind = spelling.named[0]
    territory = item.kind.whole == "территория"
    if item.role == "municipality" and kind.role == "settlement":
        item.marks = (*item.marks, *range(at, end))
        return end
    if (item.role == kind.role == "municipality") or (territory and kind.role == "plan"):
        marks = item.marks
        _prefix(scan, at, spelling, end)
        assert scan.open is not None
        scan.open.marks = (*marks, *range(at, end))
        return end
    bare = boundary(scan.words, end) and not plain(scan.words, end)
    if (spelling.full or bare) and item.role in _SMALL:
        if territory and kind.role == "settlement":
            item.role = "settlement"
        return scan.add(at, end)
    return _prefix(scan, at, spelling, end)


def _closing(scan: Scan, at: int, spelling: Spelling, end: int) -> int:
    """Read a type after words without one: it closes them, or opens the next name."""
    item = scan.open
    assert item is not None
    kind = spelling.named[0]
    last = scan.words[item.last]
    closes = boundary(scan.words, end)
    if not closes and last.kind in (NUM, ORD):
        closes = kind.numbered and item.count == 1
        if item.count == 1 and kind.role == "street" and (closes or last.kind == ORD):
            item.role, item.kind, item.kinds = kind.role, kind, spelling.named
            item.marks = tuple(range(at, end))
            return end
    elif not closes and adjective(last.key):
        closes = kind.role in _ABOVE or _agrees(scan, kind, spelling, end)
    if closes:
        return _postfix(scan, at, spelling, end, _start(scan, item, kind))
    return _prefix(scan, at, spelling, end)


def _agrees(scan: Scan, kind: Kind, spelling: Spelling, end: int) -> bool:
    """Tell whether a type closes the adjective before it, though a name could follow."""
    item = scan.open
    assert item is not None
    if kind.role == "street":
        return spelling.full and scan.words[item.last].key not in CITIES
    if kind.role != "plan" or not kind.numbered:
        return False
    return not adjective(scan.words[numbers.skip(scan.words, end)].key)


def _start(scan: Scan, item: Item, kind: Kind) -> int:
    """Return where the name begins that a type closes, in a run of words."""
    words = scan.words
    if item.count == 1:
        return item.first
    if kind.role in _ABOVE:
        return item.last if adjective(words[item.last].key) else item.first
    if kind.role not in ("street", "plan") or "settlement" in scan.seen:
        return item.first
    head = words[item.first]
    if head.kind != WORD or adjective(head.key) or head.key in BEGINS_NAME:
        return item.first
    if len(head.key) == 1 or words[item.first + 1].kind != WORD or head.key[0].isdigit():
        return item.first
    if kind.role == "plan" and not adjective(words[item.last].key):
        return item.first
    return item.first + 1


def _tail(words: list[Word], item: Item) -> int:
    """Return where the name begins that a later type takes from the end of another one."""
    if item.count >= 3 and (
        words[item.last].kind == ORD or words[item.last - 1].key in BEGINS_NAME
    ):
        return item.last - 1
    return item.last


def _within(scan: Scan, at: int, spelling: Spelling, end: int) -> int:
    """Read a type while a typed name is being read: a part of it, or the next one's."""
    item = scan.open
    assert item is not None
    kind = spelling.named[0]
    words = scan.words
    street = item.role == "street"
    several = item.count >= 2
    if not boundary(words, end):
        if spelling.full and street and kind.role == "street" and not kind.main:
            return scan.add(at, end)
        if several and kind.role in _ABOVE and adjective(words[item.last].key):
            return _postfix(scan, at, spelling, end, item.last)
    elif street and _ordinal(words, item) and kind.whole == "улица":
        # `линия 3-я ул.`, `3-я линия улица`
        item.first, item.last = min(item.first, item.marks[0]), max(item.last, item.marks[-1])
        return _postfix(scan, at, spelling, end, item.first)
    elif several and (not spelling.full or _takes(words, item, kind)):
        return _postfix(scan, at, spelling, end, _tail(words, item))
    elif spelling.full and not _lower(scan, item, kind, end):
        return scan.add(at, end)
    elif kind.role == "street" and _initial(scan, item):
        return _postfix(scan, at, spelling, end, item.first)
    return _prefix(scan, at, spelling, end)


def _takes(words: list[Word], item: Item, kind: Kind) -> bool:
    """Tell whether a whole word takes its name from the end of the one that is being read."""
    if item.role == "street":
        return False
    return kind.main or (kind.role in _ABOVE and adjective(words[item.last].key))


def _lower(scan: Scan, item: Item, kind: Kind, end: int) -> bool:
    """Tell whether a type after a name of one word begins the next piece."""
    if kind.role in _ABOVE and item.role not in _ABOVE:
        return True
    if item.count > 1 or item.role == kind.role:
        return False
    if item.role in _ABOVE:
        return kind.role not in _ABOVE
    return kind.numbered and plain(scan.words, end)


def _ordinal(words: list[Word], item: Item) -> bool:
    """Tell whether a name is a number and a type that numbers name (`3-я линия`)."""
    if item.kind is None or not item.kind.numbered or not item.marks or item.count > 2:
        return False
    return words[item.first].kind in (NUM, ORD)


def _initial(scan: Scan, item: Item) -> bool:
    """Take the letter that opened a second settlement for an initial (`с.Перовской ул`)."""
    if item.role != "settlement" or "settlement" not in scan.seen or len(item.marks) != 1:
        return False
    letter = scan.words[item.marks[0]]
    if len(letter.key) != 1 or not letter.dot:
        return False
    item.first, item.marks = item.marks[0], ()
    return True
