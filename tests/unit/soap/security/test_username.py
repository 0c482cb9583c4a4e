"""UsernameToken: a password on a safe wire, a digest on any."""

from datetime import timedelta

import pytest

from tests.unit.soap.security.kit import (
    DIGEST,
    NOW,
    TEXT,
    Ctx,
    b64,
    digested,
    header,
    nonce_of,
    read,
    refused,
    soap,
    timestamp,
    username,
)

CREATED = "<wsu:Created>2026-11-20T12:00:00Z</wsu:Created>"
ONLY_NAME = "<wsse:UsernameToken><wsse:Username>omsu</wsse:Username></wsse:UsernameToken>"
ONLY_PASSWORD = "<wsse:UsernameToken><wsse:Password>omsu</wsse:Password></wsse:UsernameToken>"
SALTED = "<s:Salt xmlns:s='urn:x'>1</s:Salt>"
TWICE = f'<wsse:Password Type="{TEXT}">gw_key_secret</wsse:Password>'


def message(*blocks, version="1.1"):
    return soap(header(*blocks), version=version)


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_a_password_on_a_safe_wire_proves_its_peer(version):
    proof = read(message(username(), version=version), version=version)
    assert (proof.peer, proof.kinds, proof.timestamp) == ("omsu", {"text"}, False)
    assert proof.signed == frozenset()


def test_a_password_without_a_nonce_may_come_again():
    ctx = Ctx()
    assert [read(message(username()), ctx).peer for _ in range(2)] == ["omsu", "omsu"]


def test_a_password_without_a_type_is_text():
    assert read(message(username(kind=""))).kinds == {"text"}


def test_a_password_in_clear_text_over_plain_http_is_refused_and_the_refusal_says_so():
    error = refused(message(username()), Ctx(secure_wire=False))
    assert error.fault == "FailedAuthentication"
    assert "plain HTTP" in error.message
    assert "PasswordDigest" in error.todo


def test_spaces_of_a_password_are_its_own():
    ctx = Ctx()
    ctx.keys.passwords[("omsu", " с пробелом ")] = "omsu"
    assert read(message(username(password=" с пробелом ")), ctx).peer == "omsu"


def test_a_digest_proves_its_peer_on_any_wire():
    proof = read(message(digested()), Ctx(secure_wire=False))
    assert (proof.peer, proof.kinds) == ("omsu", {"digest"})


def test_a_digest_made_by_the_profiles_own_formula_is_accepted():
    # Base64(SHA-1("0123456789abcdef" + "2026-11-20T12:00:00Z" + "secret")), made with openssl.
    ctx = Ctx()
    ctx.keys.digests["omsu"] = [b"secret"]
    rest = f"{nonce_of(b'0123456789abcdef')}{CREATED}"
    token = username("omsu", "wtCBrnV0OOuK2WTQOczlX7LKwjc=", DIGEST, rest)
    assert read(message(token), ctx).peer == "omsu"


def test_any_live_secret_of_the_peer_is_accepted():
    assert read(message(digested(password="old"))).peer == "omsu"


@pytest.mark.parametrize(
    "token",
    [
        username(user="other"),
        username(password="wrong"),
        username(password=""),
        digested(user="other"),
        digested(password="wrong"),
        username(password="", kind=DIGEST, rest=f"{nonce_of(b'1')}{CREATED}"),
    ],
)
def test_who_is_not_accepted_is_not_told_which_part_was_wrong(token):
    error = refused(message(token))
    assert error.fault == "FailedAuthentication"
    assert error.message == "the user name or the password is not accepted"
    assert error.found == ""


@pytest.mark.parametrize(
    ("rest", "fault"),
    [
        ("", "InvalidSecurityToken"),
        (nonce_of(b"1"), "InvalidSecurityToken"),
        (CREATED, "InvalidSecurityToken"),
        (f"{nonce_of(b'')}{CREATED}", "InvalidSecurityToken"),
        ("<wsse:Nonce>!</wsse:Nonce>" + CREATED, "InvalidSecurity"),
        (f"<wsse:Nonce>{b64(b'1' * 200)}</wsse:Nonce>{CREATED}", "InvalidSecurity"),
        ('<wsse:Nonce EncodingType="hex">31</wsse:Nonce>' + CREATED, "UnsupportedSecurityToken"),
        (f"{nonce_of(b'1')}<wsu:Created>2026-11-20T12:00:00</wsu:Created>", "InvalidSecurity"),
    ],
)
def test_a_digest_needs_a_readable_nonce_and_created(rest, fault):
    assert refused(message(username(kind=DIGEST, rest=rest))).fault == fault


@pytest.mark.parametrize(
    ("created", "fault"),
    [
        (NOW - timedelta(minutes=6), "MessageExpired"),
        (NOW + timedelta(seconds=61), "InvalidSecurity"),
    ],
)
def test_an_old_digest_and_one_from_the_future_are_refused(created, fault):
    assert refused(message(digested(created=created))).fault == fault


@pytest.mark.parametrize("created", [NOW - timedelta(seconds=359), NOW + timedelta(seconds=60)])
def test_clocks_may_differ_a_little(created):
    assert read(message(digested(created=created))).peer == "omsu"


def test_a_digest_is_accepted_once_while_it_is_fresh():
    ctx = Ctx()
    assert read(message(digested()), ctx).peer == "omsu"
    ctx.now += timedelta(seconds=359)
    error = refused(message(digested()), ctx)
    assert (error.fault, error.message) == ("FailedCheck", "the message was sent before")
    ctx.now += timedelta(seconds=2)
    assert refused(message(digested()), ctx).fault == "MessageExpired"


def test_another_peer_may_use_the_same_nonce():
    ctx = Ctx()
    ctx.keys.digests["other"] = ["пароль".encode()]
    assert read(message(digested()), ctx).peer == "omsu"
    assert read(message(digested(user="other")), ctx).peer == "other"


def test_a_forged_digest_does_not_spend_the_nonce():
    ctx = Ctx()
    refused(message(digested(password="wrong")), ctx)
    assert read(message(digested()), ctx).peer == "omsu"


def test_a_password_with_nonce_and_created_is_accepted_once():
    rest = f"{nonce_of(b'n')}{CREATED}"
    ctx = Ctx()
    assert read(message(username(rest=rest)), ctx).peer == "omsu"
    assert refused(message(username(rest=rest)), ctx).fault == "FailedCheck"


@pytest.mark.parametrize(
    ("token", "fault"),
    [
        (username(rest="<wsse:Username>omsu</wsse:Username>"), "InvalidSecurity"),
        (username(rest=TWICE), "InvalidSecurity"),
        (username(rest=SALTED), "UnsupportedSecurityToken"),
        (username(kind="urn:other"), "UnsupportedSecurityToken"),
        (username(user="a" * 101), "InvalidSecurity"),
        (username(user="<b>omsu</b>"), "InvalidSecurity"),
        (username(password="a" * 501), "InvalidSecurity"),
        (ONLY_NAME, "InvalidSecurityToken"),
        (ONLY_PASSWORD, "InvalidSecurityToken"),
        (username() + username(), "InvalidSecurity"),
    ],
)
def test_a_token_that_is_built_otherwise_is_refused(token, fault):
    assert refused(message(token)).fault == fault


def test_a_stale_timestamp_beside_a_good_password_is_refused():
    old = timestamp(NOW - timedelta(hours=1), NOW - timedelta(minutes=55))
    assert refused(message(old, username())).fault == "MessageExpired"


def test_the_proof_says_that_there_was_a_timestamp():
    assert read(message(timestamp(), username())).timestamp
