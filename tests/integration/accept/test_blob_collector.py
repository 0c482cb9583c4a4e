"""The collector takes what nothing names and nobody used for a day, and nothing else."""

from __future__ import annotations

import os
from datetime import timedelta
from hashlib import sha256

import psycopg
import pytest

from gateway import ingest
from gateway.adapter import File, Inbound
from gateway.model.appeal import Appeal
from gateway.store import arrays, blob_collector
from gateway.store.accept import write_batch
from gateway.store.blobs import read

LARGE = 300_000
WEEK = timedelta(days=7)


def pdf(name: str, data: bytes) -> File:
    return File(name=f"{name}.pdf", media_type="", data=data, sha256=sha256(data).hexdigest())


@pytest.fixture
def db(store):
    with psycopg.connect(
        store.url, autocommit=True, cursor_factory=psycopg.RawCursor
    ) as connection:
        arrays.register(connection)
        yield connection


@pytest.fixture
def send(store):
    committer = store.committer()

    def submit(key: str, *, file: bytes | None = None, body: bytes = b"{}") -> None:
        files = () if file is None else (pdf("scan", file),)
        inbound = Inbound(operation="submit", external_id=key, appeal=Appeal(text=key), files=files)
        committer.submit_sync(ingest.entry(store.arrival(body), inbound, store.blobs))

    return submit


def collect(store, db, *, after=WEEK) -> blob_collector.Collected:
    return blob_collector.collect(db, store.blobs, store.now + after)


def test_what_a_message_or_an_appeal_names_stays(store, db, send):
    send("a", file=b"f" * LARGE, body=b"b" * LARGE)
    send("b", file=b"small")
    assert collect(store, db) == (0, 0, 0)
    for data in (b"f" * LARGE, b"small"):
        assert read(db, store.blobs, sha256(data).digest()) == data
    assert store.blobs.get(sha256(b"b" * LARGE).digest())


def test_what_nothing_names_goes_after_a_day(store, db, send):
    lost = store.blobs.put(b"x" * LARGE)
    send("a", file=b"f" * LARGE)
    send("b", file=b"small")
    assert collect(store, db, after=timedelta(hours=23)) == (0, 0, 0)
    db.execute("DELETE FROM blob_ref")
    assert collect(store, db) == (2, 1, 0)
    assert not store.blobs.path(lost).exists()
    assert store.count("blob") == 0
    assert collect(store, db) == (0, 0, 0)


def test_a_blob_that_came_into_use_again_stays(store, db, send):
    send("a", file=b"f" * LARGE)
    db.execute("DELETE FROM blob_ref")
    store.now += WEEK
    send("b", file=b"f" * LARGE)
    db.execute("DELETE FROM blob_ref")
    assert collect(store, db, after=timedelta(0)) == (0, 0, 0), "touched a moment ago"


def test_a_call_that_is_being_stored_keeps_its_file(store, db, send):
    """Its row is not committed yet: the collector waits for it and then spares the blob."""
    send("a", file=b"f" * LARGE)
    digest = sha256(b"f" * LARGE).digest()
    db.execute("DELETE FROM blob_ref")
    os.utime(store.blobs.path(digest), (0, 0))
    with psycopg.connect(store.url) as storing:
        storing.execute(
            "INSERT INTO blob (sha256, size, created_at) VALUES (%s, 1, %s)"
            " ON CONFLICT (sha256) DO UPDATE SET created_at = excluded.created_at",
            (digest, store.now + WEEK),
        )
        db.execute("SET lock_timeout = '200ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            collect(store, db)
    assert collect(store, db) == (0, 0, 0)
    assert store.blobs.path(digest).exists()


def test_what_broken_writes_and_a_broken_collector_left_is_put_right(store, db):
    digest = store.blobs.put(b"x" * LARGE)
    path = store.blobs.path(digest)
    path.with_name(f".{path.name}.0123").write_bytes(b"half")
    (store.blobs.root / ".incoming.0123").write_bytes(b"half")
    path.rename(path.with_name(blob_collector.DYING + path.name))
    assert collect(store, db, after=timedelta(0)) == (0, 0, 0), "young files may be in use"
    assert store.blobs.get(digest)
    assert collect(store, db) == (1, 0, 2)
    assert [found for found in store.blobs.root.rglob("*") if found.is_file()] == []


def test_a_file_sent_twice_in_one_batch_is_stored_once(store, db):
    entries = [
        ingest.entry(
            store.arrival(key.encode()),
            Inbound(
                operation="submit", external_id=key, appeal=Appeal(text=key),
                files=(pdf(key, b"same"),),
            ),
            store.blobs,
        )
        for key in ("a", "b")
    ]  # fmt: skip
    with db.transaction():
        write_batch(db, entries)
    assert (store.count("blob"), store.count("blob_ref")) == (1, 2)
