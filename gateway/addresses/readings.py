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

    from gateway.addresses.parts import Parsed

WORDS: Final = 6
"""Words of a name without a type that is cut in two."""


def further(parsed: Parsed) -> Iterator[Parsed]:
    """Give other readings, likelier first."""
    street, settlement = parsed.first("street"), parsed.first("settlement")
    above = next((p for p in parsed.all("municipality") if not p.type), None)
    if street is None and above is not None:
        yield _with(parsed, above, replace(above, role="street"))
    rest = " ".join(word for word in parsed.rest if any(c.isalpha() for c in word))
    if street is None and len(rest) > 2:
        yield _with(parsed, None, Part(role="street", name=rest))
    if street is None and settlement is not None:
        if not settlement.type:
            yield _with(parsed, settlement, replace(settlement, role="street"))
        yield from _cut(parsed, settlement)
    if street is not None and settlement is None and not street.type:
        yield _with(parsed, street, replace(street, role="settlement"))
        yield from _cut(parsed, street)


def _cut(parsed: Parsed, part: Part) -> Iterator[Parsed]:
    """Give readings with a name cut into a settlement and a street."""
    words = part.name.split()
    for at in range(1, min(len(words), WORDS)):
        yield _with(
            parsed,
            part,
            Part(role="settlement", name=" ".join(words[:at]), type=_of(part), types=part.types),
            Part(role="street", name=" ".join(words[at:])),
        )


def _of(part: Part) -> str:
    return part.type if part.role == "settlement" else ""


def _with(parsed: Parsed, instead: Part | None, *parts: Part) -> Parsed:
    kept = [part for part in parsed.parts if part is not instead]
    return replace(parsed, parts=(*kept, *parts), others=())
