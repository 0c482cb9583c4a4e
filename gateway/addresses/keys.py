"""The spelling by which names and house numbers are compared, the same at load and at a question.

Names: small letters, ё as е, no quotes or dots, ordinals in figures without their endings (`3-я`,
`третья`, `III`: `3`), `40-летия` as `40 лет`, without `имени`, words in order of the alphabet.
Houses: `12а`, `12/3`, `12к2`, `12с1`, `12/3к2с1`; a plot of land begins with `уч`, ownership
(`влд`) has the number of a house. Letters of another alphabet that look like ours are ours.

Keys lie in the tables that are searched: whoever changes what a key is raises KEYS_VERSION, and
the tables are built anew.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

KEYS_VERSION: Final = 2

_LOOKS: Final = str.maketrans("abcehkmoptxy", "авсенкмортху")
_WORD: Final = re.compile(r"[0-9]+|[а-яa-z]+")
_ENDING: Final = re.compile(
    r"(?<![0-9а-яa-z])(\d+)[\s-]*(?:ого|его|ому|ему|ой|ый|ий|ая|яя|ья|ое|ее|го|му|ти|х|й|я|е)"
    r"(?![0-9а-яa-z])"
)
_YEARS: Final = re.compile(r"(\d+)[\s-]*лет(?:ия|ие|ию|ний)?(?![0-9а-яa-z])")
_ROMAN: Final = re.compile(r"(?<![0-9а-яa-z])[ivxхі]+(?![0-9а-яa-z])")
_NAMED: Final = frozenset({"им", "имени", "n", "номер"})

_STEMS: Final = {
    "перв": 1, "втор": 2, "трет": 3, "четверт": 4, "пят": 5, "шест": 6, "седьм": 7, "восьм": 8,
    "девят": 9, "десят": 10, "одиннадцат": 11, "двенадцат": 12, "тринадцат": 13,
    "четырнадцат": 14, "пятнадцат": 15, "шестнадцат": 16, "семнадцат": 17, "восемнадцат": 18,
    "девятнадцат": 19, "двадцат": 20, "тридцат": 30, "сороков": 40, "пятидесят": 50,
    "шестидесят": 60, "семидесят": 70, "восьмидесят": 80, "девяност": 90, "сот": 100,
}  # fmt: skip
_ENDS: Final = ("ый", "ой", "ий", "ая", "ое", "ого", "ому", "ым", "ом", "ую", "ых")
_THIRD: Final = ("ий", "ья", "ье", "ьего", "ьей", "ьему", "ью")
_TENS: Final = {
    "двадцать": 20, "тридцать": 30, "сорок": 40, "пятьдесят": 50, "шестьдесят": 60,
    "семьдесят": 70, "восемьдесят": 80, "девяносто": 90,
}  # fmt: skip
_ORDINALS: Final = {
    stem + end: number
    for stem, number in _STEMS.items()
    for end in (_THIRD if stem == "трет" else _ENDS)
}
_JUBILEES: Final = {
    word + "летия": number
    for word, number in {
        "десяти": 10, "двадцати": 20, "тридцати": 30, "сорока": 40, "пятидесяти": 50,
        "шестидесяти": 60, "семидесяти": 70, "восьмидесяти": 80, "девяносто": 90, "сто": 100,
    }.items()
}  # fmt: skip

ORDINALS: Final = tuple(_ORDINALS)
"""Ordinals in words, as they stand in names: `третья`, `третьего`."""

_HOUSE_WORDS: Final = (
    (re.compile(r"(?:земельный\s+)?участок|зем\.?\s*уч\.?|уч-к|уч\.?|з/у"), "уч"),
    (re.compile(r"домовладение|владение|двлд\.?|влд\.?|вл\.|здание|зд\.|дом|д\."), ""),
    (re.compile(r"литера|литер|лит\.?|буква"), ""),
    (re.compile(r"корпус|корп\.?|кор\.?"), "к"),
    (re.compile(r"сооружение|соор\.?|строение|строен\.?|стр\.?"), "с"),
    (re.compile(r"дробь|\\"), "/"),
    (re.compile(r"(?<=\d)\s*-\s*(?=\d)|(?<=\d)\s+(?=\d)"), "/"),
    (re.compile(r"[^0-9а-яa-z/]"), ""),
)
_PLAIN: Final = re.compile(r"[0-9]+[а-я]?")


def fold(text: str) -> str:
    """Return text in small letters, ё as е."""
    return text.casefold().replace("ё", "е")


def looks(word: str) -> str:
    """Return a small word with Latin letters that look like Cyrillic ones replaced by them."""
    return word.translate(_LOOKS)


@lru_cache(maxsize=8192)
def name(text: str) -> str:
    """Return the key of a name without its type: `3-я Шоссейная` → `3 шоссейная`."""
    return " ".join(sorted(words(text)))


def ordinal(word: str) -> int:
    """Return the number that an ordinal in words is, 0 when it is none."""
    return _ORDINALS.get(word, 0)


def words(text: str) -> list[str]:
    """Return the words of a name as they are compared, in order of the text."""
    text = _ROMAN.sub(_roman, fold(text).replace("№", " "))
    text = _ENDING.sub(r"\1 ", _YEARS.sub(r"\1 лет ", text))
    found: list[str] = []
    tens = 0
    for word in _WORD.findall(text):
        if word in _NAMED:
            continue
        number = _ORDINALS.get(word, 0)
        if tens and 0 < number < 10:
            found[-1] = str(tens + number)
        elif word in _TENS:
            found.append(str(_TENS[word]))
        elif number:
            found.append(str(number))
        elif word in _JUBILEES:
            found += [str(_JUBILEES[word]), "лет"]
        else:
            found.append(word if word.isdigit() else looks(word))
        tens = _TENS.get(word, 0)
    found = [_year(found, at) for at in range(len(found))]
    return [word.lstrip("0") or "0" if word.isdigit() else word for word in found]


def house(number: str, block: str = "", building: str = "", letter: str = "") -> str:
    """Return the key of a house: `house("12А/3", "2", "1")` → `12а/3к2с1`; spaces do not matter."""
    key = _number(number) + _number(letter)
    if block:
        key += "к" + _number(block)
    if building:
        key += "с" + _number(building)
    return key


def stead(number: str) -> str:
    """Return the key of a plot of land: `уч15`."""
    key = _number(number)
    return key if key.startswith("уч") else "уч" + key


def flat(number: str) -> str:
    """Return the key of an apartment or of premises: `15а`, `2/3`."""
    return _number(number)


def _number(text: str) -> str:
    folded = looks(fold(text))
    if _PLAIN.fullmatch(folded):
        return folded
    for pattern, to in _HOUSE_WORDS:
        folded = pattern.sub(to, folded)
    return folded.strip("/")


def _year(found: list[str], at: int) -> str:
    """Return `г`, `год` and the like after a number as one word."""
    word = found[at]
    if at and found[at - 1].isdigit():
        if word in {"г", "год", "года", "годов", "году"}:
            return "года"
        if word in {"летия", "летие"}:
            return "лет"
    return word


def _roman(match: re.Match[str]) -> str:
    """Return a Roman number in figures; one letter alone is an initial, unless it is I or V."""
    text = match[0].replace("х", "x").replace("і", "i")
    if match[0] in {"х", "x"} or not re.search("[ivx]", match[0]):
        return match[0]
    value, before = 0, 0
    for letter in reversed(text):
        worth = {"i": 1, "v": 5, "x": 10}[letter]
        value += worth if worth >= before else -worth
        before = max(before, worth)
    return str(value)
