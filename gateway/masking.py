"""Masks personal data and secrets in what people and log collectors read; pure.

Two nets, because either has holes: values under personal names (`family`, `phone`, `text`, …) go
whole, and what looks like a phone, an e-mail, a СНИЛС, a person's name, an address or a secret goes
wherever it stands. A mask says how long the text was, never a part of it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from lxml import etree

from gateway import xml
from gateway.errors import GatewayError

MASK: Final = "***"
DEPTH: Final = 12

_PERSONAL: Final = frozenset(
    re.findall(
        r"\w+",
        """
    name fullname family familyname surname lastname given givenname firstname patronymic middlename
    fullnameasgiven nameasgiven nickname profileurl author authorname signedby executorname officer
    birthdate birthday snils passport esiaoid phone telephone tel mobile email mail contact contacts
    replyto address addresses postaladdress raw street house block building apartment flat
    latitude longitude lat lon text subject annotation description comment content body
    payload decoded request response declinetext appealtext appealtopic letter filename declaredname
    oid prnoid urnesiasbjid urnesiasbjnam sbjid
    password passwd secret clientsecret token accesstoken refreshtoken idtoken logintoken assertion
    cookie setcookie authorization otp totp onetimecode authcode
    signature signaturevalue x509certificate binarysecuritytoken pkcs7 signedcontent
    фио снилс пароль фамилия имя отчество телефон почта адрес текст тема содержание комментарий
    """,
    )
)
"""Names of fields, folded: small letters without `_`, `-`, spaces and dots."""

_FOLD: Final = re.compile(r"[\s_.\-]+")
_NAME: Final = r"[А-ЯЁ][а-яё]+(?:-[А-ЯЁ][а-яё]+)?"
_PATTERNS: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    # PostgreSQL tells the row that it refused.
    (re.compile(r"(?m)^DETAIL:.*$"), f"DETAIL: {MASK}"),
    (re.compile(r"\bgw_([0-9A-Za-z]+)_[\w\-]+"), rf"gw_\1_{MASK}"),
    (re.compile(r"(://[^:/@\s]*):[^@/\s]+@"), rf"\1:{MASK}@"),
    (re.compile(r"\b(Basic|Bearer)\s+[\w+/=.\-]{8,}"), rf"\1 {MASK}"),
    # A JWT (RFC 7519), whole or with its signature cut off.
    (re.compile(r"\beyJ[\w\-]{6,}\.[\w\-]{4,}(?:\.[\w\-]*)*"), MASK),
    # DER in base64: certificates, PKCS#7, keys; in either alphabet, with line breaks.
    (re.compile(r"\bMI[A-Za-z0-9+/_\-]{2}(?:[A-Za-z0-9+/_\-]|\\?[rn\r\n]){60,}={0,2}"), MASK),
    (re.compile(r"-----BEGIN [A-Z0-9 ]+-----.*?(?:-----END [A-Z0-9 ]+-----|\Z)", re.DOTALL), MASK),
    # Forms and addresses of OAuth 2.0 (RFC 6749), and headers.
    (
        re.compile(
            r"""(?ix)\b(client_secret|code|state|nonce|id_token(?:_hint)?|access_token|refresh_token
            |assertion|password|totp|otp)=[^&\s"'<>]{8,}"""
        ),
        rf"\1={MASK}",
    ),
    (
        re.compile(r"(?i)\b((?:set-)?cookie)\s*:\s*[^\s;,]+(?:;\s*[A-Za-z][\w\-]*(?:=[^;\s]*)?)*"),
        rf"\1: {MASK}",
    ),
    (re.compile(r"(?i)\b(snils|снилс)\W{1,4}\d{11}\b"), rf"\1 {MASK}"),
    (re.compile(r"[\w.+\-]+@[\w\-]+(?:\.[\w\-]+)+"), MASK),
    (
        re.compile(
            r"(?<![\w.:\-])(?:\+7|8)[\s(\-]{0,2}\d{3}[\s)\-]{0,2}\d{3}[\s\-]?\d{2}[\s\-]?\d{2}(?!\d)"
        ),
        MASK,
    ),
    (re.compile(r"(?<![\d\-])\d{3}-\d{3}-\d{3}[\s\-]\d{2}(?!\d)"), MASK),
    (
        re.compile(
            rf"{_NAME}\s+{_NAME}\s+[А-ЯЁ][а-яё]+(?:ович|евич|ич|овна|евна|ична|инична|оглы|кызы)\b"
        ),
        MASK,
    ),
    (re.compile(rf"{_NAME}\s+[А-ЯЁ]\.\s?[А-ЯЁ]\.|[А-ЯЁ]\.\s?[А-ЯЁ]\.\s?{_NAME}"), MASK),
    (
        re.compile(
            r"\b(?:ул|улица|пр-кт|просп|проспект|пер|переулок|б-р|бульвар|ш|шоссе|наб|пл|мкр)\b\.?"
            r"\s+[^,;\n]{2,60}(?:,\s*(?:д|дом|корп|к|стр|кв|оф)\b\.?\s*[\w/\-]+)*",
            re.IGNORECASE,
        ),
        MASK,
    ),
    (re.compile(r"\b(?:кв|квартира)\b\.?\s*\d+", re.IGNORECASE), MASK),
)
_CODE: Final = re.compile(r"[\w.:/+\-]{1,64}", re.ASCII)
_NUMBERED: Final = re.compile(r"(?=\S*\d)[\w.:/№\-]{1,64}")


def text(value: str) -> str:
    """Return text with everything that looks personal or secret masked."""
    for pattern, replacement in _PATTERNS:
        value = pattern.sub(replacement, value)
    return value


def is_personal(name: str) -> bool:
    """Whether a field of this name holds personal data, in any spelling of the name."""
    return _FOLD.sub("", name.rpartition("}")[2]).lower() in _PERSONAL


def value(given: Any, name: str = "", *, strict: bool = False, depth: int = 0) -> Any:
    """Return a value of a field as it may be shown; nested values are walked.

    strict: of text only codes, numbers and dates stay; for documents whose fields nobody knows.
    """
    if depth > DEPTH:
        return MASK
    if isinstance(given, str):
        return _string(given, name, strict=strict)
    if isinstance(given, bytes | bytearray | memoryview):
        return f"{MASK} ({len(given)} bytes)"
    if isinstance(given, Mapping):
        return {
            text(str(key)): value(item, str(key), strict=strict, depth=depth + 1)
            for key, item in given.items()
        }
    if isinstance(given, list | tuple | set | frozenset):
        return [value(item, name, strict=strict, depth=depth + 1) for item in given]
    if isinstance(given, float | int) and not isinstance(given, bool) and is_personal(name):
        return MASK
    if given is None or isinstance(given, bool | int | float):
        return given
    return text(str(given))


def document(data: bytes, media_type: str = "", *, strict: bool = True) -> str:
    """Return a message as it may be shown: JSON and XML field by field, anything else by patterns.

    What is neither and should be strictly masked is only measured. Never raises for hostile bytes.
    """
    head = data.lstrip()[:1]
    if head in (b"{", b"["):
        try:
            found = value(msgspec.json.decode(data), strict=strict)
            return msgspec.json.encode(found).decode()
        except (msgspec.DecodeError, RecursionError):
            pass
    elif looks_like_xml(data):
        try:
            root = xml.parse(data, "").root
            _mask_element(root, strict=strict)
            return etree.tostring(root, encoding="unicode", with_tail=False)
        except (GatewayError, ValueError):
            pass
    if strict or b"\0" in data:
        return f"{MASK} ({media_type or 'bytes'}, {len(data)} bytes)"
    return text(data.decode("utf-8", "replace"))


def looks_like_xml(data: bytes) -> bool:
    """Whether bytes begin as XML does, in whatever encoding."""
    return data[:64].replace(b"\0", b"").lstrip(b"\xff\xfe\xef\xbb\xbf \t\r\n")[:1] == b"<"


def _string(given: str, name: str, *, strict: bool) -> str:
    if not given or given == MASK:
        return given
    if is_personal(name) and not _is_address(given):
        return f"{MASK} ({len(given)})"
    masked = text(given)
    if strict and not (_CODE.fullmatch(masked) or _NUMBERED.fullmatch(masked)):
        return f"{MASK} ({len(given)})"
    return masked


def _is_address(given: str) -> bool:
    """Whether a text is an address of a machine, which operators need."""
    try:
        ipaddress.ip_address(given)
    except ValueError:
        return False
    return True


def _mask_element(root: Any, *, strict: bool) -> None:
    for element in root.iter():
        if not isinstance(element.tag, str):
            element.text = MASK
            continue
        if element.text and element.text.strip():
            element.text = _string(element.text.strip(), element.tag, strict=strict)
        if element.tail and element.tail.strip():
            element.tail = _string(element.tail.strip(), "", strict=strict)
        for name, told in element.attrib.items():
            element.set(name, _string(told, name, strict=strict))
