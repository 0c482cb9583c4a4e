"""Our side of `soap-signature`: what a verified signature adds to the opening of a message.

The message is the submission of the benches with WS-Addressing headers, signed over Body and
Timestamp with RSA-2048. `write` makes it; `python -m bench.soap_signature DIRECTORY SECONDS` prints
the processor time of one opening with the signature and without.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bench.soap_memory import Credentials, MemoryGate
from bench.soap_message import addressed, repeat
from bench.stand import SENDER
from gateway import ns
from gateway.soap import envelope, security
from gateway.wires.service import appeals_service

MESSAGE: Final = "signed.xml"
CERTIFICATE: Final = "certificate.pem"
HEADERS: Final = {
    "content-type": "text/xml; charset=utf-8",
    "soapaction": f'"{ns.APPEALS}/SubmitAppeal"',
}


class Opened(msgspec.Struct, frozen=True):
    """Seconds of processor time that one opening takes."""

    signed: float
    plain: float


def made_certificate(now: datetime) -> tuple[bytes, bytes]:
    """Return certificate and private key of a made-up system, as PEM."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name.from_rfc4514_string("CN=made-up,O=synthetic")
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return made.public_bytes(serialization.Encoding.PEM), private


def write(directory: Path, now: datetime) -> None:
    """Write the signed message and the certificate, which is made for the occasion."""
    pem, private = made_certificate(now)
    (directory / CERTIFICATE).write_bytes(pem)
    signed = security.sign_envelope(addressed(), security.load(pem, private), now)
    (directory / MESSAGE).write_bytes(signed)


def in_process(directory: Path, seconds: float) -> Opened:
    """Open the message with the signature and without, one after the other."""
    der = x509.load_pem_x509_certificate((directory / CERTIFICATE).read_bytes()).public_bytes(
        serialization.Encoding.DER
    )
    gate = MemoryGate(Credentials(require="signature", certificate=der))
    gate.any_credential()  # reads the callers
    context = envelope.Context(now=datetime.now(UTC), service=appeals_service(), keys=gate.keys)
    signed, plain = (directory / MESSAGE).read_bytes(), addressed()
    proof = envelope.open(signed, HEADERS, {}, context).proof
    assert proof is not None
    assert proof.peer == SENDER
    assert proof.signed >= {"body", "timestamp"}
    taken = [
        repeat(lambda message=message: envelope.open(message, HEADERS, {}, context), seconds)
        for message in (signed, plain)
    ]
    return Opened(*(each.seconds / each.calls for each in taken))


if __name__ == "__main__":
    print(msgspec.json.encode(in_process(Path(sys.argv[1]), float(sys.argv[2]))).decode())
