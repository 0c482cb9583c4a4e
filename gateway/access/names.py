"""The name of a certificate's issuer, as programs write it into a signature.

XML Signature 1.1 (4.5.4.1) wants it by RFC 4514; .NET puts a blank after each comma, Java writes
what it has no word for as a number and DER, OpenSSL begins with a slash, and nobody agrees on the
order of the parts. A name only finds a registered certificate, and the signature is then checked
with that one, so reading it generously costs nothing. Pure.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cryptography import x509

Issuer = frozenset[tuple[str, str]]
"""Object identifiers and values, without order, case and runs of blanks."""

CHARS: Final = 2_000
_WORDS: Final = {
    "2.5.4.3": "cn",
    "2.5.4.4": "sn surname",
    "2.5.4.5": "serialnumber",
    "2.5.4.6": "c",
    "2.5.4.7": "l",
    "2.5.4.8": "st s",
    "2.5.4.9": "street streetaddress",
    "2.5.4.10": "o",
    "2.5.4.11": "ou",
    "2.5.4.12": "t title",
    "2.5.4.42": "g gn givenname",
    "2.5.4.43": "i initials",
    "1.2.840.113549.1.9.1": "e email emailaddress",
    "0.9.2342.19200300.100.1.1": "uid",
    "0.9.2342.19200300.100.1.25": "dc",
    "1.2.643.3.131.1.1": "inn инн",
    "1.2.643.100.1": "ogrn огрн",
    "1.2.643.100.3": "snils снилс",
    "1.2.643.100.4": "innle иннюл",
    "1.2.643.100.5": "ogrnip огрнип",
}
"""Words for attribute types: RFC 4514, 3; .NET, Java and OpenSSL; the order of ФСБ No. 795."""
_TYPES: Final = {word: oid for oid, words in _WORDS.items() for word in words.split()}
_PART: Final = re.compile(
    r"""([^=,;+"\\]{1,60})=\s*+("(?:[^"\\]|\\.|"")*+"\s*+|(?:[^,;+"\\]|\\.)*+)(?:[,;+]|\Z)""",
    re.DOTALL,
)
"""Nothing is tried twice: blanks that fit in two places would cost their square."""
_SLASH: Final = re.compile(r"/(?=[A-Za-z0-9.]{1,60}=)")
_ESCAPED: Final = re.compile(r"((?:\\[0-9A-Fa-f]{2})+)|\\(.)", re.DOTALL)
_BMP_STRING: Final = 0x1E


def of(name: x509.Name) -> Issuer:
    """Return the name that stands in a certificate."""
    return frozenset((part.oid.dotted_string, _plain(str(part.value))) for part in name)


def written(text: str) -> Issuer | None:
    """Return a name as it was written; None for what is no name, or too long for one."""
    text = text.strip()
    if not text or len(text) > CHARS:
        return None
    if text.startswith("/"):
        halves = [part.partition("=") for part in _SLASH.split(text)[1:]]
        return frozenset((_type(kind), _plain(value)) for kind, _, value in halves) or None
    parts, place = [], 0
    while place < len(text):
        found = _PART.match(text, place)
        if found is None:
            return None
        parts.append((_type(found[1]), _plain(_value(found[2].strip()))))
        place = found.end()
    return frozenset(parts)


def _type(text: str) -> str:
    word = "".join(text.split()).lower().removeprefix("oid.")
    return _TYPES.get(word, word)


def _value(text: str) -> str:
    if text.startswith("#"):
        return _of_der(text[1:])
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1].replace('""', '"')
    return _ESCAPED.sub(_unescaped, text)


def _unescaped(found: re.Match[str]) -> str:
    if found[1]:
        return bytes.fromhex(found[1].replace("\\", "")).decode("utf-8", "replace")
    return found[2]


def _of_der(digits: str) -> str:
    """Return the text of a string in DER (X.690, 8.1) of less than 128 bytes."""
    try:
        tag, length, *rest = bytes.fromhex(digits)
    except ValueError:
        return digits
    if length != len(rest):
        return digits
    return bytes(rest).decode("utf-16-be" if tag == _BMP_STRING else "utf-8", "replace")


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
