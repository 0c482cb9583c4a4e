"""The cursor over a list of which it is not known whether it forgets what was read."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.regional.sadko.client import Credential, Site
from adapters.regional.sadko.inbox import Cursor, entries
from gateway import limits
from gateway.adapter import Wire
from gateway.errors import PeerDoubtful, PeerUnavailable
from gateway.outbound import Response

HOUR = timedelta(hours=1)
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def line(guid, minute, kind="InboxResol"):
    return {"Guid": guid, "Created": f"2026-03-02T10:{minute:02d}:00", "Type": kind}


def guids(found):
    return [entry.guid for entry in found]


def test_what_was_taken_is_not_taken_again_and_what_comes_late_is():
    first = entries([line("a", 1), line("b", 5)])
    cursor = Cursor.of("").moved(first, HOUR)
    later = entries([line("a", 1), line("b", 5), line("c", 3), line("d", 9)])
    assert guids(cursor.fresh(later, HOUR)) == ["c", "d"]


def test_what_is_older_than_the_overlap_is_forgotten_and_not_taken():
    cursor = Cursor.of("").moved(entries([line("a", 1), line("b", 30)]), timedelta(minutes=10))
    assert set(cursor.seen) == {"b"}
    assert cursor.fresh(entries([line("a", 1), line("z", 2)]), timedelta(minutes=10)) == []


def test_a_line_that_cannot_be_read_is_given_once():
    listed = entries([{"Guid": 5}, "x", line("a", 1)])
    fresh = Cursor.of("").fresh(listed, HOUR)
    assert len(fresh) == 3
    cursor = Cursor.of(Cursor.of("").moved(fresh, HOUR).text())
    assert cursor.fresh(listed, HOUR) == []


def test_stamps_of_the_year_one_break_nothing():
    listed = entries([{"Guid": "a", "Created": "0001-01-01T00:00:00", "Type": "InboxResol"}])
    cursor = Cursor.of("").moved(listed, HOUR)
    assert cursor.fresh(listed, HOUR) == []


@pytest.mark.parametrize("text", ["", "x", "[]", '{"at":"soon"}', '{"seen":{"a":"never"}}'])
def test_a_cursor_that_cannot_be_read_begins_anew(text):
    assert Cursor.of(text) == Cursor()


class Says:
    """An `Outbound` to a site whose token is "t" and whose every answer is the same."""

    timeout = 1.0

    def __init__(self, body):
        self._body = body

    def request(self, _method, url, **_more):
        body = b'{"access_token": "t"}' if url.endswith("/token") else self._body
        return Response(200, {}, body)


def site(body):
    return Site(Says(body), "http://site", Credential("me", lambda: b"secret"))


def test_an_inbox_that_forgets_nothing_is_read_for_years():
    listed = [line(f"g-{n}", n % 60) for n in range(limits.LIST_ROWS)]
    asked = site(json.dumps(listed).encode())

    told, _ = asked.inbox(asked.deadline())

    assert len(entries(told)) == limits.LIST_ROWS


@pytest.mark.parametrize("body", [b"[" + b"{}," * 900_000 + b"{}]", b"[" * 900_000])
def test_a_list_that_is_longer_says_so(body):
    asked = site(body)
    with pytest.raises(PeerUnavailable, match="too long"):
        asked.inbox(asked.deadline())


@pytest.mark.parametrize("guid", [".", ".."])
def test_a_name_that_leads_to_another_address_is_a_line_that_cannot_be_read(guid):
    (entry,) = entries([line(guid, 1)])
    assert entry.kind == ""


def test_a_page_is_no_word_of_the_outbox_that_it_took_the_document():
    asked = site(b"<!doctype html><html><body>login</body></html>")
    with pytest.raises(PeerDoubtful):
        asked.put(Wire(media_type="application/json", body=b"{}"), asked.deadline())


def test_an_answer_that_is_no_list_is_no_inbox():
    with pytest.raises(PeerUnavailable):
        entries({"error": "later"})


def test_a_line_of_another_century_is_taken_and_does_not_end_the_inbox():
    odd = {"Guid": "odd", "Created": "9999-12-31T23:59:59", "Type": "InboxResol"}
    first = entries([odd, line("a", 1)])
    cursor = Cursor.of(Cursor().moved(first, HOUR, latest=NOW).text())
    later = entries([odd, line("a", 1), line("b", 2)])
    assert guids(cursor.fresh(later, HOUR)) == ["b"]


def test_what_the_list_shows_no_more_is_not_remembered_for_ever():
    junk = entries(["x", "y", line("a", 1)])
    cursor = Cursor().moved(junk, HOUR, failed=entries([line("gone", 2)]))
    assert len(cursor.seen) == 3
    assert cursor.within(entries([line("a", 1)])) == Cursor(cursor.at, {"a": cursor.at}, {})


def test_what_failed_is_asked_for_after_everything_else_and_counts_where_others_came():
    failing, other = entries([line("a", 1)]), entries([line("b", 5)])
    alone = Cursor().moved([], HOUR, failed=failing)
    assert alone.owed == {"a": 0}
    assert guids(alone.fresh(failing + other, HOUR)) == ["b", "a"]
    assert alone.moved(other, HOUR, failed=failing).owed == {"a": 1}


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 59)), max_size=40), st.integers(1, 7))
def test_however_it_is_cut_everything_is_taken_once(pairs, batch):
    listed = entries([line(f"g{n}", minute) for n, minute in pairs])
    cursor, taken = Cursor.of(""), []
    while fresh := cursor.fresh(listed, HOUR)[:batch]:
        taken += guids(fresh)
        cursor = Cursor.of(cursor.moved(fresh, HOUR).text())
    assert sorted(taken) == sorted(guids(listed))
