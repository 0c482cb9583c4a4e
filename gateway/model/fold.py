r"""Folding of text: clean Unicode for storage, and keys under which look-alike numbers meet.

Registration numbers travel retyped: `А26-02-123` with a Cyrillic А and `A26–02–123` with a Latin
one and long dashes are one number. `number_key` folds, the original spelling is always kept.

| written                                            | in the key                      |
|----------------------------------------------------|---------------------------------|
| lower case                                         | upper case                      |
| Cyrillic or Greek letter that looks Latin (below)  | the Latin letter                |
| Ё, stress and other marks over letters but Й's     | the letter without the mark     |
| № anywhere; `N`, `No` and a space at the beginning | nothing                         |
| hyphen, any dash, minus, underscore, space, a run  | one `-` between two characters, |
| of them                                            | nothing at the ends or beside   |
|                                                    | other punctuation               |
| `\`, `∕`, `⁄`                                     | `/`                             |
| full-width and other compatibility forms           | the plain character (NFKC)      |
| soft hyphen, zero-width characters, BOM            | nothing                         |

Digits are never folded with letters (О/0, З/3): `О1` and `01` are different numbers of real
registers, and a false match costs more than a missed one.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from gateway import limits
from gateway.errors import TooLargeError, ValidationError, Violation

HOMOGLYPHS: Final[dict[str, str]] = {
    **dict(zip("АВЕЁКМНОРСТУХЅІЇЈԚԜҮҺӀ", "ABEEKMHOPCTYXSIIJQWYHI", strict=True)),
    **dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹ", "ABEZHIKMNOPTYXC", strict=True)),
}
"""Capital letter that looks Latin → the Latin letter: Cyrillic (and Ё), Greek."""

_INVISIBLE: Final = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
_FOLD: Final = (
    {ord(char): latin for char, latin in HOMOGLYPHS.items()}
    | {ord(char): None for char in _INVISIBLE}
    | {ord(char): "-" for char in "‐‑‒–—―−⁃﹘﹣－_"}
    | {code: "-" for code in range(0x3001) if chr(code).isspace()}
    | {ord(char): "/" for char in "\\∕⁄"}
)
_MARKS: Final = re.compile(
    "(?<!И)\u0306|[\u0300-\u0305\u0307-\u036f\u0483-\u0489\u1dc0-\u1dff\u20d0-\u20ff]"
)
_NUMBER_SIGN: Final = re.compile(r"№|\A\s*N(?:[OО][.\s]|[.\s])\s*(?=\w)", re.IGNORECASE)
_DASHES: Final = re.compile(r"-+")
_LOOSE_DASH: Final = re.compile(r"(?<![^\W_])-|-(?![^\W_])")
_PLAIN: Final = re.compile(r"[/.]*[A-Z0-9][A-Z0-9/.]*", re.ASCII)

_GUID: Final = re.compile(
    r"\{?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\}?", re.IGNORECASE
)
_NOT_A_WORD: Final = re.compile(r"[\W_]+")

FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What neither PostgreSQL nor XML can carry: controls, lone surrogates, U+FFFE and U+FFFF."""
_ODD: Final = "[^\t\n\r\x20-\u02ff\u0370-\u0482\u048a-\u058f\u1e00-\u20cf\u2100-\u2bff]"
"""What may be forbidden or a combining mark; Latin, Greek, Cyrillic and punctuation are neither."""
_LOOKED_AT: Final = re.compile(_ODD)
_USUAL: Final = re.compile(
    "[\t\n\r\x20-\u02ff\u0400-\u0482\u048a-\u058f\u2010-\u2027\u2030-\u205e\u20a0-\u20bf№]*"
)
"""Texts in form C of characters that any text may hold: nearly all there are, told by one look."""
MARKS_IN_A_ROW: Final = 30
"""Combining marks on one letter that any language needs, and more (UAX #15, 13, stream-safe text).
To order a run of n marks takes n² steps: 98,000 of them, 415 bytes when packed, took 15 s."""
_ODD_RUN: Final = re.compile(f"{_ODD}{{{MARKS_IN_A_ROW + 1},}}")
_SHORT: Final = 2_048
"""Characters in which no run of marks takes longer to order than a few milliseconds."""


def number_key(value: str) -> str:
    """Return the key under which spellings of one registration number are equal.

    Pure and idempotent; empty for text without a letter or digit. The table is in the module's
    docstring.
    """
    if _PLAIN.fullmatch(value):
        return value
    text = unicodedata.normalize("NFKC", _NUMBER_SIGN.sub(" ", value)).upper()
    text = _MARKS.sub("", unicodedata.normalize("NFKD", text)).translate(_FOLD)
    text = unicodedata.normalize("NFC", _LOOSE_DASH.sub("", _DASHES.sub("-", text)))
    return text if any(map(str.isalnum, text)) else ""


def fold_id(value: str) -> str:
    """Return an identifier of a body in the one spelling it is stored in: GUIDs small and bare."""
    text = value.strip()
    guid = _GUID.fullmatch(text)
    return guid[1].lower() if guid else text


def fold_name(name: str) -> str:
    """Return a body's name as it is compared: small letters, е for ё, single spaces, no marks."""
    return _NOT_A_WORD.sub(" ", name.lower().replace("ё", "е")).strip()


def clean_text(value: str, path: str = "", limit: int = limits.TEXT_CHARS) -> str:
    """Return `value` in Unicode normal form C; everything a citizen wrote stays.

    path: where the text stood, for the error. limit: length in characters. Raises ValidationError
    for what neither PostgreSQL nor an XML reply can carry: NUL and other C0 controls but tab, line
    feed and carriage return, lone surrogates, U+FFFE and U+FFFF; and for more combining marks in a
    row than any language has. TooLargeError past the limit.
    """
    if len(value) > limit:
        raise TooLargeError(
            "the text is too long",
            found=f"{len(value)} characters",
            expected=str(limit),
            where=path,
        )
    if _USUAL.fullmatch(value):
        return value
    if _LOOKED_AT.search(value):
        check_characters(value, path)
    return value if value.isascii() else unicodedata.normalize("NFC", value)


def nfc(value: str) -> str:
    """Return a text in Unicode normal form C, whatever it holds and however it came here.

    For what did not pass `clean_text`. Raises ValidationError for more combining marks in a row
    than any language has, in a short text too: a document may hold thousands of those.
    """
    if value.isascii():
        return value
    _check_marks(value, "")
    return unicodedata.normalize("NFC", value)


def is_nfc(value: str) -> bool:
    """Say whether a text is in form C; raise what `nfc` raises when it is a long one.

    value: a whole document, since a short one is not looked at beforehand.
    """
    if value.isascii():
        return True
    if len(value) > _SHORT:
        _check_marks(value, "")
    return unicodedata.is_normalized("NFC", value)


def check_characters(value: str, path: str = "") -> None:
    """Raise ValidationError for a character that no text may hold, or too many marks in a row."""
    bad = FORBIDDEN.search(value)
    if bad:
        message = "a character that no text may hold"
        found = f"U+{ord(bad[0]):04X} at character {bad.start() + 1}"
        raise ValidationError(message, (Violation(path, "character", message, found),))
    _check_marks(value, path)


def _check_marks(value: str, path: str) -> None:
    # Of so many in a row one stands at such a place, whatever place the row begins at.
    if _LOOKED_AT.search(value[MARKS_IN_A_ROW :: MARKS_IN_A_ROW + 1]) is None:
        return
    for odd in _ODD_RUN.finditer(value):
        run = 0
        for place, char in enumerate(odd[0], odd.start() + 1):
            run = run + 1 if unicodedata.combining(char) else 0
            if run > MARKS_IN_A_ROW:
                message = "too many combining marks in a row"
                found = f"more than {MARKS_IN_A_ROW} up to character {place}"
                most = f"at most {MARKS_IN_A_ROW}"
                raise ValidationError(message, (Violation(path, "marks", message, found, most),))
