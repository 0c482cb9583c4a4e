"""What every word of a text came to, in Russian."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from gateway.addresses import kinds, labels
from gateway.addresses.gazetteer import NONE

if TYPE_CHECKING:
    from gateway.addresses.parts import Parsed, Token
    from gateway.addresses.verdict import Hit

_HOUSE = frozenset({"house", "block", "building", "letter", "stead"})


def tokens(parsed: Parsed, best: Hit | None) -> tuple[Token, ...]:
    """Return the words of a text, each with what it was found as in the best answer."""
    if best is None:
        return parsed.tokens
    told: list[tuple[str, str, str]] = []
    region = best.state.region
    for part, at, why in best.state.seen:
        if at == NONE:
            text = why or "найдено выше"
        else:
            text = "; ".join(filter(None, (f"найдено: {labels.own(region, at)}", why)))
            if kinds.relation(part, region.type(at)) == kinds.OTHER:
                text += "; тип не совпал"
        told.append((part.role, part.name, text))
    house = ""
    if parsed.first("house") or parsed.first("stead"):
        house = f"найдено: {best.house.label}" if best.house else "нет в реестре"
    return tuple(_one(token, told, house) for token in parsed.tokens)


def _one(token: Token, told: list[tuple[str, str, str]], house: str) -> Token:
    if token.role in _HOUSE and house:
        return replace(token, why=house)
    own = [one for one in told if one[0] == token.role]
    if len(own) > 1:
        own = [one for one in own if token.text in one[1]] or own
    return replace(token, why=own[0][2]) if own else token
