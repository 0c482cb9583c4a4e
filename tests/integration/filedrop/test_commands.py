"""`gateway import` and `gateway export` do by hand what the file drop does by itself."""

from __future__ import annotations

import csv
import json
from contextlib import contextmanager
from datetime import UTC, datetime

import msgspec
import pytest
import typer
from typer.testing import CliRunner

from gateway.errors import ConfigurationError
from gateway.settings import FileInbox, Settings
from import_export.commands import attach

from .conftest import add_peer, table
from .test_documents import document, package
from .test_filedrop import BAD, GOOD, OTHER


class House:
    """What the program lends to commands."""

    def __init__(self, url, root, **settings):
        self.url = url
        self.settings = Settings(data_dir=root / "var", **settings)

    @staticmethod
    def now():
        return datetime.now(UTC)


@pytest.fixture
def run(pg_url, tmp_path):
    app = typer.Typer()
    settings = {}
    for code in ("sed", "urog"):
        add_peer(pg_url, code)

    @contextmanager
    def opened():
        yield House(pg_url, tmp_path, **settings)

    attach(app, opened)

    def invoke(*args, **more):
        settings.update(more)
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


class TestFormatsOfAdapters:
    @pytest.fixture
    def file(self, tmp_path):
        path = tmp_path / "part.zip"
        members = [(f"{n}.json", json.dumps(document(f"А26-01-{n}-СО1"))) for n in (11, 22)]
        path.write_bytes(package(*members, ("bad.json", b"{")))
        return path

    def read(self, done):
        assert done.exit_code == 1, done.exception
        report = msgspec.json.decode(done.stdout)
        return report["accepted"], report["rejected"], report["repeat"]

    def test_it_is_named_or_it_is_that_of_the_inbox(self, run, file, tmp_path):
        common = ("import", file, "--out", tmp_path / "out", "--json")
        inbox = FileInbox(path=tmp_path / "box", peer="urog", codec="sstu")
        house = {"adapters": ("sstu",), "inboxes": (inbox,)}
        assert self.read(run(*common, "--peer", "sed", "--codec", "sstu", **house)) == (2, 1, 0)
        assert self.read(run(*common, "--peer", "urog", **house)) == (2, 1, 0)
        assert self.read(run(*common, **house)) == (0, 1, 2)
        as_table = run(*common, "--profile", "legacy-cp1251", **house)
        assert msgspec.json.decode(as_table.stdout)["place"] == "error"

    @pytest.mark.parametrize("more", [(), ("--check",)])
    def test_a_package_of_nothing_is_no_success(self, run, tmp_path, more):
        path = tmp_path / "none.zip"
        path.write_bytes(package())
        common = ("import", path, "--out", tmp_path / "out", "--peer", "sed", "--codec", "sstu")
        done = run(*common, *more, adapters=("sstu",))
        assert done.exit_code == 1
        assert "the file holds no document" in done.stdout

    def test_check_reads_it_without_storing(self, run, file, tmp_path):
        done = run("import", file, "--check", "--codec", "sstu")
        assert done.exit_code == 1
        assert "part.zip:3: bad.json" in done.stdout
        assert run("export", tmp_path / "out.csv", "--peer", "sed").stdout.endswith(": 0\n")

    def test_an_adapter_that_is_not_switched_on_reads_nothing(self, run, file):
        done = run("import", file, "--peer", "sed", "--codec", "sstu", adapters=())
        assert "not switched on" in str(done.exception)


def test_a_table_without_a_row_is_no_success(run, tmp_path):
    file = tmp_path / "r.csv"
    file.write_bytes(table())
    common = ("import", file, "--peer", "sed", "--profile", "legacy-cp1251", "--out", tmp_path)
    done = run(*common)
    assert done.exit_code == 1
    assert "the file holds no row" in done.stdout


def test_import_asks_whose_files_they_are(run, tmp_path):
    file = tmp_path / "r.csv"
    file.write_bytes(table(GOOD))
    result = run("import", file)
    assert "whose files" in str(result.exception)


@pytest.mark.parametrize(
    ("peer", "profile", "said"),
    [
        ("nosuch2", "appeals-default", ("нет такой системы", "no such peer", "nosuch2")),
        ("sed", "nope", ("no such profile", "nope", "appeals-default, legacy-cp1251")),
    ],
)
def test_a_sender_or_a_profile_that_is_not_there_takes_nothing(run, tmp_path, peer, profile, said):
    file = tmp_path / "r.csv"
    file.write_bytes(table(GOOD))
    done = run("import", file, "--peer", peer, "--profile", profile, "--out", tmp_path / "out")
    assert isinstance(done.exception, ConfigurationError)
    for words in said:
        assert words in str(done.exception)
    assert not (tmp_path / "out").exists()


def test_a_file_that_cannot_be_read_is_told_with_what_is_wrong_with_it(run, tmp_path):
    file = tmp_path / "r.csv"
    file.write_bytes(b"PK\x03\x04")
    done = run("import", file, "--peer", "sed", "--profile", "legacy-cp1251", "--out", tmp_path)
    assert done.exit_code == 1
    assert "unsupported: это книга Excel" in done.stdout
    assert "save the sheet as CSV" in done.stdout


def test_receipts_of_a_peer_that_is_not_there_are_no_empty_table(run, tmp_path):
    done = run("export", tmp_path / "out.csv", "--peer", "nope")
    assert "nope" in str(done.exception)
    assert not (tmp_path / "out.csv").exists()
