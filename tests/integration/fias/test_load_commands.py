"""The register of addresses from the command line: loaded, told of, planned, left out of copies."""

import json
from contextlib import contextmanager

import psycopg
import pytest
import typer
from typer.testing import CliRunner

from adapters.fias.commands import attach
from gateway import settings
from gateway.commands import archive, output
from gateway.commands.context import Opened
from gateway.store import schema
from tests.integration.fias import kit

FULL = {"36": kit.sample()}


class House:
    """An installation, with the commands as an engineer runs them."""

    def __init__(self, url, folder):
        self.environ = {"GATEWAY_DATABASE_URL": url, "GATEWAY_DATA_DIR": str(folder)}

    @property
    def opened(self):
        found = settings.load(self.environ)
        return Opened(found, found.database_url)

    def run(self, *arguments, code=0):
        @contextmanager
        def opened():
            yield self.opened

        app = typer.Typer(cls=output.Group)
        attach(app, opened)
        result = CliRunner().invoke(app, ["fias", *arguments])
        assert result.exit_code == code, (result.output, result.exception)
        return result.output

    def json(self, *arguments):
        return json.loads(self.run(*arguments, "--json"))

    def rows(self, query):
        with self.opened.connection() as db:
            return db.execute(query).fetchall()


@pytest.fixture
def house(pg_url, tmp_path):
    return House(pg_url, tmp_path / "data")


@pytest.fixture
def delivery(tmp_path):
    return kit.archive(tmp_path / "gar_xml.zip", kit.files(FULL))


def test_a_delivery_is_loaded_and_told_of(house, delivery):
    (done,) = house.json("load", str(delivery), "--region", "36")["loaded"]
    assert (done["region"], done["houses"], done["state"]) == ("36", 1, "loaded")
    (told,) = house.json("status")["regions"]
    assert (told["version"], told["report"]["houses"]) == (kit.V1, 1)
    assert "20260901" in house.run("status")
    assert "Воронеж" not in house.run("load", str(delivery), "--with", "steads")


def test_raw_rows_that_a_crash_took_are_told_of_with_what_to_do(house, delivery):
    house.run("load", str(delivery), "--region", "36")
    assert "--region 36" not in house.run("status")
    with house.opened.connection() as db:
        db.execute("TRUNCATE gar_addr_obj")
    assert "--region 36" in house.run("status").replace("\n", " ")


def test_what_cannot_be_loaded_ends_with_what_to_do(house, delivery):
    assert "--region 36" in house.run("load", str(delivery), "--region", "Воронеж", code=2)
    assert "apartments" in house.run("load", str(delivery), "--with", "garages", code=2)
    said = house.run("load", str(delivery), "--disk-free", "0.000001", code=2)
    assert "места" in said
    said = house.run("load", str(delivery), "--delta", "--after", "20260801", code=2)
    assert "не загружен" in said
    assert house.rows("SELECT count(*) FROM address_version") == [(0,)]


def test_a_plan_says_what_a_delivery_takes_without_a_database(house, delivery):
    one = house.json("plan", str(delivery))
    assert one["total"]["xml"] == sum(
        len(body) for name, body in kit.files(FULL).items() if name.startswith("36/")
    )
    country = house.json("plan", "--bytes", "300G")["total"]
    assert country["rows"] > 100_000_000
    assert 30e9 < country["disk"] < 300e9
    assert "measured" in one
    assert "300G" in house.run("plan", "--bytes", "much", code=2)


def test_a_backup_leaves_the_register_out_and_comes_back_to_be_loaded_again(
    house, delivery, pg_cluster, tmp_path
):
    house.run("load", str(delivery))
    with house.opened.connection() as db:
        db.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
        db.execute("INSERT INTO alembic_version VALUES ($1)", (schema.head(),))
    archive.back_up(house.opened, tmp_path / "copy", kit.NOW)
    with psycopg.connect(pg_cluster.admin_url_for("postgres"), autocommit=True) as admin:
        admin.execute("CREATE DATABASE again OWNER gateway")
        again = House(pg_cluster.url_for("again"), tmp_path / "again")
        archive.restore(again.opened, tmp_path / "copy")
        told = again.json("status")
        assert (told["regions"], told["broken_off"]) == ([], [])
        (done,) = again.json("load", str(delivery))["loaded"]
        assert (done["houses"], again.rows("SELECT count(*) FROM address_house")) == (1, [(1,)])
        admin.execute("DROP DATABASE again WITH (FORCE)")


def test_the_report_of_a_load_is_one_document(house, delivery):
    lines = house.run("load", str(delivery), "--json").splitlines()
    assert [json.loads(line)["loaded"][0]["kind"] for line in lines] == ["full"]
