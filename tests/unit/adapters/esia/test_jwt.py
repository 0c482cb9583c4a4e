"""Tokens of strangers: whatever comes, a refusal with its reason is all that leaves."""

import base64
import contextlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from adapters.esia import codes, jwt
from adapters.esia.keys import Key
from adapters.esia.portal import check_scope
from adapters.esia.verify import check_signature, no_backend
from gateway.errors import TrustError

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
BOTH = tuple(codes.KIND_OF)
OURS = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(header=None, claims=None, key=OURS):
    parts = ({"alg": "RS256", **(header or {})}, claims or {})
    signed = ".".join(url(json.dumps(part).encode()) for part in parts)
    return f"{signed}.{url(key.sign(signed.encode(), PKCS1v15(), SHA256()))}"


def held(key=OURS, **more):
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return Key("rsa", der, **more)


def believed(text):
    """Why a token is not believed, empty when it is; anything but a refusal leaves."""
    try:
        check_signature(jwt.parse(text, BOTH), [held()], no_backend, NOW)
    except TrustError as refused:
        return refused.reason
    return ""


REFUSALS = {"token_wrong", "algorithm_refused", "signature_wrong"}


def reason(of, *given, **more):
    with pytest.raises(TrustError) as refused:
        of(*given, **more)
    return refused.value.reason


def test_a_token_signed_by_one_of_several_keys_is_believed():
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    parsed = jwt.parse(token(claims={"sub": "1"}), BOTH)

    check_signature(parsed, [held(other), held()], no_backend, NOW)

    assert parsed.claims == {"sub": "1"}
    assert "sub" not in repr(parsed)


@pytest.mark.parametrize(
    "alg", ["none", "None", "HS256", "ES256", "PS256", "RS512", "", None, 1, ["RS256"]]
)
def test_an_algorithm_outside_of_the_list_is_refused(alg):
    assert reason(jwt.parse, token({"alg": alg}), BOTH) == "algorithm_refused"
    assert reason(jwt.parse, token({"alg": alg}), (*BOTH, "none", "HS256")) == "algorithm_refused"


def test_an_algorithm_that_settings_leave_out_is_refused():
    assert reason(jwt.parse, token(), (codes.GOST,)) == "algorithm_refused"


def test_a_key_of_another_kind_is_not_tried():
    parsed = jwt.parse(token({"alg": codes.GOST}), BOTH)

    assert reason(check_signature, parsed, [held()], no_backend, NOW) == "signature_wrong"


def test_a_key_that_the_header_brings_is_never_looked_at():
    evil = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    numbers = evil.public_key().public_numbers()
    jwk = {"kty": "RSA", "n": url(numbers.n.to_bytes(256)), "e": "AQAB"}
    parsed = jwt.parse(token({"jwk": jwk, "jku": "https://evil.example"}, key=evil), BOTH)

    assert reason(check_signature, parsed, [held()], no_backend, NOW) == "signature_wrong"


def test_a_short_key_is_believed_in_nothing():
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    parsed = jwt.parse(token(key=short), BOTH)

    assert reason(check_signature, parsed, [held(short)], no_backend, NOW) == "signature_wrong"


def test_a_key_whose_certificate_has_ended_is_tried_only_where_settings_say_so():
    parsed = jwt.parse(token(), BOTH)
    ended = held(until=NOW - timedelta(days=1))

    assert reason(check_signature, parsed, [ended], no_backend, NOW) == "signature_wrong"
    check_signature(parsed, [ended], no_backend, NOW, expired_keys=True)


def test_critical_extensions_are_refused():
    assert reason(jwt.parse, token({"crit": ["exp"]}), BOTH) == "token_wrong"


def test_another_spelling_of_the_same_bytes_is_refused():
    whole = token()
    head, body, tail = whole.split(".")
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = last[last.index(tail[-1]) ^ 1]  # differs in bits that no byte has

    assert reason(jwt.parse, f"{head}.{body}.{tail[:-1]}{other}", BOTH) == "token_wrong"
    assert reason(jwt.parse, whole + "=", BOTH) == "token_wrong"
    assert reason(jwt.parse, whole + "\n", BOTH) == "token_wrong"


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", "a.b", "a.b.c.d", "ключ.ключ.ключ", None, 7, b"a.b.c", "A" * 40_000 + ".A.A",
     f"{'W10'}.{'W10'}.{'AAAA'}", f"{url(b'[' * 5000)}.{url(b'{}')}.AAAA"],
)  # fmt: skip
def test_what_is_no_token_is_refused(text):
    assert reason(jwt.parse, text, BOTH) == "token_wrong"


@given(st.text(alphabet="Aa0._-=Zz9+/", max_size=200))
def test_any_text_is_a_token_or_a_refusal(text):
    assert believed(text) in REFUSALS


def test_an_honest_token_is_believed():
    assert believed(token()) == ""


@given(st.binary(max_size=300), st.binary(max_size=300), st.binary(max_size=80))
def test_any_three_parts_are_a_token_or_a_refusal(head, body, tail):
    assert believed(f"{url(head)}.{url(body)}.{url(tail)}") in REFUSALS


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(["exp", "nbf", "iat", "iss", "aud", "azp", "scope"]), json_values
    )
)
def test_any_claims_are_believed_or_refused(claims):
    for check in (
        lambda: jwt.check_times(claims, NOW, 60, NOW),
        lambda: jwt.check_issuer(claims, "http://esia.example/"),
        lambda: jwt.check_audience(claims, "SHLYUZ"),
        lambda: check_scope(claims.get("scope"), "openid", "1"),
    ):
        with contextlib.suppress(TrustError):
            check()


@given(st.integers(0, 600), st.data())
def test_a_token_with_any_byte_changed_is_refused(place, data):
    whole = token(claims={"sub": "1000000001"})
    place %= len(whole)
    letter = data.draw(st.characters(codec="ascii").filter(lambda c: c != whole[place]))

    assert believed(whole[:place] + letter + whole[place + 1 :]) in REFUSALS


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({}, "token_wrong"),
        ({"exp": True}, "token_wrong"),
        ({"exp": "1800000000"}, "token_wrong"),
        ({"exp": 1e300}, "token_wrong"),
        ({"exp": -1}, "token_wrong"),
        ({"exp": NOW.timestamp() - 60}, "token_expired"),
        ({"exp": NOW.timestamp() + 60, "nbf": NOW.timestamp() + 61}, "token_expired"),
        ({"exp": NOW.timestamp() + 60, "iat": NOW.timestamp() + 61}, "token_expired"),
        ({"exp": NOW.timestamp() + 60, "iat": NOW.timestamp() - 3600}, "replayed"),
        ({"exp": NOW.timestamp() + 60}, "token_wrong"),
    ],
)
def test_times_that_do_not_hold(claims, expected):
    assert reason(jwt.check_times, claims, NOW, 60, NOW) == expected


def test_clocks_may_differ_a_little():
    at = NOW.timestamp()

    jwt.check_times({"exp": at - 59, "nbf": at + 60, "iat": at - 60}, NOW, 60, NOW)


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"aud": "OTHER"},
        {"aud": ["OTHER"]},
        {"aud": ["SHLYUZ", "OTHER"]},
        {"aud": ["SHLYUZ", "OTHER"], "azp": "OTHER"},
        {"aud": "SHLYUZ", "azp": "OTHER"},
        {"aud": {"SHLYUZ": 1}},
    ],
)
def test_an_audience_that_is_not_ours(claims):
    assert reason(jwt.check_audience, claims, "SHLYUZ") == "token_not_ours"


def test_an_audience_that_is_ours():
    jwt.check_audience({"aud": "SHLYUZ"}, "SHLYUZ")
    jwt.check_audience({"aud": ["SHLYUZ", "OTHER"], "azp": "SHLYUZ"}, "SHLYUZ")


def test_scopes_are_compared_by_name_and_by_person():
    asked = "openid fullname"

    check_scope("openid fullname?oid=7 http://esia.example/org_ogrn?org_oid=9", asked, "7")
    check_scope("fullname?oid=7", asked, "7")  # the id token itself shows the other
    assert reason(check_scope, "openid", asked, "7") == "scope_wrong"
    assert reason(check_scope, "openid fullname?oid=8", asked, "7") == "scope_wrong"
    assert reason(check_scope, "openid fullname?mode=w&oid=8", asked, "7") == "scope_wrong"
    assert reason(check_scope, ["openid"], asked, "7") == "scope_wrong"
