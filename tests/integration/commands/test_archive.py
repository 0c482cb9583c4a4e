"""A backup holds database and blobs as one point, and comes back into an empty database only."""

from __future__ import annotations

import psycopg
import pytest

from gateway.limits import BODY_IN_ROW_BYTES

LARGE = "Во дворе нет света. " * (BODY_IN_ROW_BYTES // 60)


@pytest.fixture
def stored(house):
    """Appeals with terms, one whose message is too large for a row."""
    house.submit("e-1")
    house.submit(
        "e-2",
        questions=[{"text": LARGE[:90_000]} for _ in range(8)],
    )
    house.triage()
    assert house.rows("SELECT count(*) FROM message WHERE blob IS NOT NULL") == [(1,)]


@pytest.fixture
def elsewhere(house, pg_cluster, tmp_path):
    """An empty database and an empty data directory."""
    name = "restored"
    with psycopg.connect(pg_cluster.admin_url_for("postgres"), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} OWNER gateway")
        yield {
            **house.environ,
            "GATEWAY_DATABASE_URL": pg_cluster.url_for(name),
            "GATEWAY_DATA_DIR": str(tmp_path / "elsewhere"),
        }
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_what_was_backed_up_comes_back_and_verifies(house, stored, elsewhere, tmp_path):
    made = house.json("db", "backup", str(tmp_path / "copy"))
    assert (made["blobs"], made["missing"]) == (1, [])
    before = house.rows("SELECT external_id, state, head_hash FROM appeal ORDER BY 1")
    house.environ.clear()
    house.environ.update(elsewhere)

    house.run("restore", str(tmp_path / "copy"))

    house.url = elsewhere["GATEWAY_DATABASE_URL"]
    assert house.rows("SELECT external_id, state, head_hash FROM appeal ORDER BY 1") == before
    assert house.json("verify")["faults"] == {}
    large = house.json("messages", "--external-id", "e-2")[0]["id"]
    assert house.json("messages", "show", large)["size"] > BODY_IN_ROW_BYTES


def test_a_database_that_holds_something_is_not_touched(house, stored, tmp_path):
    house.run("backup", str(tmp_path / "copy"))

    assert "not empty" in house.run("db", "restore", str(tmp_path / "copy"), code=2)
    assert house.rows("SELECT count(*) FROM appeal") == [(2,)]


def test_a_backup_is_not_written_over_another(house, tmp_path):
    house.run("db", "backup", str(tmp_path / "copy"))

    assert "there already" in house.run("db", "backup", str(tmp_path / "copy"), code=2)


@pytest.mark.parametrize("victim", ["database.dump", "blob", "missing blob"])
def test_a_damaged_backup_is_recognised_before_anything_is_restored(
    house, stored, elsewhere, tmp_path, victim
):
    house.run("db", "backup", str(tmp_path / "copy"))
    (blob,) = (tmp_path / "copy" / "blobs").glob("??/??/*")
    if victim == "missing blob":
        blob.unlink()
    else:
        path = blob if victim == "blob" else tmp_path / "copy" / victim
        path.write_bytes(path.read_bytes() + b"x")
    house.environ.clear()
    house.environ.update(elsewhere)

    assert "malformed" in house.run("db", "restore", "--check", str(tmp_path / "copy"), code=2)
    assert "malformed" in house.run("db", "restore", str(tmp_path / "copy"), code=2)
    with psycopg.connect(elsewhere["GATEWAY_DATABASE_URL"]) as db:
        assert db.execute("SELECT to_regclass('appeal')").fetchone() == (None,)


def test_a_blob_that_the_database_names_and_nobody_has_is_told(house, stored, tmp_path):
    (blob,) = house.settings.blobs.glob("??/??/*")
    blob.unlink()

    made = house.json("db", "backup", str(tmp_path / "copy"), code=1)

    assert made["missing"] == [blob.name]


def test_no_backup_is_told(house, tmp_path):
    assert "no backup here" in house.run("db", "restore", str(tmp_path), code=2)


def test_status_and_upgrade_tell_the_revision(house):
    assert house.json("db", "status")["external"] is True
    assert house.json("db", "upgrade")["before"] == house.json("db", "upgrade")["revision"]


def test_an_external_database_is_not_ours_to_start(house):
    assert "external" in house.run("db", "start", code=2)
    assert "external" in house.run("db", "stop", code=2)
