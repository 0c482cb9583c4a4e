"""Whoever accept is measured against writes the very rows that the gateway writes."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psycopg

from bench.limit import write
from bench.machine import counted
from bench.stand import ROWS

CHECKOUT = Path(__file__).resolve().parents[3]
STORE_TWO = """
import sys

import sqlalchemy as sa

from bench.limit import Document
from bench.peers.spyne_orm import store

document = Document()
engine = sa.create_engine(sa.make_url(sys.argv[1]).set(drivername="postgresql+psycopg"))
for key in ("one", "two"):
    store(engine, document.entry(key, None))
"""
"""In a process of its own: the `six` in spyne leaves an importer behind that no newer Python takes
without a warning, which would be the failure of any test that imports something afterwards."""


def rows(url):
    with closing(psycopg.connect(url)) as connection:
        return counted(connection, ROWS)


def test_the_peer_writes_a_row_of_every_table(pg_url):
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", STORE_TWO, pg_url],
        cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert rows(pg_url) == {table: 2 * count for table, count in ROWS.items()}


def test_the_limit_writes_a_row_of_every_table(pg_url):
    written = write(pg_url, 0.0001, "limit-")
    assert written.appeals > 0
    assert rows(pg_url) == {table: written.appeals * count for table, count in ROWS.items()}
