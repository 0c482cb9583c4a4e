"""Detached CMS SignedData (RFC 5652) and CAdES-BES (ETSI TS 101 733, 4.3.1) by libcrypto.

`CMS_verify` proves the digest of the content and the signature over the attributes. What is read
besides is the signing certificate, the time its signer states, and whether the attribute
signing-certificate-v2 (RFC 5035) names that very certificate, which is what CAdES-BES adds.
"""

from __future__ import annotations

import ctypes
import hmac
import re
from ctypes import byref, c_int, c_void_p
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.errors import TrustError
from gateway.gost import certificates, native
from gateway.gost import der as asn1
from gateway.signing import CmsSigned

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.gost.libcrypto import Crypto
    from gateway.signing import CertificateInfo, Digest

CMS_BYTES: Final = 16 * 1024 * 1024
"""Largest CMS that is read: it may carry a chain and revocation lists beside the signature."""
_NO_SIGNER_CERT_VERIFY: Final = 0x20
_DETACHED: Final = 0x40
_BINARY: Final = 0x80
_NOSMIMECAP: Final = 0x200
_PARTIAL: Final = 0x4000
_CADES: Final = 0x100000
_SIGNING_TIME: Final = 52
_SIGNED_DATA: Final = 22
_UTC_TIME: Final = 23
_GENERALIZED_TIME: Final = 24
_CERTIFICATE_V2: Final = b"1.2.840.113549.1.9.16.2.47"
_ALONE: Final = -3
"""Lastpos of CMS_signed_get0_data_by_OBJ: the attribute stands once and has one value."""
_TIME: Final = re.compile(rb"(\d\d)?(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z")
DIGESTS: Final[Mapping[str, Digest]] = {
    "1.2.643.7.1.1.2.2": "streebog256",
    "1.2.643.7.1.1.2.3": "streebog512",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
"""OID → digest that a signature may be over."""
_DER_DIGESTS: Final[Mapping[bytes, Digest]] = {
    bytes.fromhex("2a85030701010202"): "streebog256",
    bytes.fromhex("2a85030701010203"): "streebog512",
    bytes.fromhex("608648016503040201"): "sha256",
    bytes.fromhex("608648016503040202"): "sha384",
    bytes.fromhex("608648016503040203"): "sha512",
}


class Signer(NamedTuple):
    """Who signs: key and certificate of libcrypto, and its EVP_MD."""

    key: native.Native
    certificate: native.Native
    method: int


def sign(crypto: Crypto, signer: Signer, data: bytes, now: datetime, *, cades: bool) -> bytes:
    """Return the signature as DER, with the certificate and `now` as its signing time."""
    flags = _DETACHED | _BINARY | _NOSMIMECAP | _PARTIAL | (_CADES if cades else 0)
    cms = crypto.made(crypto.CMS_sign(None, None, None, None, flags), "CMS_sign")
    try:
        one = crypto.made(
            crypto.CMS_add1_signer(
                cms, signer.certificate.pointer, signer.key.pointer, signer.method, flags
            ),
            "CMS_add1_signer",
        )
        stated = crypto.made(crypto.ASN1_TIME_set(None, int(now.timestamp())), "ASN1_TIME_set")
        try:
            of = crypto.ASN1_STRING_type(stated)
            done = crypto.CMS_signed_add1_attr_by_NID(one, _SIGNING_TIME, of, stated, -1)
            crypto.done(done, "CMS_signed_add1_attr_by_NID")
        finally:
            crypto.ASN1_STRING_free(stated)
        with native.reading(crypto, data) as bio:
            crypto.done(crypto.CMS_final(cms, bio, None, flags), "CMS_final")
        return native.encoded(crypto, "i2d_CMS_ContentInfo", cms)
    finally:
        crypto.CMS_ContentInfo_free(cms)
        crypto.ERR_clear_error()


def verify(
    crypto: Crypto, cms: bytes, data: bytes, digest: Callable[[Digest, bytes], bytes]
) -> CmsSigned:
    """Return who signed; raise TrustError when the signature does not fit data."""
    if len(cms) > CMS_BYTES:
        raise wrong(f"{len(cms)} bytes")
    pointer = native.decoded(crypto, "d2i_CMS_ContentInfo", cms)
    try:
        if pointer <= 0 or crypto.OBJ_obj2nid(crypto.CMS_get0_type(pointer)) != _SIGNED_DATA:
            raise wrong(f"no CMS SignedData in DER {crypto.said()}")
        return _verified(crypto, pointer, data, digest)
    finally:
        if pointer:
            crypto.CMS_ContentInfo_free(abs(pointer))
        crypto.ERR_clear_error()


def _verified(
    crypto: Crypto, cms: int, data: bytes, digest: Callable[[Digest, bytes], bytes]
) -> CmsSigned:
    signers = crypto.CMS_get0_SignerInfos(cms)
    if not signers or crypto.OPENSSL_sk_num(signers) != 1:
        raise wrong("not one signer")
    one = crypto.made(crypto.OPENSSL_sk_value(signers, 0), "SignerInfo")
    attributes = crypto.CMS_signed_get_attr_count(one)
    if attributes <= 0:
        refuse_attributes_as_content(data)
    with native.reading(crypto, data) as bio:
        flags = _NO_SIGNER_CERT_VERIFY | _BINARY
        if crypto.CMS_verify(cms, None, None, bio, None, flags) != 1:
            raise wrong(crypto.said())
    info = certificates.read(_certificate(crypto, cms))
    fits(info, _digest(crypto, one))
    if attributes <= 0:
        return CmsSigned(certificate=info)
    signed_at = None
    for tag in (_UTC_TIME, _GENERALIZED_TIME):
        text = _attribute(crypto, one, crypto.OBJ_nid2obj(_SIGNING_TIME), tag)
        signed_at = signed_at or (instant(text) if text else None)
    named = crypto.OBJ_nid2obj(crypto.OBJ_txt2nid(_CERTIFICATE_V2))
    ess = _attribute(crypto, one, named, asn1.SEQUENCE & 0x1F)
    if ess:
        names(ess, info, digest)
    return CmsSigned(certificate=info, signed_at=signed_at, cades=bool(ess))


def _certificate(crypto: Crypto, cms: int) -> bytes:
    found = crypto.CMS_get0_signers(cms)
    try:
        if not found or crypto.OPENSSL_sk_num(found) != 1:
            raise wrong("the certificate of the signer is not in it")
        pointer = crypto.made(crypto.OPENSSL_sk_value(found, 0), "X509")
        return native.encoded(crypto, "i2d_X509", pointer)
    finally:
        if found:
            crypto.OPENSSL_sk_free(found)


def _digest(crypto: Crypto, one: int) -> Digest | None:
    """Return the digest that a SignerInfo is over, None for one that is not taken."""
    algorithm, oid, kind = c_void_p(), c_void_p(), c_int()
    crypto.CMS_SignerInfo_get0_algs(one, None, None, byref(algorithm), None)
    if not algorithm.value:
        return None
    crypto.X509_ALGOR_get0(byref(oid), byref(kind), None, algorithm)
    if not oid.value:
        return None
    number = crypto.OBJ_obj2nid(oid)
    return next(
        (name for text, name in DIGESTS.items() if crypto.OBJ_txt2nid(text.encode()) == number),
        None,
    )


def _attribute(crypto: Crypto, one: int, named: int, tag: int) -> bytes:
    """Return the content of a signed attribute of one value, empty for none such."""
    found = crypto.CMS_signed_get0_data_by_OBJ(one, named, _ALONE, tag)
    if not found:
        return b""
    return ctypes.string_at(crypto.ASN1_STRING_get0_data(found), crypto.ASN1_STRING_length(found))


def fits(info: CertificateInfo, digest: Digest | None) -> None:
    """Raise TrustError(algorithm_refused) unless the key of a signer may sign such a digest."""
    own = certificates.digest_for(info.public_key)
    if digest is None or (info.kind in certificates.LENGTHS) != digest.startswith("streebog"):
        refused = True
    else:
        refused = info.kind in certificates.LENGTHS and digest != own
    if refused:
        raise TrustError(
            "алгоритм подписи не для этого ключа · the signature method is not for the key",
            "algorithm_refused",
            found=digest or "unknown",
            expected=own,
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
            method = _DER_DIGESTS.get(ess[oid.start : oid.end])
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
