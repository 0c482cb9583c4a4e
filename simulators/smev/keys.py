"""Keys of the stand: an authority that it makes, СМЭВ's own key, keys of bodies that it issues."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway import gost, xmldsig
from gateway.errors import GatewayError, TrustError
from gateway.settings import KeyFile, Settings
from simulators.smev.rules import unproved

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from lxml.etree import _Element

    from gateway.signing import Signing, SigningKey

OWN: Final = "smev"
"""Name of СМЭВ's own key."""
PACKAGE: Final = "libengine-gost-openssl"
_CONF: Final = """openssl_conf = conf
[conf]
engines = engines
[engines]
gost = gost
[gost]
engine_id = gost
default_algorithms = ALL
[req]
distinguished_name = empty
string_mask = utf8only
[empty]
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature,nonRepudiation
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""
_DAYS: Final = "3650"


class Files(NamedTuple):
    """A certificate and its key, PEM."""

    cert: Path
    key: Path


class Workshop:
    """Makes keys and certificates in a folder by the `openssl` command line.

    What is there already is taken as it is, so that a stand keeps its keys over a restart.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._conf = folder / "openssl.cnf"
        self._conf.write_text(_CONF, "utf-8")
        self.authority = Files(folder / "ca.pem", folder / "ca.key")
        if not self.authority.cert.exists():
            self._key(self.authority.key)
            self._run(
                "req", "-x509", "-new", "-key", self.authority.key, "-md_gost12_256", "-utf8",
                "-subj", "/CN=Выдуманный УЦ имитатора СМЭВ", "-days", _DAYS,
                "-extensions", "root", "-out", self.authority.cert,
            )  # fmt: skip

    def issue(self, name: str, title: str) -> Files:
        """Return a key with a certificate of the authority, made when it is not there."""
        made = Files(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        if made.cert.exists():
            return made
        asked = self.folder / f"{name}.csr"
        self._key(made.key)
        self._run(
            "req", "-new", "-key", made.key, "-md_gost12_256", "-utf8", "-subj", f"/CN={title}",
            "-out", asked,
        )  # fmt: skip
        self._run(
            "x509", "-req", "-in", asked, "-CA", self.authority.cert, "-CAkey",
            self.authority.key, "-CAcreateserial", "-md_gost12_256", "-days", _DAYS,
            "-extfile", self._conf, "-extensions", "leaf", "-out", made.cert,
        )  # fmt: skip
        asked.unlink()
        return made

    def _key(self, path: Path) -> None:
        self._run("genpkey", "-algorithm", "gost2012_256", "-pkeyopt", "paramset:A", "-out", path)
        path.chmod(0o600)

    def _run(self, *arguments: str | Path) -> None:
        done = subprocess.run(  # noqa: S603 - our own arguments, no shell
            ["openssl", *map(str, arguments)],  # noqa: S607 - the system's own
            env={"PATH": os.defpath, "OPENSSL_CONF": str(self._conf)},
            capture_output=True,
            check=False,
        )
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace")[-300:]
            raise SystemExit(f"openssl {arguments[0]}: is {PACKAGE} installed? {said}")


class Signer:
    """One key that signs by the profile of СМЭВ."""

    def __init__(self, signing: Signing, key: SigningKey) -> None:
        self._backend = signing.backend
        self.key = key

    def sign(self, target: _Element) -> _Element:
        """Return ds:Signature over an element that has an Id."""
        return xmldsig.sign(target, self.key, self._backend)


class Ring(NamedTuple):
    """The keys that a stand has opened."""

    signing: Signing
    names: tuple[str, ...]

    def signer(self, name: str, now: datetime) -> Signer:
        """Return the signer of a name."""
        return Signer(self.signing, self.signing.keys.current(name, now))

    def prove(
        self, signature: _Element, target: _Element, now: datetime, what: str = "ЭП-ОВ"
    ) -> bytes:
        """Return the certificate (DER) that signed the element; raise Refusal.

        Whether its holder is registered is not asked here. what: how a refusal calls it.
        """
        try:
            certificate = xmldsig.verify(signature, target, self.signing.backend).info
        except TrustError as error:
            wrapped = error.reason == "signature_wrapped"
            word = "IncorrectSignatureTarget" if wrapped else "SignatureIsInvalid"
            raise unproved(word, f"{what}: {error.reason}") from error  # type: ignore[arg-type]
        except GatewayError as error:
            raise unproved("PoorSOAPEnvelopeFormat", f"{what}: {error.code}") from error
        if not certificate.holds(now):
            raise unproved("CertificateIsExpired", f"{what}: срок сертификата")
        return certificate.der

    def streebog(self, data: bytes) -> bytes:
        """Return GOST R 34.11-2012, 256 bits."""
        return self.signing.backend.digest("streebog256", data)


def opened(files: dict[str, Files], authority: Path) -> Ring:
    """Open keys by name."""
    keys = tuple(
        KeyFile(name=name, cert=str(pair.cert), key=str(pair.key)) for name, pair in files.items()
    )
    settings = Settings(
        signing_keys=keys, trusted_authorities=(str(authority),), revocation_required=False
    )
    return Ring(gost.open_signing(settings), tuple(files))
