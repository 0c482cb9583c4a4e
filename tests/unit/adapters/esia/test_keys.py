"""Keys of a provider: from whatever file they are in, and again when it changes."""

import io
import os
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from adapters.esia.keys import KEYS, KeyFiles, keys_in, of_jwks
from gateway.errors import ConfigurationError
from tests.gost_kit import needs_gost, pki

PRIVATE = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC = PRIVATE.public_key()
INFO = PublicFormat.SubjectPublicKeyInfo
NOW = datetime(2026, 3, 2, tzinfo=UTC)


def certificate(days=30):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ЕСИА")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(7)
    made = made.public_key(PUBLIC).not_valid_before(NOW).not_valid_after(NOW + timedelta(days))
    return made.sign(PRIVATE, SHA256())


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_certificates_and_bare_keys_are_read(encoding):
    (bare,) = keys_in(PUBLIC.public_bytes(encoding, INFO))
    (dated,) = keys_in(certificate().public_bytes(encoding))

    assert bare.public == dated.public == PUBLIC.public_bytes(Encoding.DER, INFO)
    assert bare.holds(NOW - timedelta(days=9))
    assert not dated.holds(NOW - timedelta(days=9))
    assert not dated.holds(NOW + timedelta(days=31))


@needs_gost
def test_keys_of_gost_are_read_from_pem_and_der():
    pem = pki().ours.cert.read_bytes()

    assert [key.kind for key in keys_in(pem)] == ["gost2012_256"]
    assert [key.kind for key in keys_in(pki().ours.der)] == ["gost2012_256"]


def test_keys_of_other_kinds_are_passed_over():
    other = ec.generate_private_key(ec.SECP256R1()).public_key()

    assert list(keys_in(other.public_bytes(Encoding.PEM, INFO))) == []


def test_an_archive_holds_several_and_other_files_beside(tmp_path):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("esia/a.cer", certificate().public_bytes(Encoding.DER))
        archive.writestr("esia/b.pem", PUBLIC.public_bytes(Encoding.PEM, INFO))
        archive.writestr("README", "не ключ")
        archive.writestr("inner.zip", b"PK\x03\x04 nested")
        archive.writestr("bomb", b"\0" * 50_000_000)

    assert len(list(keys_in(out.getvalue()))) == 2


@given(st.binary(max_size=400))
def test_any_bytes_hold_keys_or_none(content):
    list(keys_in(content))
    list(keys_in(b"PK\x03\x04" + content))
    list(keys_in(b"-----BEGIN CERTIFICATE-----\n" + content + b"\n-----END CERTIFICATE-----"))


def test_files_are_read_again_when_they_change_and_kept_when_they_break(tmp_path):
    place = tmp_path / "key.pem"
    place.write_bytes(PUBLIC.public_bytes(Encoding.PEM, INFO))
    files = KeyFiles([str(tmp_path)])
    first = files.current()
    assert files.current() is first

    place.write_bytes(b"")
    assert files.current() == first

    other = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    place.write_bytes(other.public_bytes(Encoding.DER, INFO))
    os.utime(place, ns=(1, 1))
    assert [key.public for key in files.current()] == [other.public_bytes(Encoding.DER, INFO)]


def test_nothing_to_check_by_is_said_at_once(tmp_path):
    with pytest.raises(ConfigurationError, match="keys"):
        KeyFiles([str(tmp_path / "none.zip")]).current()


def test_a_jwks_gives_keys_that_sign_and_no_more_than_a_bound():
    numbers = PUBLIC.public_numbers()
    row = {"kty": "RSA", "kid": "1", "e": "AQAB", "n": _url(numbers.n)}
    document = {
        "keys": [row, {**row, "use": "enc"}, {"kty": "oct", "k": "AAAA"}, 7, {"kty": "RSA"}]
    }

    (key,) = of_jwks(document)

    assert (key.kind, key.kid) == ("rsa", "1")
    assert len(of_jwks({"keys": [row] * 1000})) == KEYS


@given(st.recursive(
    st.none() | st.integers() | st.text(max_size=9) | st.just("RSA"),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["keys", "kty", "n", "e", "kid", "x5c", "use"]), inner),
    max_leaves=12,
))  # fmt: skip
def test_any_document_is_keys_or_none(document):
    of_jwks(document)
    of_jwks({"keys": [document]})


def _url(number):
    import base64

    return base64.urlsafe_b64encode(number.to_bytes(256)).rstrip(b"=").decode()
