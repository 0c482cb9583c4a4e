"""Which files an appeal may name by their digest, and that nobody pays for the others' copies."""

from __future__ import annotations

from hashlib import sha256
from uuid import UUID

import pytest

from gateway.store import files
from gateway.store.partitions import lower_bound
from gateway.store.pool import Pool
from tests.integration.test_retention import NOW

DIGEST = sha256(b"letterhead").digest()
OURS, OTHERS, MESSAGE = (UUID(int=lower_bound(NOW).int + n) for n in (1, 2, 3))
MANY = 20_000


@pytest.fixture
def db(pg_url):
    made = Pool(pg_url)
    made.open()
    with made.connection() as db:
        db.execute(
            "INSERT INTO blob (sha256, media_type, size, bytes, created_at)"
            " VALUES ($1, 'image/png', 10, '', $2)",
            (DIGEST, NOW),
        )
        yield db
    made.close()


def refer(db, owner, name, peer="portal"):
    db.execute(
        "INSERT INTO blob_ref (sha256, owner, name, peer) VALUES ($1, $2, $3, $4)",
        (DIGEST, owner, name, peer),
    )


def known(db, *reporters):
    found = files.known(db, {OURS: {DIGEST.hex(), ""}}, {OURS: reporters})[OURS]
    assert set(found) <= {DIGEST.hex()}
    return found[DIGEST.hex()] if found else None


def test_a_digest_alone_opens_nothing(db):
    refer(db, OTHERS, "чужой.png")
    assert known(db) is None
    assert known(db, "office") is None


def test_a_file_that_came_with_the_appeal_goes_by_its_own_name(db):
    refer(db, OTHERS, "а чужой.png", "office")
    refer(db, OURS, "бланк.png")
    assert known(db, "office") == files.Known("бланк.png", "image/png", 10)


def test_a_file_of_a_message_to_the_appeal_is_its_own(db):
    db.execute(
        "INSERT INTO message"
        " (id, peer, wire, operation, recorded_at, body_sha256, stage, appeal_id)"
        " VALUES ($1, 'office', 'rest', 'answer', $2, $3, 'applied', $4)",
        (MESSAGE, NOW, DIGEST, OURS),
    )
    refer(db, MESSAGE, "ответ.png", "office")
    assert known(db).name == "ответ.png"


def test_a_file_of_a_reporter_may_be_named_again_in_another_appeal(db):
    refer(db, OTHERS, "прежний.png", "office")
    assert known(db, "sed", "office").name == "прежний.png"


def test_what_is_read_does_not_grow_with_the_copies_of_others(db):
    """A seal that stands in every answer cost every delivery a walk over all the answers.

    The plan is made while the tables are empty and nobody has counted their rows, as it is on the
    first day.
    """
    db.execute("SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off")
    for _ in range(8):
        assert known(db, "office") is None
    db.execute(
        "INSERT INTO blob_ref (sha256, owner, name, peer) SELECT $1::bytea, gen_random_uuid(),"
        " 'печать.png', CASE WHEN n % 2 = 0 THEN 'office' ELSE 'sed' END"
        " FROM generate_series(1, $2::int) n",
        (DIGEST, MANY),
    )
    before = _read(db)
    assert known(db, "office").name == "печать.png"
    assert known(db, "pos") is None
    refer(db, OURS, "своя.png")
    assert known(db, "office").name == "своя.png"
    assert _read(db) - before < 100


def _read(db):
    """How many rows of the references this session has read."""
    db.execute("SELECT pg_stat_force_next_flush()")
    return db.execute(
        "SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) + (SELECT sum(idx_tup_read)"
        " FROM pg_stat_user_indexes WHERE relname = 'blob_ref')"
        " FROM pg_stat_user_tables WHERE relname = 'blob_ref'"
    ).fetchone()[0]
