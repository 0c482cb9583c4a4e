"""Peers by command: a key is shown once and works until it is disabled."""

from __future__ import annotations

import pytest

from gateway.access.policy import Gate
from gateway.errors import AccessError


@pytest.fixture
def enter(house):
    def call(key):
        gate = Gate(house.url, trusted_wire=False, refused=lambda _: None)
        return gate.enter({"x-api-key": key}, "127.0.0.1", tls=False, path="/").peer

    return call


def test_the_key_that_is_shown_opens_the_door(house, enter):
    key = house.json("peer", "add", "portal", "--name", "Портал")["key"]

    assert enter(key) == "portal"
    assert key not in house.run("peer", "list")


def test_a_person_sees_the_key_on_a_line_of_its_own(house):
    lines = house.run("peer", "add", "portal").splitlines()

    assert any(line.startswith("gw_") and " " not in line for line in lines)


def test_a_second_key_and_the_end_of_the_first(house, enter):
    first = house.json("peer", "add", "portal")["key"]
    second = house.json("peer", "key", "portal")["key"]

    house.run("peer", "key", "portal", "--disable", first.split("_")[1])

    assert enter(second) == "portal"
    with pytest.raises(AccessError):
        enter(first)


def test_a_disabled_peer_is_shut_out_only_with_commit(house, enter):
    key = house.json("peer", "add", "portal")["key"]

    assert house.json("peer", "disable", "portal") == {
        "peer": "portal",
        "keys": 1,
        "committed": False,
    }
    assert enter(key) == "portal"
    house.run("peer", "disable", "portal", "--commit")
    with pytest.raises(AccessError):
        enter(key)


def test_options_are_read_as_json_or_text_and_can_be_removed(house):
    house.run("peer", "add", "portal", "-o", "tell=push", "-o", 'events=["Answered"]')

    found = house.json("peer", "option", "portal", "timeout=5", "--unset", "tell")

    assert found["options"] == {"events": ["Answered"], "timeout": 5}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "epgu"), "conflict"),
        (("add", "Портал"), "small Latin letters"),
        (("add", "x", "--disclosure", "full"), "ground"),
        (("add", "x", "--disclosure", "everything"), "disclosure"),
        (("add", "x", "-o", "broken"), "NAME=VALUE"),
        (("key", "nobody"), "no such peer"),
        (("key", "epgu", "--disable", "nothing"), "no such live key"),
        (("disable", "nobody", "--commit"), "no such peer"),
        (("option", "nobody", "a=1"), "no such peer"),
    ],
)
def test_a_mistake_is_told_and_changes_nothing(house, arguments, said):
    before = house.rows("SELECT count(*) FROM peer"), house.rows("SELECT count(*) FROM credential")

    assert said in house.run("peer", *arguments, code=2)

    after = house.rows("SELECT count(*) FROM peer"), house.rows("SELECT count(*) FROM credential")
    assert before == after
