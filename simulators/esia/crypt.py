"""What the stand checks and signs with: the `openssl` command line, apart from what it tests.

ГОСТ needs the package libengine-gost-openssl; without it only keys of RSA are made.
"""

from __future__ import annotations

import itertools
import os
import subprocess
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE: Final = "libengine-gost-openssl"
_PLAIN: Final = """[req]
distinguished_name = empty
string_mask = utf8only
[empty]
"""
_CONF: Final = f"""openssl_conf = conf
[conf]
engines = engines
[engines]
gost = gost
[gost]
engine_id = gost
default_algorithms = ALL
{_PLAIN}"""
_KINDS: Final = {
    "GOST3410_2012_256": (("gost2012_256", "paramset:A"), "-md_gost12_256"),
    "RS256": (("rsa", "rsa_keygen_bits:2048"), "-sha256"),
}


class Failed(RuntimeError):
    """The command line did not do it."""


class Pair(NamedTuple):
    """A key of the stand and its certificate, files in PEM. name: unique among all."""

    name: str
    algorithm: str
    key: Path
    cert: Path
    public: Path


class OpenSsl:
    """The command line, with its files in a directory of its own."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._names = itertools.count(1)
        self._conf = place / "openssl.cnf"
        self._conf.write_text(_CONF, "utf-8")
        self.gost = self._done("engine", "gost")[0]
        if not self.gost:
            self._conf.write_text(_PLAIN, "utf-8")

    def pair(self, algorithm: str) -> Pair:
        """Make a key and its certificate; raise Failed where the engine is not there."""
        (kind, option), digest = _KINDS[algorithm]
        name = f"{kind}-{next(self._names)}"
        key, cert, public = (self.place / f"{name}.{end}" for end in ("key", "cer", "pub"))
        self.run("genpkey", "-algorithm", kind, "-pkeyopt", option, "-out", key)
        self.run(
            "req", "-x509", "-new", "-utf8", "-key", key, digest, "-days", "400",
            "-subj", f"/CN=ЕСИА имитатор {name}", "-out", cert,
        )  # fmt: skip
        self.run("pkey", "-in", key, "-pubout", "-out", public)
        return Pair(name, algorithm, key, cert, public)

    def sign(self, pair: Pair, data: bytes) -> bytes:
        """Return the raw signature of a key of the stand."""
        return self.run("dgst", _KINDS[pair.algorithm][1], "-sign", pair.key, given=data)

    def fits(self, cert: Path, data: bytes, signature: bytes) -> bool:
        """Say whether a raw ГОСТ signature fits the key of a certificate."""
        public, signed = cert.with_suffix(".pub"), self._fresh("sig")
        if not public.exists():
            public.write_bytes(self.run("x509", "-in", cert, "-noout", "-pubkey"))
        signed.write_bytes(signature)
        try:
            return self._done(
                "dgst", "-md_gost12_256", "-verify", public, "-signature", signed, given=data
            )[0]
        finally:
            signed.unlink()

    def cms_fits(self, cert: Path, data: bytes, cms: bytes) -> bool:
        """Say whether a detached PKCS#7 (DER) is signed by the key of a certificate."""
        signed, content = self._fresh("p7s"), self._fresh("txt")
        signed.write_bytes(cms)
        content.write_bytes(data)
        try:
            return self._done(
                "cms", "-verify", "-binary", "-inform", "DER", "-in", signed, "-content", content,
                "-certfile", cert, "-nointern", "-noverify", "-out", os.devnull,
            )[0]  # fmt: skip
        finally:
            signed.unlink()
            content.unlink()

    def der(self, cert: Path) -> bytes:
        """Return a certificate as DER."""
        return self.run("x509", "-in", cert, "-outform", "DER")

    @lru_cache(256)  # noqa: B019 - one for the life of the stand
    def hashed(self, cert: Path) -> str:
        """Return Streebog-256 (ГОСТ Р 34.11-2012) of a certificate as DER, hex in upper case."""
        return self.run("dgst", "-md_gost12_256", "-binary", given=self.der(cert)).hex().upper()

    def modulus(self, pair: Pair) -> int:
        """Return the modulus of an RSA key."""
        said = self.run("rsa", "-in", pair.key, "-noout", "-modulus").decode()
        return int(said.partition("=")[2], 16)

    def run(self, *arguments: str | Path, given: bytes = b"") -> bytes:
        """Return what the command line prints; raise Failed with what it said."""
        done, out = self._done(*arguments, given=given)
        if not done:
            raise Failed(f"openssl {arguments[0]}: {PACKAGE}? {out.decode(errors='replace')}")
        return out

    def _fresh(self, end: str) -> Path:
        return self.place / f"asked-{next(self._names)}.{end}"

    def _done(self, *arguments: str | Path, given: bytes = b"") -> tuple[bool, bytes]:
        done = subprocess.run(  # noqa: S603 - our own arguments, no shell
            ["openssl", *map(str, arguments)],  # noqa: S607 - the system's
            input=given,
            capture_output=True,
            check=False,
            env={**os.environ, "OPENSSL_CONF": str(self._conf)},
        )
        return done.returncode == 0, done.stdout if done.returncode == 0 else done.stderr
