"""What an address is asked as, held against what its source named, and filled with the answer."""

from __future__ import annotations

import datetime as dt

import pytest

from gateway import places
from gateway.addresses.found import Place, Resolved
from gateway.addresses.parse import parse
from gateway.disclosure import Level, disclose
from gateway.model.address import Address, AddressRole
from gateway.model.appeal import Appeal

NOW = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
STREET = Place(
    guid="aaaaaaaa-0000-0000-0000-000000000001", level=8, region="36", oktmo="20701000001",
    label="Воронежская обл., г. Воронеж, ул. 9 Января",
)  # fmt: skip
HOUSE = Place(
    guid="bbbbbbbb-0000-0000-0000-000000000001", level=10, region="36", oktmo="20701000001",
    label="Воронежская обл., г. Воронеж, ул. 9 Января, д. 68", confidence=0.98,
    house_guid="bbbbbbbb-0000-0000-0000-000000000001", street_guid=STREET.guid,
    postal_code="394000", lat=51.6, lon=39.2,
)  # fmt: skip
FLAT = Place(
    guid="cccccccc-0000-0000-0000-000000000001", level=11, region="36", label="…, кв. 15",
    house_guid=HOUSE.guid, street_guid=STREET.guid,
)  # fmt: skip
OTHER = Place(
    guid="dddddddd-0000-0000-0000-000000000001", level=10, region="36", label="другой дом",
    house_guid="dddddddd-0000-0000-0000-000000000001", street_guid=STREET.guid,
)  # fmt: skip
TEXT = "Воронеж, ул. 9 Января, 68, кв. 15"


def answer(outcome="exact", best=HOUSE, text=TEXT, **more) -> Resolved:
    return Resolved(
        outcome=outcome, best=best, confidence=0.98, parsed=parse(text), version="1", **more
    )


@pytest.mark.parametrize(
    ("address", "line"),
    [
        (Address(raw="Ленина 5"), "Ленина 5"),
        (Address(raw="Ленина 5", settlement="г. Воронеж"), "г. Воронеж, Ленина 5"),
        (Address(raw="Г. ВОРОНЕЖ Ленина 5", settlement="г. Воронеж"), "Г. ВОРОНЕЖ Ленина 5"),
        (
            Address(settlement="Воронеж", street="ул. Ленина", house="5", block="2", apartment="7"),
            "Воронеж, ул. Ленина, д. 5, корп. 2, кв. 7",
        ),
        (Address(raw="у подъезда", street="Ленина", house="уч. 5"), "Ленина, уч. 5"),
        (Address(region="36", raw="Ленина 5"), "Ленина 5"),
        (
            Address(raw="г. Воронеж, Лесной мкр-н, 47/4", settlement="Воронеж", house="47/4"),
            "г. Воронеж, Лесной мкр-н, 47/4",
        ),
        (Address(lat=51.0, lon=39.0), ""),
    ],
)
def test_an_address_is_asked_by_its_parts_where_they_name_a_house_else_by_its_text(address, line):
    assert places.spelled(address) == line


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("36", "36"), ("Воронежская область", "36"), ("Воронежская обл.", "36"), ("СПб", "78"),
        ("г. Москва", "77"), ("Республика Татарстан", "16"), ("не знаю", ""), ("", ""), ("999", ""),
    ],
)  # fmt: skip
def test_a_region_is_known_however_its_source_spells_it(said, code):
    assert places.region_code(said) == code


def test_the_appeals_own_region_goes_before_those_of_the_peer_and_of_all():
    asked = places.question(Address(raw="Ленина 5", region="Белгородская обл."), ("36", "31"))

    assert asked.regions == ("31", "36")
    assert not asked.strict


@pytest.mark.parametrize(
    ("resolved", "given", "outcome", "best"),
    [
        (answer(), HOUSE, "exact", HOUSE),
        (answer(best=FLAT), HOUSE, "exact", FLAT),
        (answer(), FLAT, "exact", FLAT),
        (answer(), OTHER, "ambiguous", None),
        (answer("street_only", STREET), OTHER, "ambiguous", None),
        (answer("exact", STREET, "Воронеж, ул. 9 Января"), HOUSE, "exact", HOUSE),
        (answer("ambiguous", None, candidates=(OTHER, HOUSE)), HOUSE, "exact", HOUSE),
        (answer("not_found", None), HOUSE, "ambiguous", None),
        (answer("street_only", STREET), None, "street_only", STREET),
        (answer("street_only", STREET), STREET, "street_only", STREET),
    ],
)
def test_a_sources_object_counts_only_when_its_text_agrees(resolved, given, outcome, best):
    address = Address(raw=TEXT, fias_guid=given.guid if given else HOUSE.guid)

    found = places.checked(address, resolved, given)

    assert (found.outcome, found.best) == (outcome, best)
    if outcome == "ambiguous":
        assert found.candidates[0] == given
        assert places.DISAGREES in found.notes


def test_an_object_without_any_text_is_taken_by_its_word():
    nothing = Resolved(outcome="not_found")

    assert places.checked(Address(fias_guid=HOUSE.guid), nothing, HOUSE).best == HOUSE


def filled(resolved: Resolved, address: Address) -> Address:
    appeal = Appeal(addresses=(address,))
    told = places.facts_of(resolved)
    return places.resolved(appeal, told, places.found_of(resolved), NOW).addresses[0]


def test_what_the_source_did_not_say_is_filled_and_its_own_words_stay():
    found = filled(answer(), Address(raw=TEXT, postal_code="394001"))

    assert (found.raw, found.postal_code) == (TEXT, "394001")
    assert (found.fias_guid, found.fias_level) == (HOUSE.guid, 10)
    assert (found.oktmo, found.region) == ("20701000001", "Воронежская область")
    assert (found.settlement, found.house, found.apartment) == ("Воронеж", "68", "15")
    assert (found.lat, found.lon) == (51.6, 39.2)
    assert found.resolution.outcome == "exact"
    assert found.resolution.gar_version == "1"


def test_an_apartment_is_placed_by_its_house():
    found = filled(answer(best=FLAT), Address(raw=TEXT))

    assert (found.fias_guid, found.fias_level) == (HOUSE.guid, 10)
    assert [c.fias_guid for c in found.resolution.candidates] == [FLAT.guid]


def test_a_doubt_fills_nothing_and_lays_out_the_candidates():
    found = filled(answer("ambiguous", None, candidates=(HOUSE, OTHER)), Address(raw=TEXT))

    assert (found.fias_guid, found.oktmo, found.house) == ("", "", "")
    assert [c.label for c in found.resolution.candidates] == [HOUSE.label, OTHER.label]


def test_candidates_are_cut_where_the_address_is_cut():
    appeal = Appeal(addresses=(filled(answer(best=FLAT), Address(raw=TEXT)),))

    seen = disclose(appeal, Level.PROBLEM_ONLY)

    [place] = seen.addresses
    assert place.fias_guid == HOUSE.guid
    assert (place.resolution, place.apartment, place.raw) == (None, "", "")
    assert disclose(appeal, Level.REFERENCE_ONLY).addresses == ()


def test_only_the_place_of_the_problem_is_meant():
    home = Address(role=AddressRole.APPLICANT_POSTAL, raw=TEXT)

    assert places.problem(Appeal(addresses=(home,))) is None
    told = places.facts_of(answer())
    found = places.found_of(answer())
    assert places.resolved(Appeal(addresses=(home,)), told, found, NOW).addresses == (home,)


def test_what_is_found_comes_back_as_it_was_written():
    found = places.found_of(answer("ambiguous", None, candidates=(HOUSE, FLAT), notes=("а",)))

    assert places.decoded(places.encoded(found)) == found
    assert places.decoded(None) is None


@pytest.mark.parametrize(
    ("text", "key"),
    [("ул. Ленина, д. 5 корп. 2", "5к2"), ("СНТ Ромашка, уч. 15", "уч15"), ("ул. Ленина", "")],
)
def test_the_house_of_a_text_has_a_key(text, key):
    assert places.house_key(parse(text).parts) == key


def test_what_was_stored_by_the_first_release_is_read():
    stored = (
        b'{"best":{"guid":"g","level":10,"region":"36","label":"l","municipal_label":"",'
        b'"house_guid":"g","street_guid":"s","oktmo":"20701000001","okato":"","postal_code":"",'
        b'"cadastral_number":"","lat":null,"lon":null,"mkd":null,"confidence":0.98,'
        b'"historical":false},"candidates":[],"notes":["n"],'
        b'"parts":[{"role":"house","name":"5","type":"","types":[]}]}'
    )

    found = places.decoded(stored)

    assert (found.best.house_guid, found.notes, found.parts[0].name) == ("g", ("n",), "5")
