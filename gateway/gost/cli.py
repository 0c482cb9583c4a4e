"""The backend over the `openssl` command line, where its library cannot be called.

A program a call, some milliseconds each. Nothing secret stands in arguments or in the environment,
and nothing is written to a disk: keys, passwords and data are handed over as anonymous files in
memory (`memfd_create`) that the child alone inherits. Its configuration is such a file too,
so that the system's own is neither needed nor changed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.errors import ConfigurationError, InternalError
from gateway.gost import certificates, cli_chain, cli_cms, files, raw
from gateway.gost.libcrypto import PACKAGE
from gateway.gost.local import Loaded
from gateway.gost.pem import pem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from gateway.signing import CertificateInfo, CmsSigned, Digest, SigningKey

_NAMES: Final[Mapping[Digest, str]] = {
    "streebog256": "md_gost12_256",
    "streebog512": "md_gost12_512",
    "sha256": "sha256",
    "sha384": "sha384",
    "sha512": "sha512",
}
_CONFIG: Final = b"""openssl_conf = all
[all]
engines = engines
[engines]
gost = gost
[gost]
engine_id = gost
default_algorithms = ALL
"""
_SECONDS: Final = 30
_PEM: Final = re.compile(
    rb"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*-----\s", re.DOTALL
)


class PrivateKey(NamedTuple):
    """Handle of a key: PEM, not encrypted, in the memory of this process."""

    pem: bytes

    def __repr__(self) -> str:
        """Say nothing of what is in it."""
        return "<key>"


class Done(NamedTuple):
    """What a run of the program gave."""

    code: int
    out: bytes
    said: str


class Program:
    """Runs `openssl` with files in memory."""

    def __init__(self) -> None:
        """Find the program and its engine; raise ConfigurationError."""
        self._path = shutil.which("openssl") or ""
        done = self.run("engine", "gost") if self._path else None
        if done is None or done.code:
            raise ConfigurationError(
                "нет ГОСТ у программы openssl · the program openssl has no GOST",
                where="signing_backend",
                found=done.said if done else "no openssl",
                expected="openssl 3 and its engine gost",
                todo=f"apt-get install openssl {PACKAGE}",
            )

    def run(self, *arguments: str | bytes, given: bytes = b"") -> Done:
        """Run by arguments; one of bytes becomes a file in memory, and its path stands instead."""
        with ExitStack() as held:
            config = _file(held, _CONFIG)
            passed, words = [config], [self._path]
            for each in arguments:
                if isinstance(each, bytes):
                    passed.append(_file(held, each))
                    words.append(_path(passed[-1]))
                else:
                    words.append(each)
            try:
                done = subprocess.run(  # noqa: S603 - our own words, no shell
                    words,
                    input=given,
                    capture_output=True,
                    check=False,
                    timeout=_SECONDS,
                    pass_fds=passed,
                    env={"OPENSSL_CONF": _path(config), "LC_ALL": "C"},
                )
            except (OSError, subprocess.TimeoutExpired) as error:
                raise InternalError(
                    "openssl was not run to its end", where=words[1], found=type(error).__name__
                ) from error
        return Done(done.returncode, done.stdout, done.stderr.decode("ascii", "replace")[-400:])

    def must(self, *arguments: str | bytes, given: bytes = b"") -> bytes:
        """Return what the program wrote; raise InternalError when it failed."""
        done = self.run(*arguments, given=given)
        if done.code:
            raise InternalError("openssl failed", where=str(arguments[0]), found=done.said)
        return done.out


class Cli:
    """Signs and checks by runs of the program."""

    name = "openssl-cli"

    def __init__(self) -> None:
        """Find the program; raise ConfigurationError where it or its engine is not installed."""
        self._program = Program()

    def digest(self, method: Digest, data: bytes) -> bytes:
        """Return the digest."""
        return self._program.must("dgst", f"-{_NAMES[method]}", "-binary", given=data)

    def sign(self, key: SigningKey, data: bytes) -> bytes:
        """Return the raw signature: s ‖ r of GOST, r ‖ s of EC, PKCS #1 v1.5 of RSA."""
        method = certificates.digest_for(key.certificate.public_key)
        made = self._program.must(
            "dgst", f"-{_NAMES[method]}", "-sign", _pem(key), "-binary", given=data
        )
        return raw.of(made, method) if key.certificate.kind == "ec" else made

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
        done = self._program.run(
            "dgst", f"-{_NAMES[method]}", "-verify", pem("PUBLIC KEY", public_key),
            "-signature", signature, given=data,
        )  # fmt: skip
        if done.code == 0 and done.out.startswith(b"Verified OK"):
            return True
        if b"Verif" not in done.out and b"verifying" not in done.out:
            raise certificates.unreadable(done.said, "a public key on a known set of parameters")
        return False

    def cms_sign(
        self,
        key: SigningKey,
        data: bytes,
        now: datetime,  # noqa: ARG002 - the program has no option for it
        *,
        cades: bool = True,
    ) -> bytes:
        """Return a detached CMS as DER; the program states its own clock as the signing time."""
        method = certificates.digest_for(key.certificate.public_key)
        return self._program.must(
            "cms", "-sign", "-binary", "-outform", "DER", "-nosmimecap", "-md", _NAMES[method],
            "-signer", pem("CERTIFICATE", key.certificate.der), "-inkey", _pem(key),
            *(("-cades",) if cades else ()), given=data,
        )  # fmt: skip

    def cms_verify(self, cms: bytes, data: bytes) -> CmsSigned:
        """Return who signed; raise TrustError when it does not fit."""
        return cli_cms.verify(self._program, cms, data, self.digest)

    def certificate(self, der: bytes) -> CertificateInfo:
        """Read a certificate."""
        return certificates.read(der)

    def load_key(self, content: bytes, password: bytes) -> Loaded:
        """Return the private key of a PEM or PKCS#12 file; raise ConfigurationError."""
        der = b""
        if b"-----BEGIN" in content:
            done = self._with_password("pkey", "-in", content, secret=password + b"\n")
        else:
            done = self._with_password(
                "pkcs12", "-nodes", "-nocerts", "-in", content, secret=password + b"\n"
            )
            beside = self._with_password(
                "pkcs12", "-nokeys", "-clcerts", "-in", content, secret=password + b"\n"
            )
            der = next(iter(files.blocks(beside.out, b"CERTIFICATE")), b"")
        found = _PEM.search(done.out)
        if done.code or found is None:
            raise ConfigurationError(
                "закрытый ключ не читается, или пароль не тот"
                " · the private key cannot be read, or its password is wrong",
                found=done.said.splitlines()[-1] if done.said else "",
                expected="PEM or PKCS#12",
            )
        return Loaded(PrivateKey(found[0]), der)

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
        return cli_chain.build(
            self._program, self.verify_by, certificate, extra, anchors, now, partial=partial
        )

    def _with_password(self, *arguments: str | bytes, secret: bytes) -> Done:
        """Run with a password as the first line of standard input."""
        return self._program.run(*arguments, "-passin", "stdin", given=secret)


def _pem(key: SigningKey) -> bytes:
    if not isinstance(key.handle, PrivateKey):
        raise ConfigurationError("the key was loaded by another backend", found=key.name)
    return key.handle.pem


def _file(held: ExitStack, data: bytes) -> int:
    """Return a descriptor of an anonymous file in memory with this content."""
    descriptor = os.memfd_create("given")
    held.callback(os.close, descriptor)
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
    return descriptor


def _path(descriptor: int) -> str:
    return f"/proc/self/fd/{descriptor}"
