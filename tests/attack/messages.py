"""The messages of the attacks, built when they are asked for; none is larger than 16 MB."""

from __future__ import annotations

import gzip
import io
import zlib
from functools import cache

from gateway import limits, ns

MB = 1024 * 1024
SPACES = {"1.1": ns.SOAP11, "1.2": ns.SOAP12}
BOUNDARY = "b0undary"
PACKED = (
    'content-type: multipart/related; type="application/xop+xml"; start="<r@x>"; '
    f'start-info="text/xml"; boundary={BOUNDARY}'
)


def envelope(body: str, head: str = "", before: str = "", version: str = "1.1") -> bytes:
    """Return an envelope; before: what stands in front of it."""
    header = f"<s:Header>{head}</s:Header>" if head else ""
    space = SPACES[version]
    return (
        f'{before}<s:Envelope xmlns:s="{space}">{header}<s:Body>{body}</s:Body></s:Envelope>'
    ).encode()


def appeal(inner: str, external_id: str = "attack-1", attributes: str = "") -> str:
    """Return a SubmitAppeal with this in its appeal, behind the external id."""
    return (
        f'<SubmitAppeal xmlns="{ns.APPEALS}"><Appeal{attributes}><ExternalId>{external_id}'
        f"</ExternalId>{inner}</Appeal></SubmitAppeal>"
    )


def entities(doctype: str, use: str) -> bytes:
    """Return an appeal that uses an entity of a document type declaration."""
    return envelope(appeal(f"<Text>{use}</Text>"), before=f"<!DOCTYPE a [{doctype}]>")


@cache
def laughs() -> bytes:
    """Return a billion laughs."""
    nested = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return entities(f'<!ENTITY l0 "ha">{nested}', "&l9;")


@cache
def quadratic_entity() -> bytes:
    """Return one entity of 50 KB used 2,000 times."""
    return entities(f'<!ENTITY q "{"q" * 50_000}">', "&q;" * 2_000)


@cache
def violations(count: int, item: str) -> bytes:
    """Return an appeal with so many elements that are not of the contract."""
    return envelope(appeal(item * count))


@cache
def long_text(letter: str, count: int, where: str) -> bytes:
    """Return a long text: in Text, or where elements belong."""
    text = letter * count
    inner = f"<Text>{text}</Text>" if where == "text" else f"{text}<Text>a</Text>"
    return envelope(appeal(inner))


@cache
def bare_text(letter: str, count: int) -> bytes:
    """Return an AttachFile that holds a text and no elements."""
    return envelope(f'<AttachFile xmlns="{ns.APPEALS}">{letter * count}</AttachFile>')


@cache
def questions(count: int, letters: int) -> bytes:
    """Return an appeal with so many questions, and at its end something that is not valid."""
    one = f"<QuestionIn><Text>{'я' * letters}</Text></QuestionIn>"
    return envelope(appeal(f"<Text>a</Text><Questions>{one * count}</Questions><Surprise/>"))


@cache
def batch(count: int, inner: str = "") -> bytes:
    """Return the largest valid package there is: appeals with as many questions as allowed."""
    one = "<QuestionIn><Text>а</Text></QuestionIn>" * 100
    items = "".join(
        f"<AppealIn><ExternalId>batch-{n}</ExternalId><Text>а{inner}</Text>"
        f"<Questions>{one}</Questions></AppealIn>"
        for n in range(count)
    )
    return envelope(f'<SubmitAppeals xmlns="{ns.APPEALS}"><Items>{items}</Items></SubmitAppeals>')


@cache
def file_of(size: int) -> bytes:
    """Return an AttachFile with so many bytes in base64."""
    content = "AAAA" * (size // 3)
    return envelope(
        f'<AttachFile xmlns="{ns.APPEALS}"><OwnerKey><ExternalId>none-such</ExternalId></OwnerKey>'
        f"<FileName>f.bin</FileName><Content>{content}</Content>"
        f"<MessageKey>file-{size}</MessageKey></AttachFile>"
    )


@cache
def nested(depth: int, where: str) -> bytes:
    """Return elements within elements, in the body or in a header block."""
    deep = "<n>" * depth + "</n>" * depth
    if where == "header":
        return envelope(appeal("<Text>a</Text>"), f'<h:x xmlns:h="urn:h">{deep}</h:x>')
    return envelope(appeal(deep))


@cache
def attributes(count: int, kind: str) -> bytes:
    """Return one element with so many attributes, or so many declarations of prefixes."""
    made = {
        "plain": lambda n: f' a{n}="{n}"',
        "prefixes": lambda n: f' xmlns:p{n}="urn:{n}"',
        "both": lambda n: f' xmlns:p{n}="urn:{n}" p{n}:a="1"',
    }[kind]
    return envelope(appeal("<Text>a</Text>", attributes="".join(map(made, range(count)))))


@cache
def prefixes_everywhere(elements: int, each: int) -> bytes:
    """Return elements that declare prefixes of their own, some in each other."""
    declared = "".join(f' xmlns:p{n}="urn:{n}"' for n in range(each))
    return envelope(appeal(f"<p0:x{declared}>" * elements + "</p0:x>" * elements))


@cache
def tiny(count: int, where: str) -> bytes:
    """Return so many of the smallest elements."""
    if where == "header":
        return envelope(appeal("<Text>a</Text>"), "<b/>" * count)
    return envelope(appeal("<b/>" * count))


@cache
def inflating(size: int, coding: str) -> bytes:
    """Return white space around an envelope, packed: much comes of little."""
    start, _, end = envelope(appeal("<Text>a</Text>")).partition(b"<s:Body>")
    plain = io.BytesIO()
    pack = zlib.compressobj(9, zlib.DEFLATED, 31 if coding == "gzip" else 15)
    plain.write(pack.compress(start + b"<s:Body>"))
    for _ in range(size // MB):
        plain.write(pack.compress(b" " * MB))
    plain.write(pack.compress(end) + pack.flush())
    return plain.getvalue()


@cache
def gzip_members(count: int) -> bytes:
    """Return many empty members of gzip, one behind the other."""
    return gzip.compress(b"", mtime=0) * count


def part(headers: str, body: bytes) -> bytes:
    """Return one part of a package."""
    return f"--{BOUNDARY}\r\n{headers}\r\n\r\n".encode() + body + b"\r\n"


def root_part() -> bytes:
    """Return the root of a package: an AttachFile that points to one part."""
    include = f'<x:Include xmlns:x="{XOP}" href="cid:f@x"/>'
    text = envelope(
        f'<AttachFile xmlns="{ns.APPEALS}"><OwnerKey><ExternalId>none-such</ExternalId></OwnerKey>'
        f"<FileName>f.bin</FileName><Content>{include}</Content>"
        "<MessageKey>package-1</MessageKey></AttachFile>"
    )
    return part(
        'Content-Type: application/xop+xml; charset=UTF-8; type="text/xml"\r\n'
        "Content-ID: <r@x>\r\nContent-Transfer-Encoding: binary",
        text,
    )


XOP = "http://www.w3.org/2004/08/xop/include"
END = f"--{BOUNDARY}--\r\n".encode()


@cache
def many_parts(count: int) -> bytes:
    """Return a package of so many small parts."""
    small = b"".join(part(f"Content-ID: <p{n}@x>", b"x") for n in range(count))
    return root_part() + small + END


@cache
def endless_part_header(size: int) -> bytes:
    """Return a package whose second part has a header without an end."""
    return root_part() + f"--{BOUNDARY}\r\nX-Long: ".encode() + b"x" * size


@cache
def many_part_headers(count: int) -> bytes:
    """Return a package whose second part has many headers."""
    lines = "\r\n".join(f"X-{n}: y" for n in range(count))
    return root_part() + part(lines, b"x") + END


@cache
def nested_packages(depth: int) -> bytes:
    """Return packages within packages."""
    body = b"x"
    for n in range(depth):
        body = (
            f"--i{n}\r\nContent-Type: multipart/mixed; boundary=i{n - 1}\r\n\r\n".encode()
            + body
            + f"\r\n--i{n}--\r\n".encode()
        )
    head = f"Content-ID: <f@x>\r\nContent-Type: multipart/mixed; boundary=i{depth - 1}"
    return root_part() + part(head, body) + END


@cache
def dangling_package() -> bytes:
    """Return a package whose root points to a part that does not come."""
    return root_part() + END


@cache
def doubled_package() -> bytes:
    """Return a package with two parts of one Content-ID."""
    return root_part() + part("Content-ID: <f@x>", b"a") + part("Content-ID: <f@x>", b"b") + END


@cache
def almost_boundaries(size: int) -> bytes:
    """Return a part full of what nearly is its boundary."""
    return root_part() + part("Content-ID: <f@x>", f"\r\n--{BOUNDARY[:-1]}".encode() * (size // 11))


def addressed(block: str, address: str, version: str = "1.1") -> bytes:
    """Return an appeal whose answers should go elsewhere. block: ReplyTo or FaultTo."""
    action = f"{ns.APPEALS}/SubmitAppeal"
    head = (
        f'<a:Action xmlns:a="{ns.WSA}">{action}</a:Action>'
        f'<a:MessageID xmlns:a="{ns.WSA}">urn:uuid:1</a:MessageID>'
        f'<a:{block} xmlns:a="{ns.WSA}"><a:Address>{address}</a:Address></a:{block}>'
    )
    return envelope(appeal("<Text>a</Text>", "attack-wsa"), head, version=version)


def past_the_limit() -> bytes:
    """Return an envelope that is larger than may be."""
    return envelope(appeal(f"<Text>{' ' * limits.SOAP_ROOT_BYTES}</Text>"))
