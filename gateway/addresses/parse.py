"""Taking an address apart: a line of text into parts, every word with what it was taken for.

`parse` looks at nothing but the text: no registry, no database. The words are read once
(`parse_scan`), names without a type are placed (`parse_untyped`), and what came out is written down
(`parse_write`). Where a word has a second reading that the registry could confirm, it stands in
`Parsed.others`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway import limits
from gateway.addresses.parse_others import others
from gateway.addresses.parse_scan import Scan
from gateway.addresses.parse_untyped import assign
from gateway.addresses.parse_write import write
from gateway.addresses.parts import Parsed
from gateway.addresses.split import clean, split
from gateway.errors import ValidationError, Violation

if TYPE_CHECKING:
    from gateway.addresses.parse_item import Item

_DISTRICT_OF_CITY: Final = frozenset({"район", "округ"})


def parse(text: str) -> Parsed:
    """Return a text taken apart.

    Any text gives an answer: what says nothing of an address stands in `rest`. `Parsed.text` is the
    text in composed letters, without invisible ones, and Latin letters that stand for Russian ones
    as Russian; tokens count their places in it.

    Raises:
        ValidationError: longer than limits.ADDRESS_TEXT characters.
    """
    if len(text) > limits.ADDRESS_TEXT:
        raise ValidationError(
            "The text is too long for an address",
            (
                Violation(
                    "address",
                    "max_length",
                    "longer than an address can be",
                    found=f"{len(text)} characters",
                    expected=f"at most {limits.ADDRESS_TEXT} characters",
                ),
            ),
            todo="give the address alone, without the text of the appeal",
        )
    text = clean(text)
    words = split(text)
    scan = Scan(words, capitals=text.isupper(), small=text.islower())
    scan.run()
    items = assign(scan.items, words)
    _districts(items)
    _built(items)
    first = write(text, words, items)
    readings = others(text, words, items)
    if not readings:
        return first
    return Parsed(
        text=text, parts=first.parts, tokens=first.tokens, rest=first.rest, others=readings
    )


def _districts(items: list[Item]) -> None:
    """Take a district for a city's own where the city stands before it and no region after it."""
    city = False
    for place, item in enumerate(items):
        if item.role == "settlement" or (item.region and item.region.type == "город"):
            kind = item.kind
            city = city or kind is None or kind.whole in ("город", "город федерального значения")
        elif (
            city
            and item.role == "municipality"
            and item.kind is not None
            and "d" in item.kind.flags
            and not any(later.role == "region" for later in items[place + 1 :])
        ):
            item.role = "district"


def _built(items: list[Item]) -> None:
    """Take a block or building without a house for the house (`Зеленоград, корп. 1505`)."""
    if any(item.role in ("house", "stead") for item in items):
        return
    for item in items:
        if item.role in ("block", "building"):
            item.role = "house"
            item.kinds = ()
            return
