"""Keys by name: the one in force, read again when it changes, never a wrong one, never shown."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime

import msgspec
import pytest
import structlog

from gateway.errors import ConfigurationError
from gateway.gost import open_signing
from gateway.settings import Settings
from tests.gost_kit import NOW, PASSWORD, needs_gost, opened, pieces, pki

pytestmark = needs_gost


def keys_of(*given, **other):
    return opened(signing_keys=list(given), **other).keys


def entry(name, holder, **other):
    return {"name": name, "cert": str(holder.cert), "key": str(holder.key), **other}


@pytest.mark.parametrize("backend", ["auto", "openssl-engine", "openssl-cli"])
def test_every_key_signs_by_its_name(backend):
    signing = opened(signing_backend=backend)
    assert signing.backend.name == ("openssl-cli" if backend == "openssl-cli" else "openssl-engine")
    assert signing.keys.names() == ("ours", "peer", "exchange", "tca", "wide", "rsa", "ec")
    for name in signing.keys.names():
        key = signing.keys.current(name, NOW)
        signature = signing.backend.sign(key, b"data")
        assert signing.backend.verify(getattr(pki(), name).der, b"data", signature)


def test_of_one_name_the_one_in_force_that_holds_the_longest():
    made = pki()
    keys = keys_of(*(entry("smev", each) for each in (made.expired, made.ours, made.future)))
    assert keys.names() == ("smev",)
    assert keys.current("smev", NOW).certificate.der == made.ours.der
    in_2048 = datetime(2048, 6, 1, tzinfo=UTC)
    both = keys_of(*(entry("smev", each) for each in (made.expired, made.future)))
    assert both.current("smev", in_2048).certificate.der == made.future.der
    in_2020 = datetime(2020, 6, 1, tzinfo=UTC)
    assert both.current("smev", in_2020).certificate.der == made.expired.der


def test_without_a_key_in_force_the_error_says_which_there_are():
    keys = keys_of(entry("smev", pki().expired))
    with pytest.raises(ConfigurationError) as refused:
        keys.current("smev", NOW)
    assert "2020-01-01…2021-01-01" in str(refused.value)
    with pytest.raises(ConfigurationError) as refused:
        keys.current("seals", NOW)
    assert refused.value.found == "seals"
    assert refused.value.expected == "smev"


def test_a_pkcs12_needs_no_certificate_beside_it():
    made = pki()
    given = {"name": "smev", "key": str(made.p12), "password_file": str(made.p12_password)}
    key = keys_of(given).current("smev", NOW)
    assert key.certificate.der == made.ours.der


@pytest.mark.parametrize("backend", ["auto", "openssl-cli"])
def test_a_key_of_another_certificate_is_refused(backend):
    made = pki()
    wrong = {"name": "smev", "cert": str(made.ours.cert), "key": str(made.peer.key)}
    with pytest.raises(ConfigurationError) as refused:
        keys_of(wrong, signing_backend=backend)
    assert "does not belong to its certificate" in str(refused.value)
    assert "smev" in refused.value.where
    other = {"name": "smev", "cert": str(made.ours.cert), "key": str(made.wide.key)}
    with pytest.raises(ConfigurationError):
        keys_of(other, signing_backend=backend)


@pytest.mark.parametrize(
    "given",
    [
        {"cert": "/nowhere.pem", "key": "/nowhere.key"},
        {"cert": "cert", "key": "/nowhere.key"},
        {"cert": "cert"},
        {"key": "key"},
        {"cert": "key", "key": "key"},
        {"cert": "password", "key": "key"},
        {"key": "p12"},
    ],
)
def test_what_cannot_be_used_is_said_at_the_start(given):
    made = pki()
    places = {
        "cert": made.ours.cert, "key": made.ours.key, "p12": made.p12,
        "password": made.p12_password,
    }  # fmt: skip
    entries = {name: str(places.get(value, value)) for name, value in given.items()}
    with pytest.raises(ConfigurationError) as refused:
        keys_of({"name": "smev", **entries})
    assert "signing_keys" in refused.value.where
    assert PASSWORD not in str(refused.value)


def renewed(path, source):
    """Put another file in the place, as a deployment does: whole, by a rename."""
    fresh = path.with_suffix(".new")
    shutil.copy(source, fresh)
    fresh.replace(path)


def test_a_renewed_key_needs_no_restart(tmp_path):
    made = pki()
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    shutil.copy(made.ours.cert, cert)
    shutil.copy(made.ours.key, key)
    signing = opened(signing_keys=[{"name": "smev", "cert": str(cert), "key": str(key)}])
    first = signing.keys.current("smev", NOW)
    assert signing.keys.current("smev", NOW) is first
    renewed(cert, made.peer.cert)
    half = signing.keys.current("smev", NOW)
    assert half is first, "a certificate without its key changes nothing"
    renewed(key, made.peer.key)
    second = signing.keys.current("smev", NOW)
    assert second.certificate.der == made.peer.der
    signature = signing.backend.sign(second, b"data")
    assert signing.backend.verify(made.peer.der, b"data", signature)
    old = signing.backend.sign(first, b"data")
    assert signing.backend.verify(made.ours.der, b"data", old), "whoever holds the old one goes on"


def test_a_key_that_vanishes_goes_on_signing_and_is_logged(tmp_path):
    made = pki()
    key = tmp_path / "key.pem"
    shutil.copy(made.ours.key, key)
    given = {"name": "smev", "cert": str(made.ours.cert), "key": str(key)}
    keys = keys_of(given)
    key.write_text("-----BEGIN PRIVATE KEY-----\nнет\n", "utf-8")
    with structlog.testing.capture_logs() as logged:
        assert keys.current("smev", NOW).certificate.der == made.ours.der
        keys.current("smev", NOW)
    assert [each["event"] for each in logged] == ["signing_key_unreadable"]


def test_no_secret_is_logged_or_shown(tmp_path):
    made = pki()
    key = tmp_path / "key.pem"
    shutil.copy(made.ours.key, key)
    secret = made.ours.key.read_text().splitlines()[1]
    closed = {"name": "closed", "key": str(made.p12), "password_file": str(made.p12_password)}
    with structlog.testing.capture_logs() as logged:
        signing = opened(
            signing_keys=[
                {"name": "smev", "cert": str(made.ours.cert), "key": str(key)},
                closed,
            ]
        )
        renewed(key, made.ours.key)
        signing.keys.current("smev", NOW)
    assert [each["event"] for each in logged] == ["signing_key_read"]
    shown = repr(logged) + repr(signing) + repr(signing.keys.current("closed", NOW))
    assert secret not in shown
    assert PASSWORD not in shown


def test_without_keys_and_authorities_there_still_is_a_backend():
    signing = open_signing(Settings())
    assert signing.keys.names() == ()
    assert signing.backend.digest("streebog256", b"").hex().startswith("3f539a21")
    assert msgspec.convert(pieces(), Settings).signing_backend == "auto"
