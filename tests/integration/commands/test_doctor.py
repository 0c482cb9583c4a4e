"""`gateway doctor` names what is wrong and what to do, and nothing is changed by it."""

from __future__ import annotations

import subprocess
import sys

import pytest


def levels(house, **options):
    found = house.json("doctor", **options)
    return {f["check"]: f["level"] for f in found["findings"]}


def findings(house, check, code=0):
    return [f for f in house.json("doctor", code=code)["findings"] if f["check"] == check]


def test_a_good_house_is_fit_to_work(house):
    found = house.json("doctor")

    assert found["ok"] is True
    checks = {f["check"] for f in found["findings"]}
    assert {
        "settings",
        "contracts",
        "adapters",
        "zones",
        "terms",
        "blobs",
        "disk",
        "database",
        "schema",
        "partitions",
        "peers",
        "listening",
        "organisation",
        "queues",
    } <= checks
    assert all(f["todo"] for f in found["findings"] if f["level"] != "ok")


def test_people_read_what_to_do(house):
    said = house.run("doctor")

    assert "Годна" in said
    assert "→" in said


@pytest.mark.parametrize(
    ("statement", "todo"),
    [
        ("UPDATE alembic_version SET version_num = 'from-the-future'", "newer release"),
        ("DELETE FROM alembic_version", "gateway db upgrade"),
    ],
)
def test_a_database_of_another_release_is_not_fit(house, statement, todo):
    house.change(statement)

    (found,) = findings(house, "schema", code=1)
    assert found["level"] == "fail"
    assert todo in found["todo"]


def test_a_missing_month_is_told_before_it_begins(house):
    ((name,),) = house.rows(
        "SELECT relname FROM pg_class WHERE relname LIKE 'event_20%' AND relkind = 'r'"
        " ORDER BY 1 OFFSET 1 LIMIT 1"
    )
    house.change(f"DROP TABLE {name}")

    (found,) = findings(house, "partitions", code=1)
    assert name in found["what"]
    assert "upgrade" in found["todo"]


def test_listening_to_the_world_without_a_key_is_not_fit(house):
    house.environ["GATEWAY_HOST"] = "0.0.0.0"

    (found,) = findings(house, "listening", code=1)
    assert found["level"] == "fail"
    house.run("peer", "key", "epgu")
    assert findings(house, "listening")[0]["level"] == "ok"


@pytest.mark.parametrize(
    ("name", "value", "check"),
    [
        ("GATEWAY_ROUTING_FILE", "nothing.toml", "routing"),
        ("GATEWAY_TERMS_FILE", "nothing.toml", "terms"),
        ("GATEWAY_ADAPTERS", "nonesuch", "adapters"),
        ("GATEWAY_ZONE", "Asia/Omks", "zones"),
        ("GATEWAY_TRUSTED_PROXIES", "nginx.example", "proxies"),
        ("GATEWAY_DATABASE_URL", "postgresql://127.0.0.1:1/x?connect_timeout=1", "database"),
    ],
)
def test_a_wrong_setting_is_a_finding_and_the_other_checks_go_on(house, name, value, check):
    house.environ[name] = value

    found = house.json("doctor", code=1)

    assert next(f["check"] for f in found["findings"] if f["level"] == "fail") == check
    assert len({f["check"] for f in found["findings"]}) > 5


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"GATEWAY_PUBLIC_URL": "https://gateway.example"}, "trusted_proxies"),
        ({"GATEWAY_TRUSTED_PROXIES": "10.1.0.5, 10.0.0.0/8"}, "10.0.0.0/8"),
        ({"GATEWAY_TRUSTED_PROXIES": "::/0"}, "::/0"),
    ],
)
def test_a_proxy_that_is_not_named_or_a_whole_network_named_is_told(house, environment, said):
    house.environ.update(environment)

    warned = [f for f in findings(house, "proxies") if f["level"] == "warn"]

    assert said in warned[0]["what"] + warned[0]["todo"]
    assert len(warned) == 1


def test_a_peer_that_must_prove_what_cannot_be_checked_is_told(house):
    house.change("UPDATE peer SET require = 'certificate' WHERE code = 'epgu'")

    (found,) = [f for f in findings(house, "peers") if "require" in f["what"]]

    assert found["level"] == "warn"
    assert "certificate" in found["what"]


def test_what_waits_for_a_person_is_told(house):
    house.submit(
        "e-1", registrations=[{"organisation": "Мэрия", "number": "1", "date": "2026-11-01"}]
    )
    house.triage()
    house.submit("e-2")
    house.change("UPDATE work SET parked = true")

    assert findings(house, "queues")[0]["level"] == "warn"
    assert any("1" in f["what"] for f in findings(house, "organisation") if f["level"] == "warn")


def test_a_database_that_is_not_there_yet_is_not_made_by_looking(house, tmp_path):
    house.environ["GATEWAY_DATABASE_URL"] = ""

    (found,) = findings(house, "database")

    assert found["level"] == "warn"
    assert not (tmp_path / "var").exists()


def test_on_a_scratch_database_it_works_from_nothing(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "doctor", "--scratch", "--json"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert '"ok":true' in done.stdout
    assert list(tmp_path.iterdir()) == []
