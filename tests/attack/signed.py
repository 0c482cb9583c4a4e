"""Messages that prove themselves: in order, wrapped, tampered with, and sent again."""

from __future__ import annotations

import base64
import copy
import hashlib
import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lxml import etree

from gateway import ns
from gateway.soap import security
from tests.attack.messages import appeal, envelope

if TYPE_CHECKING:
    from collections.abc import Callable

    from lxml.etree import _Element

ID = ns.tag(ns.WSU, "Id")
WSS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"


class Signing:
    """Signs submissions of one peer; number: what makes each of them another one."""

    def __init__(self, certificate: bytes, key: bytes) -> None:
        self._signer = security.load(certificate, key)
        self._number = 0

    def fresh(self) -> bytes:
        """Return a message in order that was never sent."""
        self._number += 1
        text = f"signed-{secrets.token_hex(4)}-{self._number}"
        plain = envelope(appeal("<Text>a</Text>", text))
        return security.sign_envelope(plain, self._signer, datetime.now(UTC))

    def wrapped(self, how: Callable[[_Element], None]) -> bytes:
        """Return a fresh message that was changed after it was signed."""
        root = etree.fromstring(self.fresh())
        how(root)
        return etree.tostring(root)

    def dear(self) -> bytes:
        """Return a fresh message with much in its Body to be made canonical.

        90 levels with 100 declarations each, and 30,000 elements under them: 1 s of CPU.
        """
        levels = [
            "<x" + "".join(f' xmlns:p{n}="urn:p{level % 2}"' for n in range(100)) + ">"
            for level in range(90)
        ]
        without = f'<x xmlns="">{"".join(levels)}{"<a/>" * 30_000}{"</x>" * (len(levels) + 1)}'
        inside = without.encode()
        head, *ends = self.fresh().rsplit(b"</", 3)
        return b"</".join((head + inside, *ends))


def _parts(root: _Element) -> tuple[_Element, _Element, _Element]:
    header, body = root
    return header, next(header.iter(ns.tag(ns.WSSE, "Security"))), body


def _other_body(body: _Element, name: str | None) -> _Element:
    made = etree.Element(body.tag)
    made.append(etree.fromstring(appeal("<Text>forged</Text>", f"forged-{secrets.token_hex(4)}")))
    if name is not None:
        made.set(ID, name)
    return made


def body_into_header(root: _Element, name: str | None = "other") -> None:
    """The signed body goes into a header block; another one is executed, it is hoped."""
    header, _, body = _parts(root)
    wrapper = etree.SubElement(header, "{urn:x}Wrapper")
    root.append(_other_body(body, name))
    wrapper.append(body)


def same_id(root: _Element) -> None:
    """Both bodies have the id that was signed."""
    body_into_header(root, root[1].get(ID))


def without_id(root: _Element) -> None:
    """The forged body has no id."""
    body_into_header(root, None)


def body_into_security(root: _Element) -> None:
    """The signed body goes into the Security header itself."""
    _, block, body = _parts(root)
    root.append(_other_body(body, "other"))
    block.append(body)


def body_into_object(root: _Element) -> None:
    """The signed body goes into an Object of the signature."""
    _, block, body = _parts(root)
    root.append(_other_body(body, "other"))
    etree.SubElement(block.find(ns.tag(ns.DS, "Signature")), ns.tag(ns.DS, "Object")).append(body)


def body_into_body(root: _Element) -> None:
    """The signed body stands inside the forged one."""
    _, _, body = _parts(root)
    other = _other_body(body, "other")
    root.append(other)
    other[0].append(body)


def two_bodies(root: _Element) -> None:
    """Two bodies, one behind the other."""
    root.insert(1, _other_body(root[1], "other"))


def timestamp_aside(root: _Element) -> None:
    """The signed Timestamp goes aside; another one says that the message is new."""
    header, block, _ = _parts(root)
    stamp = block.find(ns.tag(ns.WSU, "Timestamp"))
    other = copy.deepcopy(stamp)
    other.set(ID, "other")
    block.replace(stamp, other)
    etree.SubElement(header, "{urn:x}Wrapper").append(stamp)


def second_security(root: _Element) -> None:
    """A second Security header, for nobody in particular."""
    header, block, _ = _parts(root)
    header.append(copy.deepcopy(block))


def tampered(root: _Element) -> None:
    """A letter of the signed body is another one."""
    next(root[1].iter(ns.tag(ns.APPEALS, "Text"))).text = "b"


def _reference(root: _Element) -> _Element:
    return next(root.iter(ns.tag(ns.DS, "Reference")))


def whole_document(root: _Element) -> None:
    """The reference names the whole document."""
    _reference(root).set("URI", "")


def pointer(root: _Element) -> None:
    """The reference is an XPointer."""
    _reference(root).set("URI", "#xpointer(//*)")


def outside(root: _Element) -> None:
    """The reference names something to be fetched."""
    _reference(root).set("URI", "http://127.0.0.1:9/")


def style_sheet(root: _Element) -> None:
    """A transform would run a program."""
    transform = next(root.iter(ns.tag(ns.DS, "Transform")))
    transform.set("Algorithm", "http://www.w3.org/TR/1999/REC-xslt-19991116")


def keyed_hash(root: _Element) -> None:
    """The certificate is to be used as a password that everybody knows."""
    method = next(root.iter(ns.tag(ns.DS, "SignatureMethod")))
    method.set("Algorithm", f"{ns.DS_MORE}hmac-sha256")


def many_references(root: _Element) -> None:
    """A thousand references to the same body."""
    one = _reference(root)
    for _ in range(1_000):
        one.addnext(copy.deepcopy(one))


def many_ids(root: _Element) -> None:
    """Thousands of ids among which one is looked for."""
    header = root[0]
    for number in range(5_000):
        etree.SubElement(header, "{urn:x}N").set(ID, f"n{number}")


WRAPPINGS = (
    body_into_header, same_id, without_id, body_into_security, body_into_object, body_into_body,
    two_bodies, timestamp_aside, second_security, tampered, whole_document, pointer, outside,
    style_sheet, keyed_hash, many_references, many_ids,
)  # fmt: skip


def digested(user: str, secret: str, external_id: str) -> bytes:
    """Return a message with a password digest (UsernameToken Profile 1.1, section 3.1)."""
    nonce, created = secrets.token_bytes(16), f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    digest = hashlib.sha1(nonce + created.encode() + secret.encode()).digest()
    head = (
        f'<w:Security xmlns:w="{ns.WSSE}" xmlns:u="{ns.WSU}"><w:UsernameToken>'
        f"<w:Username>{user}</w:Username>"
        f'<w:Password Type="{WSS}username-token-profile-1.0#PasswordDigest">'
        f"{base64.b64encode(digest).decode()}</w:Password>"
        f'<w:Nonce EncodingType="{WSS}soap-message-security-1.0#Base64Binary">'
        f"{base64.b64encode(nonce).decode()}</w:Nonce>"
        f"<u:Created>{created}</u:Created></w:UsernameToken></w:Security>"
    )
    return envelope(appeal("<Text>a</Text>", external_id), head)
