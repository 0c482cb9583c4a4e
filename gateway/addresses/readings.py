"""Other readings of a text that no reading of the parser leads to anything in the registry.

The registry can say what a name is where the text names no type: whether `Троицкая Золотой` is a
village and a lane, whether what is left over is a street.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from gateway.addresses.parts import Part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.addresses.parts import Parsed, Role

_TOWNLET: Final = "городок"
"""A type, and a word of names: `мкр Лесной Городок`."""
WORDS: Final = 6
"""Words of a name without a type that is cut in two."""


def further(parsed: Parsed) -> Iterator[Parsed]:
    """Give other readings, likelier first."""
    yield from _left_over(parsed)
    for part in parsed.all("settlement"):
        if part.type == _TOWNLET:
            whole = replace(part, role="plan", name=f"{part.name} {_TOWNLET}", type="", types=())
            yield _with(parsed, part, whole)
    street, settlement = parsed.first("street"), parsed.first("settlement")
    above = parsed.first("municipality")
    if street is None:
        if above is not None and not above.type:
            yield _with(parsed, above, replace(above, role="street"))
        if settlement is not None:
            if not settlement.type:
                yield _with(parsed, settlement, replace(settlement, role="street"))
            yield from _cut(parsed, settlement)
    elif settlement is None:
        if not street.type:
            yield _with(parsed, street, replace(street, role="settlement"))
        yield from _cut(parsed, street)
        if above is not None and " " in above.name:
            head, _, tail = above.name.rpartition(" ")
            village = Part(role="settlement", name=tail)
            yield _with(parsed, above, replace(above, name=head), village)
    elif street.name[:1].isdigit() and " " in street.name:
        number, _, name = street.name.partition(" ")
        whole = replace(settlement, name=f"{settlement.name} {number}")
        reading = _with(parsed, settlement, whole)
        yield _with(reading, street, replace(street, name=name))


def _left_over(parsed: Parsed) -> Iterator[Parsed]:
    """Give readings in which words that nothing explains are a name, or initials behind one."""
    street = parsed.first("street")
    words = [word for text in parsed.rest for word in text.replace(".", " ").split()]
    letters = " ".join(word for word in words if len(word) == 1 and word.isalpha())
    rest = " ".join(word for word in words if len(word) > 1 and any(c.isalpha() for c in word))
    if street is not None and letters:
        initials = replace(street, name=f"{letters} {street.name}")
        yield replace(_with(parsed, street, initials), rest=())
    if rest:
        inner: Role = "district" if parsed.first("settlement") else "settlement"
        part = Part(role="street" if street is None else inner, name=rest)
        yield replace(_with(parsed, None, part), rest=())


def _cut(parsed: Parsed, part: Part) -> Iterator[Parsed]:
    """Give readings with a name cut into a settlement and a street."""
    words = part.name.split()
    street = part if part.role == "street" else Part(role="street", name="")
    for at in range(1, min(len(words), WORDS)):
        yield _with(
            parsed,
            part,
            Part(role="settlement", name=" ".join(words[:at]), type=_of(part), types=part.types),
            replace(street, name=" ".join(words[at:])),
        )


def _of(part: Part) -> str:
    return part.type if part.role == "settlement" else ""


def _with(parsed: Parsed, instead: Part | None, *parts: Part) -> Parsed:
    """Return a reading with parts in the place of one."""
    kept = [part for part in parsed.parts if part is not instead]
    return replace(parsed, parts=(*kept, *parts), others=())
