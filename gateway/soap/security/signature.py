"""Checks ds:Signature over the parts of a message (XML Signature 1.1, WS-Security 1.1, section 8).

Only an element that a reference resolved to counts as signed, and only where it is processed: THE
Body under the envelope, THE Timestamp and the tokens of our own Security header, blocks of THE
Header. A signed copy anywhere else is refused, so that nobody can take the signature off a message
and wrap it around another. Knows algorithms by their names only.
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway import limits, ns
from gateway.errors import SecurityError
from gateway.soap.security import canonical, certificates, cost, ids, keyinfo, nodes, smev2
from gateway.soap.security.proof import UnprovenError
from gateway.soap.security.username import USERNAME_TOKEN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from lxml.etree import _Element

    from gateway.soap.security.algorithms import Algorithms
    from gateway.soap.security.proof import Keys

SIGNATURE: Final = ns.tag(ns.DS, "Signature")
_SIGNATURE_PARTS: Final = tuple(
    ns.tag(ns.DS, name) for name in ("SignedInfo", "SignatureValue", "KeyInfo")
)
_C14N_METHOD: Final = ns.tag(ns.DS, "CanonicalizationMethod")
_SIGNATURE_METHOD: Final = ns.tag(ns.DS, "SignatureMethod")
_REFERENCE: Final = ns.tag(ns.DS, "Reference")
_REFERENCE_PARTS: Final = tuple(
    ns.tag(ns.DS, name) for name in ("Transforms", "DigestMethod", "DigestValue")
)
_TRANSFORM: Final = ns.tag(ns.DS, "Transform")
_ENVELOPED: Final = f"{ns.DS}enveloped-signature"
_TOKENS: Final = (USERNAME_TOKEN, keyinfo.BINARY_TOKEN)
_REQUIRED: Final = frozenset(("body", "timestamp"))
_WHERE: Final = f"{nodes.HEADER}/Signature"


class Places(NamedTuple):
    """Where a message is processed: the only places that a signature may speak of."""

    envelope: _Element
    body: _Element
    security: _Element
    timestamp: _Element | None


class Signed(NamedTuple):
    """Who signed what. seen: what must not come again while the message is fresh."""

    peer: str
    certificate: bytes
    covers: frozenset[str]
    value: bytes
    seen: bytes


class Verified(NamedTuple):
    """A signature that fits its SignedInfo; the parts are still to be compared with it."""

    signed: Signed
    parts: Sequence[_Part]


class _Part(NamedTuple):
    """A resolved ds:Reference."""

    name: str
    element: _Element
    prefixes: tuple[str, ...]
    method: str
    digest: bytes


def check(
    signature: _Element, places: Places, keys: Keys, algorithms: Algorithms, now: datetime
) -> Signed:
    """Return who signed what; raise SecurityError.

    From cheap to dear: structure, certificate, signature over SignedInfo, and only then the digests
    of the parts, so that a stranger cannot make us hash a large body. What a peer may is bounded.
    """
    verified = verify(signature, places, keys, algorithms, now)
    budget = cost.Budget(limits.SECURITY_STEPS)
    for part in verified.parts:
        budget.take(part.element, part.prefixes)
    for part in verified.parts:
        made = algorithms.digest(part.method, canonical.canonical(part.element, part.prefixes))
        if not hmac.compare_digest(made, part.digest):
            raise _failed(
                "a signed part was changed, or made canonical in another way",
                f"{_WHERE}/SignedInfo/Reference",
                part.name,
            )
    return verified.signed


def verify(
    signature: _Element, places: Places, keys: Keys, algorithms: Algorithms, now: datetime
) -> Verified:
    """Return whose signature fits the SignedInfo, as `check` does before it looks at the parts."""
    info, value_element, key_info = nodes.expect(signature, _SIGNATURE_PARTS)
    prefixes, method, references = _signed_info(info)
    value = nodes.binary(value_element)
    parts = _resolve(references, places)
    covers = frozenset(part.name for part in parts)
    if not covers >= (smev2.SIGNED if smev2.addressed(places.security) else _REQUIRED):
        raise _uncovered(covers)
    try:
        certificate = keyinfo.certificate(key_info, places.security, keys)
        peer = _peer(certificate, keys, now)
        if "timestamp" not in covers and not keys.untimed(peer):
            raise _uncovered(covers)
        data = canonical.canonical(info, prefixes)
        if not algorithms.verify(method, certificate, data, value):
            raise _failed("the signature does not fit what is signed", f"{_WHERE}/SignatureValue")
    except SecurityError as error:
        raise UnprovenError.of(error) from error
    # Not the value: of one ECDSA signature anybody can make a second one that fits.
    # Nor the certificate: a renewed one of the same key fits what was signed before.
    key = certificates.describe(certificate).key
    seen = sha256(b"signature\0%b\0%b" % (key, data)).digest()
    return Verified(Signed(peer, certificate, covers, value, seen), parts)


def _uncovered(covers: frozenset[str]) -> SecurityError:
    return SecurityError(
        "the signature does not cover Body and Timestamp",
        "FailedCheck",
        found=", ".join(sorted(covers)),
        expected="Body and Timestamp of this message",
        where=f"{_WHERE}/SignedInfo",
    )


def _peer(certificate: bytes, keys: Keys, now: datetime) -> str:
    """Return whose certificate it is; raise SecurityError when it is nobody's or does not hold."""
    peer = keys.certificate(certificate)
    if peer is None:
        raise SecurityError(
            "the certificate is not accepted",
            "FailedAuthentication",
            found=sha256(certificate).hexdigest(),
            where=f"{_WHERE}/KeyInfo",
        )
    certificates.check(certificate, now)
    return peer


def _signed_info(info: _Element) -> tuple[tuple[str, ...], str, Sequence[_Element]]:
    """Return the PrefixList and the method of the signature, and the references.

    All of it is made canonical before the signature can be verified, so its size is looked at here.
    """
    _require_small(info)
    children = list(info)
    count = len(children) - 2
    if not 1 <= count <= limits.SECURITY_REFERENCES:
        raise SecurityError(
            "the number of signed parts is not accepted",
            found=str(count),
            expected=f"1 to {limits.SECURITY_REFERENCES}",
            where=f"{_WHERE}/SignedInfo",
        )
    expected = (_C14N_METHOD, _SIGNATURE_METHOD, *(_REFERENCE,) * count)
    c14n, method, *references = nodes.expect(info, expected)
    if len(method):
        raise SecurityError(
            "parameters of the signature method are not offered",
            "UnsupportedAlgorithm",
            found=nodes.names(list(method)),
            where=nodes.path(method),
        )
    prefixes = canonical.method(c14n)
    cost.Budget(limits.SECURITY_INFO_STEPS).take(info, prefixes)
    return prefixes, method.get("Algorithm", ""), references


def _require_small(info: _Element) -> None:
    size = 0
    for count, each in enumerate(info.iter()):
        size += len(each.text or "") + len(each.tail or "")
        size += sum(len(name) + len(value) for name, value in each.attrib.items())
        if count > limits.SECURITY_INFO_NODES or size > limits.SECURITY_INFO_CHARS:
            raise SecurityError(
                "ds:SignedInfo is too large",
                found=f"over {count} elements, {size} characters",
                expected=f"at most {limits.SECURITY_INFO_NODES} elements,"
                f" {limits.SECURITY_INFO_CHARS} characters",
                where=f"{_WHERE}/SignedInfo",
            )


def _resolve(references: Sequence[_Element], places: Places) -> list[_Part]:
    known = ids.index(places.envelope)
    parts: list[_Part] = []
    for reference in references:
        part = _part(reference, known, places)
        if any(part.element is other.element for other in parts):
            raise SecurityError(
                "a part is signed twice", found=part.name, where=nodes.path(reference)
            )
        parts.append(part)
    return parts


def _part(reference: _Element, known: Mapping[str, _Element], places: Places) -> _Part:
    uri = reference.get("URI")
    if uri is None or not uri.startswith("#") or len(uri) > limits.SECURITY_CHARS:
        raise SecurityError(
            "a reference has to name an element of this message by its id",
            found="no URI" if uri is None else uri,
            expected="#id",
            where=nodes.path(reference),
        )
    element = known.get(uri[1:])
    if element is None:
        raise SecurityError(
            "the signed element is not in this message",
            "FailedCheck",
            found=uri,
            expected="an element with this wsu:Id",
            where=nodes.path(reference),
            todo="name Body and Timestamp by wsu:Id, not by Id (node-soap: idMode wssecurity)",
        )
    transforms, method, digest = nodes.expect(reference, _REFERENCE_PARTS)
    nodes.expect(method, ())
    return _Part(
        _place(element, places, uri),
        element,
        _transform(transforms),
        method.get("Algorithm", ""),
        nodes.binary(digest, limits.SECURITY_CHARS),
    )


def _place(element: _Element, places: Places, uri: str) -> str:
    """Return the name of a signed part; raise SecurityError when it is not where it is processed.

    None of these places can hold the signature itself.
    """
    if element is places.body:
        return "body"
    if element is places.timestamp:
        return "timestamp"
    parent = element.getparent()
    if parent is places.security and element.tag in _TOKENS:
        return "token"
    header = places.security.getparent()
    if parent is header and header is not None and element is not places.security:
        return element.tag
    raise SecurityError(
        "a signed element does not stand where it is processed",
        "FailedCheck",
        found=f"{nodes.local(element.tag)} {uri}",
        expected="Body, Timestamp, a token, a header block",
        where=_WHERE,
    )


def _transform(transforms: _Element) -> tuple[str, ...]:
    """Return the PrefixList of the one transform offered, exclusive canonicalization.

    `enveloped-signature` before it is passed over: it takes away a signature within the element,
    and no signed part can hold one; several clients write it for every reference.
    """
    steps = list(transforms)
    if len(steps) > 1 and steps[0].get("Algorithm") == _ENVELOPED and not len(steps[0]):
        steps = steps[1:]
    if [step.tag for step in steps] != [_TRANSFORM]:
        raise SecurityError(
            "exactly one transform is offered",
            "UnsupportedAlgorithm",
            found=", ".join(step.get("Algorithm", "") for step in steps) or "nothing",
            expected=ns.EXC_C14N,
            where=nodes.path(transforms),
        )
    return canonical.method(steps[0])


def _failed(message: str, where: str, found: str = "") -> SecurityError:
    return SecurityError(message, "FailedCheck", found=found, where=where)
