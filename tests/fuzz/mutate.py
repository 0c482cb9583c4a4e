"""Mutations of a request: of its bytes, its tags, its texts, and of what HTTP says about it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tests.fuzz.corpus import samples

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from tests.fuzz.corpus import Case

TAG: Final = re.compile(rb"<[^<>]{1,400}>")
TEXT: Final = re.compile(rb">([^<>]{1,400})<")
NAME: Final = re.compile(rb"(</?)([A-Za-z]\w*:)?([A-Za-z]\w*)")
SPACE: Final = re.compile(rb'xmlns(:\w+)?="([^"]*)"')
SPACES: Final = (
    b"", b"urn:x", b"urn:gov:appeals:v2", b"http://schemas.xmlsoap.org/soap/envelope/",
    b"http://www.w3.org/2003/05/soap-envelope", b"http://www.w3.org/2005/08/addressing",
    b"http://www.w3.org/XML/1998/namespace", b"http://www.w3.org/2000/xmlns/", b"urn:\xd1\x8f",
    b"http://www.w3.org/2001/12/soap-envelope", b"a b", b"{}",
)  # fmt: skip
VALUES: Final = (
    b"", b" ", b"\n\t", b"0", b"-1", b"99999999999999999999", b"1e999", b"NaN", b"INF", b"true",
    b"2026-13-45", b"24:00:00", b"2026-01-01T24:00:00Z", b"0000-01-01", b"-0001-01-01",
    b"9999-12-31T23:59:59.999999999+14:00", b"10000-01-01", b"2026-02-30", b"2026-01-01",
    b"&amp;", b"&#0;", b"&#x1F;", b"&#xD800;", b"&#xFFFE;", b"&#65;", b"&x;", b"&lt;a/>", b"]]>",
    b"<![CDATA[<a/>]]>", b"<!-- c -->", b"<?p i?>", b"\x00", b"\x0b", b"\xc2\x85", b"\xe2\x80\xa8",
    b"\xf0\x9d\x94\x9b", b"\xed\xa0\x80", b"\xff\xfe", b"\xc0\xaf", b"a" * 300, b"A" * 5000,
    b"QUJD", b"QUJD=", b"Q", b"=====", b"../../etc/passwd", b"file:///etc/passwd", b"cid:x",
    b"cid:file@x", b"%s%n", b"' OR 1=1 --", b"{{7*7}}", b"\xd0\xb0\xcc\x81", b"\xe2\x80\xae",
)  # fmt: skip
PIECES: Final = (
    b"<", b">", b"</", b"/>", b"&", b"&#", b"<!", b"<?", b"<!--", b"-->", b"<![CDATA[", b"]]>",
    b'<?xml version="1.0"?>', b'<?xml version="1.1" encoding="utf-7"?>', b"<!DOCTYPE a>",
    b'<!DOCTYPE a [<!ENTITY x "y">]>', b'<!DOCTYPE a SYSTEM "file:///etc/passwd">',
    b'<!DOCTYPE a [<!ENTITY % p SYSTEM "http://127.0.0.1:9/">%p;]>',
    b'<!DOCTYPE a [<!ENTITY x "y"><!ENTITY z "&x;&x;&x;">]>', b"&z;", b"<a/>", b"<a>", b"</a>",
    b"<a>" * 150, b"<a/>" * 3000, b"<Surprise/>", b"xmlns", b"=", b'"', b"'", b"\r\n", b" ",
)  # fmt: skip
ATTRIBUTES: Final = (
    b' a="1"', b' a="1" a="2"', b' xsi:nil="true"',
    b' xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true"',
    b' xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:type="AppealIn"',
    b' xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:type="x:y"',
    b' xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:schemaLocation="urn:x file:///x"',
    b' s:mustUnderstand="1"', b' s:mustUnderstand="maybe"', b' s:mustUnderstand="true"',
    b' s:actor="urn:somebody"', b' s:role="http://www.w3.org/2003/05/soap-envelope/role/none"',
    b' s:role="http://www.w3.org/2003/05/soap-envelope/role/next"', b' s:relay="true"',
    b' s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"', b' xml:lang="ru"',
    b' xml:id="body"', b' xml:base="http://x/"', b' xml:space="preserve"', b' Id="body"',
    b' u:Id="body"', b' xmlns="urn:x"', b' xmlns=""', b' xmlns:s="urn:x"', b' xmlns:xml="urn:x"',
    b' a:IsReferenceParameter="true"', b' href="cid:file@x"', b' href="http://127.0.0.1:9/"',
)  # fmt: skip
MEDIA: Final = (
    "", "text/xml", "application/soap+xml", "application/xml", "text/plain", "application/json",
    "multipart/related", 'multipart/related; boundary=""', 'multipart/related; boundary="b"',
    'multipart/related; type="text/xml"; boundary=b; start="<x>"',
    'multipart/related; type="application/xop+xml"; start-info="text/xml"; boundary=b',
    'multipart/related; type="application/xop+xml"; boundary=' + "b" * 90, "text/xml;;;=;",
    'text/xml; charset="', 'application/soap+xml; action="', "TEXT/XML",
    "text/xml; x=" + "y" * 3000,
    'application/soap+xml; action="urn:gov:appeals:v1/GetAppeal"', "application/xop+xml",
    "\xff/\xfe",
)  # fmt: skip
CHARSETS: Final = (
    "utf-8", "UTF8", '"utf-8"', "utf-16", "utf-16le", "utf-16be", "windows-1251", "cp1251",
    "koi8-r", "utf-7", "utf-32", "ascii", "iso-8859-1", "latin1", "idna", "punycode", "zlib",
    "rot13", "", "x" * 99,
    "base64", "unicode_escape", "undefined", "mbcs", "\x00",
)  # fmt: skip
OTHERS: Final[tuple[tuple[str, str], ...]] = (
    ("soapaction", '"urn:gov:appeals:v1/GetAppeal"'), ("soapaction", ""), ("soapaction", '""'),
    ("soapaction", "\xff" * 50), ("content-encoding", "gzip"), ("content-encoding", "deflate"),
    ("content-encoding", "br"), ("content-encoding", "gzip, gzip"),
    ("content-encoding", "identity"),
    ("accept-encoding", "gzip;q=0, *"), ("accept-encoding", "gzip"), ("accept", "application/json"),
    ("x-api-key", ""), ("x-api-key", "gw_x_y"), ("x-api-key", "\xff"), ("authorization", "Basic"),
    ("authorization", "Basic !!!"), ("authorization", "Basic YmVuY2g6Z3dfeF95"),
    ("authorization", "Bearer gw_x_y"), ("authorization", "Negotiate x"),
    ("x-correlation-id", "c" * 40), ("x-correlation-id", "<x>&"), ("x-correlation-id", "\xff" * 20),
    ("host", "evil.example"), ("host", "localhost:1@evil.example"), ("host", ""),
    ("mime-version", "7"),
    ("content-id", "<x>"), ("content-transfer-encoding", "base64"), ("expect", "100-continue"),
)  # fmt: skip
PATHS: Final = (
    "/soap/appeals.svc", "/soap/APPEALS.svc", "/soap/appeals.svc/", "/soap/appeals.svc/mex",
    "/soap/",
    "/soap/x.svc", "/soap/../etc", "/soap/appeals.svc\x00", "/soap/\u00ff",
)  # fmt: skip
QUERIES: Final = (
    "", "wsdl", "WSDL", "singleWsdl", "xsd", "xsd=appeals-v1", "xsd=../../etc/passwd", "xsd=xsd0",
    "x=1", "wsdl&wsdl", "%ff=%00", "wsdl=" + "a" * 3000, ";", "wsdl=1&" * 200, "\u00ff",
)  # fmt: skip


def _flip(random: Random, data: bytes) -> bytes:
    at = random.randrange(len(data))
    return data[:at] + bytes((data[at] ^ (1 << random.randrange(8)),)) + data[at + 1 :]


def _insert(random: Random, data: bytes) -> bytes:
    at = random.randrange(len(data))
    return data[:at] + random.choice(PIECES) + data[at:]


def _noise(random: Random, data: bytes) -> bytes:
    at = random.randrange(len(data))
    return data[:at] + random.randbytes(random.randint(1, 8)) + data[at + random.randint(0, 8) :]


def _delete(random: Random, data: bytes) -> bytes:
    at = random.randrange(len(data))
    return data[:at] + data[at + random.randint(1, 60) :]


def _truncate(random: Random, data: bytes) -> bytes:
    return data[: random.randrange(len(data))]


def _splice(random: Random, data: bytes) -> bytes:
    """Go on as another message, both cut at a tag."""
    other = random.choice(samples())
    return data[: _tag_at(random, data)] + other[_tag_at(random, other) :]


def _swap(random: Random, data: bytes) -> bytes:
    a, b, c = sorted(random.randrange(len(data)) for _ in range(3))
    return data[:a] + data[b:c] + data[a:b] + data[c:]


def _doctype(random: Random, data: bytes) -> bytes:
    """Put a declaration of entities in front, and a use of one into a text."""
    declared = random.choice([piece for piece in PIECES if piece.startswith(b"<!DOCTYPE")])
    at = data.find(b"?>") + 2 if data.startswith(b"<?xml") else 0
    use = _value_of(random, data[at:], b"&x;")
    return data[:at] + declared + use


def _tag_at(random: Random, data: bytes) -> int:
    found = [match.start() for match in TAG.finditer(data)]
    return random.choice(found) if found else len(data) // 2


def _on_tag(change: Callable[[Random, bytes], bytes]) -> Callable[[Random, bytes], bytes]:
    def mutation(random: Random, data: bytes) -> bytes:
        found = list(TAG.finditer(data))
        if not found:
            return _noise(random, data)
        tag = random.choice(found)
        return data[: tag.start()] + change(random, tag[0]) + data[tag.end() :]

    return mutation


def _attribute(random: Random, tag: bytes) -> bytes:
    end = -2 if tag.endswith(b"/>") else -1
    return tag[:end] + random.choice(ATTRIBUTES) + tag[end:]


def _rename(random: Random, tag: bytes) -> bytes:
    word = random.choice((b"Envelope", b"Body", b"Header", b"Fault", b"x", b"Appeal", b"\xd0\xb6"))
    return NAME.sub(lambda found: found[1] + (found[2] or b"") + word, tag, count=1)


def _prefix(random: Random, tag: bytes) -> bytes:
    word = random.choice((b"", b"s:", b"zz:", b"xml:", b"xmlns:", b"a:"))
    return NAME.sub(lambda found: found[1] + word + found[3], tag, count=1)


def _namespace(random: Random, data: bytes) -> bytes:
    found = list(SPACE.finditer(data))
    if not found:
        return _noise(random, data)
    one = random.choice(found)
    if random.random() < 0.2:
        return data[: one.start()] + data[one.end() :]
    return data[: one.start(2)] + random.choice(SPACES) + data[one.end(2) :]


def _element(random: Random, data: bytes) -> bytes:
    """Take an element with what is in it, and repeat, drop, nest or move it."""
    found = [match for match in TAG.finditer(data) if match[0][1:2].isalpha()]
    if not found:
        return _noise(random, data)
    opening = random.choice(found)
    name = re.split(rb"[\s/>]", opening[0][1:], maxsplit=1)[0]
    end = data.find(b"</" + name + b">", opening.end())
    close = opening.end() if opening[0].endswith(b"/>") or end < 0 else end + len(name) + 3
    start, whole = opening.start(), data[opening.start() : close]
    kind = random.randrange(5)
    if kind == 0:
        return data[:start] + data[close:]
    if kind == 1:
        times = random.choice((2, 2, 3, 25, 101, 1000))
        return data[:start] + whole * min(times, 300_000 // len(whole) + 1) + data[close:]
    if kind == 2:
        depth = random.choice((1, 3, 30, 99, 101, 300))
        return data[:start] + b"<n>" * depth + whole + b"</n>" * depth + data[close:]
    rest = data[:start] + data[close:]
    at = _tag_at(random, rest) if rest else 0
    moved = whole if kind == 3 else b"<![CDATA[" + whole + b"]]>"
    return rest[:at] + moved + rest[at:]


def _value_of(random: Random, data: bytes, value: bytes | None = None) -> bytes:
    found = list(TEXT.finditer(data))
    if not found:
        return _noise(random, data) if data else data
    text = random.choice(found)
    value = random.choice(VALUES) if value is None else value
    return data[: text.start(1)] + value + data[text.end(1) :]


def _quoted(random: Random, data: bytes) -> bytes:
    """Give an attribute another value."""
    found = list(re.finditer(rb'="([^"<>]{0,300})"', data))
    if not found:
        return _noise(random, data)
    one = random.choice(found)
    return data[: one.start(1)] + random.choice(VALUES) + data[one.end(1) :]


BODY: Final = (
    _flip, _insert, _noise, _delete, _truncate, _splice, _swap, _doctype, _namespace, _namespace,
    _element, _element, _element, _value_of, _value_of, _value_of, _quoted, _quoted,
    _on_tag(_attribute), _on_tag(_attribute), _on_tag(_rename), _on_tag(_prefix),
    _on_tag(lambda _random, _tag: b""), _on_tag(lambda _random, tag: tag + tag),
)  # fmt: skip


def mutate(random: Random, case: Case) -> None:
    """Change the bytes of a third of the requests, and what HTTP says of some."""
    if random.random() < 0.35:
        for _ in range(random.choice((1, 1, 1, 2, 2, 3, 5))):
            if case.body:
                case.body = random.choice(BODY)(random, case.body)
    if random.random() < 0.2:
        _transport(random, case)
    if random.random() < 0.2:
        case.chunks = tuple(random.randint(1, 700) for _ in range(random.randint(1, 4)))
    case.cut = random.random() < 0.01


def _transport(random: Random, case: Case) -> None:
    kind = random.randrange(7)
    given = case.headers.get("content-type", "")
    if kind == 0:
        case.headers["content-type"] = random.choice(MEDIA)
    elif kind == 1:
        media = given.partition("; charset")[0]
        case.headers["content-type"] = f"{media}; charset={random.choice(CHARSETS)}"
    elif kind == 2:
        case.headers.pop(random.choice(tuple(case.headers)))
    elif kind == 3 and given:
        at = random.randrange(len(given))
        case.headers["content-type"] = given[:at] + random.choice(';"=<> \\x') + given[at + 1 :]
    elif kind == 4 and random.random() < 0.3:
        case.method = random.choice(("GET", "HEAD", "PUT", "DELETE", "OPTIONS", "post"))
        case.query = random.choice(QUERIES)
    elif kind == 5 and random.random() < 0.3:
        case.path = random.choice(PATHS)
    else:
        name, value = random.choice(OTHERS)
        case.headers[name] = value
