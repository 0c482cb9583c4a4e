"""The address of a new appeal becomes a house, and leads to whoever keeps it."""

from __future__ import annotations

import msgspec
import pytest

from gateway import additions
from gateway import places as places_of
from gateway.errors import StateError
from gateway.model.address import Address, AddressRole
from gateway.model.appeal import Appeal
from gateway.model.peer import Peer
from gateway.store import addresses, history, lookup, peers, places, verification
from tests.integration.triage.land import (
    EXACT,
    LESNAYA,
    choose,
    events,
    house,
    routed,
    rows,
    whole,
    write,
)


def test_a_house_that_is_sure_leads_to_whoever_keeps_it(city):
    write(city, "a", EXACT)

    assert routed(city) == ("uk", "house", "assigned")
    assert rows(city) == [("a", "exact", house(city, "68к2"), "register", False)]
    [reason] = [e["reason"] for e in events(city, "Routed")]
    assert "управление домом: uk на " in reason
    assert whole(city)


def test_the_event_names_no_address(city):
    write(city, "a", EXACT)

    [told] = events(city)
    assert told == {
        "role": "problem", "outcome": "exact", "confidence": told["confidence"],
        "level": told["level"], "by": "register", "gar_version": "20260908",
    }  # fmt: skip
    bodies = city.rows("SELECT convert_from(body, 'UTF8') FROM event")
    assert not any(house(city, "68к2") in b or "Января" in b for (b,) in bodies)


def test_without_a_register_there_is_no_event_and_the_plan_is_as_before(room):
    write(room, "a", EXACT)

    assert events(room) == []
    assert room.count("place") == 0
    assert routed(room) == ("gzhi", "all", "assigned")


def test_an_appeal_without_a_place_of_the_problem_is_not_looked_up(city):
    home = Address(role=AddressRole.APPLICANT_POSTAL, raw=EXACT)
    city.submit_appeal("a", Appeal(text="Подъезд", addresses=(home,)))
    city.work_off()

    assert events(city) == []


def test_a_place_that_no_rule_asks_for_is_no_doubt(city):
    write(city, "a", "г Воронеж, ул 9 Января, д 999", text="Яма на дороге")

    assert rows(city) == [("a", "street_only", None, "register", False)]
    assert routed(city) == ("town", "place", "assigned")


def test_an_amended_address_is_looked_up_again_and_an_unchanged_one_is_not(city):
    write(city, "a", LESNAYA)
    first = Address(role=AddressRole.PROBLEM, raw=LESNAYA)
    city.amend("a", 2, Appeal(text="Подъезд и лифт", addresses=(first,)))
    city.work_off()
    assert len(events(city)) == 1

    other = Address(role=AddressRole.PROBLEM, raw=EXACT)
    city.amend("a", 3, Appeal(text="Подъезд", addresses=(other,)))
    city.work_off()

    assert [e["outcome"] for e in events(city)] == ["ambiguous", "exact"]
    assert rows(city) == [("a", "exact", house(city, "68к2"), "register", False)]
    assert routed(city) == ("uk", "house", "assigned")

    city.amend("a", 4, Appeal(text="Подъезд"))
    city.work_off()
    assert rows(city) == []
    assert whole(city)


def test_amendments_of_one_batch_are_held_against_each_other(city):
    def sent_in(revision, raw):
        place = Address(role=AddressRole.PROBLEM, raw=raw)
        city.amend("a", revision, Appeal(text="Подъезд", addresses=(place,)))

    city.submit_appeal(
        "a", Appeal(text="Подъезд", addresses=(Address(role=AddressRole.PROBLEM, raw=EXACT),))
    )
    sent_in(2, LESNAYA)
    sent_in(3, EXACT)
    city.work_off()

    assert [e["outcome"] for e in events(city)] == ["exact", "ambiguous", "exact"]
    assert whole(city)


def test_a_batch_asks_the_register_once(city, monkeypatch):
    asked = []
    real = addresses.resolve

    def counted(connection, kept, questions, *rest):
        asked.append(len(questions))
        return real(connection, kept, questions, *rest)

    monkeypatch.setattr(addresses, "resolve", counted)
    for number in range(50):
        place = Address(role=AddressRole.PROBLEM, raw=EXACT)
        city.submit_appeal(f"a{number}", Appeal(text="Подъезд", addresses=(place,)))
    city.work_off(batch=50)

    assert asked == [50]
    assert {row[1] for row in rows(city)} == {"exact"}
    assert len(rows(city)) == 50


def test_an_address_that_cannot_be_looked_up_holds_up_nothing(city):
    with city.connection() as db:
        city.submit_appeal(
            "a",
            Appeal(
                text="Подъезд", addresses=(Address(role=AddressRole.PROBLEM, raw="я" * 10_000),)
            ),
        )
        place = Address(role=AddressRole.PROBLEM, raw=EXACT)
        city.submit_appeal("b", Appeal(text="Подъезд", addresses=(place,)))
        city.work_off(batch=10)
        assert db.execute("SELECT count(*) FROM work").fetchone() == (0,)

    assert [(row[0], row[1]) for row in rows(city)] == [("a", "not_found"), ("b", "exact")]


def test_the_object_that_a_source_names_counts_when_the_text_agrees(city):
    guid = house(city, "68к2")
    write(city, "a", EXACT, fias_guid=guid)
    write(city, "b", "", fias_guid=guid)
    write(city, "c", "Воронеж, 9 Января, 5", fias_guid=guid)

    assert [row[1:3] for row in rows(city)] == [
        ("exact", guid), ("exact", guid), ("ambiguous", None),
    ]  # fmt: skip


def test_the_region_of_a_peer_goes_before_others(city):
    with city.connection() as db:
        peers.add(db, Peer(code="local", name="local", options={"regions": ["36"]}), city.now)
    place = Address(
        role=AddressRole.PROBLEM, street="9 Января", house="68", block="2", settlement="Воронеж"
    )
    city.submit_appeal("a", Appeal(text="Подъезд", addresses=(place,)), peer="local")
    city.work_off()

    assert rows(city)[0][1] == "exact"


def test_rebuilding_gives_the_places_as_they_stood(city):
    write(city, "a", EXACT)
    write(city, "b", LESNAYA)
    before = city.rows("SELECT * FROM place ORDER BY appeal_id")
    with city.connection() as db:
        db.execute("UPDATE place SET outcome = 'exact', guid = NULL, doubt = false")
    assert {f.kind for f in city.verified().faults} == {"projection"}

    with city.connection() as db:
        for (appeal_id,) in city.rows("SELECT id FROM appeal"):
            verification.rebuild(db, appeal_id)

    assert city.rows("SELECT * FROM place ORDER BY appeal_id") == before
    assert whole(city)


def test_an_erased_content_takes_the_object_with_it_and_leaves_the_outcome(city):
    write(city, "a", EXACT)
    with city.connection() as db:
        db.execute("UPDATE content SET salt = NULL, bytes = NULL, erased_at = now()")
        assert whole(city)
        [appeal_id] = [row[0] for row in city.rows("SELECT id FROM appeal")]
        db.execute("UPDATE place SET doubt = true")
        verification.rebuild(db, appeal_id)

    assert rows(city) == [("a", "exact", None, "register", False)]
    with pytest.raises(StateError):
        choose(city, house(city, "68к2"))


def test_appeals_of_a_house_are_found_by_it(city):
    write(city, "a", EXACT)
    write(city, "b", "Воронеж 9 января дом 68 корпус 2")

    with city.connection() as db:
        [house_guid] = {row[0] for row in city.rows("SELECT house_guid FROM place")}
        found = places.of_house(db, house_guid, 10)
    assert {row.external_id for row in found} == {"a", "b"}


def test_a_repeat_of_the_appeal_brings_no_second_event(city):
    write(city, "a", EXACT)
    write(city, "a", EXACT)

    assert len(events(city)) == 1


def test_who_is_told_of_the_appeal_sees_what_its_address_was_found_to_be(city, tmp_path):
    write(city, "a", EXACT)
    write(city, "b", LESNAYA, text="Подъезд в Берёзовке")
    with city.connection() as db:
        found = [lookup.one(db, name).id for name in ("a", "b")]
        events_of = history.load(db, found)
        texts = additions.texts(db, events_of)
        sure, open_ = [
            places_of.told(msgspec.json.decode(lookup.content(db, i), type=Appeal), e, texts)
            for i, e in events_of.items()
        ]

    [place] = sure.addresses
    assert (place.raw, place.fias_guid) == (EXACT, house(city, "68к2"))
    assert place.oktmo == "20701000001"
    [doubtful] = open_.addresses
    assert doubtful.fias_guid == ""
    assert len(doubtful.resolution.candidates) >= 2
