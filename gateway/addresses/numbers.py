"""The numbers of houses and flats: `68`, `14А`, `14 "А"`, `14-А`, `12/3`, `141_145`, `б/н`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from gateway.addresses.split import COMMA, MARK, NUM, ORD, QUOTE, WORD
from gateway.addresses.words import MARKERS, match

if TYPE_CHECKING:
    from gateway.addresses.split import Word

_NONE: Final = frozenset({"б/н", "б\\н", "бн"})
_PREPOSITIONS: Final = frozenset("виоску")
_ROMAN: Final = re.compile(r"[ivx]{1,5}")
_NUMBER_WORDS: Final = frozenset({"n", "no", "номер", "номером"})
_SKIPPED: Final = frozenset({"№", "#", "-", "–", "—", "−", ":", "="})

DIGITS: Final = 1
LETTERS: Final = 2


def skip(words: list[Word], at: int) -> int:
    """Return the place of the first piece that is no quote, dash or number sign."""
    while at < len(words) and _skipped(words, at):
        at += 1
    return at


def _skipped(words: list[Word], at: int) -> bool:
    """Tell whether a piece before a value says nothing."""
    word = words[at]
    if word.kind == QUOTE:
        return True
    if word.kind == MARK:
        return word.text in _SKIPPED
    if word.key not in _NUMBER_WORDS:
        return False
    return at + 1 < len(words) and words[at + 1].kind == NUM


def peek(words: list[Word], at: int) -> int:
    """Tell what value begins here: DIGITS, LETTERS (`А`, `IV`, `б/н`), 0 for none."""
    at = skip(words, at)
    if at >= len(words):
        return 0
    word = words[at]
    if word.kind in (NUM, ORD):
        return DIGITS
    if word.kind != WORD:
        return 0
    key = word.key
    if _ROMAN.fullmatch(key):
        return LETTERS
    if key in _NONE or (key == "без" and at + 1 < len(words) and words[at + 1].key == "номера"):
        return LETTERS
    if len(key) <= 2 and (len(key) == 1 or key not in MARKERS) and word.text[0].isalpha():
        return LETTERS if _stops(words, at + 1) else 0
    return 0


def _stops(words: list[Word], at: int) -> bool:
    """Tell whether a letter that ends here can be a value: what follows is no continued name."""
    if at >= len(words):
        return True
    after = words[at]
    return after.kind != WORD or after.key in MARKERS


def read(words: list[Word], at: int, *, ranges: bool) -> tuple[str, int, int]:
    """Return the value that begins here, the place of its first piece and the place after it.

    ranges: `1-30` is one value (of flats); else it ends before the hyphen.
    """
    at = skip(words, at)
    word = words[at]
    key = word.key
    if key in _NONE:
        return "б/н", at, at + 1
    if key == "без":
        return "б/н", at, at + 2
    value = word.text.replace("-", "") if word.kind == ORD else word.text
    end = at + 1
    if word.kind == WORD and end < len(words) and words[end].kind == NUM and words[end].glued:
        value += words[end].text
        end += 1
    if end < len(words) and words[end].kind == QUOTE and at > 0 and words[at - 1].kind == QUOTE:
        end += 1
    count = len(words)
    while end < count:
        more, after = _more(words, end, ranges=ranges)
        if not after:
            break
        value += more
        end = after
    return value, at, end


def _more(words: list[Word], at: int, *, ranges: bool) -> tuple[str, int]:
    """Return what continues a value and the place after it, 0 when nothing does."""
    word = words[at]
    if word.kind == WORD:
        return _letter(words, at)
    if word.kind == NUM and word.glued:
        return word.text, at + 1
    following = words[at + 1] if at + 1 < len(words) else None
    if following is None or word.kind not in (QUOTE, MARK):
        return "", 0
    if word.kind == QUOTE:
        closed = at + 2 < len(words) and words[at + 2].kind == QUOTE
        if closed and following.kind == WORD and len(following.key) <= 2:
            return following.text, at + 3
    elif word.text in "/\\":
        if following.kind == NUM or _short(following):
            return "/" + following.text, at + 2
    elif word.text == "_":
        if following.kind == NUM:
            return "_" + following.text, at + 2
    else:
        return _hyphen(words, at, following, ranges=ranges)
    return "", 0


def _hyphen(words: list[Word], at: int, following: Word, *, ranges: bool) -> tuple[str, int]:
    """Return the letter after a hyphen (`14-А`), or the end of a range."""
    if words[at].text not in "-–—−":
        return "", 0
    glued = words[at].glued and following.glued
    if _letter_alone(following) and (glued or _stops(words, at + 2)):
        return following.text, at + 2
    if ranges and following.kind == NUM:
        return "-" + following.text, at + 2
    return "", 0


def _letter_alone(word: Word) -> bool:
    """Tell whether a piece is a single letter."""
    return word.kind == WORD and len(word.key) == 1


def _short(word: Word) -> bool:
    """Tell whether a word may stand after the slash of a number: a letter, a Roman number."""
    return word.kind == WORD and (len(word.key) == 1 or bool(_ROMAN.fullmatch(word.key)))


def _letter(words: list[Word], at: int) -> tuple[str, int]:
    """Return the letter of a number (`14А`, `14 а`), when the word is one."""
    word = words[at]
    if word.key == "дробь" and at + 1 < len(words) and words[at + 1].kind == NUM:
        return "/" + words[at + 1].text, at + 2
    if len(word.key) != 1 or not word.text.isalpha():
        return "", 0
    return (word.text, at + 1) if _ends(words, at) else ("", 0)


def _ends(words: list[Word], at: int) -> bool:
    """Tell whether a single letter after a number is its own, and not the next word's."""
    word = words[at]
    following = words[at + 1] if at + 1 < len(words) else None
    if following is None or following.kind in (COMMA, QUOTE):
        return True
    if following.kind == MARK:
        return word.glued or following.text in "/\\()"
    known = match(words, at) is not None
    if following.kind in (NUM, ORD):
        return word.glued and not known
    if word.glued or (known and word.dot):
        return word.glued
    capitals = word.text.isupper() and following.text[0].isupper()
    if capitals and not known and word.key not in _PREPOSITIONS:
        return True
    found = match(words, at + 1)
    return found is not None and (
        not known or (found[0].numeric != () and peek(words, found[1]) > 0)
    )
