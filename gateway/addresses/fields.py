"""An address that came in fields as a question: its fields first, the text as given behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway import limits
from gateway.addresses.found import Question
from gateway.addresses.parse import parse
from gateway.addresses.parts import Parsed, Part

if TYPE_CHECKING:
    from gateway.addresses.parts import Role
    from gateway.model.address import Address

_PLACES: Final[tuple[tuple[Role, tuple[Role, ...]], ...]] = (
    ("region", ("region", "settlement")),
    ("municipality", ("municipality", "district")),
    ("settlement", ("settlement", "plan", "district")),
    ("street", ("street", "plan")),
)
"""Fields of an address, and what their text may turn out to be."""
_NUMBERS: Final[tuple[tuple[Role, str], ...]] = (
    ("house", "д. "), ("block", "корп. "), ("building", "стр. "), ("apartment", "кв. "),
)  # fmt: skip


def question_of(
    address: Address, regions: tuple[str, ...] = (), *, strict: bool = False
) -> Question | None:
    """Return what to ask about an address, None when it says nothing of a place.

    Fields may hold types (`ул. Ленина`) or not; where they lead to no house, the raw text is read.
    Too long a text is cut off: what an address can be stands before it.
    """
    raw = address.raw.strip()[: limits.ADDRESS_TEXT]
    parts = [part for field, roles in _PLACES for part in _place(address, field, roles)]
    parts += [part for field, word in _NUMBERS for part in _number(address, field, word)]
    telling = [part for part in parts if part.role not in {"region", "municipality"}]
    if not telling:
        return Question(text=raw, regions=regions, strict=strict) if raw else None
    if address.postal_code:
        parts.append(Part(role="postal_code", name=address.postal_code.strip()))
    others = (parse(raw),) if raw else ()
    text = raw or ", ".join(filter(None, (getattr(address, part) for part in _FIELDS)))
    tokens = others[0].tokens if others else ()
    parsed = Parsed(text=text, parts=tuple(parts), tokens=tokens, others=others)
    return Question(text=text, regions=regions, strict=strict, parsed=parsed)


_FIELDS: Final = (
    "postal_code", "region", "municipality", "settlement", "street", "house", "block", "building",
    "apartment",
)  # fmt: skip


def _place(address: Address, field: Role, roles: tuple[Role, ...]) -> list[Part]:
    """Return the parts that a field names: its text as it is, when it has no type of its own."""
    text = getattr(address, field).strip()[: limits.ADDRESS_TEXT]
    if not text:
        return []
    typed = [part for part in parse(text).parts if part.role in roles and part.type]
    return typed or [Part(role=field, name=text)]


def _number(address: Address, field: Role, word: str) -> list[Part]:
    text = getattr(address, field).strip()[: limits.ADDRESS_TEXT // 2]
    if not text:
        return []
    numbered = ("house", "block", "building", "letter", "stead", "apartment", "room")
    read = parse(text if field == "house" and not text[0].isdigit() else f"{word}{text}")
    parts = [part for part in read.parts if part.role in numbered]
    if field == "house" and parts and not read.rest:
        return parts
    return [Part(role=field, name=text)]
