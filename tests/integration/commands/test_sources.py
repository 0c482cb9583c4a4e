"""Where we are with the peers that are asked for what they have."""

from datetime import timedelta

from gateway.metrics import Metrics
from gateway.store import sources
from tests.integration.commands.conftest import NOW


def failed(house, peer="feed", error="it is down"):
    with house.connection() as db:
        sources.claim(db, peer, "one", NOW + timedelta(minutes=1), NOW)
        sources.keep(db, peer, "one", "17")
        sources.settle(db, peer, "one", now=NOW, due=NOW, failures=2, error=error)


def test_a_person_sees_where_each_source_stopped_and_why(house):
    failed(house)

    (row,) = house.json("sources", "list")
    assert (row["peer"], row["cursor"], row["failures"]) == ("feed", "17", 2)
    assert "it is down" in house.run("sources", "list")


def oldest(house):
    with house.connection() as db:
        said = Metrics().render(db).decode()
    return [line for line in said.splitlines() if 'queue="source"' in line]


def test_a_disabled_peer_is_listed_as_such_and_is_no_oldest_that_waits(house):
    house.run("peer", "add", "feed")
    failed(house)
    assert house.json("sources", "list")[0]["enabled"] is True
    assert any('destination="feed"' in line for line in oldest(house))

    house.run("peer", "disable", "feed", "--commit")

    assert house.json("sources", "list")[0]["enabled"] is False
    assert "отключена" in house.run("sources", "list")
    assert oldest(house) == []


def test_the_doctor_tells_of_a_source_that_fails_until_its_peer_is_disabled(house):
    house.run("peer", "add", "feed")
    failed(house)

    def told():
        return [f for f in house.json("doctor")["findings"] if f["check"] == "sources"]

    found, fit = told()
    assert (found["level"], fit["level"]) == ("warn", "ok")
    assert "feed" in found["what"]
    assert "it is down" in found["what"]
    assert fit["what"].endswith(": 0")

    house.run("peer", "disable", "feed", "--commit")
    assert [f["level"] for f in told()] == ["ok"]


def test_a_cursor_is_set_only_with_commit(house):
    house.json("peer", "add", "feed")
    failed(house)

    dry = house.json("sources", "set", "feed", "5")
    assert (dry["before"], dry["after"], dry["committed"]) == ("17", "5", False)
    assert house.json("sources", "list")[0]["cursor"] == "17"

    house.json("sources", "set", "feed", "--commit")
    (row,) = house.json("sources", "list")
    assert (row["cursor"], row["failures"], row["error"]) == ("", 0, "")


def test_a_peer_that_nobody_knows_has_no_cursor(house):
    assert "нет такой системы" in house.run("sources", "set", "nobody", "5", code=2)
