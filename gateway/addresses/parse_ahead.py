"""What stands a few words ahead: the questions that decide how a word is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.addresses import numbers
from gateway.addresses.split import COMMA, NUM, ORD, WORD
from gateway.addresses.words import AFTER_NUMBER, CITIES, MARKERS, SPEECH, adjective, match

if TYPE_CHECKING:
    from gateway.addresses.split import Word
    from gateway.addresses.words import Kind


def capital(words: list[Word], at: int) -> bool:
    """Tell whether a capitalised word stands here."""
    return at < len(words) and words[at].kind == WORD and words[at].text[0].isupper()


def plain(words: list[Word], at: int) -> bool:
    """Tell whether a number stands here."""
    place = numbers.skip(words, at)
    return place < len(words) and words[place].kind in (NUM, ORD)


def _initial(words: list[Word], at: int) -> bool:
    """Tell whether a capital letter before a capitalised word stands here (`К. Маркса`)."""
    word = words[at]
    if len(word.key) > 1 or not word.text.isupper() or not capital(words, at + 1):
        return False
    return word.key != "г" or words[at + 1].key not in CITIES


def boundary(words: list[Word], at: int) -> bool:
    """Tell whether a name cannot begin here: the end, a comma, a number, another type."""
    at = numbers.skip(words, at)
    if at >= len(words):
        return True
    word = words[at]
    if word.kind == WORD:
        if word.key in MARKERS:
            return _type(words, at)
        return word.key in SPEECH and word.text.islower()
    if word.kind not in (NUM, ORD):
        return True
    return not names(words, at, None) and not _numbered_name(words, at)


def _numbered_name(words: list[Word], at: int) -> bool:
    """Tell whether a number, a word and a number stand here: a name and a house (`5 Мая, 59`)."""
    if at + 2 >= len(words):
        return False
    word, following = words[at + 1], words[at + 2]
    if word.kind != WORD or word.glued or len(word.key) == 1 or word.key in MARKERS:
        return False
    if following.kind == COMMA and at + 3 < len(words):
        following = words[at + 3]
    if word.key in SPEECH:
        return False
    if following.kind == WORD:
        spellings = MARKERS.get(following.key)
        kinds = spellings[-1].numeric if spellings else ()
        return bool(kinds) and kinds[0].role == "house" and numbers.peek(words, at + 3) > 0
    return following.kind == NUM and len(following.text) < 6


def _type(words: list[Word], at: int) -> bool:
    """Tell whether a type stands here that begins or closes another piece."""
    found = match(words, at)
    if not found:
        return False
    spelling, end = found
    if spelling.numeric and numbers.peek(words, end):
        return not _initial(words, at)
    if not spelling.named:
        return False
    if not spelling.full:
        return not _initial(words, at)
    if spelling.named[0].role not in ("street", "plan"):
        return True
    after = numbers.skip(words, end)
    return after < len(words) and words[after].kind == WORD and words[after].key not in MARKERS


def end_of(words: list[Word], at: int) -> int:
    """Return the place after a number in a name, with the letter grown to it (`мкр 15а`)."""
    following = words[at + 1] if at + 1 < len(words) else None
    if following is None or following.kind != WORD or not following.glued:
        return at + 1
    if len(following.key) > 1 or (following.key in MARKERS and numbers.peek(words, at + 2)):
        return at + 1
    return at + 2


def names(words: list[Word], at: int, kind: Kind | None) -> bool:
    """Tell whether a number belongs to a name (`9 Января`, `3-я Шоссейная`, `мкр 4`).

    kind: the type before the number, when nothing stands between them.
    """
    if at >= len(words) or words[at].kind not in (NUM, ORD):
        return False
    word = words[at]
    if word.kind == ORD and "-" in word.text:
        return True
    if kind is not None and kind.numbered:
        return True
    after = words[at + 1] if at + 1 < len(words) else None
    if after is None or after.kind != WORD or after.glued:
        return False
    if after.key in AFTER_NUMBER:
        return True
    if after.key in MARKERS or len(after.key) == 1:
        return False
    return word.kind == ORD or kind is not None or street_ahead(words, at)


def street_ahead(words: list[Word], at: int) -> bool:
    """Tell whether an adjective, a type of street and a number follow (`1 Кирпичный проезд 9`)."""
    if at + 3 >= len(words) or not adjective(words[at + 1].key) or not capital(words, at + 1):
        return False
    found = match(words, at + 2) if words[at + 2].kind == WORD else None
    if not found or not found[0].named or found[0].named[0].role != "street":
        return False
    after = found[1]
    return plain(words, after) or bool(after < len(words) and numbers.peek(words, after + 1))


def house_later(words: list[Word], at: int) -> bool:
    """Tell whether a house is named by its word further on."""
    for place in range(at, len(words)):
        spellings = MARKERS.get(words[place].key)
        if spellings and words[place].kind == WORD:
            kinds = spellings[-1].numeric
            if kinds and kinds[0].role == "house" and numbers.peek(words, place + 1):
                return True
    return False


def bare_later(words: list[Word], at: int) -> bool:
    """Tell whether a number without a word of its own begins the next segment."""
    return at + 1 < len(words) and words[at].kind == COMMA and words[at + 1].kind == NUM


def typed(words: list[Word], at: int, roles: tuple[str, ...]) -> bool:
    """Tell whether a type of these roles stands here and closes the name before it."""
    if at >= len(words) or words[at].kind != WORD or words[at].key not in MARKERS:
        return False
    found = match(words, at)
    if not found or not found[0].named:
        return False
    kind = found[0].named[0]
    if kind.numbered and plain(words, found[1]):
        return False
    return kind.role in roles and boundary(words, found[1])


def only_numbers(words: list[Word], at: int) -> bool:
    """Tell whether nothing but numbers and their words follows."""
    for word in words[at:]:
        if word.kind == WORD and len(word.key) > 2:
            spellings = MARKERS.get(word.key)
            if not spellings or not spellings[-1].numeric:
                return False
    return True
