"""Seals of days: made once, each with the one before; what is changed under them is named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway import sealing
from gateway.store import seals

ZONE = ZoneInfo("Europe/Moscow")


@pytest.fixture
def days(sealing_house, monkeypatch):
    """Two appeals, in a house whose database says that nothing is open."""
    far = datetime.now(UTC) + timedelta(days=30)
    monkeypatch.setattr(seals.horizon, "of", lambda *_: far)
    for name in ("a-1", "a-2"):
        sealing_house.submit(name)
    sealing_house.triage()
    return sealing_house


def sealed(house, days=2):
    """Seal as it would be done after so many days."""
    now = datetime.now(UTC) + timedelta(days=days)
    with house.connection() as db:
        return list(sealing.seal_days(db, house.settings, ZONE, now))


def faults(house):
    return [
        (f["kind"], f["detail"].split(" after")[0], f["subject"])
        for f in house.json("seal", "verify", code=1)["faults"]
    ]


def test_a_day_that_is_not_over_is_not_sealed(sealing_house):
    sealing_house.submit("a-1")
    sealing_house.triage()
    assert sealing_house.run("seal", "make").strip().endswith(": 0")


def test_every_day_is_sealed_once_and_holds_the_one_before(days):
    made = sealed(days)
    assert len(made) >= 1
    assert made[0].messages == 2
    assert made[0].events >= 2
    again = sealed(days)
    assert again == []
    more = sealed(days, 3)
    assert len(more) == 1
    assert more[0].messages == 0
    assert f'"previous":"{made[-1].sha256.hex()}"' in more[0].body.decode()
    told = days.json("seal", "verify")
    assert told["faults"] == []
    assert told["rows"] == made[0].messages + made[0].events
    assert len(days.json("seal", "list")) == len(made) + 1


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("UPDATE message SET key = 'x' WHERE key = 'a-1'", ("message", "was changed")),
        ("UPDATE message SET body = 'x' WHERE key = 'a-1'", ("message", "was changed")),
        ("UPDATE message SET media_type = 'x' WHERE key = 'a-1'", ("message", "was changed")),
        ("DELETE FROM message WHERE key = 'a-1'", ("message", "was removed")),
        (
            (
                "UPDATE event SET body = convert_to(replace(convert_from(body, 'UTF8'),"
                " 'epgu', 'egp'),"
                " 'UTF8') WHERE seq = 1 AND appeal_id = (SELECT id FROM appeal LIMIT 1)"
            ),
            ("event", "was changed"),
        ),
        (
            "DELETE FROM event WHERE seq = 1 AND appeal_id = (SELECT id FROM appeal LIMIT 1)",
            ("event", "was removed"),
        ),
        (
            (
                "INSERT INTO event SELECT appeal_id, 99, type, v, recorded_at, message_id, body,"
                " prev,"
                " hash FROM event LIMIT 1"
            ),
            ("event", "was added"),
        ),
        ("UPDATE seal SET body = body || ' '", ("seal", "the seal itself was changed")),
        ("UPDATE seal SET cms = '\\x00'::bytea", ("seal", "its signature is not believed")),
        ("UPDATE seal SET sealed_at = sealed_at + interval '1 y'", ("seal", "it was signed at")),
        (
            "UPDATE seal_part SET leaves = substr(leaves, 53) WHERE ordinal = 0",
            ("seal", "the list of its rows was changed"),
        ),
    ],
)
def test_what_is_changed_under_a_seal_is_named(days, statement, expected):
    sealed(days)
    days.change(statement)
    kind, detail = expected
    assert any(found[0] == kind and found[1].startswith(detail) for found in faults(days))


def test_a_seal_taken_out_of_the_chain_is_missed(days):
    sealed(days, 4)
    days.change("DELETE FROM seal WHERE day = (SELECT min(day) + 1 FROM seal)")
    assert any("does not follow" in found[1] for found in faults(days))


def test_without_a_key_no_seal_is_made_and_doctor_says_so(house):
    assert "seal_with" in house.run("seal", "make", code=2)
    told = list(sealing.check(house.settings, house.url, datetime.now(UTC)))
    assert "seal_with" in told[0][1]


def test_a_month_that_retention_dropped_is_no_fault_of_the_seals(days):
    sealed(days)
    tables = days.rows(
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
        " WHERE i.inhparent IN ('message'::regclass, 'event'::regclass)"
        " AND c.relname !~ 'default$'"
    )
    oldest = min(name.split("_", 1)[1] for (name,) in tables)
    for kind in ("message", "event"):
        days.change(f"DROP TABLE {kind}_{oldest}")
    told = days.json("seal", "verify")
    assert told["faults"] == []
    assert told["gone"] == told["rows"] > 0
