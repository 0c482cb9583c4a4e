"""Sealed secrets open for the credential they were sealed for, with the key of now or before."""

from __future__ import annotations

import base64

import pytest

from gateway.access.seals import Seals
from gateway.errors import ConfigurationError

KEY, OTHER = base64.b64encode(bytes(32)).decode(), "11" * 32
SEALS = Seals(KEY)


def test_a_secret_comes_back_for_its_own_credential_only():
    sealed = SEALS.seal(b"secret", "portal", "c1")
    assert b"secret" not in sealed
    assert SEALS.open(sealed, "portal", "c1") == b"secret"
    assert SEALS.open(sealed, "sed", "c1") is None
    assert SEALS.open(sealed, "portal", "c2") is None


def test_the_same_secret_is_sealed_differently_each_time():
    assert SEALS.seal(b"s", "p", "c") != SEALS.seal(b"s", "p", "c")


def test_the_key_before_opens_and_the_key_of_now_seals():
    sealed = SEALS.seal(b"secret", "portal", "c1")
    changed = Seals(OTHER, KEY)
    assert changed.open(sealed, "portal", "c1") == b"secret"
    assert SEALS.open(changed.seal(b"x", "portal", "c1"), "portal", "c1") is None
    assert Seals(OTHER).open(sealed, "portal", "c1") is None


@pytest.mark.parametrize("cut", [0, 1, 5, 13, 28, -1])
def test_what_was_damaged_does_not_open(cut):
    sealed = SEALS.seal(b"secret", "portal", "c1")
    assert SEALS.open(sealed[:cut], "portal", "c1") is None
    assert SEALS.open(b"\x02" + sealed[1:], "portal", "c1") is None


def test_no_byte_of_a_sealed_secret_can_be_changed():
    sealed = SEALS.seal(b"secret", "portal", "c1")
    for at in range(len(sealed)):
        changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        assert SEALS.open(changed, "portal", "c1") is None, at


def test_without_a_key_it_says_how_to_make_one():
    with pytest.raises(ConfigurationError) as refused:
        Seals().seal(b"s", "p", "c")
    assert "GATEWAY_SEAL_KEY_FILE" in refused.value.todo


@pytest.mark.parametrize("text", ["short", "zz" * 32, base64.b64encode(bytes(16)).decode()])
def test_a_key_of_another_form_is_refused_by_the_name_of_its_setting(text):
    with pytest.raises(ConfigurationError) as refused:
        Seals(KEY, text)
    assert refused.value.where == "seal_key_old"
    assert text not in str(refused.value)
