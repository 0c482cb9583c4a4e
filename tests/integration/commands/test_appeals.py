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


def post(house, external_id, regime):
    """Bring an appeal of a regime that nobody has registered yet."""
    found = house.submit(external_id, wire="social", regime=regime).receipt_number
    house.triage()
    return found


def state(house, external_id):
    [(found, regime)] = house.rows(
        "SELECT state, regime FROM appeal WHERE external_id = $1", external_id
    )
    return found, regime


def test_a_person_gives_up_an_incident_that_is_nothing_but_insults(house):
    receipt = post(house, "vk-1", "incident")
    said = ("--reason", "abusive", "--text", "Комментарий скрыт", "--by", "ivanova")

    assert "--commit" in house.run("appeals", "dismiss", receipt, *said)
    assert state(house, "vk-1")[0] == "received"
    told = house.json("appeals", "dismiss", receipt, *said, "--commit")

    assert (told["event"], told["state"], told["committed"]) == ("NotAnAppeal", "closed", True)
    assert state(house, "vk-1")[0] == "closed"
    [(words,)] = house.rows(
        "SELECT c.bytes FROM content c JOIN appeal a ON a.id = c.appeal_id "
        "WHERE c.id <> a.content_id"
    )
    assert "Комментарий скрыт" in bytes(words).decode()
    assert house.json("verify")["faults"] == {}


def test_an_appeal_with_insults_stays_an_appeal(house):
    receipt = post(house, "z-1", "fz59")
    said = ("--reason", "abusive", "--text", "Нет", "--by", "ivanova")
    refused = house.run("appeals", "dismiss", receipt, *said, "--commit", code=2)
    assert "11" in refused
    assert state(house, "z-1")[0] == "received"


def test_a_message_is_moderated_and_its_author_asked(house):
    receipt = post(house, "m-1", "message")
    house.run("appeals", "moderate", receipt, "--send", "--by", "petrova", "--commit")
    assert state(house, "m-1")[0] == "moderation"
    asked = ("--text", "Какой дом?", "--due", "2026-11-30", "--by", "petrova", "--commit")
    house.run("appeals", "ask", receipt, *asked)
    house.run("appeals", "moderate", receipt, "--pass", "--by", "petrova", "--commit")
    assert state(house, "m-1")[0] == "received"
    told = house.rows("SELECT event_type FROM delivery WHERE destination = 'epgu' ORDER BY seq")
    assert [t for (t,) in told] == ["SentToModeration", "ClarificationAsked", "ModerationPassed"]
    assert house.json("verify")["faults"] == {}


def test_a_59fz_appeal_is_not_moderated(house):
    receipt = post(house, "z-2", "fz59")
    house.run("appeals", "moderate", receipt, "--send", "--by", "petrova", "--commit", code=2)


def test_the_help_names_all_that_a_person_may_decide(house):
    said = " ".join(house.run("appeals", "--help").split())
    for word in ("слить", "разъединить", "не обращением", "модератору", "спросить"):
        assert word in said
    assert said.index("слить") < said.index("merge")
