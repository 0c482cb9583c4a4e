"""Initials in the names of streets: `К.Либкнехта`, `И. В. Петровой`, `Титова Г.`.

Most of the letters are also types (`с.`, `д.`, `г.`, `к.`) or words (`в`, `и`, `а`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.addresses.parse_ahead import capital, plain
from gateway.addresses.split import COMMA, WORD
from gateway.addresses.words import SPEECH

if TYPE_CHECKING:
    from gateway.addresses.parse_item import Item
    from gateway.addresses.parse_scan import Scan
    from gateway.addresses.split import Word


def initial(scan: Scan, at: int, *, named: bool) -> bool:
    """Tell whether a letter is an initial; end the name before it when it begins the next one.

    named: the letter may open a name as a type (`С. Перовской`, `с. Губарево`).
    """
    words = scan.words
    word = words[at]
    item = scan.open
    if item is not None and item.last == at - 1 and item.first >= 0 and _chained(words, at):
        return word.text.isupper() or word.dot or not plain(words, at + 1)
    if (item is None or item.role in ("street", "")) and _pair(words, at, item):
        return True
    if item is not None and item.kind is not None and item.first >= 0 and _leads(words, at, item):
        scan.close()
        return True
    if item is None:
        return _opens(scan, at, named=named)
    if item.first < 0:
        return _first(words, at, item)
    if not word.text.isupper() or not word.dot:
        return False
    if item.role == "settlement" and item.kind is not None:
        return _next(scan, at)
    closes = at + 1 >= len(words) or words[at + 1].kind == COMMA
    return closes and not scan.capitals and item.role in ("street", "")


def _chained(words: list[Word], at: int) -> bool:
    """Tell whether the letter follows another initial."""
    before = words[at - 1]
    if not (_letter(before) and before.dot and _near(before, words[at])):
        return False
    return before.text.isupper() == words[at].text.isupper()


def _next(scan: Scan, at: int) -> bool:
    """End a settlement's name before an initial with its surname (`Степаново О.Кошевого`)."""
    words = scan.words
    if at + 1 >= len(words) or words[at + 1].start != words[at].end + 1:
        return False
    if not capital(words, at + 1):
        return False
    scan.close()
    return True


def _leads(words: list[Word], at: int, item: Item) -> bool:
    """Tell whether initials and a surname follow a settlement's name (`Степное Л.Н.Петрова`)."""
    if item.role not in ("settlement", "plan") or not _pair(words, at, item):
        return False
    return at + 2 < len(words) and words[at + 2].kind == WORD and len(words[at + 2].key) > 1


def _letter(word: Word) -> bool:
    """Tell whether a piece is a single letter."""
    return len(word.key) == 1 and word.kind == WORD


def _near(word: Word, following: Word) -> bool:
    """Tell whether at most a dot and a space stand between two pieces."""
    return following.start <= word.end + 2


def _pair(words: list[Word], at: int, item: Item | None) -> bool:
    """Tell whether two letters with dots stand here, before a name or after the one being read."""
    if at + 1 >= len(words):
        return False
    word, second = words[at], words[at + 1]
    if not (word.dot and second.dot and _letter(second) and _near(word, second)):
        return False
    if item is not None and item.first >= 0:
        return True
    return at + 2 < len(words) and words[at + 2].kind == WORD and len(words[at + 2].key) > 1


def _opens(scan: Scan, at: int, *, named: bool) -> bool:
    """Tell whether a letter without a type before it begins a name."""
    words = scan.words
    word = words[at]
    if not word.dot or at + 1 >= len(words) or len(words[at + 1].key) == 1:
        return False
    if word.key in SPEECH and not named:
        return words[at + 1].kind == WORD and _near(word, words[at + 1])
    if not word.text.isupper() or not capital(words, at + 1):
        return False
    seen = scan.seen
    return not named or (not scan.capitals and "settlement" in seen and "street" not in seen)


def _first(words: list[Word], at: int, item: Item) -> bool:
    """Tell whether a letter right after a type begins the name."""
    word = words[at]
    if at + 1 >= len(words) or item.role not in ("street", "plan", "settlement"):
        return False
    following = words[at + 1]
    if word.text.isupper():
        return capital(words, at + 1)
    glued = word.dot and following.kind == WORD and following.start == word.end + 1
    return item.role == "street" and glued and len(following.key) > 1
