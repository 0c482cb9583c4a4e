"""An appeal that came in a file is erased out of the file as well; the other rows stay."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import psycopg

from gateway import policies
from gateway.settings import Settings
from gateway.store import arrays, erasing
from gateway.store.blobs import BlobDirectory
from gateway.triage import Triage

from .test_commands import run
from .test_filedrop import BAD, GOOD, OTHER, table

__all__ = ["run"]


def test_the_file_that_brought_it_goes_and_what_else_stood_there_stays(run, pg_url, tmp_path):
    file = tmp_path / "r.csv"
    file.write_bytes(table(GOOD, BAD, OTHER))
    told = run("import", file, "--peer", "sed", "--profile", "legacy-cp1251",
               "--out", tmp_path, "--json")  # fmt: skip
    assert msgspec.json.decode(told.stdout)["accepted"] == 2
    with psycopg.connect(pg_url, autocommit=True, cursor_factory=psycopg.RawCursor) as db:
        arrays.register(db)
        rules = policies.rules(Settings(data_dir=tmp_path / "var"))
        worker = Triage(pg_url, rules, lambda: datetime.now(UTC))
        while worker.run_once().items:
            pass
        worker.close()
        ((appeal,),) = db.execute("SELECT id FROM appeal WHERE external_id = 'А26-1'").fetchall()
        why = erasing.Why("ivanov", "request", "отзыв согласия")
        now = datetime.now(UTC)
        erasing.erase(db, BlobDirectory(tmp_path / "blobs"), appeal, why, now, commit=True)
        kept = db.execute(
            "SELECT operation, key, body IS NOT NULL, note ? 'erased' FROM message ORDER BY id"
        ).fetchall()
    assert kept == [
        ("file", "", False, True),
        ("submit", "А26-1", False, True),
        ("submit", "", True, False),
        ("submit", "А26-2", True, False),
    ]
