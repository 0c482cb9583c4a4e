"""What is owed to whom, why it does not go, and dry runs that promise what will be done."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from gateway.store import lanes

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


@pytest.fixture
def hook(house):
    """A web hook that can be sent to but for its secret, with one delivery waiting."""
    house.peer("hook", adapter="webhook", options={"url": "https://hook.example/"})
    return owe(house, "hook")


def owe(house, code, lane="1", **more):
    with house.connection() as db:
        row = lanes.NewDelivery(code, lane, None, None, "Registered", **more)
        lanes.enqueue(db, [row], NOW)
    ((found,),) = house.rows("SELECT id FROM delivery WHERE destination = $1", code)
    return str(found)


def test_without_a_word_deliveries_are_listed(house, hook):
    assert hook in house.run("deliveries")
    assert [d["id"] for d in house.json("deliveries", "-d", "hook")] == [hook]
    assert house.json("deliveries", "list", "--peer", "sed") == []


def test_why_a_delivery_does_not_go_stands_beside_it(house, hook):
    said = house.run("deliveries", "list")

    assert "secret_file: настройка не задана" in said
    assert "gateway peer option hook secret_file" in house.json("deliveries")[0]["blocked"]
    assert "secret_file" in house.json("deliveries", "show", hook)["blocked"]


def test_a_delivery_to_a_disabled_peer_says_so(house):
    house.peer("files", adapter="file", options={"directory": "out"})
    owe(house, "files")
    assert "blocked" not in house.json("deliveries")[0]

    house.run("peer", "disable", "files", "--commit")

    assert "система отключена" in house.run("deliveries")
    assert "gateway peer enable files" in house.json("deliveries")[0]["blocked"]


def test_an_option_of_an_older_row_is_named(house):
    house.peer("files", adapter="file", options={"directory": "out", "max_in_flight": "abc"})
    owe(house, "files")

    said = house.json("deliveries")[0]["blocked"]

    assert said.startswith("max_in_flight: ")
    assert '"abc"' in said


def test_what_a_peer_pulls_is_not_blocked(house):
    owe(house, "sed", lanes.PULL_LANE, kind="pull")

    assert "blocked" not in house.json("deliveries")[0]


def test_a_peer_that_is_not_there_is_no_empty_list(house, hook):
    for arguments in (("list",), ("replay",), ("send",)):
        said = house.run("deliveries", *arguments, "-d", "nope", code=2)
        assert "nope" in said


@pytest.mark.parametrize(
    ("state", "act"),
    [("acknowledged", "replay"), ("acknowledged", "skip"), ("skipped", "confirm")],
)
def test_a_dry_run_refuses_what_commit_would(house, hook, state, act):
    house.change("UPDATE delivery SET state = $1", state)

    dry = house.run("deliveries", act, hook, code=2)
    real = house.run("deliveries", act, hook, "--commit", code=2)

    assert dry == real
    assert state in dry


def test_a_dry_run_says_a_delivery_is_being_sent_as_commit_does(house, hook):
    house.change("UPDATE delivery SET state = 'sending'")
    house.change("UPDATE lane SET owner = 'w'")

    assert "in hand" in house.run("deliveries", "skip", hook, code=2)


def test_a_dry_run_changes_nothing(house, hook):
    house.change("UPDATE delivery SET state = 'refused'")

    assert house.json("deliveries", "replay", hook)["committed"] is False
    assert house.json("deliveries", "replay", "-d", "hook")["committed"] is False
    assert house.rows("SELECT state FROM delivery") == [("refused",)]
    house.run("deliveries", "replay", hook, "--commit")
    assert house.rows("SELECT state FROM delivery") == [("retry",)]


def test_several_are_decided_together_or_not_at_all(house, hook):
    with house.connection() as db:
        lanes.enqueue(db, [lanes.NewDelivery("hook", "2", None, None, "Answered")], NOW)
    house.change("UPDATE delivery SET state = 'refused'")
    other = next(d["id"] for d in house.json("deliveries") if d["id"] != hook)
    states = "SELECT DISTINCT state FROM delivery"

    house.change("UPDATE delivery SET state = 'acknowledged' WHERE id = $1", UUID(other))
    house.run("deliveries", "skip", hook, other, "--commit", code=2)
    assert set(house.rows(states)) == {("acknowledged",), ("refused",)}

    house.change("UPDATE delivery SET state = 'refused'")
    house.run("deliveries", "skip", hook, other, "--commit")
    assert house.rows(states) == [("skipped",)]


def test_sending_dry_says_what_keeps_it_from_being_sent(house, hook):
    for commit in ((), ("--commit",)):
        assert "secret_file" in house.run("deliveries", "send", "-d", "hook", *commit, code=2)


def test_instants_are_in_the_zone_of_the_house_and_say_so(house, hook):
    for said in (house.run("deliveries"), house.run("deliveries", "replay", "-d", "hook")):
        assert "Europe/Moscow" in said
    assert "21.11.2026 12:00:00" in house.run("deliveries")
    assert "2026-11-21 12:00:00+03:00" in house.run("deliveries", "show", hook)
    house.environ["GATEWAY_ZONE"] = "Asia/Omsk"
    assert "21.11.2026 15:00:00" in house.run("deliveries")
    assert "Asia/Omsk" in house.run("messages")
