"""What a detached CMS must keep to besides a signature that fits (RFC 5652, RFC 5035).

Shared by the backends: which digest goes with which key, the attribute by which CAdES-BES names its
certificate, the signing time, and the reading of a SignerInfo from DER.
"""

from __future__ import annotations

import hmac
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.errors import TrustError
from gateway.gost import certificates
from gateway.gost import der as asn1
from gateway.signing import CmsSigned

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.signing import CertificateInfo, Digest, Kind

CMS_BYTES: Final = 2 * 1024 * 1024
"""Largest CMS that is read, with a chain and lists beside the signature it is tens of kilobytes.

The worst that was found to fit in it (400,000 empty algorithms) takes a second and 90 MB.
"""
DIGESTS_NAMED: Final = 8
"""Most digest methods that a CMS may name beside its only signer.

By each of them libcrypto digests the whole content, one inside of another: 20,000 repeats in 280 KB
took 4 s for each 7 KB of content, 100,000 ran past the end of the stack, and of the process.
"""
_TIME: Final = re.compile(rb"(\d\d)?(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z")
DIGESTS: Final[Mapping[bytes, Digest]] = {
    bytes.fromhex("2a85030701010202"): "streebog256",
    bytes.fromhex("2a85030701010203"): "streebog512",
    bytes.fromhex("608648016503040201"): "sha256",
    bytes.fromhex("608648016503040202"): "sha384",
    bytes.fromhex("608648016503040203"): "sha512",
}
"""Content of an OID → digest that a signature may be over."""
METHODS: Final[Mapping[Kind, frozenset[bytes]]] = {
    # The key's own name, and its name with the digest: tools write either (RFC 9215, RFC 4490).
    "gost2012_256": frozenset(map(bytes.fromhex, ("2a85030701010101", "2a85030701010302"))),
    "gost2012_512": frozenset(map(bytes.fromhex, ("2a85030701010102", "2a85030701010303"))),
    # rsaEncryption, and with SHA-256, SHA-384, SHA-512.
    "rsa": frozenset(bytes.fromhex(f"2a864886f70d0101{last}") for last in ("01", "0b", "0c", "0d")),
    # ecdsa-with-SHA256, 384, 512.
    "ec": frozenset(bytes.fromhex(f"2a8648ce3d0403{last}") for last in ("02", "03", "04")),
}
"""Kind of a key → content of the OIDs of the signature methods that are its own."""
SIGNING_TIME: Final = bytes.fromhex("2a864886f70d010905")
CERTIFICATE_V2: Final = bytes.fromhex("2a864886f70d010910022f")
_SIGNED_DATA: Final = bytes.fromhex("2a864886f70d010702")
_TAGGED: Final = 0xA0


class SignerInfo(NamedTuple):
    """The one signer of a CMS. method: content of the OID of its signature method.

    attributes: those that are signed, OID → the only value as DER; None when it has none.
    """

    digest: Digest | None
    method: bytes
    attributes: Mapping[bytes, bytes] | None


def signer(cms: bytes) -> SignerInfo:
    """Return the signer of a CMS in DER; raise TrustError unless there is exactly one."""
    try:
        return _signer(cms)
    except (ValueError, IndexError) as error:
        raise wrong(str(error)) from error


def _signer(cms: bytes) -> SignerInfo:
    kind, content = asn1.inside(cms, asn1.expect(asn1.value(cms), asn1.SEQUENCE))
    if cms[kind.start : kind.end] != _SIGNED_DATA:
        raise ValueError("no SignedData")
    signed = asn1.inside(cms, asn1.expect(asn1.inside(cms, content)[0], asn1.SEQUENCE))
    if len(asn1.inside(cms, asn1.expect(signed[1], asn1.SET))) > DIGESTS_NAMED:
        raise ValueError("too many digest methods are named")
    (one,) = asn1.inside(cms, asn1.expect(signed[-1], asn1.SET))
    _, _, algorithm, attributes, *rest = asn1.inside(cms, asn1.expect(one, asn1.SEQUENCE))
    oid = asn1.expect(asn1.inside(cms, algorithm)[0], asn1.OID)
    digest = DIGESTS.get(cms[oid.start : oid.end])
    named_by = attributes if attributes.tag != _TAGGED else rest[0]
    oid = asn1.expect(asn1.inside(cms, named_by)[0], asn1.OID)
    method = cms[oid.start : oid.end]
    if attributes.tag != _TAGGED:
        return SignerInfo(digest, method, None)
    found: dict[bytes, bytes] = {}
    for attribute in asn1.inside(cms, attributes):
        named, values = asn1.inside(cms, attribute)
        (only,) = asn1.inside(cms, values)
        oid_text = cms[named.start : named.end]
        if oid_text in found:
            raise ValueError("an attribute stands twice")
        found[oid_text] = cms[values.start : only.end]
    return SignerInfo(digest, method, found)


def accepted(
    one: SignerInfo, certificate: bytes, digest: Callable[[Digest, bytes], bytes]
) -> CmsSigned:
    """Return what a CMS says whose signature fits a certificate; raise TrustError."""
    info = certificates.read(certificate)
    fits(info, one)
    attributes = one.attributes or {}
    named = attributes.get(CERTIFICATE_V2, b"")
    if named:
        names(named, info, digest)
    return CmsSigned(
        certificate=info,
        signed_at=stated_time(attributes.get(SIGNING_TIME, b"")),
        cades=bool(named),
    )


def stated_time(value: bytes) -> datetime | None:
    """Return the value of the attribute signingTime, None for none or another type."""
    try:
        whole = asn1.value(value)
    except ValueError:
        return None
    return instant(value[whole.start : whole.end])


def fits(info: CertificateInfo, one: SignerInfo) -> None:
    """Raise TrustError(algorithm_refused) unless the methods named are for the signer's key.

    The name of the signature method is not itself signed (RFC 5652, 5.4), so it has to say what
    the key says.
    """
    own = certificates.digest_for(info.public_key)
    gost = info.kind in certificates.LENGTHS
    digests = {own} if gost else {"sha256", "sha384", "sha512"}
    if one.digest not in digests or one.method not in METHODS[info.kind]:
        raise TrustError(
            "алгоритм подписи не для этого ключа · the signature method is not for the key",
            "algorithm_refused",
            found=f"{one.digest or 'unknown digest'}, {one.method.hex()}",
            expected=f"{info.kind}, {own}",
        )


def refuse_attributes_as_content(data: bytes) -> None:
    """Raise TrustError when content is a SET of attributes and the signature has none of its own.

    A signature with attributes is over their DER. Taken without them it would fit a "content" that
    is this DER, which its signer never saw (RFC 5652, 5.4, and 11 of it).
    """
    try:
        whole = asn1.value(data)
    except ValueError:
        return
    if whole.tag == asn1.SET and whole.end == len(data):
        raise wrong("a signature without attributes over attributes")


def names(ess: bytes, info: CertificateInfo, digest: Callable[[Digest, bytes], bytes]) -> None:
    """Raise TrustError unless SigningCertificateV2 names the certificate first (RFC 5035, 3)."""
    try:
        listed = asn1.inside(ess, asn1.expect(asn1.value(ess), asn1.SEQUENCE))
        first = asn1.inside(ess, asn1.expect(listed[0], asn1.SEQUENCE))[0]
        parts = asn1.inside(ess, asn1.expect(first, asn1.SEQUENCE))
        method: Digest | None = "sha256"
        if parts[0].tag == asn1.SEQUENCE:
            oid = asn1.expect(asn1.inside(ess, parts.pop(0))[0], asn1.OID)
            method = DIGESTS.get(ess[oid.start : oid.end])
        stated = asn1.expect(parts[0], asn1.OCTETS)
    except (ValueError, IndexError) as error:
        raise wrong("signing-certificate-v2 cannot be read") from error
    said = ess[stated.start : stated.end]
    if method is None or not hmac.compare_digest(digest(method, info.der), said):
        raise wrong("signing-certificate-v2 names another certificate")


def instant(text: bytes) -> datetime | None:
    """Return UTCTime or GeneralizedTime as RFC 5652, 11.3 writes them, None for neither."""
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    century, *rest = found.groups()
    year, month, day, hour, minute, second = map(int, rest)
    year += int(century) * 100 if century else (1900 if year >= 50 else 2000)
    try:
        at = datetime(year, month, day, hour, minute, tzinfo=UTC)
        return at + timedelta(seconds=second)
    except (ValueError, OverflowError):
        return None


def wrong(found: str) -> TrustError:
    """Return the refusal of a CMS."""
    return TrustError(
        "подпись CMS не подходит · the CMS signature does not fit",
        "signature_wrong",
        found=found,
        expected="a detached SignedData with one signer and its certificate",
    )
