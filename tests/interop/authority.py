"""A CA of one run, and the certificates it issues."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

NAME: Final = "Interop CA"


class Authority:
    """Writes its own certificate to `ca.pem` below root, and those that it issues beside it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.path = root / "ca.pem"
        self._key = _new_key()
        _write(self.path, self._signed(NAME, self._key.public_key()))

    def issue(self, name: str, common_name: str = "") -> tuple[Path, Path]:
        """Issue a certificate; return the paths of its PEM file and of its key's."""
        key = _new_key()
        certificate, secret = self.paths(name)
        _write(certificate, self._signed(common_name or name, key.public_key()))
        secret.touch(0o600)
        secret.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return certificate, secret

    def paths(self, name: str) -> tuple[Path, Path]:
        """The paths of what was issued under a name."""
        return self.root / f"{name}.pem", self.root / f"{name}.key"

    def _signed(self, common_name: str, key: RSAPublicKey) -> x509.Certificate:
        """A certificate with what a strict TLS client looks for; our own is a CA's."""
        ours = common_name == NAME
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .issuer_name(_name(NAME))
            .subject_name(_name(common_name))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=2))
        )
        extensions: list[tuple[x509.ExtensionType, bool]] = [
            (x509.BasicConstraints(ca=ours, path_length=0 if ours else None), True),
            (x509.SubjectKeyIdentifier.from_public_key(key), False),
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), False),
        ]
        if not ours:
            names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            extensions.append((x509.SubjectAlternativeName(names), False))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(self._key, hashes.SHA256())


def _new_key() -> RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _write(path: Path, certificate: x509.Certificate) -> None:
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
