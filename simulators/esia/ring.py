"""Keys that the stand signs tokens with: they change, and are published as an archive."""

from __future__ import annotations

import base64
import io
import os
import zipfile
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pathlib import Path

    from simulators.esia.crypt import OpenSsl, Pair

KEPT: Final = 2
"""How many of a kind are published: the one that signs, and the one before it."""


class Ring:
    """The pairs by algorithm, the last one signs. archive: the published file."""

    def __init__(self, openssl: OpenSsl) -> None:
        self._openssl = openssl
        self.algorithms = ("GOST3410_2012_256", "RS256") if openssl.gost else ("RS256",)
        self._pairs: dict[str, list[Pair]] = {name: [] for name in self.algorithms}
        self.archive: Path = openssl.place / "esia.zip"
        self.rotate()

    def rotate(self, *, publish: bool = True) -> list[str]:
        """Make new keys and sign with them from now on; return their names."""
        for name in self.algorithms:
            self._pairs[name] = [*self._pairs[name], self._openssl.pair(name)][-KEPT:]
        if publish:
            self.publish()
        return [pairs[-1].name for pairs in self._pairs.values()]

    def publish(self) -> None:
        """Put the archive in its place, whole."""
        fresh = self.archive.with_suffix(".new")
        fresh.write_bytes(self.packed())
        os.replace(fresh, self.archive)  # noqa: PTH105 - Path.replace says no more

    def packed(self) -> bytes:
        """Return the archive: ГОСТ certificates as DER, RSA as PEM, as a mix may be."""
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for pair in (pair for pairs in self._pairs.values() for pair in pairs):
                raw = pair.cert.read_bytes()
                gost = pair.algorithm.startswith("GOST")
                archive.writestr(f"{pair.name}.cer", self._openssl.der(pair.cert) if gost else raw)
        return out.getvalue()

    def signer(self, algorithm: str) -> Pair:
        """Return the pair that signs; raise KeyError for an algorithm that is not here."""
        return self._pairs[algorithm][-1]

    def stranger(self, algorithm: str) -> Pair:
        """Return a key that is published nowhere."""
        return self._openssl.pair(algorithm)

    def sign(self, pair: Pair, data: bytes) -> bytes:
        """Return a signature."""
        return self._openssl.sign(pair, data)

    def jwks(self) -> dict[str, Any]:
        """Return the RSA keys as a JWKS (RFC 7517)."""
        return {"keys": [self._jwk(pair) for pair in self._pairs["RS256"]]}

    def _jwk(self, pair: Pair) -> dict[str, str]:
        modulus = self._openssl.modulus(pair)
        return {
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": pair.name,
            "n": _url(modulus.to_bytes((modulus.bit_length() + 7) // 8)),
            "e": "AQAB",
        }


def _url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
