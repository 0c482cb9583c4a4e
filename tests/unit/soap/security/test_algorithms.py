"""The standard algorithms, used directly."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from gateway.errors import ConfigurationError, SecurityError
from gateway.soap.security import algorithms
from gateway.soap.security.algorithms import STANDARD
from tests.unit.soap.security.kit import certificate, key_of

RSA = [uri for name, uri in vars(algorithms).items() if name.startswith(("RSA_SHA", "PSS_SHA"))]
ECDSA = [uri for name, uri in vars(algorithms).items() if name.startswith("ECDSA_SHA")]
PAIRS = [("rsa", uri) for uri in RSA] + [
    (kind, uri) for kind in ("p256", "p384", "p521") for uri in ECDSA
]


@pytest.mark.parametrize(("kind", "uri"), PAIRS)
def test_what_is_signed_fits_and_nothing_else_does(kind, uri):
    value = STANDARD.sign(uri, key_of(kind), b"data")
    assert STANDARD.verify(uri, certificate(kind), b"data", value)
    assert not STANDARD.verify(uri, certificate(kind), b"Data", value)
    assert not STANDARD.verify(uri, certificate(kind), b"data", value[:-1])
    assert not STANDARD.verify(uri, certificate(kind), b"data", b"")
    assert not STANDARD.verify(uri, certificate(kind), b"data", bytes(len(value)))
    assert not STANDARD.verify(uri, certificate(kind), b"data", b"\xff" * len(value))
    assert not STANDARD.verify(uri, certificate(kind, 2), b"data", value)


@pytest.mark.parametrize(
    ("kind", "uri"), [("rsa", ECDSA[0]), ("p256", RSA[0]), ("rsa", "urn:x"), ("rsa", "")]
)
def test_a_method_that_does_not_fit_our_key_is_a_matter_of_settings(kind, uri):
    with pytest.raises(ConfigurationError):
        STANDARD.sign(uri, key_of(kind), b"data")


def test_a_key_of_another_kind_cannot_be_used():
    key = ed25519.Ed25519PrivateKey.generate()
    with pytest.raises(ConfigurationError):
        algorithms.method_for(key)
    with pytest.raises(ConfigurationError):
        STANDARD.sign(RSA[0], key, b"data")


@pytest.mark.parametrize(
    ("kind", "method"),
    [
        ("rsa", algorithms.RSA_SHA256),
        ("p256", algorithms.ECDSA_SHA256),
        ("p384", algorithms.ECDSA_SHA384),
        ("p521", algorithms.ECDSA_SHA512),
    ],
)
def test_the_method_is_as_strong_as_the_key(kind, method):
    assert algorithms.method_for(key_of(kind)) == method


def test_an_unknown_digest_is_refused_and_sha1_is_unknown():
    for uri in ("http://www.w3.org/2000/09/xmldsig#sha1", "urn:x", ""):
        with pytest.raises(SecurityError) as caught:
            STANDARD.digest(uri, b"data")
        assert caught.value.fault == "UnsupportedAlgorithm"


def test_bytes_that_are_no_certificate_have_no_key():
    for der in (b"", b"\x30\x00", key_of().public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )):  # fmt: skip
        with pytest.raises(SecurityError):
            STANDARD.verify(RSA[0], der, b"data", b"value")
