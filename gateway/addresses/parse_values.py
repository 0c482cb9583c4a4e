"""Reading numbers, with a word of their own or without: houses, blocks, flats, plots, indexes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.addresses import numbers
from gateway.addresses.parse_ahead import boundary, end_of, house_later, names, street_ahead
from gateway.addresses.parse_item import Item
from gateway.addresses.split import COMMA, MARK, NUM, ORD, WORD
from gateway.addresses.words import MARKERS, adjective, match

if TYPE_CHECKING:
    from gateway.addresses.parse_scan import Scan
    from gateway.addresses.words import Kind, Spelling

_DASHES = "-–—−"
_BUILT = frozenset({"house", "block", "building"})
_INHABITED = frozenset({"settlement", "municipality", "district"})
_RANGED = frozenset({"apartment", "room", "other"})


def number(scan: Scan, at: int) -> int:
    """Read a number without a word of its own: of a name, of a house, of a flat, an index."""
    word = scan.words[at]
    if len(word.text) == 6 and word.kind == NUM and "postal_code" not in scan.seen:
        scan.close()
        _value(scan, "postal_code", None, range(0), word.text, range(at, at + 1))
        return at + 1
    if _of_name(scan, at):
        _part(scan, at)
        return scan.add(at, end_of(scan.words, at))
    own = _word_after(scan, at)
    if own is not None:
        return own
    if scan.open is None and not scan.items and word.kind == ORD:
        return scan.add(at)
    if not scan.seen & _BUILT:
        return _house(scan, range(at, at), None)
    scan.close()
    if "apartment" not in scan.seen:
        value, first, end = numbers.read(scan.words, at, ranges=True)
        _value(scan, "apartment", None, range(0), value, range(first, end))
        return end
    return at + 1


def _part(scan: Scan, at: int) -> None:
    """End a settlement's name before a number that begins a street's (`Степное 9 Января`)."""
    item = scan.open
    if item is None or item.first < 0 or item.role == "street":
        return
    if item.kind is None:
        if street_ahead(scan.words, at):
            scan.close()
        return
    end = end_of(scan.words, at)
    after = scan.words[end] if end < len(scan.words) else None
    if after is None or after.kind != WORD or after.glued:
        return
    found = match(scan.words, end)
    if found is None:
        scan.close()
    elif found[0].named and found[0].named[0].role in ("street", "plan"):
        adjectival = item.count > 1 and adjective(scan.words[item.last].key)
        if not adjectival:
            scan.close()


def _word_after(scan: Scan, at: int) -> int | None:
    """Read a number whose word stands after it (`12 дом`, `3 подъезд`); None when none does."""
    words = scan.words
    end = end_of(words, at)
    found = match(words, end) if end < len(words) and words[end].kind == WORD else None
    if found is None or not found[0].numeric or numbers.peek(words, found[1]):
        return None
    kind = found[0].numeric[0]
    if kind.role != "apartment" and (found[0].named or not found[0].full):
        return None
    if found[0].named and not (scan.seen & _BUILT and boundary(words, found[1])):
        return None
    if kind.role in ("block", "building", "letter") or kind.role in scan.seen:
        return None
    scan.close()
    value, first, after = numbers.read(words, at, ranges=False)
    if after != end:
        return None
    _value(scan, kind.role, kind, range(end, found[1]), value, range(first, after))
    return found[1]


def _of_name(scan: Scan, at: int) -> bool:
    """Tell whether the number here belongs to the name that is being read, or begins one."""
    words = scan.words
    word = words[at]
    item = scan.open
    if item is not None and item.first < 0:
        return True
    if names(words, at, None):
        return True
    end = end_of(words, at)
    after = words[end] if end < len(words) else None
    if after is not None and after.kind == WORD and not after.glued and len(after.key) > 1:
        found = match(words, end)
        if found:
            return _closed_by(scan, item, *found)
        if item is None and not scan.seen & {"house", "street"}:
            return any(later.kind in (NUM, ORD) for later in words[end + 1 :])
    if item is None or item.kind is None or item.role not in ("street", "plan", "settlement"):
        return False
    return word.kind == NUM and house_later(words, at + 1)


def _closed_by(scan: Scan, item: Item | None, spelling: Spelling, end: int) -> bool:
    """Tell whether the type after a number makes it a name (`2 микрорайон`, `8 линия`)."""
    named = spelling.named
    if not named or not named[0].numbered:
        return False
    if spelling.numeric and (scan.seen & _BUILT or numbers.peek(scan.words, end)):
        return False
    if named[0].whole == "линия":
        return True
    if not boundary(scan.words, end):
        return False
    return item is None or item.role in _INHABITED


def meant(scan: Scan, at: int, spelling: Spelling, end: int) -> Kind | None:
    """Return the reading of a type as the word of a number, None when it is not one here."""
    words = scan.words
    value = numbers.peek(words, end)
    if not value:
        return None
    kind = spelling.numeric[0]
    seen = scan.seen
    built = bool(seen & _BUILT)
    if len(spelling.numeric) > 1 and "apartment" in seen:
        kind = spelling.numeric[1]
    item = scan.open
    surname = spelling.full and item is not None and item.role == "street" and item.first < 0
    if (kind.role == "other" and value != numbers.DIGITS) or (surname and not spelling.named):
        return None
    if not spelling.named:
        if value == numbers.LETTERS and len(words[at].key) == 1 and not built:
            return None
        if "g" in kind.flags and built:
            return kind._replace(role="apartment")
        return kind
    if kind.role == "house":
        return kind if _is_house(scan, end, value) else None
    if built:
        return kind if value == numbers.DIGITS else None
    return kind if _alone(scan, kind, end, value) else None


def _alone(scan: Scan, kind: Kind, at: int, value: int) -> bool:
    """Tell whether `кв` or `с` before a value is a flat or a building where no house stands yet."""
    roles = scan.roles()
    if kind.role == "apartment":
        place = bool(roles & {"settlement", "region", "municipality", "plan"})
        return "street" in roles or not (place and house_later(scan.words, at))
    if kind.role != "building" or value != numbers.DIGITS:
        return False
    named = names(scan.words, numbers.skip(scan.words, at), None)
    return not named and bool(roles & {"settlement", "street"})


def _is_house(scan: Scan, at: int, value: int) -> bool:
    """Tell whether `д` before a value is a house, and not a village (`д. 2-я Берёзовка`)."""
    words = scan.words
    place = numbers.skip(words, at)
    word = words[place]
    roles = scan.roles()
    if value == numbers.LETTERS:
        return (word.key.startswith("б") and len(word.key) > 1) or "street" in roles
    after = words[place + 1] if place + 1 < len(words) else None
    if after is None or after.kind != WORD or after.glued or after.key in MARKERS:
        return word.kind == NUM or "-" not in word.text or "street" in roles
    if word.kind != NUM:
        return False
    later = any(one.kind in (NUM, ORD) and len(one.text) < 6 for one in words[place + 1 :])
    return bool(roles & {"street", "settlement", "plan"}) or not later


def numbered(scan: Scan, at: int, end: int, kind: Kind) -> int:
    """Read the number after its word; return the place after it."""
    words = scan.words
    if kind.role == "house":
        if "house" in scan.seen:
            scan.close()
            return numbers.read(words, end, ranges=True)[2]
        return _house(scan, range(at, end), kind)
    scan.close()
    value, first, after = numbers.read(words, end, ranges=kind.role in _RANGED)
    after, value = _list(scan, after, value)
    _value(scan, kind.role, kind, range(at, end), value, range(first, after))
    return _hyphened(scan, after) if kind.role in _BUILT else after


def _list(scan: Scan, at: int, value: str) -> tuple[int, str]:
    """Read on a list of three numbers and more (`к. 7, 8, 9`)."""
    words = scan.words
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


def _house(scan: Scan, marks: range, kind: Kind | None) -> int:
    """Read the number of a house, and the flat that a hyphen adds (`5-12`)."""
    scan.close()
    words = scan.words
    value, first, after = numbers.read(words, marks.stop, ranges=False)
    _value(scan, "house", kind, marks, value, range(first, after))
    return _hyphened(scan, after)


def _hyphened(scan: Scan, at: int) -> int:
    """Read the flat that a hyphen adds to a house or a block; return the place after it."""
    words = scan.words
    if at + 1 >= len(words) or words[at + 1].kind != NUM or "apartment" in scan.seen:
        return at
    if words[at].kind == MARK and words[at].text in _DASHES:
        flat, first, at = numbers.read(words, at + 1, ranges=True)
        _value(scan, "apartment", None, range(0), flat, range(first, at))
    return at


def _value(
    scan: Scan, role: str, kind: Kind | None, marks: range, value: str, place: range
) -> None:
    """Keep a number as an item."""
    item = Item(role, kind, scan.segment)
    item.marks, item.name = tuple(marks), value
    item.first, item.last = place.start, place.stop - 1
    scan.keep(item)
