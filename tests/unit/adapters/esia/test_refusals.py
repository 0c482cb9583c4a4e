"""What the provider's errors become, and what settings are refused."""

import pytest

from adapters.esia import client, codes
from adapters.esia.adapter import Esia
from adapters.esia.options import Options
from gateway import registry
from gateway.errors import (
    ConfigurationError,
    PeerRefused,
    PeerUnavailable,
    TrustError,
    UnsupportedError,
)
from gateway.identity import IdentityProvider
from gateway.lent import Lent

URL = {"url": "https://esia.gosuslugi.ru"}


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("007004", TrustError),
        ("007011", TrustError),
        ("007053", PeerRefused),
        ("007023", PeerRefused),
        ("007008", PeerUnavailable),
    ],
)
def test_a_code_says_whose_matter_it_is_and_what_to_do(code, kind):
    told = {"error": "invalid_request", "error_description": f"ESIA-{code}: whatever it says"}

    error = client.refusal("ЕСИА", told)

    assert type(error) is kind
    assert error.found == f"ESIA-{code} invalid_request"
    assert error.todo
    assert " · " in error.message


def test_every_code_is_explained_in_both_languages():
    for code, meaning in codes.meanings().items():
        assert code.isdecimal()
        assert len(code) == 6
        assert meaning.meaning.count(" · ") == 1, code
        assert meaning.todo, code


@pytest.mark.parametrize("word", ["<script>", "ошибка", "x" * 5000, 7, None, ["access_denied"]])
def test_an_unknown_error_is_told_short_and_in_ascii(word):
    error = client.refusal("ЕСИА", {"error": word, "error_description": {"ESIA-007004": 1}})

    assert isinstance(error, PeerRefused)
    assert len(error.found) <= 60
    assert error.found.isascii()


def test_the_words_of_oauth_are_known_without_a_code():
    assert isinstance(client.refusal("OIDC", {"error": "access_denied"}), TrustError)
    assert isinstance(client.refusal("OIDC", {"error": "server_error"}), PeerUnavailable)
    assert isinstance(client.refusal("OIDC", {"error": "invalid_client"}), PeerRefused)


def test_the_issuer_of_esia_follows_from_its_address():
    assert Options.of(URL).issuer == "http://esia.gosuslugi.ru/"
    stand = Options.of({"url": "https://esia-portal1.test.gosuslugi.ru/"})
    assert stand.issuer == "http://esia-portal1.test.gosuslugi.ru/"


@pytest.mark.parametrize(
    "wrong",
    [
        {"algorithms": ["HS256"]},
        {"algorithms": ["none", "RS256"]},
        {"provider": "saml"},
        {"generation": "v9"},
        {"skew_seconds": 3600},
        {"client_auth": "tls"},
        {"zone": "Mars/Olympus"},
        {"url": "esia"},
    ],
)
def test_a_setting_that_cannot_be_is_named(wrong):
    with pytest.raises(ConfigurationError):
        Esia({**URL, **wrong})


def test_scopes_of_an_official_come_beside_and_once():
    options = Options.of({**URL, "scope": "openid  fullname", "official_scope": "usr_org openid"})

    assert options.scopes(official=False) == "openid fullname"
    assert options.scopes(official=True) == "openid fullname usr_org"


@pytest.mark.parametrize(
    ("given", "lacking"),
    [
        ({}, "client_id"),
        ({"client_id": "X"}, "sign_with"),
        ({"client_id": "X", "sign_with": "k"}, "keys"),
        ({"client_id": "X", "provider": "oidc"}, "issuer"),
        ({"client_id": "X", "sign_with": "k", "keys": ["f"]}, ""),
        ({"client_id": "X", "provider": "oidc", "issuer": "https://login.example"}, ""),
    ],
)
def test_what_is_missing_is_said_before_anybody_logs_in(given, lacking):
    manifest = registry.load(("esia",))["esia"].manifest

    error = registry.lack(manifest, {**manifest.options, **given})

    assert (error.where if error else "") == (f"options.{lacking}" if lacking else "")


@pytest.mark.parametrize("given", [{}, {"client_id": "X"}, {"client_id": "X", "provider": "oidc"}])
def test_a_login_without_what_it_needs_is_not_offered(given):
    with pytest.raises(ConfigurationError, match="настройка не задана"):
        Esia({**URL, **given}, lent=Lent(None, None, None))


def test_the_class_is_what_the_manifest_says():
    made = Esia({**URL, "keys": ["none"]})

    assert isinstance(made, IdentityProvider)
    plain = Esia(
        {**URL, "provider": "oidc", "issuer": "https://login.example", "client_auth": "none"}
    )
    with pytest.raises(UnsupportedError):
        plain.renew("x", None, redirect_uri="")
    plain.close()
