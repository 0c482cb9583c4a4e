"""`gateway fias resolve` and `suggest`, as an engineer runs them."""

from __future__ import annotations

import json
from contextlib import contextmanager

import psycopg
import pytest
import typer
from typer.testing import CliRunner

from adapters.fias.commands import attach
from gateway import settings
from gateway.commands import output
from gateway.commands.context import Opened
from gateway.store import arrays
from simulators.gar import delivery, region
from tests.integration import register

FLAT = "г Воронеж, ул 9 Января 68к2 кв 15"


class Desk:
    """The commands over one database."""

    def __init__(self, url, folder):
        self.url, self.folder = url, folder
        self.environ = {"GATEWAY_DATA_DIR": str(folder), "GATEWAY_DATABASE_URL": url}

    def run(self, *arguments, code=0, given=None):
        found = settings.load(self.environ)

        @contextmanager
        def opened():
            yield Opened(found, self.url)

        app = typer.Typer(cls=output.Group)
        attach(app, opened)
        result = CliRunner().invoke(app, ["fias", *arguments], input=given)
        assert result.exit_code == code, (result.output, result.exception)
        return result.output

    def connection(self):
        db = psycopg.connect(self.url, autocommit=True, cursor_factory=psycopg.RawCursor)
        arrays.register(db)
        return db


@pytest.fixture
def desk(pg_url, tmp_path):
    return Desk(pg_url, tmp_path)


@pytest.fixture
def city(desk):
    with desk.connection() as db:
        register.load(db)
    return desk


def test_an_exact_address_is_told_with_every_word(city):
    said = city.run("resolve", FLAT, "--region", "36")

    assert "точно · exact" in said
    assert "ул. 9 Января" in said
    assert "20701000001" in said
    assert "квартира" in said
    assert "ГАР: 20260908" in said


def test_words_need_no_quotes(city):
    found = json.loads(city.run("resolve", *FLAT.split(), "--json"))
    assert (found["outcome"], found["best"]["level"]) == ("exact", 11)


def test_a_doubt_lays_out_its_candidates_and_ends_with_1(city):
    said = city.run("resolve", "Берёзовка, ул Лесная, д 1", code=1)
    assert "неоднозначно · ambiguous" in said
    assert "Кандидаты" in said
    assert said.count("Лесная") > 2


def test_a_file_is_answered_line_by_line_and_a_bad_line_stops_nothing(city, tmp_path):
    file = tmp_path / "a.txt"
    rows = [FLAT.encode(), b"\xff\xfe", "а".encode() * 1500, "где-то там".encode()]
    file.write_bytes(b"\n".join(rows * 200))

    told = city.run("resolve", "--file", str(file), "--json", code=1).splitlines()

    read = [json.loads(line) for line in told]
    outcomes = [one["found"]["outcome"] if "found" in one else "error" for one in read]
    assert outcomes == ["exact", "error", "error", "not_found"] * 200
    people = city.run("resolve", "--file", "-", given=FLAT + "\n")
    assert people.startswith("exact\t")


def test_only_the_regions_that_are_named_answer_when_strict(city):
    assert city.run("resolve", FLAT, "--region", "36", "--strict")
    refused = city.run("resolve", FLAT, "--region", "77", "--strict", code=2)
    assert "no register of addresses is loaded" in refused


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        (FLAT, "--file", "x"),
        (FLAT, "--region", "Воронеж"),
        ("--file", "/nowhere"),
        ("а" * 9999,),
    ],
)
def test_what_cannot_be_asked_is_refused(city, arguments):
    city.run("resolve", *arguments, code=2)


def test_what_is_typed_is_completed(city):
    said = city.run("suggest", "воронеж", "9", "янв")
    assert "ул. 9 Января" in said
    found = json.loads(city.run("suggest", "воронеж ул ленина 1", "--json", "--limit", "2"))
    assert [one["complete"] for one in found["items"]] == [True, True]
    assert "ааа" not in city.run("suggest", "ааа", code=1)


def test_without_a_register_the_way_to_load_one_is_told(desk):
    for command in ("resolve", "suggest"):
        assert "gateway fias load" in desk.run(command, "Воронеж", code=2)


def test_the_flat_of_the_demo_is_found_in_a_region_that_was_generated_and_loaded(desk, tmp_path):
    drawn = region.plan("36", 400, 7)
    out = tmp_path / "gar_xml.zip"
    delivery.full(drawn, out, apartments=1.0)
    desk.run("load", str(out), "--region", "36", "--with", "apartments")

    found = json.loads(desk.run("resolve", FLAT, "--json"))

    assert (found["outcome"], found["best"]["level"]) == ("exact", 11)
