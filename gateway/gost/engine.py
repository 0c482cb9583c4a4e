"""The backend over the engine `gost` of the system's OpenSSL 3, called in this process.

OpenSSL calls here are safe in threads as long as nobody changes a key that others use, and nobody
does: keys are read once and only looked at. What a message brings is parsed by `cryptography`
first; what is left to parse for C is a public key whose kind is known, and a CMS.
"""

from __future__ import annotations

import ctypes
import hashlib
from ctypes import byref, c_size_t, c_uint
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from gateway.errors import ConfigurationError
from gateway.gost import certificates, engine_chain, engine_cms, native, raw
from gateway.gost.libcrypto import load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from gateway.gost.local import Loaded
    from gateway.signing import CertificateInfo, CmsSigned, Digest, SigningKey

NAMES: Final[Mapping[Digest, bytes]] = {
    "streebog256": b"md_gost12_256",
    "streebog512": b"md_gost12_512",
    "sha256": b"SHA256",
    "sha384": b"SHA384",
    "sha512": b"SHA512",
}
_SHA2: Final[Mapping[str, Callable[[bytes], hashlib._Hash]]] = {
    "sha256": hashlib.sha256,
    "sha384": hashlib.sha384,
    "sha512": hashlib.sha512,
}
_DIGEST_BYTES: Final = 64
_SIGNATURE_BYTES: Final = 2048
_CACHED: Final = 1024
"""Public keys and certificates that stay parsed: one of a peer, and of each authority."""


class Engine:
    """Signs and checks by calls of libcrypto."""

    name = "openssl-engine"

    def __init__(self) -> None:
        """Load the library; raise ConfigurationError where the engine is not installed."""
        self._crypto = crypto = load()
        self._methods = {
            digest: crypto.made(crypto.EVP_get_digestbyname(name), name.decode())
            for digest, name in NAMES.items()
        }
        self._public = lru_cache(_CACHED)(self._read_public)
        self._certificate = lru_cache(_CACHED)(self._read_certificate)

    def digest(self, method: Digest, data: bytes) -> bytes:
        """Return the digest: SHA-2 by hashlib, GOST R 34.11-2012 by the engine."""
        if method in _SHA2:
            return _SHA2[method](data).digest()
        crypto = self._crypto
        buffer, size = ctypes.create_string_buffer(_DIGEST_BYTES), c_uint()
        done = crypto.EVP_Digest(data, len(data), buffer, byref(size), self._methods[method], None)
        crypto.done(done, "EVP_Digest")
        return buffer.raw[: size.value]

    def sign(self, key: SigningKey, data: bytes) -> bytes:
        """Return the raw signature: s ‖ r of GOST, r ‖ s of EC, PKCS #1 v1.5 of RSA."""
        handle = key.handle
        if not isinstance(handle, native.Native):
            raise ConfigurationError("the key was loaded by another backend", found=key.name)
        method = certificates.digest_for(key.certificate.public_key)
        made = self._sign(handle, method, data)
        return raw.of(made, method) if key.certificate.kind == "ec" else made

    def _sign(self, handle: native.Native, method: Digest, data: bytes) -> bytes:
        crypto = self._crypto
        context = crypto.made(crypto.EVP_MD_CTX_new(), "EVP_MD_CTX_new")
        try:
            crypto.done(
                crypto.EVP_DigestSignInit(
                    context, None, self._methods[method], None, handle.pointer
                ),
                "EVP_DigestSignInit",
            )
            buffer = ctypes.create_string_buffer(_SIGNATURE_BYTES)
            size = c_size_t(_SIGNATURE_BYTES)
            done = crypto.EVP_DigestSign(context, buffer, byref(size), data, len(data))
            crypto.done(done, "EVP_DigestSign")
            return buffer.raw[: size.value]
        finally:
            crypto.EVP_MD_CTX_free(context)
            crypto.ERR_clear_error()

    def verify(self, certificate: bytes, data: bytes, signature: bytes) -> bool:
        """Say whether a raw signature fits the key of a certificate."""
        return self.verify_key(certificates.read(certificate).public_key, data, signature)

    def verify_key(self, public_key: bytes, data: bytes, signature: bytes) -> bool:
        """Say whether a raw signature fits a bare key."""
        method = certificates.digest_for(public_key)
        if certificates.kind(public_key) == "ec":
            encoded = raw.encoded(signature, method)
            if encoded is None:
                return False
            signature = encoded
        return self.verify_by(method, public_key, data, signature)

    def verify_by(self, method: Digest, public_key: bytes, data: bytes, signature: bytes) -> bool:
        """Say the same with a digest that the caller allows for the key; EC signatures are DER."""
        if certificates.method(public_key).length not in (0, len(signature)):
            return False
        crypto, key = self._crypto, self._public(public_key)
        context = crypto.made(crypto.EVP_MD_CTX_new(), "EVP_MD_CTX_new")
        try:
            method_at = self._methods[method]
            if crypto.EVP_DigestVerifyInit(context, None, method_at, None, key.pointer) != 1:
                raise certificates.unreadable(crypto.said(), "a public key that can verify")
            done = crypto.EVP_DigestVerify(context, signature, len(signature), data, len(data))
            return bool(done == 1)
        finally:
            crypto.EVP_MD_CTX_free(context)
            crypto.ERR_clear_error()

    def cms_sign(self, key: SigningKey, data: bytes, now: datetime, *, cades: bool = True) -> bytes:
        """Return a detached CMS SignedData as DER."""
        handle = key.handle
        if not isinstance(handle, native.Native):
            raise ConfigurationError("the key was loaded by another backend", found=key.name)
        method = self._methods[certificates.digest_for(key.certificate.public_key)]
        signer = engine_cms.Signer(
            key=handle, certificate=self._certificate(key.certificate.der), method=method
        )
        return engine_cms.sign(self._crypto, signer, data, now, cades=cades)

    def cms_verify(self, cms: bytes, data: bytes) -> CmsSigned:
        """Return who signed; raise TrustError when it does not fit."""
        return engine_cms.verify(self._crypto, cms, data, self.digest)

    def certificate(self, der: bytes) -> CertificateInfo:
        """Read a certificate."""
        return certificates.read(der)

    def load_key(self, content: bytes, password: bytes) -> Loaded:
        """Return the private key of a PEM or PKCS#12 file; raise ConfigurationError."""
        try:
            return native.private_key(self._crypto, content, password)
        finally:
            self._crypto.ERR_clear_error()

    def chain(
        self,
        certificate: bytes,
        extra: Sequence[bytes],
        anchors: Sequence[bytes],
        now: datetime,
        *,
        partial: bool,
    ) -> tuple[bytes, ...]:
        """Return the chain from a certificate to one of the anchors; raise TrustError."""
        return engine_chain.build(
            self._crypto,
            self._certificate(certificate),
            [self._read_certificate(each) for each in extra],
            [self._certificate(each) for each in anchors],
            now,
            partial=partial,
        )

    def _read_public(self, key: bytes) -> native.Native:
        found = native.public_key(self._crypto, key)
        said = self._crypto.said()
        if found is None:
            raise certificates.unreadable(said, "a public key on a known set of parameters")
        return found

    def _read_certificate(self, der: bytes) -> native.Native:
        certificates.read(der)
        found = native.certificate(self._crypto, der)
        said = self._crypto.said()
        if found is None:
            raise certificates.unreadable(said, "an X.509 certificate in DER")
        return found


@lru_cache(1)
def shared() -> Engine:
    """Return one engine for all of a process, which keeps the keys of peers parsed.

    Raise ConfigurationError where the engine is not installed.
    """
    return Engine()
