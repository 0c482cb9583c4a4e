"""The hardened XML parser, encodings, canonical form and digests.

Everything a peer sends as XML is parsed here and nowhere else. Entities are not resolved, nothing
is fetched, a document type declaration is refused, comments and processing instructions are dropped
(a comment would split the text around it), and size, node count and depth are bounded.

The encoding is taken from a byte order mark, then the charset of the media type, then the XML
declaration (RFC 7303, section 3); UTF-8, UTF-16 and windows-1251 are read. The parser itself sees
UTF-8 only, so that every check on bytes holds for every encoding.
"""

from __future__ import annotations

import codecs
import re
import threading
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lxml import etree

from gateway import limits
from gateway.errors import MalformedError, TooLargeError, UnsupportedError
from gateway.xml_bounds import SHORT_BYTES, bounded, count, crowded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lxml.etree import _Element, _ListErrorLog

OPTIONS: Final[dict[str, Any]] = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "dtd_validation": False,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}
"""Options of every parser that may see a stranger's bytes."""

UTF8: Final = "utf-8"
CHARSETS: Final = {
    "utf-8": UTF8,
    "utf8": UTF8,
    "us-ascii": UTF8,
    "ascii": UTF8,
    "utf-16": "utf-16",
    "utf16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
    "windows-1251": "windows-1251",
    "cp1251": "windows-1251",
    "cp-1251": "windows-1251",
}
"""Names that peers write for the encodings we read."""
CHARSET_LABELS: Final = {
    UTF8: "utf-8",
    "utf-16-le": "utf-16",
    "utf-16-be": "utf-16",
    "windows-1251": "windows-1251",
}
"""What we write as charset for each `Document.encoding`."""

_DECLARATION_UTF8: Final = b'<?xml version="1.0" encoding="utf-8"?>\n'
_BOMS: Final = (
    (codecs.BOM_UTF32_LE, ""),
    (codecs.BOM_UTF8, UTF8),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED: Final = re.compile(
    rb"""<\?xml[^>]{0,80}?\sencoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']"""
)
_SPECIAL: Final = re.compile("[&<>\r\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}
_POSITION: Final = re.compile(r",? line \d+, column \d+$")
_TOO_DEEP: Final = etree.XPath(f"boolean({'/*' * (limits.XML_DEPTH + 1)})")
_CROWDED: Final = etree.XPath(f"boolean(//*[@*[{limits.XML_ATTRIBUTES + 1}]])")
_SAMPLE: Final = 4 * limits.KB
_YO: Final = b"\xa8\xb8"
TODO_1251: Final = (
    "the bytes look like windows-1251: say charset=windows-1251 in Content-Type, or send UTF-8"
)


class Document(NamedTuple):
    """A parsed document."""

    root: _Element
    encoding: str
    """One of the keys of `CHARSET_LABELS`: how to answer in the peer's own encoding."""
    nodes: int
    """Upper bound of elements and attributes."""


class _PerThread(threading.local):
    """lxml parsers hold a lock and an error log; one per thread needs neither to be shared."""

    def __init__(self) -> None:
        self.parser = etree.XMLParser(encoding=UTF8, **OPTIONS)


_LOCAL = _PerThread()


def parse(data: bytes, charset: str = "") -> Document:
    """Return the document, or raise MalformedError, TooLargeError or UnsupportedError.

    data: the whole document, at most `limits.SOAP_ROOT_BYTES`. charset: from the media type, empty
    when there is none. Errors carry `where` ("line 3, column 5").
    """
    if len(data) > limits.SOAP_ROOT_BYTES:
        raise TooLargeError(
            "the document is too large",
            found=f"{len(data)} bytes",
            expected=f"at most {limits.SOAP_ROOT_BYTES} bytes",
        )
    encoding, text = _to_utf8(data, charset)
    nodes, equals = bounded(text)
    try:
        root = etree.fromstring(text, _LOCAL.parser)
        _require_declared(_LOCAL.parser.error_log)
    except etree.XMLSyntaxError as error:
        raise _syntax_error(error, text) from error
    # What begins with its root element has no room for a document type declaration.
    begins = text[:1] == b"<" and text[1:2].isalpha()
    # In a short one it is looked for faster than the tree is asked.
    may = not begins and (len(text) > SHORT_BYTES or b"<!DOCTYPE" in text)
    if may and root.getroottree().docinfo.internalDTD is not None:
        raise _doctype()
    # There is a slash in every end of an element; one byte is found faster than two.
    if count(b"/", text) > limits.XML_DEPTH and _TOO_DEEP(root):
        raise _deep()
    if equals > limits.XML_ATTRIBUTES and _CROWDED(root):
        raise crowded("an element has too many attributes", limits.XML_ATTRIBUTES)
    return Document(root, encoding, nodes)


def encode(text: bytes, encoding: str) -> bytes:
    """Return a UTF-8 document without declaration as a document of that encoding, with one.

    Characters that windows-1251 lacks become character references. UTF-16 gets its byte order mark.
    """
    if encoding == UTF8:
        return _DECLARATION_UTF8 + text
    label = CHARSET_LABELS[encoding]
    declaration = b'<?xml version="1.0" encoding="%s"?>\n' % label.encode("ascii")
    return _byte_order_mark(encoding) + recode(declaration + text, encoding)


def recode(text: bytes, encoding: str) -> bytes:
    """Return a piece of a UTF-8 document as it stands in a document of that encoding."""
    return text if encoding == UTF8 else text.decode().encode(encoding, "xmlcharrefreplace")


def escape(text: str) -> str:
    """Return the text as XML character data.

    A character that XML 1.0 cannot hold (a control, a lone surrogate) becomes U+FFFD: the answer
    must stay readable even when JSON brought such a character in.
    """
    if _SPECIAL.search(text) is None:
        return text
    return _SPECIAL.sub(lambda match: _ESCAPES.get(match[0], "\ufffd"), text)


def quote(text: str) -> str:
    """Return the text as an attribute value that stands between double quotes."""
    return escape(text).replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;")


def c14n(element: _Element, inclusive_prefixes: Sequence[str] = ()) -> bytes:
    """Return the element in Exclusive XML Canonicalization 1.0, without comments.

    inclusive_prefixes: the PrefixList of ec:InclusiveNamespaces.
    """
    return etree.tostring(
        element,
        method="c14n",
        exclusive=True,
        with_comments=False,
        inclusive_ns_prefixes=list(inclusive_prefixes) or None,
    )


def digest(data: bytes) -> str:
    """Return SHA-256 in lower-case hexadecimal digits."""
    return sha256(data).hexdigest()


def encoding_of(data: bytes, charset: str = "") -> str:
    """Return the key of `CHARSET_LABELS` for an answer; UTF-8 when it cannot be told."""
    try:
        return _sniff(data, charset)[0]
    except UnsupportedError:
        return UTF8


def looks_like_1251(data: bytes) -> bool:
    """Say whether bytes that are no UTF-8 are Russian letters of windows-1251, most probably."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        high = [byte for byte in data[error.start : error.start + _SAMPLE] if byte > 0x7F]
        letters = sum(byte >= 0xC0 or byte in _YO for byte in high)
        return letters > 0.9 * len(high)
    return False


def _byte_order_mark(encoding: str) -> bytes:
    return next((bom for bom, name in _BOMS if name == encoding and name != UTF8), b"")


def _to_utf8(data: bytes, charset: str) -> tuple[str, bytes]:
    """Return the encoding of the document and its text in UTF-8 without a byte order mark."""
    encoding, skip = _sniff(data, charset)
    if encoding == UTF8:
        return encoding, data[skip:] if skip else data
    try:
        return encoding, data[skip:].decode(encoding).encode()
    except UnicodeDecodeError as error:
        raise MalformedError(
            f"a byte is not {CHARSET_LABELS[encoding]}: {error.reason}",
            where=f"byte {error.start + skip}",
        ) from error


def _sniff(data: bytes, charset: str) -> tuple[str, int]:
    """Return the encoding and the length of the byte order mark."""
    if data[:1] in (b"\xef", b"\xfe", b"\xff"):
        for bom, name in _BOMS:
            if data.startswith(bom):
                return name or _charset("utf-32"), len(bom)
    wide = {b"<\0": "utf-16-le", b"\0<": "utf-16-be"}.get(data[:2])
    if charset:
        encoding = _charset(charset)
    elif wide:
        encoding = wide
    elif data[:5] == b"<?xml" and (declared := _DECLARED.match(data)):
        encoding = _charset(declared[1].decode("ascii"))
    else:
        encoding = UTF8
    if encoding == "utf-16":
        encoding = wide or "utf-16-be"
    return encoding, 0


def _charset(name: str) -> str:
    encoding = CHARSETS.get(name.strip("\"' ").lower())
    if encoding is None:
        raise UnsupportedError(
            "the encoding is not offered",
            found=name,
            expected="utf-8, utf-16 or windows-1251",
        )
    return encoding


def _require_declared(log: _ListErrorLog) -> None:
    """Refuse a prefix that is not declared: lxml overlooks it when a warning comes after it."""
    for entry in log:
        if entry.level >= etree.ErrorLevels.ERROR:
            where = f"line {entry.line}, column {entry.column}"
            raise MalformedError(f"not well-formed XML: {entry.message}", where=where)


def _doctype() -> MalformedError:
    return MalformedError("a document type declaration is not accepted", found="<!DOCTYPE")


def _deep() -> TooLargeError:
    return TooLargeError(
        "the elements are nested too deeply", expected=f"at most {limits.XML_DEPTH} levels"
    )


def _syntax_error(error: etree.XMLSyntaxError, text: bytes) -> MalformedError | TooLargeError:
    if b"<!DOCTYPE" in text:
        return _doctype()
    line, column = error.position
    where = f"line {line}, column {column}" if line else ""
    reason = _POSITION.sub("", error.msg or "no element in it").replace("\n", "")
    todo = TODO_1251 if looks_like_1251(text) else ""
    if "limit exceeded" in reason or "xcessive depth" in reason:
        return TooLargeError(f"the XML parser stopped: {reason}", where=where)
    return MalformedError(f"not well-formed XML: {reason}", where=where, todo=todo)
