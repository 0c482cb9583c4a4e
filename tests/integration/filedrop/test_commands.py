"""`gateway import` and `gateway export` do by hand what the file drop does by itself."""

from __future__ import annotations

import csv
from contextlib import contextmanager
from datetime import UTC, datetime

import msgspec
import pytest
import typer
from typer.testing import CliRunner

from gateway.settings import Settings
from import_export.commands import attach

from .conftest import table
from .test_filedrop import BAD, GOOD, OTHER


class House:
    """What the program lends to commands."""

    def __init__(self, url, root):
        self.url = url
        self.settings = Settings(data_dir=root / "var")

    @staticmethod
    def now():
        return datetime.now(UTC)


@pytest.fixture
def run(pg_url, tmp_path):
    app = typer.Typer()

    @contextmanager
    def opened():
        yield House(pg_url, tmp_path)

    attach(app, opened)

    def invoke(*args):
        return CliRunner().invoke(app, [str(arg) for arg in args])

    return invoke


def test_import_lands_a_file_and_leaves_it_where_it_is(run, tmp_path):
    file = tmp_path / "r.csv"
    file.write_bytes(table(GOOD, BAD, OTHER))
    arguments = ("import", file, "--peer", "sed", "--profile", "legacy-cp1251", "--out", tmp_path)
    result = run(*arguments, "--json")
    assert result.exit_code == 1, "a row was refused"
    report = msgspec.json.decode(result.stdout)
    assert (report["accepted"], report["rejected"]) == (2, 1)
    assert file.read_bytes() == table(GOOD, BAD, OTHER)
    assert (tmp_path / "r.csv.ack.csv").exists()
    assert (tmp_path / "r.csv.err.csv").exists()
    assert msgspec.json.decode(run(*arguments, "--json").stdout)["repeat"] == 2


def test_check_names_what_is_wrong_and_stores_nothing(run, tmp_path):
    file = tmp_path / "r.csv"
    file.write_bytes(table(GOOD, BAD))
    result = run("import", file, "--check", "--profile", "legacy-cp1251")
    assert result.exit_code == 1
    assert "r.csv:3: ОКТМО" in result.stdout
    assert run("export", tmp_path / "out.csv", "--peer", "sed").stdout.endswith(": 0\n")


def test_export_writes_the_receipts_we_gave(run, tmp_path):
    file = tmp_path / "r.csv"
    file.write_bytes(table(GOOD, OTHER))
    run("import", file, "--peer", "sed", "--profile", "legacy-cp1251", "--out", tmp_path)
    result = run("export", tmp_path / "receipts.csv", "--peer", "sed")
    assert result.exit_code == 0
    with (tmp_path / "receipts.csv").open(encoding="utf-8-sig", newline="") as stream:
        receipts = list(csv.DictReader(stream, delimiter=";"))
    with (tmp_path / "r.csv.ack.csv").open(encoding="cp1251", newline="") as stream:
        acks = list(csv.DictReader(stream, delimiter=";"))
    assert [r["receipt_number"] for r in receipts] == [a["receipt_number"] for a in acks]
    assert [r["external_id"] for r in receipts] == ["А26-1", "А26-2"]


def test_import_asks_whose_files_they_are(run, tmp_path):
    file = tmp_path / "r.csv"
    file.write_bytes(table(GOOD))
    result = run("import", file)
    assert "whose files" in str(result.exception)
