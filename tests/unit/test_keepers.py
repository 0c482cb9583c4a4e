"""Who serves a house on a day, and which body a place belongs to."""

from __future__ import annotations

import datetime as dt

import pytest

from gateway import keepers
from gateway.keepers import Keeper, Territory, body_of, keepers_of, significant

HOUSE = "0c5b2444-70a0-4932-980c-b4dc0d3f02b5"
OTHER = "0c5b2444-70a0-4932-980c-b4dc0d3f02b6"
DAY = dt.date(2026, 11, 23)


def keeper(organisation, service="management", **more):
    return Keeper(house_guid=HOUSE, service=service, organisation=organisation, **more)


def codes(rows, day=DAY, **more):
    return [row.organisation for row in keepers_of(rows, HOUSE, day, **more)]


def body(rows, oktmo, day=DAY, kind=""):
    found = body_of(
        [Territory(oktmo=significant(code), organisation=of, **more) for code, of, more in rows],
        oktmo,
        day,
        kind,
    )
    return found.organisation if found else ""


def test_the_first_and_the_last_day_of_a_keeper_are_its_own():
    rows = [
        keeper("old", valid_to=dt.date(2026, 10, 31)),
        keeper("new", valid_from=dt.date(2026, 11, 1), valid_to=dt.date(2026, 11, 30)),
    ]

    assert codes(rows, dt.date(2026, 10, 31)) == ["old"]
    assert codes(rows, dt.date(2026, 11, 1)) == ["new"]
    assert codes(rows, dt.date(2026, 11, 30)) == ["new"]
    assert codes(rows, dt.date(2026, 12, 1)) == []


def test_a_house_is_found_by_its_guid_in_capitals_and_another_is_not():
    assert keepers_of([keeper("uk")], HOUSE.upper(), DAY)[0].organisation == "uk"
    assert keepers_of([keeper("uk")], OTHER, DAY) == ()


def test_keepers_stand_in_the_order_of_services_and_may_be_asked_for_one():
    rows = [keeper("lifts", "lift"), keeper("own", "x_bath"), keeper("tgk", "heat"), keeper("uk")]

    assert codes(rows) == ["uk", "tgk", "lifts", "own"]
    assert codes(rows, service="heat") == ["tgk"]


def test_a_row_that_was_withdrawn_does_not_count():
    assert codes([keeper("uk", withdrawn_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))]) == []


@pytest.mark.parametrize(
    ("oktmo", "found"),
    [
        ("20608101001", "place"),  # the inhabited place itself
        ("20608101002", "settlement"),  # another of the same settlement
        ("20608102", "district"),  # another settlement: the district has zeros for it
        ("20701000001", "subject"),
        ("36701000", ""),
    ],
)
def test_the_smallest_territory_that_a_place_lies_in_wins(oktmo, found):
    rows = [
        ("20000000", "subject", {}),
        ("20608000", "district", {}),
        ("20608101", "settlement", {}),
        ("20608101001", "place", {}),
    ]

    assert body(rows, oktmo) == found


@pytest.mark.parametrize(
    ("oktmo", "found"),
    [
        ("71876000", "hmao"),
        ("71871000001", "hmao"),
        ("71956000", "yanao"),
        ("71701000", "tyumen"),
        ("71616101001", "tyumen"),
        ("11851000", "nao"),
        ("11811401101", "nao"),
        ("11701000001", "arkhangelsk"),
    ],
)
def test_a_subject_inside_another_has_a_body_of_its_own(oktmo, found):
    rows = [
        ("71000000", "tyumen", {}),
        ("71800000", "hmao", {}),
        ("71900000", "yanao", {}),
        ("11000000", "arkhangelsk", {}),
        ("11800000", "nao", {}),
    ]

    assert body(rows, oktmo) == found


def test_a_body_of_the_subject_around_never_answers_for_the_one_inside():
    rows = [("71000000", "tyumen", {}), ("11000000", "arkhangelsk", {})]

    assert [body(rows, oktmo) for oktmo in ("71876000", "71956000", "11851000")] == ["", "", ""]


def test_a_leading_zero_is_a_part_of_the_code():
    rows = [("03000000", "krasnodar", {}), ("30000000", "kamchatka", {})]

    assert body(rows, "03701000001") == "krasnodar"
    assert body(rows, "30701000001") == "kamchatka"


def test_a_territory_for_one_service_goes_before_a_smaller_one_for_everything():
    rows = [
        ("20000000", "waste", {"service": "waste"}),
        ("20701000", "town", {}),
    ]

    assert body(rows, "20701000001", kind="waste") == "waste"
    assert body(rows, "20701000001", kind="heat") == "town"
    assert body(rows, "20701000001") == "town"


def test_a_territory_passes_from_body_to_body_by_its_days():
    rows = [
        ("20608000", "before", {"valid_to": dt.date(2024, 12, 31)}),
        ("20608000", "after", {"valid_from": dt.date(2025, 1, 1)}),
    ]

    assert body(rows, "20608101", dt.date(2024, 12, 31)) == "before"
    assert body(rows, "20608101", dt.date(2025, 1, 1)) == "after"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("20000000", "20"),
        ("20608000", "20608"),
        ("20608101", "20608101"),
        ("20608101000", "20608101"),
        ("20701000001", "20701000001"),
        ("10000000", "10"),
        ("71800000", "718"),
        ("20", "20"),
        ("718", "718"),
        ("20610", "20610"),
    ],
)
def test_zeros_for_what_lies_inside_are_not_a_part_of_a_territory(written, kept):
    assert significant(written) == kept
    assert len(kept) in keepers.PREFIX_DIGITS


def test_no_word_for_a_service_means_two_of_them():
    words = [
        w for service in keepers.SERVICES for w in (service.code, service.title, *service.words)
    ]

    assert len(words) == len(set(words))
    assert keepers.title_of("heat") == "теплоснабжение"
    assert keepers.title_of("x_banya") == "banya"
    assert keepers.service_of("hete") is None
