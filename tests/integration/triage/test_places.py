"""The address of a new appeal becomes a house, or a doubt that a person settles."""

from __future__ import annotations

import msgspec
import pytest

from gateway import acts, additions, choosing, policies
from gateway import places as places_of
from gateway.errors import ConflictError, NotFoundError, StateError
from gateway.keepers import Keeper, Territory
from gateway.merging import Decision
from gateway.model.address import Address, AddressRole
from gateway.model.appeal import Appeal
from gateway.model.base import NIL
from gateway.model.events import EventType
from gateway.model.peer import Peer
from gateway.model.question import Question
from gateway.settings import Settings
from gateway.store import addresses, history, keepers, lookup, peers, places, synonyms, verification
from tests.integration.register import load
from tests.integration.triage.conftest import OURS

ROUTING = """
[[rule]]
id = "house"
executor = "@management"
destinations = ["hook"]
reason = "Дом: кто управляет"
when = { words = ["подъезд"] }

[[rule]]
id = "place"
executor = "@territory"
destinations = ["archive"]
reason = "Территория"
when = { words = ["дорог"] }
"""
EXACT = "г Воронеж, ул 9 Января 68к2 кв 15"
LESNAYA = "Воронежская обл, Берёзовка, ул. Лесная, д. 1"


@pytest.fixture
def city(room, tmp_path):
    """A room with the register of one region, the keeper of a house and a body of the land."""
    path = tmp_path / "by-house.toml"
    path.write_text(ROUTING)
    room.rules = policies.rules(
        Settings(organisation=OURS, register_channels=("*",), routing_file=str(path))
    )
    with room.connection() as db:
        room.land = load(db)
        kept = [
            Keeper(house_guid=house(room, "68к2"), service="management", organisation="uk"),
            Keeper(house_guid=lesnaya(room, 1), service="management", organisation="tsj"),
        ]
        keepers.write(db, [], kept, [], room.now)
        land = [Territory(oktmo="20701", organisation="town")]
        keepers.write_territories(db, [], land, room.now)
    return room


def house(room, label: str) -> str:
    return next(row.guid for row in room.land.houses if row.label == f"д. {label}")


def lesnaya(room, which: int) -> str:
    """Return house 1 of the street Лесная in one of the three places called Берёзовка."""
    streets = [row.id for row in room.land.objects.values() if row.name == "Лесная"]
    rows = [r for r in room.land.houses if r.parent in streets and r.key == "1"]
    return rows[which].guid


def write(room, external_id: str, raw: str = "", text: str = "Грязь в подъезде", **more):
    place = Address(role=AddressRole.PROBLEM, raw=raw, **more)
    appeal = Appeal(text=text, addresses=(place,), questions=(Question(ordinal=1),))
    room.submit_appeal(external_id, appeal)
    room.work_off()


def events(room, kind: str = "AddressResolved"):
    rows = room.rows(
        "SELECT convert_from(body, 'UTF8')::jsonb FROM event WHERE type = %s ORDER BY recorded_at,"
        " appeal_id, seq",
        kind,
    )
    return [body["payload"] for (body,) in rows]


def rows(room):
    return room.rows(
        "SELECT a.external_id, p.outcome, p.house_guid::text, p.by, p.doubt FROM place p"
        " JOIN appeal a ON a.id = p.appeal_id ORDER BY 1"
    )


def routed(room, external_id: str = "a"):
    return room.rows(
        "SELECT a.executor, a.route_rule, q.state FROM appeal a JOIN question q"
        " ON q.appeal_id = a.id WHERE external_id = %s",
        external_id,
    )[0]


def sent(room):
    return sorted(room.rows("SELECT destination, event_type FROM delivery"))


def choose(room, wanted: str, external_id: str = "a", **more):
    appeal_id = room.rows("SELECT id FROM appeal WHERE external_id = %s", external_id)[0][0]
    decision = Decision(by=acts.person("ivanova"), ground="по фото", now=room.now)
    with room.connection() as db, db.transaction():
        return choosing.choose(db, appeal_id, wanted, decision, room.rules, **more)


def whole(room) -> bool:
    return not room.verified().faults


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
        "role": "problem", "outcome": "exact", "confidence": told["confidence"], "level": 11,
        "by": "register", "gar_version": "20260908",
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


def test_a_place_that_no_rule_asks_for_is_no_doubt(city):
    write(city, "a", "г Воронеж, ул 9 Января, д 999", text="Яма на дороге")

    assert rows(city) == [("a", "street_only", None, "register", False)]
    assert routed(city) == ("town", "place", "assigned")


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


def house_of(room, street: str, kind: str, number: str) -> str:
    named = [o.id for o in room.land.objects.values() if (o.name, o.type) == (street, kind)]
    return next(r.guid for r in room.land.houses if r.parent in named and r.key == number)


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
