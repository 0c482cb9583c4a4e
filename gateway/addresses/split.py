"""Cutting a line into words, numbers and marks, each with its place in the line.

A dot is no piece by itself: it is remembered with the word before it. A hyphen within a word
belongs to the word (`Усть-Илимск`, `пр-кт`), as does the slash of known abbreviations (`с/с`).
An ordinal is one piece (`3-я`), as is a number grown together with a word (`50-летия`).
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

WORD: Final = 1
NUM: Final = 2
ORD: Final = 3
COMMA: Final = 4
QUOTE: Final = 5
MARK: Final = 6
"""Anything else: a slash, a bracket, a dash, №."""

_PIECE: Final = re.compile(
    r"((?:[вснпфзамжду]/[а-яё]{1,3}|б[/\\]н|п/ст|ж\.-?д)(?![а-яё])"  # slashed
    r"|б[/\\]н(?=к|стр)"
    r"|\d+-(?!корп|стр|лит|офис|пом|ком|под|эта|квар|дом)[а-яё]{3,}[а-яё-]*"  # 50-летия
    r"|[^\W\d_]+(?:['’`-][^\W_]+)*)"  # a word
    r"|(\d+-?(?:[ыио]й|[ая]я|[оые]е|[оеыи]го|[оеы]му|го|му|ти|[йяе])(?![^\W_]))"  # 3-я
    r"|(\d+)"
    r"|([,;\n\r\t|])"
    r"|([\"«»“”„'’`])"
    r"|([^\s.])",
    re.IGNORECASE,
)
_KINDS: Final = (0, WORD, ORD, NUM, COMMA, QUOTE, MARK)

_ODD: Final = re.compile("[\u0300-\u036f\u00ad\u200b-\u200f\u2060\ufeff]")
_DROPPED: Final = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_LATIN: Final = re.compile("[A-Za-z]")
_MIXED: Final = re.compile(r"[^\W\d_]*[A-Za-z][^\W\d_]*")
_LOOKALIKE: Final = str.maketrans("ABCEHKMOPTXYaceopxyukm", "АВСЕНКМОРТХУасеорхуикм")
_CYRILLIC: Final = re.compile("[А-Яа-яЁё]")


class Word:
    """A piece of the line.

    key: small letters, ё as е. dot: a dot follows. glued: nothing stands between it and the piece
    before it (a hyphen or slash is a piece).
    """

    __slots__ = ("dot", "end", "glued", "key", "kind", "start", "text")

    def __init__(self, kind: int, text: str, start: int, end: int) -> None:
        self.kind = kind
        self.text = text
        self.key = text.lower().replace("ё", "е")
        self.start = start
        self.end = end
        self.dot = False
        self.glued = False


def _letters(match: re.Match[str]) -> str:
    """Return a word with the Latin letters that look like Russian ones as Russian.

    A single letter is Russian by itself (`14A`; X is a number), so is a word with a Russian letter.
    """
    text = match[0]
    if (len(text) == 1 and text not in "Xx") or _CYRILLIC.search(text):
        return text.translate(_LOOKALIKE)
    return text


def clean(text: str) -> str:
    """Return text in composed letters, without invisible ones, Latin lookalikes as Russian."""
    if _ODD.search(text):
        text = _DROPPED.sub("", unicodedata.normalize("NFC", text))
    if _LATIN.search(text):
        text = _MIXED.sub(_letters, text)
    return text


def split(text: str) -> list[Word]:
    """Return the pieces of a cleaned line, in order."""
    words: list[Word] = []
    last_end = -1
    for match in _PIECE.finditer(text):
        start, end = match.span()
        word = Word(_KINDS[match.lastindex or 0], match[0], start, end)
        word.glued = start == last_end
        word.dot = end < len(text) and text[end] == "."
        last_end = end
        if word.kind != WORD:
            words.append(word)
        elif _TAIL.fullmatch(word.text) or (
            word.glued and words[-1].kind == NUM and NUMBERED.fullmatch(word.text)
        ):
            words.extend(loosen(word))
        elif word.glued and (grown := _GROWN.fullmatch(word.text)):
            _cut(word, grown.end(1), words)
        else:
            words.append(word)
    return words


NUMBERED: Final = re.compile(r"\D+-\d+")
"""A word with a number after its hyphen (`Ромашка-2`, `Ленина-5`)."""
_GROWN: Final = re.compile(r"([а-яё])(?:корпус|корп|стр|лит|кв|[кс])", re.IGNORECASE)


def _cut(word: Word, length: int, words: list[Word]) -> None:
    """Append the letter of a house and the word grown to it as two pieces (`5ак2`)."""
    if not words or words[-1].kind != NUM:
        words.append(word)
        return
    middle = word.start + length
    for start, end in ((word.start, middle), (middle, word.end)):
        piece = Word(WORD, word.text[start - word.start : end - word.start], start, end)
        piece.glued = True
        words.append(piece)
    words[-1].dot = word.dot


_TAIL: Final = re.compile(r"(?:д|дом|кв|к|корп|стр|оф|ул|пер|лит|уч|вл|влд)-\d+", re.IGNORECASE)


def loosen(word: Word) -> list[Word]:
    """Return a word with a number after its last hyphen as three pieces."""
    hyphen = word.text.rindex("-")
    made = []
    for kind, start, end in (
        (WORD, 0, hyphen),
        (MARK, hyphen, hyphen + 1),
        (NUM, hyphen + 1, len(word.text)),
    ):
        piece = Word(kind, word.text[start:end], word.start + start, word.start + end)
        piece.glued = start > 0 or word.glued
        made.append(piece)
    made[-1].dot = word.dot
    return made
