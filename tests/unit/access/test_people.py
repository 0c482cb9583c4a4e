"""Cookies, passwords and codes, apart from any store."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from gateway.access import passwords, sessions, totp
from gateway.access.passwords import Parameters, Passwords, Pool
from gateway.errors import BusyError, ValidationError

CHEAP = Parameters(memory=64, passes=1, lanes=1)
AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def test_a_password_is_kept_as_argon2id_with_its_parameters():
    made = Passwords().hash("верный конь и скрепка")
    assert made.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert Passwords().verify("верный конь и скрепка", made)
    assert not Passwords().outdated(made)
    assert Passwords(CHEAP).outdated(made)


def test_the_same_password_has_another_hash_each_time_and_any_keyboard_types_it():
    hashing = Passwords(CHEAP)
    one, other = hashing.hash("пароль й"), hashing.hash("пароль й")
    assert one != other
    assert hashing.verify("пароль и\N{COMBINING BREVE}", one)


@pytest.mark.parametrize("phc", ["", "x", "$argon2id$v=19$m=64,t=1,p=1$$", "$2b$12$abc"])
def test_what_is_no_hash_is_never_right_and_costs_a_computation(phc):
    hashing = Passwords(CHEAP)
    for given in ("", "x", "\0", "\ud800", "я" * 100_000):
        assert not hashing.verify(given, phc)
    assert hashing.computed == 5


@pytest.mark.parametrize(
    "password", ["", "короткий", "x" * 129, "my-ivan-password", "aaaaaaaaaaaaaaa"]
)
def test_a_weak_password_is_refused(password):
    with pytest.raises(ValidationError):
        passwords.require_good(password, "ivan")
    passwords.require_good("четыре слова без смысла", "ivan")


def test_one_time_passwords_are_not_alike():
    assert len({passwords.one_time() for _ in range(100)}) == 100


def test_past_the_bound_a_login_is_told_to_come_again():
    gate = threading.Event()
    pool = Pool(workers=1, waiting=1)
    running = [pool.submit(gate.wait) for _ in range(2)]
    with pytest.raises(BusyError):
        pool.submit(gate.wait)
    gate.set()
    assert all(one.result(10) for one in running)
    pool.close()


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "94287082"), (1111111109, "07081804"), (20000000000, "65353130")],
)
def test_codes_are_those_of_rfc_6238(seconds, code):
    step = totp.step_of(datetime.fromtimestamp(seconds, UTC))
    assert totp.code(b"12345678901234567890", step) == code[-6:]


def test_a_code_holds_for_a_step_before_and_after():
    secret = totp.new_secret()
    step = totp.step_of(AT)
    for shift in (-1, 0, 1):
        assert totp.matching_step(secret, totp.code(secret, step + shift), AT) == step + shift
    late = AT + timedelta(seconds=2 * totp.STEP_SECONDS)
    assert totp.matching_step(secret, totp.code(secret, step), late) == 0
    assert totp.matching_step(secret, "", AT) == 0
    assert totp.matching_step(secret, "١٢٣٤٥٦", AT) == 0


def test_the_address_for_a_program_holds_the_secret_and_no_markup():
    made = totp.uri(b"1" * 20, "a&b=c<d>", "Шлюз")
    assert made.startswith("otpauth://totp/")
    assert "<" not in made
    assert made.count("secret=") == 1


def test_a_recovery_code_is_known_however_it_is_typed():
    codes, kept = totp.recovery_codes()
    assert len(set(codes)) == totp.RECOVERY_CODES
    assert totp.recovery_digest(f" {codes[0].upper().replace('-', ' ')} ") == kept[0]


@pytest.mark.parametrize(
    "path",
    [
        "", "/", "//evil.example", "https://evil.example", "/my", "/my//x", "/my/../x", "/my/?a=1",
        "/my/\n", "/my/x\r\n", "/my/#x", "/login", "/my/\\evil", "/my/%2e", "/MY/", "/my/a/b/c/d/e",
    ],
)  # fmt: skip
def test_a_redirect_stays_below_the_cabinet(path):
    assert sessions.local(path) == sessions.HOME
    assert sessions.local("/my/appeals/0123-ab") == "/my/appeals/0123-ab"


def test_two_cookies_of_one_name_are_none():
    token, other = sessions.new_token(), sessions.new_token()
    name = sessions.COOKIE
    read = sessions.read_cookie
    assert read(f"a=b; __Host-{name}={token}; c=d", name, secure=True) == token
    assert read(f"__Host-{name}={token}; __Host-{name}={other}", name, secure=True) == ""
    assert read(f"{name}={token}", name, secure=True) == ""
    assert read(f"{name}={token}x", name, secure=False) == ""
    assert read(f"{name}={token[:-1]}\0", name, secure=False) == ""


def test_what_a_session_seals_opens_with_its_cookie_alone():
    token = sessions.new_token()
    sealed = sessions.seal(token, b"Anna")
    assert sessions.unseal(token, sealed) == b"Anna"
    assert sessions.unseal(sessions.new_token(), sealed) is None
    assert sessions.unseal(token, sealed[:-1]) is None
    assert sessions.unseal(token, b"") is None


def test_a_forms_token_is_of_its_browser():
    token = sessions.new_token()
    assert sessions.fits(token, sessions.form_token(token))
    assert not sessions.fits(token, sessions.form_token(sessions.new_token()))
    assert not sessions.fits(token, "")
    assert not sessions.fits(token, "\ud800я")
