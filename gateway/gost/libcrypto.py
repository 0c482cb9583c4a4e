"""The calls of the system's libcrypto 3 that are used, each with its types, and its errors.

A wrong type here is a crash and not an exception, so every function has `argtypes` and `restype`,
and what returns a pointer is asked through `made`. The library is the one that Debian's package
libengine-gost-openssl is built for, never the copy inside of `cryptography`. No configuration of
OpenSSL is read or changed: loading the engine only adds methods by GOST's own numbers, which
nothing else in the process asks for.
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_char_p, c_int, c_long, c_size_t, c_uint, c_uint64, c_ulong, c_void_p
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from gateway.errors import ConfigurationError, InternalError

if TYPE_CHECKING:
    from collections.abc import Mapping

LIBRARY: Final = "libcrypto.so.3"
PACKAGE: Final = "libengine-gost-openssl"

_P: Final = c_void_p
_PP: Final = POINTER(c_void_p)
_SIZE: Final = POINTER(c_size_t)
_LONG: Final = c_long

_FUNCTIONS: Final[Mapping[str, tuple[Any, tuple[Any, ...]]]] = {
    "OPENSSL_init_crypto": (c_int, (c_uint64, _P)),
    "OpenSSL_version_num": (c_ulong, ()),
    "ERR_get_error": (c_ulong, ()),
    "ERR_clear_error": (None, ()),
    "ERR_error_string_n": (None, (c_ulong, c_char_p, c_size_t)),
    "ENGINE_by_id": (_P, (c_char_p,)),
    "ENGINE_init": (c_int, (_P,)),
    "ENGINE_free": (c_int, (_P,)),
    "ENGINE_register_digests": (c_int, (_P,)),
    "ENGINE_register_pkey_meths": (c_int, (_P,)),
    "ENGINE_register_pkey_asn1_meths": (c_int, (_P,)),
    "BIO_new_mem_buf": (_P, (_P, c_int)),
    "BIO_free": (c_int, (_P,)),
    "OBJ_txt2nid": (c_int, (c_char_p,)),
    "OBJ_nid2obj": (_P, (c_int,)),
    "OBJ_obj2nid": (c_int, (_P,)),
    "OPENSSL_sk_new_null": (_P, ()),
    "OPENSSL_sk_push": (c_int, (_P, _P)),
    "OPENSSL_sk_num": (c_int, (_P,)),
    "OPENSSL_sk_value": (_P, (_P, c_int)),
    "OPENSSL_sk_free": (None, (_P,)),
    "EVP_get_digestbyname": (_P, (c_char_p,)),
    "EVP_Digest": (c_int, (c_char_p, c_size_t, c_char_p, POINTER(c_uint), _P, _P)),
    "EVP_MD_CTX_new": (_P, ()),
    "EVP_MD_CTX_free": (None, (_P,)),
    "EVP_DigestSignInit": (c_int, (_P, _PP, _P, _P, _P)),
    "EVP_DigestSign": (c_int, (_P, c_char_p, _SIZE, c_char_p, c_size_t)),
    "EVP_DigestVerifyInit": (c_int, (_P, _PP, _P, _P, _P)),
    "EVP_DigestVerify": (c_int, (_P, c_char_p, c_size_t, c_char_p, c_size_t)),
    "EVP_PKEY_free": (None, (_P,)),
    "d2i_PUBKEY": (_P, (_PP, _PP, _LONG)),
    "PEM_read_bio_PrivateKey": (_P, (_P, _PP, _P, c_char_p)),
    "d2i_PKCS12_bio": (_P, (_P, _PP)),
    "PKCS12_parse": (c_int, (_P, c_char_p, _PP, _PP, _PP)),
    "PKCS12_free": (None, (_P,)),
    "d2i_X509": (_P, (_PP, _PP, _LONG)),
    "i2d_X509": (c_int, (_P, _P)),
    "X509_free": (None, (_P,)),
    "X509_ALGOR_get0": (None, (_PP, POINTER(c_int), _PP, _P)),
    "X509_STORE_new": (_P, ()),
    "X509_STORE_free": (None, (_P,)),
    "X509_STORE_add_cert": (c_int, (_P, _P)),
    "X509_STORE_CTX_new": (_P, ()),
    "X509_STORE_CTX_free": (None, (_P,)),
    "X509_STORE_CTX_init": (c_int, (_P, _P, _P, _P)),
    "X509_STORE_CTX_get0_param": (_P, (_P,)),
    "X509_STORE_CTX_get0_chain": (_P, (_P,)),
    "X509_STORE_CTX_get_error": (c_int, (_P,)),
    "X509_VERIFY_PARAM_set_flags": (c_int, (_P, c_ulong)),
    "X509_VERIFY_PARAM_set_time": (None, (_P, c_long)),
    "X509_VERIFY_PARAM_set_depth": (None, (_P, c_int)),
    "X509_verify_cert": (c_int, (_P,)),
    "X509_verify_cert_error_string": (c_char_p, (c_long,)),
    "ASN1_TIME_set": (_P, (_P, c_long)),
    "ASN1_STRING_free": (None, (_P,)),
    "ASN1_STRING_type": (c_int, (_P,)),
    "ASN1_STRING_length": (c_int, (_P,)),
    "ASN1_STRING_get0_data": (_P, (_P,)),
    "CMS_sign": (_P, (_P, _P, _P, _P, c_uint)),
    "CMS_add1_signer": (_P, (_P, _P, _P, _P, c_uint)),
    "CMS_signed_add1_attr_by_NID": (c_int, (_P, c_int, c_int, _P, c_int)),
    "CMS_final": (c_int, (_P, _P, _P, c_uint)),
    "i2d_CMS_ContentInfo": (c_int, (_P, _P)),
    "d2i_CMS_ContentInfo": (_P, (_PP, _PP, _LONG)),
    "CMS_ContentInfo_free": (None, (_P,)),
    "CMS_get0_type": (_P, (_P,)),
    "CMS_get0_SignerInfos": (_P, (_P,)),
    "CMS_SignerInfo_get0_algs": (None, (_P, _PP, _PP, _PP, _PP)),
    "CMS_signed_get_attr_count": (c_int, (_P,)),
    "CMS_signed_get0_data_by_OBJ": (_P, (_P, _P, c_int, c_int)),
    "CMS_verify": (c_int, (_P, _P, _P, _P, _P, c_uint)),
    "CMS_get0_signers": (_P, (_P,)),
}
_ADD_DIGESTS: Final = 0x08
_ADD_CIPHERS: Final = 0x04
_ENGINE_DYNAMIC: Final = 0x400
_ERROR_BYTES: Final = 256
_MAJOR: Final = 3
_MAJOR_SHIFT: Final = 28
_LOADING: Final = Lock()


class Crypto:
    """The library, its functions as attributes."""

    def __init__(self, library: ctypes.CDLL) -> None:
        for name, (returned, taken) in _FUNCTIONS.items():
            function = getattr(library, name)
            function.restype, function.argtypes = returned, taken
            setattr(self, name, function)

    def __getattr__(self, name: str) -> Any:
        """Say that a function has no prototype, and therefore cannot be called."""
        raise InternalError("no prototype of libcrypto", where=name)

    def said(self) -> str:
        """Return what the error queue of this thread says, and leave it empty.

        Queues are left empty after every call, as `ssl` of Python may share them.
        """
        texts: list[str] = []
        while code := self.ERR_get_error():
            text = ctypes.create_string_buffer(_ERROR_BYTES)
            self.ERR_error_string_n(code, text, _ERROR_BYTES)
            texts.append(text.value.decode("ascii", "replace"))
        return "; ".join(texts[-2:])

    def made(self, pointer: int | None, what: str) -> int:
        """Return a pointer that may be NULL; raise InternalError when it is."""
        if not pointer:
            raise InternalError("libcrypto made nothing", where=what, found=self.said())
        return pointer

    def done(self, result: int, what: str) -> None:
        """Raise InternalError when a call did not return 1."""
        if result != 1:
            raise InternalError("libcrypto refused", where=what, found=self.said())


def load() -> Crypto:
    """Return the system's libcrypto with the engine in it; raise ConfigurationError.

    Loaded once a process and never unloaded: keys and certificates in use point into it. One
    thread at a time, as an engine that two load at once is refused to one of them.
    """
    with _LOADING:
        return _loaded()


@lru_cache(1)
def _loaded() -> Crypto:
    try:
        crypto = Crypto(ctypes.CDLL(LIBRARY))
    except (OSError, AttributeError) as error:
        raise _missing(str(error)) from error
    if crypto.OpenSSL_version_num() >> _MAJOR_SHIFT != _MAJOR:
        raise _missing(f"OpenSSL {crypto.OpenSSL_version_num():#x}")
    crypto.OPENSSL_init_crypto(_ADD_DIGESTS | _ADD_CIPHERS | _ENGINE_DYNAMIC, None)
    engine = crypto.ENGINE_by_id(b"gost")
    if not engine or crypto.ENGINE_init(engine) != 1:
        raise _missing(crypto.said() or "no engine")
    for register in ("digests", "pkey_meths", "pkey_asn1_meths"):
        getattr(crypto, f"ENGINE_register_{register}")(engine)
    if not crypto.EVP_get_digestbyname(b"md_gost12_256"):
        raise _missing("the engine has no GOST R 34.11-2012")
    crypto.ERR_clear_error()
    return crypto


def _missing(found: str) -> ConfigurationError:
    return ConfigurationError(
        "нет ГОСТ в OpenSSL этой машины · the OpenSSL of this machine has no GOST",
        where="signing_backend",
        found=found,
        expected=f"{LIBRARY} of OpenSSL 3 and its engine gost",
        todo=f"apt-get install {PACKAGE}, or name an external signer (docs/howto/signing.md)",
    )
