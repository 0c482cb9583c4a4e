"""A place in doubt waits for a person, and what a person says is remembered."""

from __future__ import annotations

import pytest

from gateway import choosing, policies
from gateway.errors import ConflictError, NotFoundError
from gateway.keepers import Keeper
from gateway.model.base import NIL
from gateway.model.events import EventType
from gateway.settings import Settings
from gateway.store import keepers, places, synonyms
from tests.integration.register import load
from tests.integration.triage.conftest import OURS
from tests.integration.triage.land import (
    EXACT,
    LESNAYA,
    ROUTING,
    choose,
    events,
    house,
    house_of,
    lesnaya,
    routed,
    rows,
    sent,
    whole,
    write,
)


def test_a_doubt_waits_for_a_person_and_the_choice_routes_it(city):
    write(city, "a", LESNAYA)
    assert [row[1:] for row in rows(city)] == [("ambiguous", None, "register", True)]
    assert routed(city) == ("", "", "registered")
    with city.connection() as db:
        [waiting] = places.doubts(db, 10)
        assert waiting.external_id == "a"
        known = choosing.doubt(db, waiting.id, city.now)
    guids = [place.house_guid for place in known.choices]
    assert len(guids) >= 2
    assert lesnaya(city, 1) in guids

    chosen = choose(city, str(guids.index(lesnaya(city, 1)) + 1))

    assert chosen.routed.organisation == "tsj"
    assert routed(city) == ("tsj", "house", "assigned")
    assert rows(city) == [("a", "exact", lesnaya(city, 1), "person", False)]
    assert ("hook", "Received") in sent(city)
    assert ("hook", "Assigned") in sent(city)
    assert whole(city)


def test_a_rule_that_needs_a_house_is_passed_over_and_says_so(city, tmp_path):
    path = tmp_path / "with-rest.toml"
    path.write_text(ROUTING + '\n[[rule]]\nid = "rest"\nexecutor = "desk"\nreason = "Прочее"\n')
    city.rules = policies.rules(
        Settings(organisation=OURS, register_channels=("*",), routing_file=str(path))
    )
    write(city, "a", "г Воронеж, ул 9 Января, д 999")

    assert routed(city) == ("desk", "rest", "assigned")
    [reason] = [e["reason"] for e in events(city, "Routed")]
    assert "пропущено: house: управление домом: дом не определён (известна только улица)" in reason
    assert rows(city) == [("a", "street_only", None, "register", True)]

    choose(city, house(city, "68к2"))

    assert routed(city) == ("uk", "house", "assigned")
    assert len(events(city, "Reassigned")) == 1


def test_none_of_the_choices_settles_the_doubt_too(city):
    write(city, "a", LESNAYA)

    assert choose(city, "").place is None
    assert rows(city) == [("a", "not_found", None, "person", False)]
    assert routed(city) == ("", "", "registered")


def test_a_choice_that_is_not_in_the_register_is_refused(city):
    write(city, "a", LESNAYA)

    with pytest.raises(NotFoundError):
        choose(city, "00000000-0000-0000-0000-000000000001")
    assert rows(city)[0][4] is True


def test_what_was_chosen_is_used_for_the_next_and_not_once_it_is_revoked(city):
    write(city, "a", "г Воронеж, Революцьонная Большая, д 10")
    assert rows(city)[0][1] != "exact"
    prospect = house_of(city, "Революции", "проспект", "10")

    chosen = choose(city, prospect, remember=True)
    assert [new.level for _, new in chosen.learned] == [8]
    write(city, "b", "Воронеж, Большая Революцьонная, 2")

    assert rows(city)[1] == (
        "b", "exact", house_of(city, "Революции", "проспект", "2"), "rule", False,
    )  # fmt: skip
    with city.connection() as db:
        [row] = synonyms.active(db)
        assert (row.author, row.uses) == ("ivanova", 1)
        synonyms.revoke(db, row.id, "petrov", city.now)
        with pytest.raises(NotFoundError):
            synonyms.revoke(db, row.id, "petrov", city.now)
    write(city, "c", "Воронеж, Большая Революцьонная, 2")
    assert rows(city)[2][1] != "exact"
    assert whole(city)


def test_a_number_that_people_know_is_a_house_of_its_street(city):
    write(city, "a", "г Воронеж, ул 9 Января, д 999")
    choose(city, house(city, "68к2"), remember=True)

    write(city, "b", "Воронеж 9 Января 999")

    assert rows(city)[1] == ("b", "exact", house(city, "68к2"), "rule", False)
    assert routed(city, "b") == ("uk", "house", "assigned")


def test_what_the_register_knows_is_not_learned(city):
    write(city, "a", LESNAYA)

    assert choose(city, lesnaya(city, 1), remember=True).learned == ()
    assert city.count("address_synonym") == 0


def test_one_name_means_one_object(city):
    with city.connection() as db:
        street = str(city.land.guid(city.land.houses[0].parent))
        new = synonyms.New("36", "", "старая", street, 8)
        number = synonyms.add(db, new, "ivanova", city.now)
        assert synonyms.add(db, new, "petrov", city.now) == number
        with pytest.raises(ConflictError):
            synonyms.add(db, new._replace(target=house(city, "68к2")), "petrov", city.now)


def test_a_doubt_about_what_has_ended_is_nobodys_work(city):
    write(city, "a", LESNAYA)
    city.report("a", "w", EventType.WITHDRAWN)
    city.work_off()

    with city.connection() as db:
        assert places.doubts(db, 10) == []


def test_what_came_before_the_register_is_asked_about_later(room, tmp_path):
    path = tmp_path / "by-house.toml"
    path.write_text(ROUTING)
    room.rules = policies.rules(
        Settings(organisation=OURS, register_channels=("*",), routing_file=str(path))
    )
    write(room, "a", EXACT)
    write(room, "b", LESNAYA)
    assert routed(room) == ("", "", "registered")
    with room.connection() as db:
        room.land = load(db)
        kept = Keeper(house_guid=house(room, "68к2"), service="management", organisation="uk")
        keepers.write(db, [], [kept], [], room.now)
        ids = places.unasked(db, NIL, 10, doubts=False)
        with db.transaction():
            outcomes = choosing.again(db, ids, room.now, room.rules)

        assert sorted(outcomes.values()) == ["ambiguous", "exact"]
        assert routed(room) == ("uk", "house", "assigned")
        assert places.unasked(db, NIL, 10, doubts=False) == []
        [doubtful] = places.unasked(db, NIL, 10, doubts=True)
        with db.transaction():
            assert choosing.again(db, [doubtful], room.now, room.rules) == {}
    assert len(events(room)) == 2
    assert whole(room)
