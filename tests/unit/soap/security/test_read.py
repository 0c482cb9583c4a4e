"""The Security header as a whole: what may stand in it, and for whom it is."""

import pytest
from lxml import etree

from gateway import ns
from gateway.errors import AccessError, SecurityError
from tests.unit.soap.security.kit import (
    Ctx,
    binary_token,
    header,
    read,
    refused,
    soap,
    timestamp,
    username,
)

SAML = '<a:Assertion xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion"/>'


def test_no_header_proves_nobody():
    assert read(soap("")) is None
    assert read(f'<e:Envelope xmlns:e="{ns.SOAP11}"><e:Body/></e:Envelope>') is None


def test_an_empty_header_proves_nobody():
    assert read(soap(header())) is None


@pytest.mark.parametrize(
    ("block", "fault"),
    [
        ("<wsse:SecurityTokenReference/>", "UnsupportedSecurityToken"),
        ("<wsse:BinaryToken/>", "UnsupportedSecurityToken"),
        ("<wsu:Created>2026-11-20T12:00:00Z</wsu:Created>", "UnsupportedSecurityToken"),
        (SAML, "UnsupportedSecurityToken"),
        (f'<c:SignatureConfirmation xmlns:c="{ns.WSSE11}"/>', "UnsupportedSecurityToken"),
        (f'<c:UsernameToken xmlns:c="{ns.WSSE11}"/>', "UnsupportedSecurityToken"),
        ("<UsernameToken/>", "UnsupportedSecurityToken"),
        (f'<x:EncryptedData xmlns:x="{ns.XENC}"/>', "UnsupportedAlgorithm"),
        (f'<x:EncryptedKey xmlns:x="{ns.XENC}"/>', "UnsupportedAlgorithm"),
        (f'<x:ReferenceList xmlns:x="{ns.XENC}"/>', "UnsupportedAlgorithm"),
    ],
)
def test_what_is_not_offered_is_refused_even_beside_a_good_password(block, fault):
    assert refused(soap(header(username(), block))).fault == fault


def test_a_header_with_very_many_elements_is_refused():
    tokens = [binary_token(name=f"X{n}") for n in range(8)]
    assert refused(soap(header(username(), *tokens))).fault == "InvalidSecurity"


def test_two_headers_for_us_are_refused():
    error = refused(soap(header(username()) + header(timestamp())))
    assert error.fault == "InvalidSecurity"


def test_other_header_blocks_do_not_matter():
    assert read(soap(f'<a:To xmlns:a="{ns.WSA}">x</a:To>' + header(username()))).peer == "omsu"


def test_a_refusal_is_an_access_error_with_the_name_of_the_specification():
    with pytest.raises(AccessError) as caught:
        read(soap(header(username(password="wrong"))), Ctx())
    error = caught.value
    assert isinstance(error, SecurityError)
    assert (error.code, error.who, error.retry) == ("security", "peer", "never")
    assert error.fault == "FailedAuthentication"
    assert not error.challenge
    assert "wrong" not in str(error)


def test_every_refusal_has_a_name_that_the_specification_knows():
    known = {
        "UnsupportedSecurityToken", "UnsupportedAlgorithm", "InvalidSecurity",
        "InvalidSecurityToken", "FailedAuthentication", "FailedCheck",
        "SecurityTokenUnavailable", "MessageExpired",
    }  # fmt: skip
    assert refused(soap(header(timestamp("now")))).fault in known
    assert etree.QName(ns.WSSE, refused(soap(header(timestamp("now")))).fault).localname in known
