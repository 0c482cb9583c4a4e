"""Which encoding a table is in when its profile says "auto", and whether it is the one it says.

UTF-8 proves itself: text in another encoding is not valid UTF-8 for long. Between the eight-bit
encodings the frequency of Russian letters decides: `привет` of KOI8-R reads as `ОПХБЕР` in cp1251.
"""

from __future__ import annotations

import codecs
import re
from typing import IO, Final

from import_export.reasons import unreadable

SAMPLE_BYTES: Final = 1024 * 1024
_COMMON: Final = frozenset("оеаинтсрвлОЕАИНТСРВЛ")
_CYRILLIC: Final = re.compile("[А-Яа-яЁё]")
_TOLD: Final = 0.25
"""Share of frequent letters from which an encoding counts as told."""
_ESCAPED: Final = re.compile("[\udc80-\udcff]")


def detect(source: IO[bytes]) -> str:
    """Return `utf-8`, `cp1251` or `cp866`; leave the stream at its beginning.

    Reads on until something that is not ASCII comes; a file of ASCII alone is UTF-8. Raises
    MalformedError when nothing fits (KOI8-R, for example, is named but never guessed),
    UnsupportedError for UTF-16.
    """
    sample = _sample(source)
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise unreadable("utf16", found=sample[:2].hex(" "), expected="UTF-8 | cp1251")
    if _utf8(sample):
        return "utf-8"
    best, score = _best(sample)
    if score < _TOLD or best == "koi8-r":
        raise unreadable(
            "encoding_unknown",
            found=f"{best}?" if score >= _TOLD else sample[:16].hex(" "),
            expected="UTF-8 | cp1251 | cp866",
        )
    return best


def require(source: IO[bytes], encoding: str) -> None:
    """Refuse a file that is plainly not in the encoding its profile says, with MalformedError.

    Every byte is a letter of an eight-bit encoding, so UTF-8 would be read without an error, as
    other words. A file with a broken byte here and there is not refused: its rows are. Leaves the
    stream at its beginning.
    """
    sample = _sample(source)
    if sample.isascii():
        return
    if encoding == "utf-8":
        best, score = _best(sample)
        if not _utf8(sample) and score >= _TOLD:
            raise unreadable(f"{best}_not_utf8")
    elif _is_whole_utf8(sample, encoding):
        raise unreadable(f"utf8_not_{encoding}")


def _sample(source: IO[bytes]) -> bytes:
    """Return the first piece that is not ASCII alone, up to its last line end where it is cut."""
    source.seek(0)
    sample = source.read(SAMPLE_BYTES)
    while sample and sample.isascii():
        sample = source.read(SAMPLE_BYTES)
    source.seek(0)
    cut = sample.rfind(b"\n") + 1
    return sample[:cut] if len(sample) == SAMPLE_BYTES and cut else sample


def _utf8(sample: bytes) -> bool:
    """Whether a piece is UTF-8, but for a broken byte here and there."""
    if sample.startswith(codecs.BOM_UTF8):
        return True
    text = sample.decode("utf-8", "surrogateescape")
    broken = len(_ESCAPED.findall(text))
    return not broken or sum(1 for char in text if char > "\x7f") - broken > 4 * broken


def _is_whole_utf8(sample: bytes, encoding: str) -> bool:
    """Whether a piece is UTF-8 to the last byte; cp866 may look so for a short word, as `сон`."""
    if sample.startswith(codecs.BOM_UTF8):
        return True
    try:
        text = sample.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return encoding != "cp866" or _CYRILLIC.search(text) is not None


def _best(sample: bytes) -> tuple[str, float]:
    """Return the eight-bit encoding that fits best, and how well."""
    scores = {name: _score(sample, name) for name in ("cp1251", "cp866", "koi8-r")}
    best = max(scores, key=lambda name: scores[name])
    return best, scores[best]


def _score(sample: bytes, encoding: str) -> float:
    """Return the share of frequent Russian letters among what is not ASCII, 0…1.

    Other letters count half, so that short words and names are not lost; everything else, such as
    the frames of cp866 or a lower case letter before a capital, speaks against the encoding.
    """
    text = "".join(c for c in sample.decode(encoding, "surrogateescape") if c > "\x7f")
    common = sum(1 for char in text if char in _COMMON)
    letters = len(_CYRILLIC.findall(text))
    turned = len(re.findall("[а-яё][А-ЯЁ]", text))
    return (common + 0.5 * (letters - common) - turned) / max(len(text), 1)
