"""A throw-away authority for tests: it issues what a real one would, and what none should."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)


class Issued(NamedTuple):
    """A certificate and its private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def write(self, directory: Path, name: str) -> tuple[str, str]:
        """Write both as PEM; return the paths."""
        certificate, key = directory / f"{name}.pem", directory / f"{name}.key"
        certificate.write_bytes(self.pem)
        key.write_bytes(self.key_pem)
        return str(certificate), str(key)


def name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "RU"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Испытательный орган"),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


class Authority:
    """Issues certificates that its own certificate stands for."""

    def __init__(self, common: str = "Test CA") -> None:
        self.own = self._make(common, None, timedelta(days=365), ec.generate_private_key(CURVE))

    def issue(self, common: str, *, ends=30 * DAY, begins=-DAY, key=None, host="") -> Issued:
        """Return a certificate; ends, begins: from now."""
        key = key or ec.generate_private_key(CURVE)
        return self._make(common, self.own, ends, key, begins, host)

    def _make(self, common, issuer, ends, key, begins=-DAY, host="") -> Issued:
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(name(common))
            .issuer_name(issuer.certificate.subject if issuer else name(common))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + begins)
            .not_valid_after(now + ends)
            .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(
                    (issuer.key if issuer else key).public_key()
                ),
                False,
            )
        )
        if issuer is None:
            made = made.add_extension(x509.KeyUsage(*(False,) * 5, True, True, *(False,) * 2), True)
        if host:
            import ipaddress

            alternative = x509.IPAddress(ipaddress.ip_address(host))
            made = made.add_extension(x509.SubjectAlternativeName([alternative]), False)
        return Issued(made.sign(issuer.key if issuer else key, hashes.SHA256()), key)


CURVE = ec.SECP256R1()
