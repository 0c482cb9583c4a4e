"""Detached CMS SignedData (RFC 5652) and CAdES-BES (ETSI TS 101 733, 4.3.1) by libcrypto.

`CMS_verify` proves the digest of the content and the signature over the attributes; what has to be
true besides stands in `gateway.gost.cms_rules`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.gost import cms_rules, native

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from gateway.gost.libcrypto import Crypto
    from gateway.signing import CmsSigned, Digest

_NO_SIGNER_CERT_VERIFY: Final = 0x20
_DETACHED: Final = 0x40
_BINARY: Final = 0x80
_NOSMIMECAP: Final = 0x200
_PARTIAL: Final = 0x4000
_CADES: Final = 0x100000
_SIGNING_TIME: Final = 52
_SIGNED_DATA: Final = 22
"""Numbers (NID) of the attribute and of the type."""


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
    if len(cms) > cms_rules.CMS_BYTES:
        raise cms_rules.wrong(f"{len(cms)} bytes")
    pointer = native.decoded(crypto, "d2i_CMS_ContentInfo", cms)
    try:
        if pointer <= 0 or crypto.OBJ_obj2nid(crypto.CMS_get0_type(pointer)) != _SIGNED_DATA:
            raise cms_rules.wrong(f"no CMS SignedData in DER {crypto.said()}")
        # Written anew, because BER comes too; and what is read below is what libcrypto read.
        signer = cms_rules.signer(native.encoded(crypto, "i2d_CMS_ContentInfo", pointer))
        if signer.attributes is None:
            cms_rules.refuse_attributes_as_content(data)
        return cms_rules.accepted(signer, _verified(crypto, pointer, data), digest)
    finally:
        if pointer:
            crypto.CMS_ContentInfo_free(abs(pointer))
        crypto.ERR_clear_error()


def _verified(crypto: Crypto, cms: int, data: bytes) -> bytes:
    """Return the certificate of the one signer, whose signature fits; raise TrustError."""
    with native.reading(crypto, data) as bio:
        flags = _NO_SIGNER_CERT_VERIFY | _BINARY
        if crypto.CMS_verify(cms, None, None, bio, None, flags) != 1:
            raise cms_rules.wrong(crypto.said())
    found = crypto.CMS_get0_signers(cms)
    try:
        if not found or crypto.OPENSSL_sk_num(found) != 1:
            raise cms_rules.wrong("the certificate of the signer is not in it")
        pointer = crypto.made(crypto.OPENSSL_sk_value(found, 0), "X509")
        return native.encoded(crypto, "i2d_X509", pointer)
    finally:
        if found:
            crypto.OPENSSL_sk_free(found)
