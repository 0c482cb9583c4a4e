"""Names are found within the place they lie in, in either division."""

from __future__ import annotations

import pytest

from gateway.addresses import keys
from gateway.addresses.gazetteer import NONE, Gazetteer, NameRow, ObjectRow, Region, Synonym
from gateway.addresses.likeness import alike
from tests.unit.addresses.region_kit import Made, voronezh


@pytest.fixture(scope="module")
def made():
    return voronezh()


@pytest.fixture(scope="module")
def region(made):
    return made.region()


def at(region, name, kind=""):
    return next(
        place
        for place in range(region.count)
        if region.name(place) == name and kind in ("", region.type(place))
    )


def names(region, key, within):
    return sorted(region.name(found.at) for found in region.called(keys.name(key), within))


def test_a_street_is_found_in_its_settlement_only(region):
    assert len(names(region, "Ленина", NONE)) == 3
    assert len(names(region, "Ленина", at(region, "Воронеж"))) == 2
    assert len(names(region, "Ленина", at(region, "Хреновое"))) == 1
    assert names(region, "Ленина", at(region, "Берёзовка", "деревня")) == []


def test_a_municipal_district_holds_what_the_administrative_one_does(region):
    village = at(region, "Хреновое")
    for kind in ("район", "муниципальный район"):
        assert region.holds(at(region, "Хохольский", kind), village)
    assert not region.holds(at(region, "Рамонский"), village)
    assert names(region, "Лесная", at(region, "Хохольский", "муниципальный район")) == ["Лесная"]


def test_a_former_name_leads_to_the_street_as_it_is_now(region):
    (found,) = region.called("большая дворянская", NONE)
    assert (region.name(found.at), found.kind) == ("Революции", 1)


def test_objects_are_found_by_number_and_guid(made, region):
    for number, row in made.objects.items():
        place = region.place(number)
        assert region.guid_of(place) == str(row.guid)
        assert region.by_guid(str(row.guid)) == place
    assert region.place(1) == region.by_guid("no guid") == NONE
    assert region.by_guid("00000000-0000-0000-0000-000000000001") == NONE


def test_what_people_chose_is_found_where_they_said(made):
    region = made.region()
    city, village = at(region, "Воронеж"), at(region, "Хреновое")
    target = region.guid_of(at(region, "9 Января"))
    Gazetteer([region], [Synonym("36", region.guid_of(city), "проспект труда", target)])
    (found,) = region.called("проспект труда", city)
    assert region.name(found.at) == "9 Января"
    assert list(region.called("проспект труда", village)) == []
    Gazetteer([region], [])
    assert list(region.called("проспект труда", city)) == []


def test_a_broken_hierarchy_still_makes_a_region(made):
    row = next(iter(made.objects.values()))
    ring = [
        row._replace(id=1, parent=2, parent_mun=1, level=6, guid=made.guid(1)),
        row._replace(id=2, parent=1, parent_mun=99, level=6, guid=made.guid(2)),
    ]
    region = Region(36, ring, [NameRow("ring", 1, "", 0), NameRow("gone", 7, "", 0)])
    assert region.count == 2
    assert [found.at for found in region.called("ring", NONE)] == [region.place(1)]
    assert list(region.called("gone", NONE)) == []
    assert len(region.above(0)) <= 16


def test_three_thousand_streets_take_little_memory():
    made = Made()
    for village in range(100):
        place = made.put(made.root, 6, "село", f"Село {village}")
        for number in range(30):
            made.put(place, 8, "улица", f"{number}-я Линейная")
    region = made.region()
    assert region.size / region.count < 400


@pytest.mark.parametrize(
    ("asked", "found"),
    [("Ленена", "Ленина"), ("К. Либкнехта", "Карла Либкнехта"), ("Либкнехта", "Карла Либкнехта"),
     ("Револьции", "Революции"), ("Б. Садовая", "Большая Садовая"), ("Садовая", "Садовый"),
     ("3-я Шосейная", "3-я Шоссейная"), ("Ренволюции", "Революции")],
)  # fmt: skip
def test_a_name_is_recognised_as_people_write_it(region, asked, found):
    alikes = alike(region, keys.name(asked))
    assert keys.name(found) in {region.spelt[like.key] for like in alikes}
    assert all(0 < like.factor < 1 for like in alikes)


@pytest.mark.parametrize(
    ("asked", "never"),
    [("23-я Шоссейная", "3-я Шоссейная"), ("3-я Шоссейная", "13-я Шоссейная"),
     ("8 Января", "9 Января"),
     ("А. Либкнехта", "Карла Либкнехта"), ("Розы Либкнехта", "Карла Либкнехта"),
     ("Мира", "Ленина")],
)  # fmt: skip
def test_a_figure_or_a_first_name_is_not_mistaken_for_another(region, asked, never):
    assert keys.name(never) not in {
        region.spelt[like.key] for like in alike(region, keys.name(asked))
    }


def test_rows_are_named_as_the_tables_are():
    from gateway.store.tables.addresses import address_name, address_object

    assert set(ObjectRow._fields) <= set(address_object.columns.keys())
    assert set(NameRow._fields) <= set(address_name.columns.keys())
