"""The return of a browser: whatever stands in its address, a code or a refusal is what comes."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.esia import login
from adapters.esia.adapter import Esia
from gateway.errors import ConfigurationError, GatewayError, TrustError

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
STATE = "b7f9d3a0-0000-4000-8000-00000000000a"
SECRET = {"began": NOW.isoformat()}


def back(query, secret=SECRET, state=STATE, now=NOW):
    return login.returned(secret, state, query, now, "ЕСИА")


def test_an_honest_return_gives_its_code():
    assert back({"state": STATE, "code": "abc"}) == ("abc", NOW)


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ({}, "state_mismatch"),
        ({"state": ""}, "state_mismatch"),
        ({"state": STATE.upper(), "code": "abc"}, "state_mismatch"),
        ({"state": STATE + " ", "code": "abc"}, "state_mismatch"),
        ({"state": "\ud800", "code": "abc"}, "state_mismatch"),
        ({"state": STATE}, "identity_refused"),
        ({"state": STATE, "code": "a\r\nb"}, "identity_refused"),
        ({"state": STATE, "code": "к"}, "identity_refused"),
        ({"state": STATE, "code": "a" * 10_000}, "identity_refused"),
        ({"state": STATE, "error": "access_denied", "code": "abc"}, "identity_refused"),
    ],
)
def test_a_return_that_is_refused(query, reason):
    with pytest.raises(TrustError) as refused:
        back(query)

    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("secret", "state", "now"),
    [
        ({}, STATE, NOW),
        ({"began": "вчера"}, STATE, NOW),
        ({"began": "2026-03-02T09:00:00"}, STATE, NOW),
        (SECRET, "", NOW),
        (SECRET, STATE, NOW + timedelta(minutes=11)),
        (SECRET, STATE, NOW - timedelta(minutes=2)),
    ],
)
def test_a_login_that_did_not_begin_here_or_now(secret, state, now):
    with pytest.raises(TrustError) as refused:
        back({"state": state, "code": "abc"}, secret, state, now)

    assert refused.value.reason == "state_mismatch"


@given(
    st.dictionaries(
        st.sampled_from(["state", "code", "error", "error_description", "iss"]),
        st.text(max_size=40) | st.just(STATE) | st.just("ESIA-007004"),
    )
)
def test_any_return_is_a_code_or_a_refusal(query):
    try:
        code, _ = back(query)
    except GatewayError:
        return
    assert query["state"] == STATE
    assert code == query["code"]


def test_a_login_says_nothing_that_can_be_guessed_twice():
    made = {login.verifier() for _ in range(100)}

    assert len(made) == 100
    assert all(len(each) == 43 for each in made)


@pytest.mark.parametrize(
    "given",
    [{"url": "http://esia.gosuslugi.ru"}, {"provider": "oidc", "issuer": "http://a.example"}],
)
def test_a_provider_without_tls_is_believed_on_loopback_only(given):
    made = Esia({"url": "https://esia.gosuslugi.ru", "client_auth": "none", **given})

    with pytest.raises(ConfigurationError, match="TLS"):
        made.begin(NOW, redirect_uri="https://gateway.example/back", official=False)
