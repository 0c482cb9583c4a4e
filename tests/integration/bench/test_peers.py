"""Whoever accept is measured against writes the very rows that the gateway writes."""

from __future__ import annotations

from contextlib import closing

import psycopg
import pytest
import sqlalchemy as sa

from bench.limit import Document, write
from bench.machine import counted
from bench.stand import ROWS

DOCUMENT = Document()


def rows(url):
    with closing(psycopg.connect(url)) as connection:
        return counted(connection, ROWS)


@pytest.mark.filterwarnings("ignore")
def test_the_peer_writes_a_row_of_every_table(pg_url):
    from bench.peers.spyne_orm import store

    engine = sa.create_engine(sa.make_url(pg_url).set(drivername="postgresql+psycopg"))
    for key in ("one", "two"):
        store(engine, DOCUMENT.entry(key, None))
    engine.dispose()
    assert rows(pg_url) == {table: 2 * count for table, count in ROWS.items()}


def test_the_limit_writes_a_row_of_every_table(pg_url):
    written = write(pg_url, 0.0001, "limit-")
    assert written.appeals > 0
    assert rows(pg_url) == {table: written.appeals * count for table, count in ROWS.items()}
