"""The spelling by which names and house numbers are compared, the same at load and at a question.

Names: small letters, ё as е, no quotes or dots, ordinals without their endings (`3-я`, `третья`:
`3`), words in order of the alphabet. Houses: `12а`, `12/3`, `12к2`, `12с1`, `12/3к2с1`; a plot of
land begins with `уч`, ownership (`влд`) has the number of a house.
"""

from __future__ import annotations

import re
from typing import Final

_WORD: Final = re.compile(r"[0-9]+|[а-яa-z]+")
_ENDING: Final = re.compile(r"(\d+)[\s-]*(?:ого|его|ому|ему|ой|ый|ий|ая|яя|ое|ее|го|му|й|я|е)\b")


def fold(text: str) -> str:
    """Return text in small letters, ё as е."""
    return text.casefold().replace("ё", "е")


def name(text: str) -> str:
    """Return the key of a name without its type: `3-я Шоссейная` → `3 шоссейная`."""
    return " ".join(sorted(_WORD.findall(_ENDING.sub(r"\1 ", fold(text)))))


def house(number: str, block: str = "", building: str = "", letter: str = "") -> str:
    """Return the key of a house: `house("12А/3", "2", "1")` → `12а/3к2с1`; spaces do not matter."""
    key = re.sub(r"[^0-9a-zа-я/]", "", fold(number)) + re.sub(r"[^0-9a-zа-я]", "", fold(letter))
    if block:
        key += "к" + re.sub(r"[^0-9a-zа-я/]", "", fold(block))
    if building:
        key += "с" + re.sub(r"[^0-9a-zа-я/]", "", fold(building))
    return key
