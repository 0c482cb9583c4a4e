"""The count of the exchange through СМЭВ: each way to go wrong shows in it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from bench.trust_exchange import outcome
from bench.trust_office import Office

SENT = {"a": "TELLING", "b": "TELLING", "c": "ASKING"}


@pytest.fixture
def played(tmp_path):
    facts = [{"what": "sent", "message": one, "recipient": whose} for one, whose in SENT.items()]
    facts += [{"what": "given", "message": "a"}, {"status": 200, "fault": "reset_after"}]
    facts += [{"what": "accepted", "message": one} for one in SENT]
    journal = tmp_path / "journal.jsonl"
    journal.write_text("".join(json.dumps(fact) + "\n" for fact in facts), "utf-8")
    for name in ("ASKING", "TELLING"):
        office = Office(name, tmp_path / f"{name}.db", lambda: None)
        for message, whose in SENT.items():
            if whose == name:
                assert office.keep(message, 1)
                assert not office.keep(message, 1)
        office.close()
    return tmp_path


def changed(place, name, statement):
    with closing(sqlite3.connect(place / f"{name}.db")) as ledger, ledger:
        ledger.execute(statement)


def counted(place, left=0):
    told = outcome(place, left)
    return told.sent, told.lost, told.twice, told.unknown, told.left


def test_what_came_once_and_was_acknowledged_is_whole(played):
    assert counted(played) == (3, 0, 0, 0, 0)
    assert outcome(played, 0).failed == {"reset_after": 1}


def test_what_is_in_no_ledger_is_lost(played):
    changed(played, "TELLING", "DELETE FROM done WHERE message = 'a'")
    assert counted(played) == (3, 1, 0, 0, 0)


def test_what_was_never_acknowledged_is_lost(played):
    journal = played / "journal.jsonl"
    lines = journal.read_text("utf-8").splitlines(keepends=True)
    journal.write_text("".join(lines[:-1]), "utf-8")
    assert counted(played) == (3, 1, 0, 0, 0)


def test_what_was_taken_twice_or_never_sent_is_seen(played):
    changed(played, "ASKING", "INSERT INTO done VALUES ('c', 1), ('x', 1)")
    assert counted(played, 2) == (3, 0, 1, 1, 2)
