"""What a new version of a classifier does to the one that is there."""

from __future__ import annotations

import datetime as dt

import pytest
from msgspec.structs import replace

from gateway.errors import ValidationError
from gateway.topics import Classifier, Kind, Node, compare

MAY, JUNE = dt.date(2026, 5, 1), dt.date(2026, 6, 1)
LAST = dt.date(2026, 5, 31)


def node(code: str, title: str, **more) -> Node:
    return Node(system="own", code=code, title=title, **more)


A, B, C = node("a", "Дороги"), node("b", "Свет"), node("c", "Вода")


def applied(known, changes):
    """Return the nodes as the store has them afterwards: one a code and version."""
    rows = {(n.code, n.version): n for n in known}
    rows |= {(c.node.code, c.node.version): c.node for c in changes}
    return list(rows.values())


def first():
    return applied([], compare([], [A, B], version="1", day=None, whole=True))


def test_a_first_version_is_in_force_for_all_that_came_before():
    assert [(n.version, n.valid_from, n.valid_to) for n in first()] == [("1", None, None)] * 2


def test_a_new_version_adds_changes_and_ends():
    told = compare(
        first(), [replace(A, title="Дороги и мосты"), C], version="2", day=JUNE, whole=True
    )
    assert [(c.kind, c.node.code, c.node.version) for c in told] == [
        (Kind.CHANGED, "a", "2"), (Kind.CLOSED, "a", "1"),
        (Kind.CLOSED, "b", "1"), (Kind.ADDED, "c", "2"),
    ]  # fmt: skip
    now = Classifier("own", applied(first(), told))
    assert now.lookup("a", LAST).title == "Дороги"
    assert now.lookup("a", JUNE).title == "Дороги и мосты"
    assert now.lookup("b", LAST).title == "Свет"
    assert now.lookup("b", JUNE) is None
    assert now.lookup("c", LAST) is None


def test_a_part_ends_nothing():
    told = compare(first(), [C], version="2", day=JUNE, whole=False)
    assert [c.kind for c in told] == [Kind.ADDED]


def test_the_same_file_again_changes_nothing():
    told = compare(first(), [A, B], version="2", day=JUNE, whole=True)
    assert [c.kind for c in told] == [Kind.SAME, Kind.SAME]


def test_the_same_version_puts_its_own_wording_right():
    told = compare(first(), [replace(A, title="Дорога"), B], version="1", day=None, whole=True)
    assert [(c.kind, c.node.title) for c in told][:1] == [(Kind.CHANGED, "Дорога")]
    assert len(applied(first(), told)) == 2


def test_a_file_that_names_the_last_day_of_a_node_ends_it():
    told = compare(first(), [replace(A, valid_to=LAST), B], version="2", day=JUNE, whole=True)
    now = Classifier("own", applied(first(), told))
    assert now.lookup("a", LAST).version == "1"
    assert now.lookup("a", JUNE) is None


def test_what_has_ended_may_begin_again():
    ended = compare(first(), [B], version="2", day=MAY, whole=True)
    known = applied(first(), ended)
    told = compare(known, [A, B], version="3", day=JUNE, whole=True)
    now = Classifier("own", applied(known, told))
    assert now.lookup("a", MAY) is None
    assert now.lookup("a", JUNE).version == "3"


def test_an_older_version_does_not_come_after_a_newer_one():
    known = applied([], compare([], [A], version="2", day=JUNE, whole=True))
    with pytest.raises(ValidationError):
        compare(known, [A, B], version="1", day=MAY, whole=True)
