"""KeyInfo: the ways to name a certificate that the X.509 Token Profile knows."""

import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway import ns
from tests.unit.soap.security.kit import (
    BASE64,
    HOLE,
    SKI,
    THUMBPRINT,
    WSS,
    X509V3,
    Ctx,
    Peers,
    Signing,
    b64,
    binary_token,
    by_reference,
    certificate,
    header,
    key_of,
    read,
    refused,
    signed,
    soap,
    str_,
    timestamp,
)


def message(key_info, *blocks):
    return Signing(key_info=key_info).sign(soap(header(timestamp(), *blocks, HOLE)))


def identifier(value, kind, coding=BASE64):
    return str_(
        f'<wsse:KeyIdentifier ValueType="{kind}" EncodingType="{coding}">'
        f"{value}</wsse:KeyIdentifier>"
    )


def serial(number="1001", issuer=None):
    written = x509.load_der_x509_certificate(certificate()).issuer.rfc4514_string()
    return (
        "<ds:X509Data><ds:X509IssuerSerial>"
        f"<ds:X509IssuerName>{issuer or written}</ds:X509IssuerName>"
        f"<ds:X509SerialNumber>{number}</ds:X509SerialNumber>"
        "</ds:X509IssuerSerial></ds:X509Data>"
    )


def ski():
    return x509.SubjectKeyIdentifier.from_public_key(key_of().public_key()).digest


def thumbprint():
    return hashlib.sha1(certificate()).digest()


KEY_VALUE = (
    "<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>AQAB</ds:Modulus>"
    "<ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>"
)
EMBEDDED = (
    f"<ds:X509Data><ds:X509Certificate>{b64(certificate())}</ds:X509Certificate></ds:X509Data>"
)


@pytest.mark.parametrize(
    "key_info",
    [
        identifier(b64(ski()), SKI),
        identifier(b64(thumbprint()), THUMBPRINT),
        identifier(b64(certificate()), X509V3),
        str_(serial()),
        serial(),
        EMBEDDED,
        str_(EMBEDDED),
    ],
)
def test_a_certificate_is_found_by_each_of_its_names(key_info):
    assert read(message(key_info)).certificate == certificate()


def test_a_reference_may_leave_out_the_type_of_the_token():
    key_info = str_('<wsse:Reference URI="#X"/>')
    assert read(message(key_info, binary_token())).peer == "omsu"


def test_base64_may_be_broken_into_lines():
    token = b64(certificate())
    lines = "\r\n".join(token[i : i + 76] for i in range(0, len(token), 76))
    text = signed()
    assert token in text
    assert read(text.replace(token, f"\n{lines}\n")).peer == "omsu"


@pytest.mark.parametrize(
    "key_info",
    [
        identifier(b64(b"nobody"), SKI),
        identifier(b64(b"nobody"), THUMBPRINT),
        str_(serial("1002")),
        str_(serial("-1001")),
        str_(serial("0x3e9")),
        str_(serial("١٠٠١")),
        str_(serial("")),
        str_(serial(issuer="CN=Другой")),
        str_(serial(issuer="не имя")),
        by_reference("Y"),
        by_reference("T"),
        by_reference(""),
        str_('<wsse:Reference URI="http://example.invalid/cert"/>'),
        str_("<wsse:Reference/>"),
    ],
)
def test_a_name_of_nothing_is_a_token_that_is_not_there(key_info):
    assert refused(message(key_info, binary_token())).fault == "SecurityTokenUnavailable"


@pytest.mark.parametrize(
    "key_info",
    [
        KEY_VALUE,
        "<ds:KeyName>omsu</ds:KeyName>",
        '<ds:RetrievalMethod URI="#X"/>',
        "<ds:X509Data><ds:X509SKI>AQAB</ds:X509SKI></ds:X509Data>",
        "<ds:X509Data><ds:X509SubjectName>CN=a</ds:X509SubjectName></ds:X509Data>",
        str_(f"<wsse:Embedded>{binary_token()}</wsse:Embedded>"),
        str_("<ds:KeyName>omsu</ds:KeyName>"),
        identifier(b64(ski()), "urn:other"),
        identifier(b64(ski()), f"{WSS}x509-token-profile-1.0#X509PKIPathv1"),
        identifier(ski().hex(), SKI, coding=f"{WSS}soap-message-security-1.0#HexBinary"),
        by_reference("X", f"{WSS}x509-token-profile-1.0#X509PKIPathv1"),
        by_reference("X", "urn:oasis:names:tc:SAML:2.0:assertion"),
    ],
)
def test_other_ways_to_name_a_key_are_refused(key_info):
    text = message(key_info) if "Embedded" in key_info else message(key_info, binary_token())
    assert refused(text).fault == "UnsupportedSecurityToken"


@pytest.mark.parametrize("kind", ["X509PKIPathv1", "PKCS7", ""])
def test_a_chain_of_certificates_is_refused(kind):
    kind = f"{WSS}x509-token-profile-1.0#{kind}" if kind else ""
    key_info = str_('<wsse:Reference URI="#X"/>')
    error = refused(message(key_info, binary_token(kind=kind)))
    assert error.fault == "UnsupportedSecurityToken"
    assert "X509v3" in error.todo


@pytest.mark.parametrize(
    "key_info",
    [
        "",
        str_(""),
        by_reference() + by_reference(),
        str_('<wsse:Reference URI="#X"/><wsse:Reference URI="#X"/>'),
        "<ds:X509Data/>",
        EMBEDDED.replace("</ds:X509Data>", "<ds:X509SKI>AQAB</ds:X509SKI></ds:X509Data>"),
        "<ds:X509Data><ds:X509IssuerSerial/></ds:X509Data>",
        serial("1" * 51),
        serial(issuer="a" * 1001),
    ],
)
def test_exactly_one_well_built_name_is_expected(key_info):
    assert refused(message(key_info, binary_token())).fault == "InvalidSecurity"


@pytest.mark.parametrize("value", ["!", "AAA", "А" * 8, "<b/>", "A" * 20_000])
def test_a_token_that_is_not_base64_is_refused(value):
    text = signed().replace(b64(certificate()), value)
    assert refused(text).fault in ("InvalidSecurityToken", "InvalidSecurity")


def test_bytes_that_are_no_certificate_are_refused_even_if_somebody_registered_them():
    der = b"\x30\x03\x02\x01\x01"
    text = Signing().sign(soap(header(timestamp(), binary_token(der), HOLE)))
    assert refused(text).fault == "FailedAuthentication"
    assert refused(text, Ctx(keys=Peers(registered={der: "omsu"}))).fault == "InvalidSecurityToken"


def test_a_bare_public_key_in_place_of_a_certificate_is_nobodys():
    der = key_of().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    text = Signing().sign(soap(header(timestamp(), binary_token(der), HOLE)))
    assert refused(text).fault == "FailedAuthentication"


def test_the_namespace_of_the_signature_counts():
    text = signed().replace(f'xmlns:ds="{ns.DS}"', 'xmlns:ds="http://www.w3.org/2009/xmldsig11#"')
    assert refused(text).fault == "UnsupportedSecurityToken"
