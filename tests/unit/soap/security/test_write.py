"""What we write ourselves: the header of an answer, and of a request to a partner."""

import hashlib
from base64 import b64decode
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from lxml import etree

from gateway import limits, ns, xml
from gateway.errors import ConfigurationError
from gateway.soap import security
from tests.unit.soap.security.kit import (
    BODY,
    NOW,
    SPACE,
    Ctx,
    Peers,
    certificate,
    key_of,
    pem,
    read,
    refused,
)

N = {"wsse": ns.WSSE, "wsu": ns.WSU, "ds": ns.DS, "s11": ns.SOAP11, "s12": ns.SOAP12}
NONCE = b"0123456789abcdef"


def envelope(version="1.1", head=""):
    return (
        f'<s:Envelope xmlns:s="{SPACE[version]}">{head}<s:Body>{BODY}</s:Body></s:Envelope>'
    ).encode()


def signer(kind="rsa"):
    return security.load(*pem(kind))


def ctx(kind="rsa"):
    return Ctx(keys=Peers(registered={certificate(kind): "omsu"}))


@pytest.mark.parametrize("version", ["1.1", "1.2"])
@pytest.mark.parametrize("kind", ["rsa", "p256", "p384", "p521"])
def test_what_we_sign_is_accepted_by_our_own_reader(version, kind):
    message = security.sign_envelope(envelope(version), signer(kind), NOW)
    proof = read(message, ctx(kind), version)
    assert proof.signed == {"body", "timestamp"}
    assert proof.peer == "omsu"
    tampered = message.replace("проба".encode(), "подлог".encode())
    assert refused(tampered, ctx(kind), version).fault == "FailedCheck"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "windows-1251"])
def test_the_signature_outlives_the_encoding_of_the_answer(encoding):
    body = envelope().replace(
        "проба".encode(), "№ 5 — «проба» \u2116 \U0001f600 &#13;\n\t".encode()
    )
    message = xml.encode(security.sign_envelope(body, signer(), NOW), encoding)
    assert read(message, ctx()).peer == "omsu"


def test_an_envelope_with_header_blocks_keeps_them():
    head = f'<s:Header><a:To xmlns:a="{ns.WSA}">urn:x</a:To></s:Header>'
    root = etree.fromstring(security.sign_envelope(envelope(head=head), signer(), NOW))
    assert [etree.QName(block).localname for block in root[0]] == ["Security", "To"]


def test_the_header_asks_to_be_understood_and_names_the_body():
    root = etree.fromstring(security.sign_envelope(envelope("1.2"), signer(), NOW))
    assert root.xpath("string(//wsse:Security/@s12:mustUnderstand)", namespaces=N) == "1"
    assert root.xpath("//s12:Body/@wsu:Id", namespaces=N) == ["Body-1"]
    assert b"ns0:" not in etree.tostring(root)


def test_a_body_that_has_an_id_keeps_it():
    named = envelope().replace(b"<s:Body>", f'<s:Body xmlns:u="{ns.WSU}" u:Id="mine">'.encode())
    message = security.sign_envelope(named, signer(), NOW)
    assert b"#mine" in message
    assert read(message, ctx()).signed == {"body", "timestamp"}


def test_an_element_may_be_given_and_the_bytes_are_the_same():
    root = etree.fromstring(envelope())
    assert security.sign_envelope(root, signer(), NOW) == security.sign_envelope(
        envelope(), signer(), NOW
    )


def test_what_is_no_envelope_or_has_a_header_already_is_not_signed():
    for wrong in (b"<a/>", b"", b"<a>", f'<s:Envelope xmlns:s="{ns.SOAP11}"/>'.encode()):
        with pytest.raises(ConfigurationError):
            security.sign_envelope(wrong, signer(), NOW)
    once = security.sign_envelope(envelope(), None, NOW)
    with pytest.raises(ConfigurationError, match="already"):
        security.sign_envelope(once, signer(), NOW)


def test_what_has_no_canonical_form_is_not_signed():
    relative = envelope().replace(b"<Key>", b'<Key xmlns:r="relative" r:a="">')
    with pytest.raises(ConfigurationError, match="canonical form"):
        security.sign_envelope(relative, signer(), NOW)


def test_an_answer_may_hold_more_elements_than_a_request():
    many = envelope().replace(b"<Key>", b"<Key>" + b"<a/>" * (limits.SOAP_ROOT_NODES + 1))
    assert b"SignatureValue" in security.sign_envelope(many, signer(), NOW)


def test_a_timestamp_alone_lives_five_minutes():
    head = f"<s:Header>{security.header(NOW)}</s:Header>"
    message = envelope(head=head)
    root = etree.fromstring(message)
    assert root.xpath("string(//wsu:Created)", namespaces=N) == "2026-11-20T12:00:00.000Z"
    assert root.xpath("string(//wsu:Expires)", namespaces=N) == "2026-11-20T12:05:00.000Z"
    assert read(message) is None
    assert refused(message, Ctx(now=NOW + timedelta(minutes=6))).fault == "MessageExpired"
    assert etree.fromstring(security.sign_envelope(envelope(), None, NOW)).xpath(
        "count(//wsu:Timestamp) = 1 and not(//ds:Signature)", namespaces=N
    )


def test_a_password_in_text_is_escaped_and_carries_no_nonce():
    token = security.username_token("omsu", 'a<&">b', digest=False, now=NOW, nonce=NONCE)
    keys = Peers(passwords={("omsu", 'a<&">b'): "omsu"})
    message = security.sign_envelope(envelope(), None, NOW, token=token)
    assert read(message, Ctx(keys=keys)).kinds == {"text"}
    assert b"Nonce" not in message


def test_a_digest_is_the_one_of_the_profile_and_holds_no_password():
    token = security.username_token("omsu", "пароль", digest=True, now=NOW, nonce=NONCE)
    message = security.sign_envelope(envelope(), None, NOW, token=token)
    assert read(message, Ctx(secure_wire=False)).kinds == {"digest"}
    root = etree.fromstring(token)
    created = root.findtext("wsu:Created", namespaces=N)
    assert b64decode(root.findtext("wsse:Nonce", namespaces=N)) == NONCE
    made = hashlib.sha1(NONCE + created.encode() + "пароль".encode()).digest()
    assert b64decode(root.findtext("wsse:Password", namespaces=N)) == made
    assert "пароль" not in token


def test_a_token_beside_a_signature_is_signed_too():
    token = security.username_token("omsu", "пароль", digest=True, now=NOW, nonce=NONCE)
    message = security.sign_envelope(envelope("1.2"), signer(), NOW, token=token)
    proof = read(message, ctx(), "1.2")
    assert proof.kinds == {"digest", "signature"}
    assert proof.signed == {"body", "timestamp", "token"}


def test_a_key_of_another_certificate_is_refused_when_it_is_loaded():
    with pytest.raises(ConfigurationError, match="another private key"):
        security.load(pem("rsa", 1)[0], pem("rsa", 2)[1])


@pytest.mark.parametrize("kind", ["rsa1024", "k256"])
def test_a_key_that_nobody_would_accept_is_refused_when_it_is_loaded(kind):
    with pytest.raises(ConfigurationError, match="cannot be signed"):
        security.load(*pem(kind))


def test_what_cannot_be_read_is_a_matter_of_settings():
    locked = key_of().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    assert security.load(pem()[0], locked, b"secret").certificate == certificate()
    for attempt in ((pem()[0], locked), (b"x", pem()[1]), (pem()[0], b"x")):
        with pytest.raises(ConfigurationError):
            security.load(*attempt)
    with pytest.raises(ConfigurationError):
        security.load(pem()[0], locked, b"wrong")
