"""An address in parts: what a parser read, and what every word of the text was taken for."""

from __future__ import annotations

from typing import Literal

import msgspec

Role = Literal[
    "postal_code", "country", "region", "municipality", "settlement", "district", "plan", "street",
    "house", "block", "building", "letter", "stead", "apartment", "room", "other",
]  # fmt: skip
"""What a piece of an address is. municipality: район, городской or муниципальный округ.
district: an inner district or township of a city, or a second settlement within one. plan: an
element of the planning structure (микрорайон, квартал, СНТ, ГСК: level 7 of ГАР). block: корпус;
building: строение, сооружение; letter: литера; stead: a plot of land; apartment: квартира, офис,
помещение; room: комната; other: what says nothing of a place (entrance, floor, a person's name)."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of an address.

    name: as written, without its type (`3-я Шоссейная`, `68к2` never: block is a part by itself).
    type: the whole word in Russian (`улица`, `посёлок городского типа`, `дом`), empty when the text
    has none. types: every reading of an abbreviation that has several (`пр.`: проспект, проезд).
    """

    role: Role
    name: str
    type: str = ""
    types: tuple[str, ...] = ()


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A word of the text, where it stands ([start, end) in characters) and what it was taken for.

    why: in Russian, in a few words: `тип улицы`, `номер дома`, `не понято`.
    """

    text: str
    start: int
    end: int
    role: Role
    why: str = ""


class Parsed(msgspec.Struct, frozen=True, kw_only=True):
    """A text taken apart. parts: in order of the text; a role may stand twice (two settlements).

    rest: words that nothing explains. others: other readings of the same text, likelier first,
    where a word may mean two things (`д. Берёзовка`: деревня, or дом without a number).
    """

    text: str
    parts: tuple[Part, ...] = ()
    tokens: tuple[Token, ...] = ()
    rest: tuple[str, ...] = ()
    others: tuple[Parsed, ...] = ()

    def first(self, role: Role) -> Part | None:
        """Return the first part of a role, None when there is none."""
        return next((part for part in self.parts if part.role == role), None)

    def all(self, role: Role) -> tuple[Part, ...]:
        """Return every part of a role, in order of the text."""
        return tuple(part for part in self.parts if part.role == role)
