"""Reads the Security header of a request and says what it proves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway import limits, ns
from gateway.errors import SecurityError
from gateway.soap.security import keyinfo, nodes, signature, smev2, timestamp, username
from gateway.soap.security.algorithms import STANDARD
from gateway.soap.security.proof import SECURITY, Kind, Proof

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from lxml.etree import _Element

    from gateway.soap.security.algorithms import Algorithms
    from gateway.soap.security.proof import Keys, SecurityContext

_BODIES: Final = {"1.1": ns.tag(ns.SOAP11, "Body"), "1.2": ns.tag(ns.SOAP12, "Body")}
_SEVERAL: Final = keyinfo.BINARY_TOKEN
_KNOWN: Final = frozenset(
    (timestamp.TIMESTAMP, username.USERNAME_TOKEN, signature.SIGNATURE, keyinfo.BINARY_TOKEN)
)


def read(
    envelope: _Element,
    blocks: Sequence[_Element],
    version: str,
    ctx: SecurityContext,
    algorithms: Algorithms = STANDARD,
) -> Proof | None:
    """Return what the Security header proves, None when it proves nobody; raise SecurityError.

    envelope: the root, parsed by `gateway.xml`, with what MTOM took out of the Body put back.
    blocks: header blocks meant for us. A Timestamp and a certificate alone are checked and prove
    nobody. Everything is checked before anything is remembered as seen, so that a stranger cannot
    spend another's nonce.
    """
    block = _ours(blocks)
    if block is None or ctx.keys is None:
        return None
    found = _parts(block)
    stamp = found.get(timestamp.TIMESTAMP)
    until = ctx.now if stamp is None else timestamp.check(stamp, ctx.now)
    user, signed = None, None
    if (token := found.get(username.USERNAME_TOKEN)) is not None:
        user = username.check(token, ctx.keys, ctx)
    if (sealed := found.get(signature.SIGNATURE)) is not None:
        places = signature.Places(envelope, _body(envelope, version), block, stamp)
        signed = signature.check(sealed, places, ctx.keys, algorithms, ctx.now)
    if user is None and signed is None:
        return None
    proof = _proof(user, signed, timestamped=stamp is not None)
    if user is not None:
        _once(user.seen, user.until, ctx)
    if signed is not None:
        if "timestamp" not in signed.covers:  # what is not signed anybody may write anew
            until = ctx.now + smev2.REMEMBERED
        _once(signed.seen, until, ctx)
    return proof


def presigned(
    envelope: _Element,
    blocks: Sequence[_Element],
    version: str,
    ctx: SecurityContext,
    algorithms: Algorithms = STANDARD,
) -> signature.Signed | None:
    """Return whose signature stands in the header, None when there is none.

    As `read`, but the signed parts are not looked at: the Body may wait for what MTOM took out of
    it. So it is known that this peer signed some message within the last minutes, and `read` has to
    follow. Raise SecurityError for a signature that `read` would not take either.
    """
    block = _ours(blocks)
    if block is None or ctx.keys is None:
        return None
    found = _parts(block)
    stamp = found.get(timestamp.TIMESTAMP)
    if stamp is not None:
        timestamp.check(stamp, ctx.now)
    if (sealed := found.get(signature.SIGNATURE)) is None:
        return None
    places = signature.Places(envelope, _body(envelope, version), block, stamp)
    return signature.verify(sealed, places, ctx.keys, algorithms, ctx.now).signed


def claimed(blocks: Sequence[_Element], keys: Keys | None) -> str:
    """Return whom the sender claims to be, proven or not.

    The name in the UsernameToken, else the peer whose certificate the signature names.
    """
    for block in blocks:
        if block.tag == SECURITY:
            name = block.findtext(f"{username.USERNAME_TOKEN}/{{{ns.WSSE}}}Username")
            return (name or "").strip()[: limits.ID_CHARS] or named(blocks, keys)
    return ""


def named(blocks: Sequence[_Element], keys: Keys | None) -> str:
    """Return the peer whose certificate the signature names, "" of nobody's: nothing is proven."""
    for block in blocks:
        key_info = block.find(f"{signature.SIGNATURE}/{{{ns.DS}}}KeyInfo")
        if block.tag == SECURITY and key_info is not None and keys is not None:
            try:
                return keys.certificate(keyinfo.certificate(key_info, block, keys)) or ""
            except SecurityError:
                return ""
    return ""


def _ours(blocks: Sequence[_Element]) -> _Element | None:
    """WS-Security 1.1, section 5: at most one header for one receiver."""
    found = [block for block in blocks if block.tag == SECURITY]
    if len(found) > 1:
        raise SecurityError(
            "two Security headers are meant for us", found=str(len(found)), where=nodes.HEADER
        )
    return found[0] if found else None


def _parts(block: _Element) -> Mapping[str, _Element]:
    """Return the elements of the header by name; several BinarySecurityTokens may stand in it."""
    if len(block) > limits.SECURITY_BLOCKS:
        raise SecurityError(
            "the Security header has too many elements",
            found=str(len(block)),
            expected=f"at most {limits.SECURITY_BLOCKS}",
            where=nodes.HEADER,
        )
    parts: dict[str, _Element] = {}
    for child in block:
        if child.tag in parts and child.tag != _SEVERAL:
            raise SecurityError("the element stands twice", where=nodes.path(child))
        if child.tag not in _KNOWN:
            encrypted = child.tag.startswith(f"{{{ns.XENC}}}")
            raise SecurityError(
                "encryption is not offered" if encrypted else "the token is not offered",
                "UnsupportedAlgorithm" if encrypted else "UnsupportedSecurityToken",
                found=nodes.local(child.tag),
                expected="Timestamp, UsernameToken, BinarySecurityToken, Signature",
                where=nodes.HEADER,
            )
        parts[child.tag] = child
    return parts


def _body(envelope: _Element, version: str) -> _Element:
    bodies = [child for child in envelope if child.tag == _BODIES[version]]
    if len(bodies) != 1:
        raise SecurityError("the envelope has not exactly one Body", where="/Envelope")
    return bodies[0]


def _proof(
    user: username.User | None, signed: signature.Signed | None, *, timestamped: bool
) -> Proof:
    kinds: set[Kind] = set()
    if user is not None:
        kinds.add(user.kind)
    if signed is None:
        assert user is not None
        return Proof(peer=user.peer, kinds=frozenset(kinds), timestamp=timestamped)
    if user is not None and user.peer != signed.peer:
        raise SecurityError(
            "the user name and the certificate are not of one peer",
            "FailedAuthentication",
            where=nodes.HEADER,
        )
    return Proof(
        peer=signed.peer,
        kinds=frozenset(kinds | {"signature"}),
        timestamp=timestamped,
        signed=signed.covers,
        certificate=signed.certificate,
        signature=signed.value,
        seen=signed.seen,
    )


def _once(seen: bytes, until: datetime, ctx: SecurityContext) -> None:
    if seen and ctx.seen(seen, until):
        raise SecurityError(
            "the message was sent before",
            "FailedCheck",
            where=nodes.HEADER,
            todo="send a repeat with a new Timestamp, Nonce and signature",
        )
