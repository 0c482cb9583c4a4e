"""A committer on a real database, blobs in a directory, and an inbox with a profile."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import psycopg
import pytest

from gateway.model.peer import Peer
from gateway.settings import FileInbox
from gateway.store import peers
from gateway.store.blobs import BlobDirectory
from gateway.store.committer import Committer
from import_export.filedrop import run_once
from import_export.known import StoreKnown

HEADER = "Номер;Дата поступления;Вид;ФИО;ОКТМО;Содержание\r\n"


def table(*rows: str, header: str = HEADER) -> bytes:
    """A file of the legacy profile."""
    return (header + "".join(f"{row}\r\n" for row in rows)).encode("cp1251")


def add_peer(url, code, now=None):
    """Make a peer known, if it is not yet."""
    with psycopg.connect(url, autocommit=True, cursor_factory=psycopg.RawCursor) as connection:
        if code not in peers.read_all(connection):
            peers.add(connection, Peer(code=code, name=code), now or datetime.now(UTC))


class Drop:
    """One inbox of the partner `sed`, with everything needed to look at it."""

    def __init__(self, url, root, profile, settle_seconds=0.0):
        self.url, self.root = url, root
        self.inbox = FileInbox(
            path=root / "box", peer="sed", profile=profile, settle_seconds=settle_seconds
        )
        self.blobs = BlobDirectory(root / "blobs")
        self.committer = Committer(url)
        self.committer.start()
        self.known = StoreKnown(url)
        self.now = datetime.now(UTC)
        add_peer(url, "sed", self.now)
        (self.inbox.path / "in").mkdir(parents=True)

    def put(self, name, data):
        (self.inbox.path / "in" / name).write_bytes(data)

    def look(self, **kwargs):
        kwargs.setdefault("known", self.known)
        return run_once(self.inbox, self.committer, self.blobs, self.now, **kwargs)

    def names(self, folder):
        return sorted(
            str(path.relative_to(self.inbox.path / folder))
            for path in (self.inbox.path / folder).rglob("*")
            if path.is_file() and path.name != ".lock"
        )

    def answers(self, name, encoding="cp1251"):
        text = (self.inbox.path / "out" / name).read_bytes().decode(encoding).removeprefix("\ufeff")
        return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))

    def rows(self, statement, *values):
        with psycopg.connect(self.url) as connection:
            return connection.execute(statement, values).fetchall()

    def count(self, table, where="true"):
        return self.rows(f"SELECT count(*) FROM {table} WHERE {where}")[0][0]

    def close(self):
        self.committer.stop()
        self.known.close()


@pytest.fixture
def make_drop(pg_url, tmp_path):
    made = []

    def make(profile="legacy-cp1251", **kwargs):
        made.append(Drop(pg_url, tmp_path / f"drop{len(made)}", profile, **kwargs))
        return made[-1]

    yield make
    for drop in made:
        drop.close()


@pytest.fixture
def drop(make_drop):
    return make_drop()
