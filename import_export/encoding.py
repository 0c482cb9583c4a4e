"""Which encoding a table is in, when its profile says "auto".

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
_ESCAPED: Final = re.compile("[\udc80-\udcff]")


def detect(source: IO[bytes]) -> str:
    """Return `utf-8`, `cp1251` or `cp866`; leave the stream at its beginning.

    Reads on until something that is not ASCII comes; a file of ASCII alone is UTF-8. Raises
    MalformedError when nothing fits (KOI8-R, for example, is named but never guessed),
    UnsupportedError for UTF-16.
    """
    source.seek(0)
    sample = source.read(SAMPLE_BYTES)
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise unreadable("utf16", found=sample[:2].hex(" "), expected="UTF-8 | cp1251")
    if sample.startswith(codecs.BOM_UTF8):
        source.seek(0)
        return "utf-8"
    while sample and sample.isascii():
        sample = source.read(SAMPLE_BYTES)
    source.seek(0)
    return _by_sample(sample)


def _by_sample(sample: bytes) -> str:
    if not sample:
        return "utf-8"
    cut = sample.rfind(b"\n") + 1
    if len(sample) == SAMPLE_BYTES and cut:
        sample = sample[:cut]
    text = sample.decode("utf-8", "surrogateescape")
    broken = len(_ESCAPED.findall(text))
    valid = sum(1 for char in text if char > "\x7f") - broken
    if valid > 4 * broken:
        return "utf-8"
    scores = {name: _score(sample, name) for name in ("cp1251", "cp866", "koi8-r")}
    best = max(scores, key=lambda name: scores[name])
    if scores[best] < 0.25 or best == "koi8-r":
        raise unreadable(
            "encoding_unknown",
            found=f"{best}?" if scores[best] >= 0.25 else sample[:16].hex(" "),
            expected="UTF-8 | cp1251 | cp866",
        )
    return best


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
