"""Algorithms of XML Signature: GOST beside RSA, each key by its own method only."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gateway import ns
from gateway.errors import ConfigurationError, SecurityError
from gateway.gost.algorithms import (
    GOST256,
    GOST512,
    SIGNATURES,
    STREEBOG256,
    STREEBOG512,
    Gost,
    methods_for,
)
from gateway.soap.security import algorithms as standard
from tests.gost_kit import NOW, needs_gost, opened, pki

pytestmark = needs_gost

OWN = {
    "ours": (GOST256, STREEBOG256),
    "wide": (GOST512, STREEBOG512),
    "rsa": (standard.RSA_SHA256, standard.SHA256),
    "ec": (standard.ECDSA_SHA256, standard.SHA256),
}
DATA = b"<ds:SignedInfo/>"


@pytest.fixture(scope="module")
def signing():
    return opened()


@pytest.fixture(scope="module")
def gost(signing):
    return Gost(signing.backend)


@pytest.mark.parametrize("name", OWN)
def test_a_key_signs_by_its_own_method_and_is_believed(signing, gost, name):
    key = signing.keys.current(name, NOW)
    assert methods_for(key) == OWN[name]
    signature = gost.sign(OWN[name][0], key, DATA)
    der = key.certificate.der
    assert gost.verify(OWN[name][0], der, DATA, signature)
    assert not gost.verify(OWN[name][0], der, DATA + b" ", signature)


@pytest.mark.parametrize("name", OWN)
def test_a_message_cannot_choose_another_method_for_a_key(signing, gost, name):
    key = signing.keys.current(name, NOW)
    signature = gost.sign(OWN[name][0], key, DATA)
    for other in {uri for uri, _ in OWN.values()} - {OWN[name][0]}:
        with pytest.raises(SecurityError) as refused:
            gost.verify(other, key.certificate.der, DATA, signature)
        assert refused.value.fault == "UnsupportedAlgorithm"
        with pytest.raises(ConfigurationError):
            gost.sign(other, key, DATA)


def test_the_other_names_are_read_and_not_written(signing, gost):
    key = signing.keys.current("ours", NOW)
    signature = gost.sign(GOST256, key, DATA)
    other = "http://www.w3.org/2001/04/xmldsig-more#gostr34102012-gostr34112012-256"
    assert gost.verify(other, key.certificate.der, DATA, signature)
    with pytest.raises(ConfigurationError):
        gost.sign(other, key, DATA)
    assert len(SIGNATURES) == 4


def test_digests(gost):
    assert gost.digest(STREEBOG256, b"").hex().startswith("3f539a21")
    assert gost.digest(f"{ns.DS_MORE}gostr34112012-512", b"").hex().startswith("8e945da2")
    assert gost.digest(standard.SHA256, b"").hex().startswith("e3b0c442")


@pytest.mark.parametrize(
    "uri",
    [
        "",
        f"{ns.DS}rsa-sha1",
        f"{ns.DS_MORE}gostr34102001-gostr3411",
        "urn:ietf:params:xml:ns:cpxmlsec:algorithms:gostr34102001-gostr3411",
        f"{ns.DS}hmac-sha1",
    ],
)
def test_old_and_unknown_methods_are_refused(gost, uri):
    for call in (
        lambda: gost.verify(uri, pki().ours.der, DATA, bytes(64)),
        lambda: gost.digest(uri, DATA),
    ):
        with pytest.raises(SecurityError) as refused:
            call()
        assert refused.value.fault == "UnsupportedAlgorithm"


def test_an_unreadable_certificate_is_a_wrong_token(gost):
    with pytest.raises(SecurityError) as refused:
        gost.verify(GOST256, b"junk", DATA, bytes(64))
    assert refused.value.fault == "InvalidSecurityToken"


def test_a_key_of_cryptography_signs_as_it_did(gost):
    key = load_pem_private_key(pki().rsa.key.read_bytes(), None)
    signature = gost.sign(standard.PSS_SHA256, key, DATA)
    assert gost.verify(standard.PSS_SHA256, pki().rsa.der, DATA, signature)
