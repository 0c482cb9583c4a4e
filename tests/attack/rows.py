"""The attacks: what each sends, and what may come back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from gateway.errors import WIRE
from tests.attack import messages as m
from tests.attack import signed
from tests.attack.wire import request

if TYPE_CHECKING:
    from tests.attack.stand import Target

SECURITY = frozenset(
    (
        "security", "InvalidSecurity", "InvalidSecurityToken", "FailedCheck",
        "UnsupportedAlgorithm",
        "UnsupportedSecurityToken", "SecurityTokenUnavailable", "FailedAuthentication",
        "MessageExpired",
    )
)  # fmt: skip
ADDRESSING = frozenset(
    (
        "addressing", "InvalidAddressingHeader", "OnlyAnonymousAddressSupported",
        "InvalidMessageInformationHeader", "DestinationUnreachable",
    )
)  # fmt: skip
NAMED = frozenset(WIRE) - {"internal"} | SECURITY | ADDRESSING
REFUSED = frozenset(("400", "408", "413", "414", "417", "429", "431", "501", "503", "closed"))
"""What the server itself says before any wire is known."""
STRANGER = frozenset(("access", "busy")) | SECURITY | REFUSED
"""What somebody without a credential gets, whatever was sent."""


class Shot(NamedTuple):
    """One thing that is sent. expect: what may come back. forbid: what must not stand in it."""

    name: str
    make: Callable[[Target, str], bytes]
    expect: frozenset[str]
    stranger: frozenset[str] | None = STRANGER
    forbid: bytes = b"root:x:"


class Row(NamedTuple):
    """One kind of attack."""

    name: str
    shots: tuple[Shot, ...]


def _soap(body: Callable[[], bytes], *headers: str) -> Callable[[Target, str], bytes]:
    return lambda _target, credential: request(body(), *headers, *filter(None, [credential]))


def _shot(
    name: str, body: Callable[[], bytes], *expect: str, headers: tuple[str, ...] = ()
) -> Shot:
    return Shot(name, _soap(body, *headers), frozenset(expect) | REFUSED)


def _entity(target: Target, credential: str, doctype: str, use: str) -> bytes:
    return request(m.entities(doctype.replace("CANARY", target.canary), use), credential)


def _xxe(name: str, doctype: str, use: str = "&x;") -> Shot:
    make = partial(_entity, doctype=doctype, use=use)
    return Shot(name, make, frozenset(("malformed",)))


XXE = (
    _xxe("file", '<!ENTITY x SYSTEM "file:///etc/passwd">'),
    _xxe("http", '<!ENTITY x SYSTEM "CANARY/x">'),
    _xxe("parameter", '<!ENTITY % p SYSTEM "CANARY/p.dtd"> %p;', "a"),
    _xxe("public", '<!ENTITY x PUBLIC "a" "file:///etc/passwd">'),
    Shot(
        "dtd",
        lambda target, credential: request(
            m.envelope(m.appeal("<Text>a</Text>"), "", f'<!DOCTYPE a SYSTEM "{target.canary}/d">'),
            credential,
        ),
        frozenset(("malformed",)),
    ),
    _shot(
        "xinclude",
        lambda: m.envelope(
            m.appeal(
                '<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/>'
            )
        ),
        "validation",
    ),
    _shot(
        "schema",
        lambda: m.envelope(
            m.appeal(
                "<Text>a</Text>",
                attributes=' xmlns:i="http://www.w3.org/2001/XMLSchema-instance"'
                ' i:schemaLocation="urn:gov:appeals:v1 file:///etc/passwd"',
            )
        ),
        "result", "validation", "conflict",
    ),
)  # fmt: skip
BOMBS = (
    _shot("a billion laughs", m.laughs, "malformed"),
    _shot("one entity 2,000 times", m.quadratic_entity, "malformed"),
)
VIOLATIONS = (
    _shot("40,000 elements", lambda: m.violations(40_000, "<b/>"), "validation"),
    _shot("1,900 wrong dates", lambda: m.violations(1_900, "<ReceivedAt>x</ReceivedAt>"),
          "validation"),
    _shot("10,000 attributes", lambda: m.violations(10_000, '<Text a="1"/>'), "validation"),
    _shot("5,000,000 letters in Text", lambda: m.long_text("я", 5_000_000, "text"), "validation"),
    _shot("2,000,000 references in Text", lambda: m.long_text("&amp;", 2_000_000, "text"),
          "validation"),
    _shot("letters where elements belong", lambda: m.bare_text("я", 5_000_000), "validation"),
    _shot("references where elements belong", lambda: m.bare_text("&amp;", 2_000_000),
          "validation"),
    _shot("58 long questions", lambda: m.questions(58, 100_000), "validation"),
)  # fmt: skip
DEEP = (
    _shot("101 levels", lambda: m.nested(101, "body"), "too_large"),
    _shot("10,000 levels", lambda: m.nested(10_000, "body"), "too_large"),
    _shot("1,000,000 levels", lambda: m.nested(1_000_000, "body"), "too_large"),
    _shot("in a header block", lambda: m.nested(200, "header"), "too_large"),
)
ATTRIBUTES = (
    _shot("40,000 on one element", lambda: m.attributes(40_000, "plain"), "too_large"),
    _shot("200,000 on one element", lambda: m.attributes(200_000, "plain"), "too_large"),
    _shot("20,000 prefixes", lambda: m.attributes(20_000, "prefixes"), *NAMED, "result"),
    _shot("20,000 prefixes, used", lambda: m.attributes(20_000, "both"), *NAMED),
    _shot("prefixes on 90 levels", lambda: m.prefixes_everywhere(90, 500), *NAMED),
)
TINY = (
    _shot("1 MB", lambda: m.tiny(262_144, "body"), "too_large"),
    _shot("12 MB", lambda: m.tiny(3_000_000, "body"), "too_large"),
    _shot("as many as may be", lambda: m.tiny(49_900, "body"), "validation"),
    _shot("in the header", lambda: m.tiny(49_900, "header"), *NAMED, "result"),
)
LARGE = (
    _shot("past the limit", m.past_the_limit, "too_large"),
    _shot("the largest batch", lambda: m.batch(100), "result"),
    _shot("a batch of long texts", lambda: m.batch(50, "я" * 90_000), "result"),
    _shot("the largest file", lambda: m.file_of(5 * m.MB - 2), "not_found", "result"),
)
GZIP = (
    _shot("100 MB of blanks", lambda: m.inflating(100 * m.MB, "gzip"), "too_large",
          headers=("content-encoding: gzip",)),
    _shot("100 MB, deflate", lambda: m.inflating(100 * m.MB, "deflate"), "too_large",
          headers=("content-encoding: deflate",)),
    _shot("11 MB, which may be", lambda: m.inflating(11 * m.MB, "gzip"), *NAMED, "result",
          headers=("content-encoding: gzip",)),
    _shot("100,000 members", lambda: m.gzip_members(100_000), "malformed", "too_large",
          headers=("content-encoding: gzip",)),
)  # fmt: skip
PACKAGE = tuple(
    _shot(name, body, "malformed", "too_large", "unsupported", "validation", "not_found",
          headers=(m.PACKED,))
    for name, body in (
        ("10,000 parts", lambda: m.many_parts(10_000)),
        ("endless header of a part", lambda: m.endless_part_header(4 * m.MB)),
        ("10,000 headers of a part", lambda: m.many_part_headers(10_000)),
        ("300 packages in each other", lambda: m.nested_packages(300)),
        ("a part that does not come", m.dangling_package),
        ("two parts of one id", m.doubled_package),
        ("8 MB of near boundaries", lambda: m.almost_boundaries(8 * m.MB)),
    )
)  # fmt: skip


def _raw(name: str, make: Callable[[str], bytes]) -> Shot:
    """A request that the server itself refuses."""
    return Shot(name, lambda _target, credential: make(credential), REFUSED, REFUSED)


SMALL = m.envelope(m.appeal("<Text>a</Text>", "attack-small"))
HEADERS = (
    _raw("101 headers", lambda c: request(SMALL, c, *(f"x-{n}: y" for n in range(101)))),
    _raw("10,000 headers", lambda c: request(SMALL, c, *(f"x-{n}: y" for n in range(10_000)))),
    _raw("a header of 1 MB", lambda c: request(SMALL, c, f"x-long: {'y' * m.MB}")),
    _raw("a path of 1 MB", lambda c: request(SMALL, c, target=f"/soap/{'y' * m.MB}")),
    _raw("a name without end", lambda _c: b"POST / HTTP/1.1\r\n" + b"y" * m.MB),
    _raw("chunk extensions of 1 MB", lambda c: request(
        b"1;" + b"y" * m.MB, c, "transfer-encoding: chunked")),
    _raw("trailers of 1 MB", lambda c: request(
        b"1\r\n<\r\n0\r\n" + b"a: b\r\n" * (m.MB // 6), c, "transfer-encoding: chunked")),
)  # fmt: skip


def _host(name: str, *headers: str, target: str = "/soap/appeals.svc?wsdl") -> Shot:
    def make(_target: Target, _credential: str) -> bytes:
        return request(b"", *headers, target=target, verb="GET")

    expect = frozenset(("404", "200")) | REFUSED
    return Shot(name, make, expect, None, b'location="http://evil.example')


HOST = (
    _host("another name", "host: evil.example"),
    _host("a name with ours in front", "host: 127.0.0.1:80@evil.example"),
    _host("the whole address", target="http://evil.example/soap/appeals.svc?wsdl"),
    _host(
        "by a proxy that is none", "x-forwarded-host: evil.example", "forwarded: host=evil.example"
    ),
    _host("the one description", "host: evil.example", target="/soap/appeals.svc?singleWsdl"),
)


def _reply(name: str, block: str, address: str, version: str = "1.1") -> Shot:
    media = () if version == "1.1" else ("content-type: application/soap+xml",)

    def make(target: Target, credential: str) -> bytes:
        where = address.replace("CANARY", target.canary)
        return request(m.addressed(block, where, version), credential, *media)

    return Shot(name, make, ADDRESSING)


REPLY = (
    _reply("to this machine", "ReplyTo", "CANARY/"),
    _reply("faults to this machine", "FaultTo", "CANARY/"),
    _reply("to the metadata of a cloud", "ReplyTo", "http://169.254.169.254/latest/meta-data"),
    _reply("to a file", "ReplyTo", "file:///etc/passwd"),
    _reply("to a mapped address", "ReplyTo", "http://[::ffff:127.0.0.1]:9/", "1.2"),
    _reply("to a decimal address", "ReplyTo", "http://2130706433/", "1.2"),
)


def _proven(name: str, make: Callable[[Target], bytes], expect: frozenset[str]) -> Shot:
    """A message that proves its sender itself; sent without a credential of HTTP."""
    return Shot(name, lambda target, _credential: request(make(target)), expect, None)


WRAPPING = tuple(
    _proven(
        how.__name__.replace("_", " "),
        lambda target, how=how: target.signing.wrapped(how),
        SECURITY | {"access", "malformed", "validation"},
    )
    for how in signed.WRAPPINGS
)
DEAR = (
    _proven("declarations in scope", lambda target: target.signing.dear(), SECURITY | {"access"}),
)
REPLAY = (
    _proven("a signed message, new", lambda target: target.signing.fresh(), frozenset(("result",))),
    _proven("a signed message, again", lambda target: target.signed_before, SECURITY | {"access"}),
    _proven("a digest, new", lambda target: target.digest(), frozenset(("result",))),
    _proven("a digest, again", lambda target: target.digest_before, SECURITY | {"access"}),
    Shot("a plain message, again", lambda _t, credential: request(SMALL, credential),
         frozenset(("result",))),
)  # fmt: skip

ROWS = (
    Row("XXE", XXE),
    Row("entity bombs", BOMBS),
    Row("many violations", VIOLATIONS),
    Row("deep nesting", DEEP),
    Row("attribute floods", ATTRIBUTES),
    Row("tiny elements", TINY),
    Row("large messages", LARGE),
    Row("signature wrapping", WRAPPING),
    Row("dear canonical forms", DEAR),
    Row("replay", REPLAY),
    Row("header floods", HEADERS),
    Row("gzip bombs", GZIP),
    Row("MIME bombs", PACKAGE),
    Row("forged Host", HOST),
    Row("ReplyTo into the perimeter", REPLY),
)
