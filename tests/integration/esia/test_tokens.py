"""Tokens that nobody should believe: each is refused with its own reason, by either algorithm."""

import zipfile
from pathlib import Path

import pytest

from gateway.errors import TrustError
from tests.gost_kit import needs_gost
from tests.integration.esia import house

pytestmark = needs_gost

WAYS = [
    ("tampered", "signature_wrong"),
    ("stranger", "signature_wrong"),
    ("none", "token_wrong"),
    ("hs256", "algorithm_refused"),
    ("swapped", "signature_wrong"),
    ("expired", "token_expired"),
    ("early", "token_expired"),
    ("no_expiry", "token_wrong"),
    ("issuer", "token_not_ours"),
    ("slashless", "token_not_ours"),
    ("client", "token_not_ours"),
    ("kind", "token_wrong"),
]


@pytest.mark.parametrize("algorithm", ["GOST3410_2012_256", "RS256"])
@pytest.mark.parametrize("token", ["id", "access"])
@pytest.mark.parametrize(("how", "reason"), WAYS)
def test_a_token_is_refused(esia, people, how, reason, token, algorithm):
    house.register(esia, algorithm=algorithm)
    made = house.esia(house.options(esia), lent=house.lent())
    esia.control(alter={"how": how, "token": token})

    assert refused(made, people[0]["oid"]) == reason


@pytest.mark.parametrize(
    ("how", "token", "reason"),
    [
        ("person", "id", "token_wrong"),
        ("session", "id", "token_wrong"),
        ("scope", "access", "scope_wrong"),
        ("state", "id", "state_mismatch"),
    ],
)
def test_what_does_not_belong_together_is_refused(registered, people, how, token, reason):
    made = house.esia(house.options(registered), lent=house.lent())
    registered.control(alter={"how": how, "token": token})

    assert refused(made, people[0]["oid"]) == reason


def test_an_id_token_of_an_earlier_login_is_refused(registered, people):
    made = house.esia(house.options(registered), lent=house.lent())
    house.log_in(made, people[0]["oid"])
    registered.control(alter={"how": "replay", "token": "id"})

    assert refused(made, people[0]["oid"]) in {"replayed", "token_wrong"}


def test_both_tokens_of_an_earlier_login_are_refused_as_replayed(registered, people):
    made = house.esia(house.options(registered), lent=house.lent())
    house.log_in(made, people[0]["oid"])
    registered.control(alter={"how": "replay", "token": "id"})
    registered.control(alter={"how": "replay", "token": "access"})

    assert refused(made, people[0]["oid"]) == "replayed"


def test_an_algorithm_that_settings_do_not_allow_is_refused(registered, people):
    made = house.esia(house.options(registered, algorithms=["RS256"]), lent=house.lent())

    assert refused(made, people[0]["oid"]) == "algorithm_refused"


def test_keys_change_without_a_restart(registered, people):
    made = house.esia(house.options(registered), lent=house.lent())
    house.log_in(made, people[0]["oid"])

    registered.control(rotate=True, publish=False)
    assert refused(made, people[0]["oid"]) == "signature_wrong"

    registered.control(publish=True)
    assert house.log_in(made, people[0]["oid"]).subject == people[0]["oid"]


def test_a_half_copied_archive_leaves_the_keys_before_it_in_force(registered, people, tmp_path):
    registered.control(publish=True)
    whole = house.options(registered)["keys"][0]
    with zipfile.ZipFile(whole) as archive:
        archive.extractall(tmp_path)
    (tmp_path / "README.txt").write_text("не ключ")
    kept = tmp_path / "kept"
    kept.mkdir()
    copy = kept / "esia.zip"
    content = Path(whole).read_bytes()
    copy.write_bytes(content)
    made = house.esia(house.options(registered, keys=[str(kept)]), lent=house.lent())
    house.log_in(made, people[0]["oid"])

    copy.write_bytes(content[:100])

    assert house.log_in(made, people[0]["oid"]).subject
    unpacked = house.esia(house.options(registered, keys=[str(tmp_path)]), lent=house.lent())
    assert house.log_in(unpacked, people[0]["oid"]).subject


def test_nothing_of_a_token_stands_in_a_refusal(registered, people):
    made = house.esia(house.options(registered), lent=house.lent())
    registered.control(alter={"how": "tampered"})

    with pytest.raises(TrustError) as error:
        house.log_in(made, people[0]["oid"])

    assert people[0]["oid"] not in str(error.value)
    assert "ey" not in error.value.found


def refused(made, person):
    with pytest.raises(TrustError) as error:
        house.log_in(made, person)
    return error.value.reason
