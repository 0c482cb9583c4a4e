"""Objects of libcrypto that live as long as the Python value that holds them."""

from __future__ import annotations

import ctypes
import weakref
from contextlib import contextmanager
from ctypes import byref, c_void_p
from typing import TYPE_CHECKING, Final

from gateway.errors import ConfigurationError, InternalError, TrustError
from gateway.gost.local import Loaded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gateway.gost.libcrypto import Crypto

CONTENT_BYTES: Final = 1024 * 1024 * 1024
"""Most that a CMS is made or checked over in one piece."""


class Native:
    """A pointer that is freed with this value; never copied, printed or pickled."""

    __slots__ = ("__weakref__", "pointer")

    def __init__(self, pointer: int, free: Callable[[int], object]) -> None:
        self.pointer = pointer
        weakref.finalize(self, free, pointer).atexit = False

    def __repr__(self) -> str:
        """Say nothing of what is behind it."""
        return "<native>"

    def __reduce__(self) -> str:
        """Refuse to be pickled: a pointer means nothing elsewhere."""
        raise InternalError("a key of libcrypto does not leave its process")


@contextmanager
def reading(crypto: Crypto, data: bytes) -> Iterator[int]:
    """Yield a BIO over bytes, which live at least as long; raise TrustError for too many.

    Its length is a C int: a longer one would wrap, and something shorter would be signed.
    """
    if len(data) > CONTENT_BYTES:
        raise TrustError(
            "содержимое слишком велико · the content is too large",
            "signature_wrong",
            found=f"{len(data)} B",
            expected=f"at most {CONTENT_BYTES} B",
        )
    bio = crypto.made(crypto.BIO_new_mem_buf(data, len(data)), "BIO_new_mem_buf")
    try:
        yield bio
    finally:
        crypto.BIO_free(bio)


def decoded(crypto: Crypto, call: str, data: bytes) -> int:
    """Return what a d2i function reads, 0 unless it took every byte."""
    start = ctypes.cast(ctypes.c_char_p(data), c_void_p)
    at = c_void_p(start.value)
    pointer: int | None = getattr(crypto, call)(None, byref(at), len(data))
    if pointer and at.value != (start.value or 0) + len(data):
        return -pointer
    return pointer or 0


def certificate(crypto: Crypto, der: bytes) -> Native | None:
    """Return an X509 of libcrypto, None for what it does not read."""
    pointer = decoded(crypto, "d2i_X509", der)
    if pointer < 0:
        crypto.X509_free(-pointer)
    return Native(pointer, crypto.X509_free) if pointer > 0 else None


def public_key(crypto: Crypto, key: bytes) -> Native | None:
    """Return an EVP_PKEY of a SubjectPublicKeyInfo, None for what libcrypto does not read."""
    pointer = decoded(crypto, "d2i_PUBKEY", key)
    if pointer < 0:
        crypto.EVP_PKEY_free(-pointer)
    return Native(pointer, crypto.EVP_PKEY_free) if pointer > 0 else None


def encoded(crypto: Crypto, call: str, pointer: int) -> bytes:
    """Return the DER that an i2d function writes; the size is asked first."""
    function = getattr(crypto, call)
    size = function(pointer, None)
    if size <= 0:
        raise InternalError("libcrypto refused", where=call, found=crypto.said())
    buffer = ctypes.create_string_buffer(size)
    at = c_void_p(ctypes.addressof(buffer))
    if function(pointer, ctypes.addressof(at)) != size:
        raise InternalError("libcrypto refused", where=call, found=crypto.said())
    return buffer.raw


def private_key(crypto: Crypto, content: bytes, password: bytes) -> Loaded:
    """Return the private key of a PEM or PKCS#12 file; raise ConfigurationError.

    A password is always given, be it empty: without one libcrypto would ask the terminal.
    """
    if b"-----BEGIN" in content:
        with reading(crypto, content) as bio:
            pointer = crypto.PEM_read_bio_PrivateKey(bio, None, None, password)
        if not pointer:
            raise _unreadable(crypto)
        return Loaded(Native(pointer, crypto.EVP_PKEY_free))
    return _pkcs12(crypto, content, password)


def _pkcs12(crypto: Crypto, content: bytes, password: bytes) -> Loaded:
    with reading(crypto, content) as bio:
        box = crypto.d2i_PKCS12_bio(bio, None)
    if not box:
        raise _unreadable(crypto)
    key, cert = c_void_p(), c_void_p()
    try:
        if crypto.PKCS12_parse(box, password, byref(key), byref(cert), None) != 1:
            raise _unreadable(crypto)
    finally:
        crypto.PKCS12_free(box)
    der = b""
    if cert.value:
        der = encoded(crypto, "i2d_X509", cert.value)
        crypto.X509_free(cert)
    if not key.value:
        raise _unreadable(crypto)
    return Loaded(Native(key.value, crypto.EVP_PKEY_free), der)


def _unreadable(crypto: Crypto) -> ConfigurationError:
    return ConfigurationError(
        "закрытый ключ не читается, или пароль не тот"
        " · the private key cannot be read, or its password is wrong",
        found=crypto.said(),
        expected="PEM or PKCS#12",
    )
