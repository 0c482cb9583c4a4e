"""Certificates: which may be registered, and how one is found again by what a signature says."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from gateway.access import certificates, passed
from gateway.errors import ConfigurationError, GatewayError, MalformedError
from tests.unit.access.pki import DAY, Authority, name

CA = Authority()
ONE = CA.issue("one")


def now():
    return datetime.now(UTC)


def short_rsa():
    key = rsa.generate_private_key(65537, 1024)
    made = (
        x509.CertificateBuilder()
        .subject_name(name("short"))
        .issuer_name(name("short"))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now() - DAY)
        .not_valid_after(now() + DAY)
    )
    return made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


READABLE = {"pem": ONE.pem, "der": ONE.der, "commented": b"a comment\n" + ONE.pem}


@pytest.mark.parametrize("text", READABLE.values(), ids=READABLE)
def test_a_file_of_one_certificate_is_read(text):
    found = certificates.from_file(text, "peer.pem", now())
    assert found.der == ONE.der
    assert "CN=one" in found.subject


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (short_rsa(), "too short"),
        (CA.issue("old", ends=-DAY, begins=-2 * DAY).pem, "expired"),
        (ONE.pem + CA.own.pem, "several"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "no X.509"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "no X.509"),
        (b"", "no X.509"),
        (b"\x30" * 20_000, "no X.509"),
    ],
    ids=["short", "expired", "several", "broken", "key", "empty", "long"],
)
def test_what_proves_nothing_is_refused_with_its_reason(text, said):
    with pytest.raises(ConfigurationError, match=said):
        certificates.from_file(text, "peer.pem", now())


@given(st.binary(max_size=400))
def test_hostile_bytes_are_no_certificate(data):
    with pytest.raises(MalformedError):
        certificates.read(data)


@given(st.integers(0, len(ONE.der) - 1), st.integers(1, 255))
def test_a_damaged_certificate_is_another_one_or_none(place, change):
    data = bytearray(ONE.der)
    data[place] ^= change
    try:
        found = certificates.read(bytes(data))
    except GatewayError:
        return
    assert found.der != ONE.der


def test_a_renewed_certificate_of_the_same_key_is_alike_and_a_stranger_is_not():
    first, second = CA.issue("one"), CA.issue("two")
    renewed = CA.issue("one", key=first.key)
    read = [certificates.read(c.der) for c in (first, renewed, second)]
    assert read[0].alike(read[1])
    assert not read[0].alike(read[2])


ESCAPED = quote(ONE.pem.decode(), safe="").encode()
BASE64 = base64.b64encode(ONE.der)


@pytest.mark.parametrize(
    "value",
    [
        ESCAPED,
        b":" + BASE64 + b":",
        ONE.pem.replace(b"\n", b" "),
        BASE64,
        BASE64 + b"," + base64.b64encode(CA.own.der),
        quote(BASE64.decode(), safe="").encode(),
    ],
    ids=["nginx", "rfc9440", "apache", "haproxy", "traefik", "traefik-escaped"],
)
def test_each_proxys_way_to_write_a_certificate_is_read(value):
    assert passed.read(value) == ONE.der


@given(st.binary(max_size=300))
def test_a_hostile_header_is_read_without_a_crash(value):
    assert isinstance(passed.read(value), bytes)


def scope(*headers, tls=b"", proxy=None):
    extensions = {"tls": {"client_cert_der": tls}} if tls else {}
    if proxy is not None:
        extensions[passed.PROXY] = {"passed": proxy}
    return {"headers": list(headers), "extensions": extensions}


HEADER = (b"x-ssl-client-cert", ESCAPED)
OTHER = CA.issue("other").der


@pytest.mark.parametrize(
    ("given_scope", "header", "found"),
    [
        (scope(tls=ONE.der), "", ONE.der),
        (scope(tls=ONE.der), "x-ssl-client-cert", ONE.der),
        (scope(HEADER, proxy=True), "x-ssl-client-cert", ONE.der),
        (scope(HEADER, proxy=True), "", b""),
        (scope(HEADER, proxy=True), "client-cert", b""),
        (scope(HEADER), "x-ssl-client-cert", b""),
        (scope(HEADER, tls=OTHER), "x-ssl-client-cert", b""),
        (scope(HEADER, tls=ONE.der), "x-ssl-client-cert", b""),
        (scope(HEADER, HEADER, proxy=True), "x-ssl-client-cert", b""),
        (scope(HEADER, tls=OTHER, proxy=True), "x-ssl-client-cert", ONE.der),
        (scope(tls=OTHER, proxy=True), "x-ssl-client-cert", b""),
        (scope(tls=OTHER, proxy=True), "", b""),
        (scope(tls=OTHER, proxy=False), "x-ssl-client-cert", OTHER),
        ({"headers": [HEADER]}, "", b""),
        ({"headers": [HEADER]}, "x-ssl-client-cert", b""),
        ({"headers": [], "extensions": {"tls": {"client_cert_der": None}}}, "", b""),
    ],
    ids=[
        "direct", "direct where a proxy may tell", "told by the proxy", "told, but nobody asked",
        "told in another header", "told by a stranger", "told by a stranger with his own",
        "told twice the same way", "told twice", "told over the proxy's own", "the proxy's own",
        "the proxy's own where it tells nothing", "the proxy for itself", "no tls, nobody asked",
        "no tls, told", "tls without a certificate",
    ],
)  # fmt: skip
def test_whose_certificate_a_call_has(given_scope, header, found):
    assert passed.shown(given_scope, header) == found


def test_a_header_that_cannot_be_is_refused_at_the_start():
    assert passed.header_name("X-SSL-Client-Cert") == "x-ssl-client-cert"
    assert passed.header_name("") == ""
    for name_ in ("X SSL", "Сертификат", "X-Cert:"):
        with pytest.raises(ConfigurationError):
            passed.header_name(name_)
