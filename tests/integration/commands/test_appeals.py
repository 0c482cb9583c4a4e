"""`gateway appeals`: a person sees what was merged and what may be, and decides."""

from __future__ import annotations

import pytest

LETTER = {"number": "14-05/2213", "date": "2026-11-10"}
BY = ("--reason", "разные письма", "--by", "ivanova")


def send(house, external_id, sender, peer="epgu"):
    referral = {**LETTER, "fromOrganisation": sender}
    receipt = house.submit(external_id, peer=peer, referral=referral).receipt_number
    house.triage()
    return receipt


@pytest.fixture
def joined(house):
    """Two appeals that one letter made one: receipts of both."""
    house.change("""UPDATE peer SET options = '{"same_letters": "ministry"}'""")
    return send(house, "first", "Минстрой"), send(house, "second", "МИНСТРОЙ", "sed")


@pytest.fixture
def suspected(house):
    """Two appeals whose senders may be one body under two names."""
    return send(house, "first", "Минстрой"), send(house, "second", "Министерство", "sed")


def merged(house):
    return [row["external_id"] for row in house.json("appeals", "merged")["merged"]]


def twins(house):
    found = house.json("appeals", "twins")["twins"]
    return [(row["external_id"], row["other_external"]) for row in found]


def test_a_merger_is_shown_with_its_key_and_who_made_it(house, joined):
    said = house.run("appeals", "merged", joined[0])

    for word in (*joined, "14-05/2213", "name:минстрой", "rule:same-letter"):
        assert word in said


def test_nothing_is_taken_apart_without_commit(house, joined):
    told = house.json("appeals", "unmerge", joined[1], *BY)

    assert (told["committed"], told["merged"], told["from"]["receipt_number"]) == (
        False, True, joined[0],
    )  # fmt: skip
    assert merged(house) == ["second"]
    assert "--commit" in house.run("appeals", "unmerge", joined[1], *BY)


def test_taken_apart_both_senders_hear_of_it_and_both_live_on(house, joined):
    house.report("m-1", joined[1], "Answered", peer="sed", outcome={"result": "explained"})
    house.triage()
    assert house.rows("SELECT DISTINCT state FROM appeal") == [("received",)]

    said = house.run("appeals", "unmerge", joined[1], *BY, "--commit")

    assert "m-1" in said
    assert merged(house) == []
    assert house.rows(
        "SELECT destination FROM delivery WHERE event_type = 'Unmerged' ORDER BY 1"
    ) == [("epgu",), ("sed",)]
    states = house.rows("SELECT external_id, state FROM appeal ORDER BY 1")
    assert states == [("first", "received"), ("second", "answered")]
    assert house.json("verify")["faults"] == {}
    house.run("appeals", "unmerge", joined[1], *BY, "--commit", code=2)


def test_possible_twins_wait_for_a_person_and_the_doctor_says_so(house, suspected):
    assert twins(house) == [("second", "first")]
    queues = [f for f in house.json("doctor")["findings"] if f["check"] == "queues"]
    assert any("gateway appeals twins" in f["todo"] for f in queues)


def test_twins_are_merged_by_a_person(house, suspected):
    house.run("appeals", "merge", suspected[1], "--into", suspected[0], *BY)
    assert merged(house) == []

    house.run("appeals", "merge", suspected[1], "--into", suspected[0], *BY, "--commit")

    assert (merged(house), twins(house)) == (["second"], [])
    assert "person:ivanova" in house.run("appeals", "merged")


def test_twins_that_a_person_found_unlike_are_shown_no_more(house, suspected):
    house.run("appeals", "unmerge", suspected[1], "--from", suspected[0], *BY, "--commit")

    assert (merged(house), twins(house)) == ([], [])
    assert house.json("verify")["faults"] == {}


@pytest.mark.parametrize(
    "arguments",
    [
        ("--reason", "x" * 301, "--by", "ivanova"),
        ("--reason", " ", "--by", "ivanova"),
        ("--reason", "разные", "--by", "Иванова Мария Петровна"),
    ],
)
def test_who_decides_is_a_login_and_why_is_one_line(house, joined, arguments):
    house.run("appeals", "unmerge", joined[1], *arguments, "--commit", code=2)

    assert merged(house) == ["second"]
