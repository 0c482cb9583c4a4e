"""Texts that name a house but do not mean it alone: near it, a corner, several houses; pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gateway.addresses.parts import Parsed

_NEAR: Final = re.compile(
    r"\b(?:напротив|рядом|около|возле|вблизи|недалеко|неподал[её]ку|между|меж|"
    r"уг(?:ол|лу|ла)|перекр[её]ст(?:ок|ке|ка)|пересечени[еия])\b(?:\s+(?:со?|от|на)\b)?"
    r"|\b(?:у|за|перед|не)(?=\s+(?:дом(?:а|ом|ами|ов)?|д)\b)",
    re.IGNORECASE,
)
_SEVERAL: Final = re.compile(
    r"\d{1,3}[а-яё]?(?:\s+и\s+(?:дом\w*\s+|д\.?\s*)?\d{1,3}\b"
    r"|\s*,\s*\d{1,3}[а-яё]?\s*(?:,|\bи\b)\s*\d{1,3}(?!\d))",
    re.IGNORECASE,
)
"""`5 и 7`, `5, 7, 9`; two numbers with a comma are a house and its apartment."""
_PLACES: Final = frozenset({"street", "house"})


def doubt(parsed: Parsed) -> str:
    """Return in Russian why the house of a text may not be the one that is meant, or nothing.

    A word of nearness counts where the street or the house follows it: `напротив д. 12`, not
    `Ленина 12, напротив школы`; a corner has two streets, whatever they were taken for.
    """
    houses = [token for token in parsed.tokens if token.role == "house"]
    if not houses:
        return ""
    for near in _NEAR.finditer(parsed.text):
        behind = next((token for token in parsed.tokens if token.start >= near.end()), None)
        corner = near[0][:2].casefold() in {"уг", "пе"}
        if behind and (corner or behind.role in _PLACES) and houses[-1].start >= near.end():
            return f"дом назван как ориентир: {near[0].strip()}"
    number = next((token for token in houses if token.text[:1].isdigit()), houses[0])
    plain = parsed.first("block") is None and parsed.first("building") is None
    if plain and _SEVERAL.match(parsed.text, number.start):
        return "названо несколько домов"
    return ""
