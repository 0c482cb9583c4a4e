"""What an operator sees of the queues and of the disk."""

from __future__ import annotations

import re

import pytest

LINE = re.compile(r"^(gateway_\w+)\{([^}]*)\} ([\d.e+-]+)$", re.MULTILINE)


@pytest.fixture
def seen(house):
    """Read the metrics: name → labels that say something, joined → value."""

    def read():
        found = {}
        for name, labels, value in LINE.findall(
            house.call("GET", "/metrics", peer="").body.decode()
        ):
            told = "|".join(filter(None, re.findall(r'="([^"]*)"', labels)))
            found.setdefault(name, {})[told] = float(value)
        return found

    return read


def test_what_waits_is_as_old_as_it_is_whenever_it_is_due(house, seen):
    for n in range(3):
        house.post("/appeals", {"externalId": f"age-{n}", "text": "Снег"})
    with house.database() as db:
        put_off = "UPDATE work w SET due = now() + interval '1 hour', attempts = 1, parked = $2"
        named = " FROM message m WHERE m.id = w.message_id AND m.key = $1"
        db.execute(put_off + named, ("age-0", False))
        db.execute(put_off + named, ("age-1", True))
        db.execute("UPDATE message SET stored_at = now() - interval '90 s' WHERE key = 'age-1'")
    now = seen()
    assert now["gateway_waiting"]["parked"] == 1
    assert 90 <= now["gateway_oldest_waiting_seconds"]["parked"] < 1000
    assert now["gateway_waiting"]["triage"] == 2
    assert 0 <= now["gateway_oldest_waiting_seconds"]["triage"] < 1000


def test_a_key_that_was_taken_is_a_conflict_an_operator_finds(house, seen):
    before = seen()["gateway_waiting"]
    house.post("/appeals", {"externalId": "taken-1", "text": "Снег"})
    assert house.post("/appeals", {"externalId": "taken-1", "text": "Лёд"}).status == 409
    after = seen()["gateway_waiting"]
    assert after["conflict|key"] == before["conflict|key"] + 1
    assert after["conflict|contradiction"] == before["conflict|contradiction"]


def test_the_disk_is_told_where_data_and_blobs_lie(seen):
    free = seen()["gateway_disk_free_bytes"]
    assert set(free) == {"data", "blobs"}
    assert min(free.values()) > 0
