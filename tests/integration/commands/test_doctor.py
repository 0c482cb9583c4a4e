"""`gateway doctor` names what is wrong and what to do, and nothing is changed by it."""

from __future__ import annotations

import json
import os
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


def test_what_waits_for_a_person_is_told(house):
    house.submit(
        "e-1", registrations=[{"organisation": "Мэрия", "number": "1", "date": "2026-11-01"}]
    )
    house.triage()
    house.submit("e-2")
    house.change("UPDATE work SET parked = true")

    assert findings(house, "queues")[0]["level"] == "warn"
    assert any("1" in f["what"] for f in findings(house, "organisation") if f["level"] == "warn")


def test_a_database_that_is_not_there_yet_is_not_made_by_looking(house, pg_dir):
    house.environ |= {
        "GATEWAY_DATABASE_URL": "",
        "GATEWAY_DATA_DIR": str(pg_dir / "not-there"),
        "GATEWAY_PG_ALLOW_NOBODY": "true",
    }

    (found,) = findings(house, "database")

    assert found["level"] == "warn"
    assert not (pg_dir / "not-there").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to name an account")
def test_root_without_an_account_for_the_database_is_not_fit(house, pg_dir):
    house.environ |= {
        "GATEWAY_DATABASE_URL": "",
        "GATEWAY_DATA_DIR": str(pg_dir / "not-there"),
    }

    (found,) = findings(house, "account", code=1)

    assert found["level"] == "fail"
    assert "GATEWAY_PG_USER" in found["todo"]


def test_a_database_without_its_schema_says_what_to_run_and_no_name_of_an_exception(house):
    house.change("DROP SCHEMA public CASCADE")
    house.change("CREATE SCHEMA public")

    found = house.json("doctor", code=1)["findings"]

    failed = [f for f in found if f["level"] == "fail"]
    assert [(f["check"], f["todo"]) for f in failed][-1] == ("schema", "gateway db upgrade")
    assert "Undefined" not in str(found)


def test_a_table_that_is_missing_is_told_in_words(house):
    house.change("DROP TABLE twin")

    (found,) = findings(house, "queues", code=1)

    assert found["todo"] == "gateway db upgrade"
    assert "Undefined" not in found["what"]


def box(path, **fields):
    return json.dumps([{"path": str(path), "peer": "sed", **fields}])


class TestInboxes:
    @pytest.mark.parametrize("path", ["/proc/nope", "{file}/box"])
    def test_a_directory_that_cannot_be_made(self, house, tmp_path, path):
        (tmp_path / "file").write_text("")
        house.environ["GATEWAY_INBOXES"] = box(path.format(file=tmp_path / "file"))

        found = findings(house, "inboxes", code=1)[0]

        assert found["level"] == "fail"
        assert "нельзя создать" in found["what"]

    def test_one_that_can_be_made_is_not_made(self, house, tmp_path):
        house.environ["GATEWAY_INBOXES"] = box(tmp_path / "box", profile="legacy-cp1251")

        (found,) = findings(house, "inboxes")

        assert found["level"] == "ok"
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({"profile": "nope"}, "nope"),
            ({"codec": "sttu"}, "sttu"),
            ({"peer": "nosuchpeer"}, "nosuchpeer"),
        ],
    )
    def test_a_name_that_is_not_there(self, house, tmp_path, fields, said):
        house.environ["GATEWAY_INBOXES"] = box(tmp_path / "box", **fields)

        (found,) = [f for f in findings(house, "inboxes", code=1) if f["level"] == "fail"]

        assert said in found["what"]
        assert found["todo"]

    def test_a_peer_that_is_disabled_is_told(self, house, tmp_path):
        house.environ["GATEWAY_INBOXES"] = box(tmp_path / "box")
        house.change("UPDATE peer SET enabled = false WHERE code = 'sed'")

        assert "warn" in [f["level"] for f in findings(house, "inboxes")]


class TestDestinations:
    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({"adapter": "webhok"}, ("webhok", "webhook, soap, file, sstu")),
            ({"adapter": "webhook", "options": {"url": "https://hook.example/"}}, ("secret_file",)),
            (
                {"adapter": "file", "options": {"directory": "x", "max_in_flight": "abc"}},
                ("max_in_flight", '"abc"', "≥ 1"),
            ),
            ({"adapter": "sstu", "options": {"url": "https://x/", "ack": "?"}}, ("options.ack",)),
            ({"options": {"tell": "push"}}, ("tell", "нет адаптера")),
        ],
    )
    def test_a_peer_that_cannot_be_sent_to_is_not_fit(self, house, fields, said):
        house.peer("hook", **fields)

        (found,) = [f for f in findings(house, "destinations", code=1) if f["level"] == "fail"]

        for words in ("hook", *said):
            assert words in found["what"]

    def test_a_disabled_one_does_not_matter(self, house):
        house.peer("hook", adapter="webhok")
        house.change("UPDATE peer SET enabled = false WHERE code = 'hook'")

        assert [f["level"] for f in findings(house, "destinations")] == ["ok"]

    def test_an_option_that_nobody_reads_is_told(self, house):
        house.peer("files", adapter="file", options={"directory": "out", "direktory": "x"})

        (told, counted) = findings(house, "destinations")

        assert (told["level"], counted["level"]) == ("warn", "ok")
        assert "direktory" in told["what"]
        assert "directory" in told["todo"]


class TestAnswers:
    """Where answers by ReplyTo go; no name service is asked for an address or for localhost."""

    @pytest.mark.parametrize(
        ("hosts", "allowed", "said"),
        [
            (["10.1.2.3:8443"], None, ["10.1.2.3"]),
            (["10.1.2.3:8443"], ["10.2.0.0/16"], ["10.1.2.3"]),
            (["fd00::7", "[fd00::8]:80"], None, ["fd00::7", "fd00::8"]),
            (["localhost"], None, ["127.0.0.1"]),
            (["https://a.example/"], None, ["https://a.example/"]),
        ],
    )
    def test_a_host_that_no_answer_can_reach_is_told(self, house, hosts, allowed, said):
        options = {} if allowed is None else {"allow_private": allowed}
        house.peer("portal", callback_hosts=hosts, options=options)

        *warned, counted = findings(house, "answers")

        assert [f["level"] for f in warned] == ["warn"] * len(said)
        assert counted["what"].endswith(": 0")
        for found, words in zip(warned, said, strict=True):
            assert words in found["what"]
            assert "gateway peer" in found["todo"]

    def test_one_that_is_allowed_is_well_and_one_without_hosts_is_not_spoken_of(self, house):
        assert findings(house, "answers") == []
        options = {"allow_private": ["10.1.0.0/16", "127.0.0.1", "::1"]}
        house.peer("portal", callback_hosts=["10.1.2.3", "localhost:8"], options=options)

        assert [f["level"] for f in findings(house, "answers")] == ["ok"]

    def test_a_certificate_that_is_not_there_is_told(self, house):
        options = {"client_cert": "/no/such/file.pem"}
        house.peer("portal", callback_hosts=["192.0.2.1"], options=options)

        assert "fail" in [f["level"] for f in findings(house, "answers", code=1)]


def test_a_rule_of_routing_that_names_a_peer_that_is_not_there_is_not_fit(house, tmp_path):
    rules = tmp_path / "rules.toml"
    rules.write_text(
        '[[rule]]\nid = "all"\nexecutor = "gzhi"\ndestinations = ["nobody"]\nreason = "всё"\n'
    )
    house.environ["GATEWAY_ROUTING_FILE"] = str(rules)

    found = [f for f in findings(house, "routing", code=1) if f["level"] == "fail"]

    assert "nobody" in found[0]["what"]
    rules.write_text(rules.read_text().replace("nobody", "sed"))
    assert {f["level"] for f in findings(house, "routing")} == {"ok"}


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
