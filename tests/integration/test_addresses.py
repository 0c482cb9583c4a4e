"""Addresses are found in the tables of a region, by one statement for a batch."""

from __future__ import annotations

import pytest

from gateway.addresses.found import Question
from gateway.addresses.gazetteer import Synonym
from gateway.store import addresses
from gateway.store.pool import Pool
from tests.unit.addresses.region_kit import Made, voronezh

TABLES = ("object", "name", "house", "flat")


def load(db, made):
    """Put a made-up region into partitions of its own."""
    for table in TABLES:
        db.execute(
            f"CREATE TABLE IF NOT EXISTS address_{table}_{made.code}"
            f" PARTITION OF address_{table} FOR VALUES IN ({made.code})"
        )
        db.execute(f"TRUNCATE address_{table}_{made.code}")
    for row in made.objects.values():
        values = {"region": made.code, **row._asdict()}
        _put(db, "address_object", values)
    for row in made.names:
        _put(db, "address_name", {"region": made.code, "name": row.key, **row._asdict()})
    for row in made.houses:
        values = row._asdict()
        del values["lat"], values["lon"]
        _put(db, "address_house", values)
    for row in made.flats:
        _put(db, "address_flat", row._asdict())
    db.execute(
        "INSERT INTO address_version (region, version, loaded_at, source, objects, houses, flats)"
        " VALUES ($1, 20260908, clock_timestamp(), 'test', $2, $3, $4)"
        " ON CONFLICT (region) DO UPDATE SET loaded_at = excluded.loaded_at",
        (made.code, len(made.objects), len(made.houses), len(made.flats)),
    )
    addresses.changed(db)


def _put(db, table, values):
    numbers = ", ".join(f"${n + 1}" for n in range(len(values)))
    db.execute(
        f"INSERT INTO {table} ({', '.join(values)}) VALUES ({numbers})", tuple(values.values())
    )


@pytest.fixture
def db(pg_url):
    made = Pool(pg_url)
    made.open()
    with made.connection() as connection:
        yield connection
    made.close()


@pytest.fixture
def region(db):
    made = voronezh()
    load(db, made)
    return made


def ask(db, kept, *texts, **more):
    return addresses.resolve(db, kept, [Question(text=text, **more) for text in texts])


def test_an_apartment_is_found_with_all_that_is_known_of_its_house(db, region):
    (answer,) = ask(db, addresses.Kept(), "г Воронеж, ул 9 Января 68к2 кв 15")
    best = answer.best
    assert answer.outcome == "exact"
    assert best.level == 11
    assert best.label == "Воронежская обл., г. Воронеж, ул. 9 Января, д. 68к2, кв. 15"
    assert best.municipal_label.startswith("Воронежская обл., г.о. город Воронеж, г. Воронеж")
    assert best.oktmo == "20701000001"
    assert best.mkd is True
    assert best.postal_code == "394000"
    assert best.guid != best.house_guid != best.street_guid
    assert answer.version == "20260908"


def test_a_batch_is_answered_in_its_order_by_one_statement(db, region):
    texts = ["Воронеж, Ленина 5", "Москва, Тверская 1", "с. Хреновое, ул. Ленина, 7"] * 100
    answers = ask(db, addresses.Kept(), *texts)
    assert [one.outcome for one in answers] == ["exact", "not_found", "exact"] * 100
    assert answers[0].best.guid == answers[3].best.guid != answers[2].best.guid


def test_houses_are_looked_up_by_the_key_of_their_partition_alone(db, region):
    other = Made(77, "Москва", "город")
    other.put(other.root, 8, "улица", "Тверская", houses="1 2 3")
    load(db, other)
    asks = [(36, number, f"{house}") for number in range(36000, 36050) for house in range(40)]
    rows = db.execute(
        "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) " + addresses.HOUSES,
        addresses._arrays(asks),
    ).fetchall()
    lines = [line for (line,) in rows]
    own = [line for line in lines if "address_house_36" in line]
    assert own
    assert not any("Seq Scan on address_house" in line for line in lines)
    assert all("never executed" in line for line in lines if "on address_house_77" in line)


def test_names_are_read_anew_only_after_a_change(db, region):
    kept = addresses.Kept()
    first = kept.read(db)
    assert kept.read(db) is first
    addresses.changed(db)
    second = kept.read(db)
    assert second is not first
    assert second.regions[36] is first.regions[36]  # the region itself was not loaded again
    region.put(region.root, 5, "город", "Новый", houses="1")
    load(db, region)
    assert kept.read(db).regions[36] is not first.regions[36]
    assert ask(db, kept, "г. Новый, д. 1")[0].outcome == "exact"


def test_what_people_chose_answers_next_time(db, region):
    chosen = []
    kept = addresses.Kept(synonyms=lambda connection: chosen)
    assert ask(db, kept, "Воронеж, пр. Труда 5")[0].outcome == "not_found"
    (street,) = ask(db, kept, "Воронеж, 9 Января")
    chosen.append(Synonym("36", "", "труда", street.best.guid))
    addresses.changed(db)
    answer = ask(db, kept, "Воронеж, Труда 5")[0]
    assert answer.outcome == "exact"
    assert answer.best.street_guid == street.best.guid
    chosen.clear()
    addresses.changed(db)
    assert ask(db, kept, "Воронеж, пр. Труда 5")[0].outcome == "not_found"


def test_coordinates_come_from_the_registry_of_houses(db, region):
    questions = [Question(text="Воронеж, Ленина 5"), Question(text="Воронеж, Револющии 3")]
    sure, doubt = addresses.resolve(db, addresses.Kept(), questions)
    assert sure.best.lat is None
    for guid in (sure.best.guid, doubt.candidates[0].guid):
        db.execute(
            "INSERT INTO house_point (house_guid, lat, lon, noted_at)"
            " VALUES ($1::uuid, 51.66, 39.2, now())",
            (guid,),
        )
    sure, doubt = addresses.resolve(db, addresses.Kept(), questions)
    assert (sure.best.lat, sure.best.lon) == (51.66, 39.2)
    assert doubt.candidates[0].lat == 51.66


def test_nothing_is_loaded_and_nothing_is_found(db):
    (answer,) = ask(db, addresses.Kept(), "Воронеж, Ленина 5")
    assert answer.outcome == "not_found"
    assert answer.notes == ("регион не загружен",)


def test_a_region_that_is_likelier_answers_first(db, region):
    other = Made(46, "Курская")
    city = other.put(other.root, 5, "город", "Воронеж")
    other.put(city, 8, "улица", "Ленина", houses="5")
    load(db, other)
    kept = addresses.Kept()
    assert ask(db, kept, "Воронеж, Ленина 5")[0].outcome == "ambiguous"
    assert ask(db, kept, "Воронеж, Ленина 5", regions=("46",))[0].best.region == "46"
    assert ask(db, kept, "Воронеж, Ленина 5", regions=("36",))[0].best.region == "36"
    assert ask(db, kept, "Воронеж, Ленина 12а", regions=("46",), strict=True)[0].best.level == 8
