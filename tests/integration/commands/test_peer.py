"""Peers by command: a key is shown once and works until it is disabled."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gateway import registry
from gateway.access.policy import Gate
from gateway.destinations import Destinations
from gateway.errors import AccessError
from gateway.store import lanes
from gateway.store.pool import Pool


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
        "waiting": 0,
        "committed": False,
    }
    assert enter(key) == "portal"
    house.run("peer", "disable", "portal", "--commit")
    with pytest.raises(AccessError):
        enter(key)


def test_a_peer_is_enabled_again_with_a_new_key_and_what_was_kept_for_it(house, enter):
    house.run("peer", "add", "portal", "--no-key")
    house.run("peer", "disable", "portal", "--commit")
    since = "SELECT disabled_at IS NOT NULL FROM peer WHERE code = 'portal'"
    assert house.rows(since) == [(True,)]
    assert house.json("peer", "enable", "portal", "--key") == {
        "peer": "portal",
        "waiting": 0,
        "skipped": 0,
        "committed": False,
    }
    key = house.json("peer", "enable", "portal", "--key", "--commit")["key"]
    assert enter(key) == "portal"
    assert house.rows(since) == [(False,)]


def test_what_was_kept_for_a_disabled_peer_may_be_left_unsent(house):
    with house.connection() as db:
        rows = [lanes.NewDelivery("epgu", str(n), None, None, "Registered") for n in range(3)]
        lanes.enqueue(db, rows, datetime.now(UTC))
    assert house.json("peer", "disable", "epgu", "--commit")["waiting"] == 3
    assert house.json("peer", "enable", "epgu", "--skip-waiting")["waiting"] == 3
    found = house.json("peer", "enable", "epgu", "--skip-waiting", "--commit")
    assert (found["skipped"], found["waiting"]) == (3, 0)
    assert house.rows("SELECT DISTINCT state FROM delivery") == [("skipped",)]


def test_options_are_read_as_json_or_text_and_can_be_removed(house):
    given = ("-o", "tell=push", "-o", 'events=["Answered"]')
    house.run("peer", "add", "portal", "--adapter", "webhook", *given)

    found = house.json("peer", "option", "portal", "timeout=5", "--unset", "tell")

    assert found["options"] == {"events": ["Answered"], "timeout": 5}


def test_what_is_still_missing_is_told_at_once(house, tmp_path):
    (tmp_path / "secret").write_text("too short")
    added = house.json("peer", "add", "hook", "--adapter", "webhook", "-o", "url=https://h.example")
    assert "secret_file" in added["blocked"]

    said = house.run("peer", "option", "hook", f"secret_file={tmp_path}/secret")
    assert "Пока ничего не отправляется" in said
    assert "16" in said

    (tmp_path / "secret").write_text("long enough for a secret")
    assert "blocked" not in house.json("peer", "option", "hook", "timeout=5")


def test_hosts_for_answers_change_only_with_commit_and_are_shown(house):
    house.json("peer", "add", "portal", "--callback-host", "Old.example")
    given = ("--add", "answers.example:8443", "--add", "old.example", "--remove", "OLD.example")

    planned = house.json("peer", "hosts", "portal", *given)
    assert planned == {
        "peer": "portal",
        "before": ["old.example"],
        "hosts": ["answers.example:8443", "old.example"],
        "committed": False,
    }
    assert "Answers may go to: old.example" in house.run("peer", "hosts", "portal")

    assert "--commit" in house.run("peer", "hosts", "portal", "--remove", "old.example")
    said = house.run("peer", "hosts", "portal", *given[:2], *given[4:], "--commit")
    assert "Now: answers.example:8443" in said
    assert house.json("peer", "hosts", "portal")["hosts"] == ["answers.example:8443"]


def test_an_old_mistake_in_a_row_can_be_mended_one_by_one(house):
    house.peer("files", adapter="file", options={"max_in_flight": "abc", "ulr": 1})

    assert "directory" not in house.json("peer", "option", "files", "max_in_flight=2")["options"]
    assert "ulr" not in house.json("peer", "option", "files", "--unset", "ulr")["options"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "epgu"), "conflict"),
        (("add", "Портал"), "small Latin letters"),
        (("add", "x", "--disclosure", "full"), "ground"),
        (("add", "x", "--disclosure", "everything"), "disclosure"),
        (("add", "x", "-o", "broken"), "NAME=VALUE"),
        (("add", "x", "--callback-host", "https://a.example/"), "host:port"),
        (("hosts", "nobody"), "no such peer"),
        (("hosts", "epgu", "--add", "*.example", "--commit"), "host:port"),
        (("hosts", "epgu", "--remove", "a.example", "--commit"), "no such host"),
        (("key", "nobody"), "no such peer"),
        (("key", "epgu", "--disable", "nothing"), "no such live key"),
        (("disable", "nobody", "--commit"), "no such peer"),
        (("enable", "nobody", "--commit"), "no such peer"),
        (("option", "nobody", "a=1"), "no such peer"),
        (("option", "epgu", "--unset", "events"), "no such option"),
        (("add", "x", "--adapter", "webhok"), "pull, webhook, soap, file, sstu"),
        (("add", "x", "--adapter", "webhook", "-o", "ulr=1"), "perhaps: url"),
        (("add", "x", "--adapter", "sstu", "-o", "max_in_flight=abc"), "a whole number"),
        (("add", "x", "--adapter", "sstu", "-o", "ack=?"), "accept, upload"),
        (("add", "x", "-o", "url=https://h.example/"), "it has no such option"),
        (("option", "epgu", "tell=psh"), "pull | push | none"),
        (("option", "epgu", "tell=push"), "no adapter to send by"),
        (("option", "epgu", 'events=["Bogus"]'), '["Bogus"]'),
    ],
)
def test_a_mistake_is_told_and_changes_nothing(house, arguments, said):
    before = house.rows("SELECT count(*) FROM peer"), house.rows("SELECT count(*) FROM credential")

    assert said in house.run("peer", *arguments, code=2)

    after = house.rows("SELECT count(*) FROM peer"), house.rows("SELECT count(*) FROM credential")
    assert before == after


@pytest.mark.parametrize(
    ("named", "level"),
    [((), "full"), (("--disclosure", "problem_only"), "problem_only"),
     (("--disclosure", "reference_only"), "reference_only")],
)  # fmt: skip
def test_a_level_that_is_named_holds_for_what_an_adapter_sends_too(house, named, level):
    address = ("-o", "url=http://127.0.0.1:9/")
    house.run("peer", "add", "node", "--adapter", "sstu", *address, *named)

    pool = Pool(house.url)
    pool.open()
    try:
        adapters, now = registry.load(["sstu"]), lambda: datetime.now(UTC)
        built = Destinations(pool, adapters, house.settings, now)
        assert built()["node"].policy.level == level
        built.close()
    finally:
        pool.close()
    shown = house.run("peer", "list")
    assert ("по адаптеру" in shown) == (not named)


@pytest.fixture
def with_smev(house):
    house.environ["GATEWAY_ADAPTERS"] = "smev"
    return house


@pytest.mark.parametrize("word", ["1.3", '"1.3"'], ids=["bare", "quoted"])
def test_a_version_is_given_as_it_is_written(with_smev, word):
    with_smev.run(
        "peer",
        "add",
        "smev",
        "--no-key",
        "--adapter",
        "smev",
        "-o",
        f"version={word}",
        "-o",
        "batch=7",
    )
    assert with_smev.json("peer", "option", "smev")["options"] == {"version": "1.3", "batch": 7}
    with_smev.run("peer", "option", "smev", "version=1.1")
    assert with_smev.json("peer", "option", "smev")["options"]["version"] == "1.1"


@pytest.mark.parametrize(
    ("pair", "found", "expected"),
    [
        ("version=1.4", "1.4", "1.1, 1.2, 1.3"),
        ("version=1.30", "1.30", "1.1, 1.2, 1.3"),
        ("version=[1.3]", "[1.3]", "text"),
        ("batch=many", "many", "a number"),
        ("batch=0", "0", "1"),
        ("test=1", "1", "true | false"),
        ("kinds=Root", "Root", "…"),
        ('kinds=["Root"]', "Root", "urn://… Root"),
        ("storage=ftp.example:port", "port", "host:port"),
        ("storage=ftp.example:99999", "99999", "host:port"),
        ("refuse_with=later", "later", "rejected, payload"),
        ('smev_certificates=["abc"]', "abc", "SHA-256"),
    ],
)
def test_a_wrong_value_is_told_with_what_was_found_and_expected(with_smev, pair, found, expected):
    name = pair.partition("=")[0]
    with_smev.run("peer", "add", "smev", "--no-key", "--adapter", "smev")
    told = with_smev.run("peer", "option", "smev", pair, code=2)
    assert name in told
    assert found in told
    assert expected in told
    assert with_smev.json("peer", "option", "smev")["options"] == {}
