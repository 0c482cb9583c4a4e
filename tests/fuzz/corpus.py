"""Requests before they are mutated: versions, header blocks, encodings and packages."""

from __future__ import annotations

import base64
import gzip
import re
import zlib
from functools import cache
from hashlib import sha1
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from gateway import ns
from gateway.wires import contract as c
from tests.fuzz import documents

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

CHECKOUT = Path(__file__).resolve().parents[2]
SPACES = {"1.1": ns.SOAP11, "1.2": ns.SOAP12}
OLD_WSA = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
TOKEN = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0"
MESSAGE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0"
X509 = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#X509v3"
DS = "http://www.w3.org/2000/09/xmldsig#"
XOP = "http://www.w3.org/2004/08/xop/include"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
BOUNDARY = "uuid:0ca0e16e-feb1-426c-97d8-c4508ada5e82"


class Case(msgspec.Struct, kw_only=True):
    """One request as the ASGI server would hand it over.

    chunks: sizes of the pieces in which the body comes, in turn. cut: the client leaves before the
    body is whole.
    """

    headers: dict[str, str]
    body: bytes
    method: str = "POST"
    path: str = "/soap/appeals.svc"
    query: str = ""
    chunks: tuple[int, ...] = (65_536,)
    cut: bool = False


@cache
def samples() -> tuple[bytes, ...]:
    """Return the envelopes of the data of the tests and of the pages for engineers."""
    found = [(CHECKOUT / "tests/data/submit_appeal_2k.xml").read_bytes()]
    for page in sorted((CHECKOUT / "docs/howto").glob("*.md")):
        text = page.read_bytes()
        found += re.findall(rb"<s:Envelope .*?</s:Envelope>", text, re.DOTALL)
    return tuple(found)


def case(random: Random, key: str, change: Callable[[Random, bytes], bytes]) -> Case:
    """Return a request; change: done to its envelope before it is encoded and packed."""
    version = random.choice(("1.1", "1.2"))
    operation = random.choice(tuple(c.OPERATIONS))
    action = c.OPERATIONS[operation].action
    if version == "1.1" and random.random() < 0.1:
        envelope = random.choice(samples())
        action = f"{ns.APPEALS}/SubmitAppeal"
    else:
        body = documents.request(random, operation)
        envelope = _envelope(random, version, action, body)
    if random.random() < 0.65:
        envelope = change(random, envelope)
    headers = {"content-type": "text/xml", "x-api-key": key}
    if random.random() < 0.1:
        del headers["x-api-key"]
    if version == "1.2":
        headers["content-type"] = "application/soap+xml"
        if random.random() < 0.7:
            headers["content-type"] += f'; action="{action}"'
    elif random.random() < 0.8:
        headers["soapaction"] = f'"{action}"'
    data = _encoded(random, envelope, headers)
    if random.random() < 0.1:
        data = _package(random, data, headers)
    if random.random() < 0.1:
        data = _packed(random, data, headers)
    if random.random() < 0.1:
        headers["accept-encoding"] = "gzip"
    return Case(headers=headers, body=data)


def _envelope(random: Random, version: str, action: str, body: bytes) -> bytes:
    space = SPACES[version]
    blocks = ""
    if random.random() < 0.5:
        blocks += _addressing(random, action)
    if random.random() < 0.4:
        blocks += _security(random)
    if random.random() < 0.1:
        blocks += '<x:Other xmlns:x="urn:other" s:mustUnderstand="1">ё</x:Other>'
    head = f"<s:Header>{blocks}</s:Header>" if blocks else ""
    mark = f' xmlns:u="{WSU}" u:Id="body"' if "Signature" in blocks else ""
    return (
        f'<s:Envelope xmlns:s="{space}">{head}<s:Body{mark}>'.encode()
        + body
        + b"</s:Body></s:Envelope>"
    )


def _addressing(random: Random, action: str) -> str:
    space = random.choice((ns.WSA, ns.WSA, OLD_WSA))
    anonymous = f"{ns.WSA}/anonymous" if space == ns.WSA else f"{OLD_WSA}/role/anonymous"
    reply = random.choice(
        (anonymous, anonymous, f"{ns.WSA}/none", "http://127.0.0.1:9/", "http://peer.example/back")
    )
    blocks = {
        "Action": f'<a:Action s:mustUnderstand="1">{action}</a:Action>',
        "MessageID": f"<a:MessageID>urn:uuid:{random.getrandbits(64):x}</a:MessageID>",
        "To": "<a:To>http://localhost/soap/appeals.svc</a:To>",
        "ReplyTo": f"<a:ReplyTo><a:Address>{reply}</a:Address></a:ReplyTo>",
        "FaultTo": f"<a:FaultTo><a:Address>{reply}</a:Address></a:FaultTo>",
        "RelatesTo": "<a:RelatesTo>urn:uuid:1</a:RelatesTo>",
    }
    kept = "".join(text for text in blocks.values() if random.random() < 0.75)
    return re.sub(r"<(a:(?!Address)\w+)", rf'<\1 xmlns:a="{space}"', kept)


def _security(random: Random) -> str:
    inner = ""
    created = random.choice(
        ("2026-11-22T08:00:00Z", "2026-11-22T11:00:30.123+03:00", "2010-01-01T00:00:00Z")
    )
    if random.random() < 0.6:
        inner += (
            f'<u:Timestamp u:Id="ts"><u:Created>{created}</u:Created>'
            "<u:Expires>2036-01-01T00:00:00Z</u:Expires></u:Timestamp>"
        )
    if random.random() < 0.6:
        inner += _username(random, created)
    if random.random() < 0.4:
        inner += _signature(random)
    must = random.choice(("", ' s:mustUnderstand="1"'))
    return f'<w:Security xmlns:w="{WSSE}" xmlns:u="{WSU}"{must}>{inner}</w:Security>'


def _username(random: Random, created: str) -> str:
    user = random.choice(("bench", "inside", "nobody"))
    if random.random() < 0.5:
        return (
            f"<w:UsernameToken><w:Username>{user}</w:Username>"
            f'<w:Password Type="{TOKEN}#PasswordText">secret</w:Password></w:UsernameToken>'
        )
    nonce = random.randbytes(16)
    digest = base64.b64encode(sha1(nonce + created.encode() + b"secret").digest()).decode()
    shown = base64.b64encode(nonce).decode()
    return (
        f"<w:UsernameToken><w:Username>{user}</w:Username>"
        f'<w:Password Type="{TOKEN}#PasswordDigest">{digest}</w:Password>'
        f'<w:Nonce EncodingType="{MESSAGE}#Base64Binary">{shown}</w:Nonce>'
        f"<u:Created>{created}</u:Created></w:UsernameToken>"
    )


def _signature(random: Random) -> str:
    some = base64.b64encode(random.randbytes(256)).decode()
    digest = base64.b64encode(random.randbytes(32)).decode()
    references = "".join(
        f'<d:Reference URI="#{name}"><d:Transforms><d:Transform Algorithm="{EXCLUSIVE}"/>'
        '</d:Transforms><d:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>'
        f"<d:DigestValue>{digest}</d:DigestValue></d:Reference>"
        for name in ("body", "ts")
    )
    return (
        f'<w:BinarySecurityToken u:Id="cert" ValueType="{X509}" '
        f'EncodingType="{MESSAGE}#Base64Binary">{some}</w:BinarySecurityToken>'
        f'<d:Signature xmlns:d="{DS}"><d:SignedInfo>'
        f'<d:CanonicalizationMethod Algorithm="{EXCLUSIVE}"/>'
        '<d:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/>'
        f"{references}</d:SignedInfo><d:SignatureValue>{some}</d:SignatureValue><d:KeyInfo>"
        f'<w:SecurityTokenReference><w:Reference URI="#cert" ValueType="{X509}"/>'
        "</w:SecurityTokenReference></d:KeyInfo></d:Signature>"
    )


def _encoded(random: Random, envelope: bytes, headers: dict[str, str]) -> bytes:
    name = random.choice(("utf-8", "utf-8", "utf-8", "utf-16", "windows-1251"))
    if name != "utf-8" and not envelope.startswith(b"<?xml"):
        declared = f'<?xml version="1.0" encoding="{name}"?>' if random.random() < 0.7 else ""
        headers["content-type"] += f"; charset={name}"
        return (declared + envelope.decode()).encode(name, "xmlcharrefreplace")
    if random.random() < 0.6:
        headers["content-type"] += "; charset=utf-8"
    return (b"\xef\xbb\xbf" if random.random() < 0.1 else b"") + envelope


def _package(random: Random, data: bytes, headers: dict[str, str]) -> bytes:
    """Wrap into MTOM: what stands in Content goes into a part, when there is such an element."""
    kind = headers["content-type"].partition(";")[0]
    file = random.randbytes(50)
    include = b'<Content><xop:Include xmlns:xop="%s" href="cid:file@x"/></Content>' % XOP.encode()
    data = re.sub(rb"<Content>[^<]*</Content>", lambda _found: include, data, count=1)
    headers["content-type"] = (
        f'multipart/related; type="application/xop+xml"; start="<root@x>"; start-info="{kind}"; '
        f'boundary="{BOUNDARY}"'
    )
    return (
        f"--{BOUNDARY}\r\nContent-Type: application/xop+xml; charset=UTF-8; "
        f'type="{kind}"\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <root@x>\r\n\r\n'
    ).encode() + b"".join(
        (
            data,
            f"\r\n--{BOUNDARY}\r\nContent-ID: <file@x>\r\nContent-Type: image/jpeg\r\n"
            "Content-Transfer-Encoding: binary\r\n\r\n".encode(),
            file,
            f"\r\n--{BOUNDARY}--\r\n".encode(),
        )
    )


def _packed(random: Random, data: bytes, headers: dict[str, str]) -> bytes:
    if random.random() < 0.5:
        headers["content-encoding"] = "gzip"
        return gzip.compress(data, 1, mtime=0)
    headers["content-encoding"] = "deflate"
    return zlib.compress(data, 1)
