"""`gateway fias catalogue`, `download` and `refresh`, as an engineer runs them."""

import json
import shutil
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
import typer
from typer.testing import CliRunner

from adapters.fias import state
from adapters.fias.commands import attach
from gateway import settings
from gateway.commands import output
from gateway.commands.context import Opened
from simulators.gar import delivery, region
from tests.integration.fias.conftest import make_zip

NOW = datetime(2026, 9, 9, 3, 0, tzinfo=UTC)
DAYS = ("2026.09.01", "2026.09.04", "2026.09.08")


class At(Opened):
    """What the program lends to commands, at an instant of the test."""

    @staticmethod
    def now():
        return NOW


class Desk:
    def __init__(self, site, folder, url):
        self.site, self.url, self.data_dir = site, url, folder
        self.given = {}

    def run(self, *arguments, code=0):
        environ = {
            "GATEWAY_DATA_DIR": str(self.data_dir),
            "GATEWAY_DATABASE_URL": self.url,
            "GATEWAY_ADAPTER_OPTIONS": json.dumps({"fias": self.site.options(**self.given)}),
        }
        found = settings.load(environ)

        @contextmanager
        def opened():
            yield At(found, self.url)

        app = typer.Typer(cls=output.Group)
        attach(app, opened)
        result = CliRunner().invoke(app, ["fias", *arguments])
        assert result.exit_code == code, result.output
        return result

    def json(self, *arguments):
        return json.loads(self.run(*arguments, "--json").stdout)

    def loaded(self, **versions):
        with psycopg.connect(self.url) as db:
            for region, version in versions.items():
                db.execute(
                    "INSERT INTO address_version (region, version, loaded_at, source, objects,"
                    " houses) VALUES (%s, %s, now(), '', 0, 0)",
                    (int(region.removeprefix("r")), version),
                )

    @property
    def folder(self) -> Path:
        return self.data_dir / "fias"


@pytest.fixture
def desk(site, tmp_path, pg_url):
    for day in DAYS:
        site.release(day, size=20_000, full=day == DAYS[-1])
    return Desk(site, tmp_path / "var", pg_url)


def test_the_catalogue_is_shown_with_what_is_loaded(desk):
    desk.loaded(r36=20260904)
    text = desk.run("catalogue").stdout
    assert text.index("20260908") < text.index("20260904") < text.index("20260901")
    assert "36: 20260904" in text
    told = desk.json("catalogue")
    assert [one["version_id"] for one in told["deliveries"]] == [20260901, 20260904, 20260908]
    assert told["loaded"] == {"36": 20260904}
    assert told["refresh"] is None


def test_a_delivery_is_fetched_by_its_version_or_the_newest(desk):
    told = desk.json("download", "20260904", "--delta")
    assert Path(told["path"]).name == "20260904_gar_delta_xml.zip"
    assert Path(told["path"]).stat().st_size == told["size"]
    assert desk.json("download", "0")["version"] == 20260908
    assert "SHA-256" in desk.run("download", "0").stdout


def test_a_version_that_has_no_such_delivery_is_told_with_those_there_are(desk):
    assert "20260908" in desk.run("download", "20260904", code=2).output


def test_a_refresh_shows_its_steps_and_changes_nothing(desk):
    desk.loaded(r36=20260901)
    text = desk.run("refresh").stdout
    assert text.index("1. 20260904") < text.index("2. 20260908")
    assert "--commit" in text
    assert not desk.folder.exists()
    steps = desk.json("refresh")["plan"]["steps"]
    assert [(step["version"], step["kind"], step["over"]) for step in steps] == [
        (20260904, "delta", 20260901),
        (20260908, "delta", 20260904),
    ]


def test_what_is_up_to_date_stays_as_it_is(desk):
    desk.loaded(r36=20260908)
    assert "everything is loaded" in desk.run("refresh", "--commit").stdout
    assert state.read(desk.folder).version == 20260908


def test_a_broken_chain_stops_before_anything_is_fetched(desk):
    desk.loaded(r36=20260825)
    told = desk.run("refresh", "--commit", code=2).output
    assert "--full" in told
    assert desk.site.ranges == []
    found = state.read(desk.folder)
    assert found.failures == 1
    assert "not in it any more" in found.error


def test_a_damaged_delivery_leaves_what_is_loaded(desk):
    desk.loaded(r36=20260904)
    desk.site.fail(kind="corrupt", at=500)
    assert "damaged" in desk.run("refresh", "--commit", code=2).output
    assert desk.json("catalogue")["loaded"] == {"36": 20260904}
    assert "damaged" in desk.json("catalogue")["refresh"]["error"]
    assert "damaged" in desk.run("catalogue").stdout
    assert "damaged" in desk.run("status").stdout
    assert desk.json("status")["refresh"]["failures"] == 1


def test_two_refreshes_do_not_run_at_once_and_the_second_notes_nothing(desk):
    desk.loaded(r36=20260904)
    with state.alone(desk.folder):
        assert "under way" in desk.run("refresh", "--commit", code=2).output
    assert state.read(desk.folder) is None


def test_a_file_host_that_nobody_listed_is_not_spoken_to(desk):
    desk.loaded(r36=20260904)
    desk.given = {"hosts": ["fias-file.nalog.ru"]}
    assert "listed" in desk.run("refresh", "--commit", code=2).output
    assert desk.site.ranges == []


def test_regions_nobody_named_are_told(desk):
    assert "regions" in desk.run("refresh", code=2).output
    desk.given = {"regions": ["36"]}
    assert "20260908 полная" in desk.run("refresh").stdout


HOUSES = "SELECT count(*) FROM address_house WHERE region = 36"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A full delivery of a made-up region, and the delta after it."""
    folder = tmp_path_factory.mktemp("drawn")
    made = region.plan("36", 2_000, 1)
    delivery.full(made, folder / "gar_xml.zip", version=20260908)
    delivery.after(made, folder / "gar_delta_xml.zip", since=20260908)
    return folder


@pytest.fixture
def made_up(site, tmp_path, pg_url, drawn):
    for day, name in (("2026.09.08", "gar_xml.zip"), ("2026.09.11", "gar_delta_xml.zip")):
        (site.folder / day).mkdir()
        shutil.copy(drawn / name, site.folder / day / name)
    desk = Desk(site, tmp_path / "var", pg_url)
    desk.given = {"regions": ["36"]}
    return desk


def houses(desk):
    with psycopg.connect(desk.url) as db:
        return db.execute(HOUSES).fetchone()[0]


def test_a_region_is_loaded_whole_and_brought_up_to_date_by_the_delta(made_up):
    assert "--full" in made_up.run("refresh", "--commit", code=2).output
    made_up.run("refresh", "--full", "--commit")
    told = made_up.json("catalogue")
    assert told["loaded"] == {"36": 20260911}
    assert (told["refresh"]["version"], told["refresh"]["error"]) == (20260911, "")
    assert houses(made_up) > 1_900
    kept = [path.name for path in made_up.folder.glob("*.zip")]
    assert kept == ["20260908_gar_xml.zip"], "a delta is not kept, the full delivery is"
    assert "everything is loaded" in made_up.run("refresh").stdout


def test_a_region_that_no_delivery_has_is_told_and_the_file_is_kept(made_up):
    made_up.given = {"regions": ["36", "98"]}
    told = made_up.run("refresh", "--full", "--commit", code=2).output
    assert "98" in told
    assert "regions" in told
    assert (made_up.folder / "20260908_gar_xml.zip").is_file()
    assert made_up.json("catalogue")["loaded"] == {}


def test_a_delta_that_is_damaged_or_no_delivery_leaves_the_region_as_it_was(made_up):
    made_up.site.fail(kind="corrupt", at=700, name="gar_delta_xml.zip")
    assert "damaged" in made_up.run("refresh", "--full", "--commit", code=2).output
    before = houses(made_up)
    assert before > 1_900
    place = made_up.site.folder / "2026.09.11" / "gar_delta_xml.zip"
    whole = place.read_bytes()
    make_zip(place, 20_000)
    made_up.run("refresh", "--commit", code=2)
    assert made_up.json("catalogue")["loaded"] == {"36": 20260908}
    assert houses(made_up) == before
    assert state.read(made_up.folder).failures == 2
    place.write_bytes(whole)
    made_up.run("refresh", "--commit")
    assert made_up.json("catalogue")["loaded"] == {"36": 20260911}
