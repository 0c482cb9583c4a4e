"""The chain of a certificate to an authority that is believed, built by `X509_verify_cert`.

Signature, names, key identifiers, BasicConstraints, KeyUsage, length of the path and validity at
an instant are OpenSSL's (RFC 5280, 6.1). Revocation is not asked of it: it would check
the signature of a whole list each time (`gateway.gost.lists`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.errors import TrustError, TrustReason
from gateway.gost import native

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gateway.gost.libcrypto import Crypto

DEPTH: Final = 8
"""Longest chain; that of a qualified certificate has three links."""
_PARTIAL_CHAIN: Final = 0x80000
_TRUSTED_FIRST: Final = 0x8000
EXPIRED: Final = (9, 10)
"""X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED."""


def build(
    crypto: Crypto,
    leaf: native.Native,
    extra: Sequence[native.Native],
    anchors: Sequence[native.Native],
    now: datetime,
    *,
    partial: bool,
) -> tuple[bytes, ...]:
    """Return the chain as DER, the leaf first and the anchor last; raise TrustError."""
    store = crypto.made(crypto.X509_STORE_new(), "X509_STORE_new")
    beside = crypto.made(crypto.OPENSSL_sk_new_null(), "OPENSSL_sk_new_null")
    context = crypto.made(crypto.X509_STORE_CTX_new(), "X509_STORE_CTX_new")
    try:
        for each in anchors:
            crypto.done(crypto.X509_STORE_add_cert(store, each.pointer), "X509_STORE_add_cert")
        for each in extra:
            crypto.OPENSSL_sk_push(beside, each.pointer)
        done = crypto.X509_STORE_CTX_init(context, store, leaf.pointer, beside)
        crypto.done(done, "X509_STORE_CTX_init")
        settings = crypto.X509_STORE_CTX_get0_param(context)
        flags = _TRUSTED_FIRST | (_PARTIAL_CHAIN if partial else 0)
        crypto.X509_VERIFY_PARAM_set_flags(settings, flags)
        crypto.X509_VERIFY_PARAM_set_time(settings, int(now.timestamp()))
        crypto.X509_VERIFY_PARAM_set_depth(settings, DEPTH)
        if crypto.X509_verify_cert(context) != 1:
            number = crypto.X509_STORE_CTX_get_error(context)
            raise refused(number, crypto.X509_verify_cert_error_string(number).decode())
        chain = crypto.X509_STORE_CTX_get0_chain(context)
        return tuple(
            native.encoded(crypto, "i2d_X509", crypto.OPENSSL_sk_value(chain, place))
            for place in range(crypto.OPENSSL_sk_num(chain))
        )
    finally:
        crypto.X509_STORE_CTX_free(context)
        crypto.OPENSSL_sk_free(beside)
        crypto.X509_STORE_free(store)
        crypto.ERR_clear_error()


def refused(number: int, said: str) -> TrustError:
    """Return the refusal for a number of X509_V_ERR and its text."""
    if number in EXPIRED:
        reason: TrustReason = "certificate_expired"
        what = "сертификат не действует в этот день · a certificate is not valid at that time"
    else:
        reason = "certificate_unknown"
        what = "сертификату не доверяют · the certificate is not believed"
    return TrustError(what, reason, found=said, expected="a chain to one of trusted_authorities")
