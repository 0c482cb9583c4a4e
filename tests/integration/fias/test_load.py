"""What a citizen's address is looked up in, after a delivery of ГАР was loaded."""

import pytest

from adapters.fias.drift import Drift
from adapters.fias.load import Wish, load
from adapters.fias.loads import status
from adapters.fias.members import Delivery
from tests.integration.fias import kit
from tests.integration.fias.kit import CITY, NOW, REGION, STREET, V1, V2, archive, files, sample


@pytest.fixture
def db(pg_url):
    with kit.connected(pg_url) as connection:
        yield connection


def test_a_house_is_found_with_all_that_the_register_says_of_it(db, tmp_path):
    (done,) = kit.take(db, archive(tmp_path / "gar_xml.zip", files({"36": sample()})))
    assert (done.region, done.version, done.objects, done.houses) == ("36", V1, 3, 1)
    assert db.execute(
        "SELECT parent, key, guid::text, label, postal_code, oktmo, mkd FROM address_house"
    ).fetchall() == [(STREET, "68к2", kit.guid(10), "д. 68, к. 2", "394000", "01701000001", True)]
    assert db.execute(
        "SELECT id, type, type_name, name, parent, parent_mun, oktmo, houses FROM address_object"
        " ORDER BY id"
    ).fetchall() == [
        (REGION, "область", "обл.", "Воронежская", 0, 0, "01701000001", 0),
        (CITY, "город", "г.", "Воронеж", REGION, REGION, "01701000001", 0),
        (STREET, "улица", "ул.", "9 Января", CITY, CITY, "01701000002", 1),
    ]


def test_a_street_is_found_by_the_name_it_had(db, tmp_path):
    kit.take(db, archive(tmp_path / "gar_xml.zip", files({"36": sample()})))
    assert kit.names(db, STREET) == [("9 января", 0), ("дворянская", 1)]


def test_splits_and_mergers_are_followed_to_what_is_there_now(db, tmp_path):
    rows = sample()
    gone = {"ISACTUAL": 0, "ISACTIVE": 0, "ENDDATE": "2021-01-01", "TYPENAME": "ул", "LEVEL": 8}
    rows.add("ADDR_OBJ", 50, NAME="Первая", **gone)
    rows.add("ADDR_OBJ", 51, NAME="Вторая", **gone)
    rows.add("ADDR_OBJ", 52, NAME="Кольцо", **gone)
    rows.add("ADDR_OBJ", 53, NAME="Другое Кольцо", **gone)
    for parent, child in ((50, 51), (51, STREET), (52, 53), (53, 52)):
        rows.add("ADDR_OBJ_DIVISION", PARENTID=parent, CHILDID=child)
    linked = rows.add("ADDR_OBJ", 54, NAME="Бывшая", **gone)
    linked["NEXTID"] = "4"
    (done,) = kit.take(db, archive(tmp_path / "gar_xml.zip", files({"36": rows})))
    assert kit.names(db, STREET)[2:] == [("1", 2), ("2", 2), ("бывшая", 2)]
    assert done.strange["an object that is no more, without a successor"] == 2


def test_the_next_delivery_takes_the_place_of_the_last(db, tmp_path):
    kit.take(db, archive(tmp_path / "gar_xml.zip", files({"36": sample()})))
    rows = sample()
    rows.of["HOUSES"].clear()
    rows.house(11, "70")
    kit.take(db, archive(tmp_path / "gar_xml.zip", files({"36": rows}, V2)))
    assert kit.houses(db) == [(36, "70", "д. 70")]
    assert db.execute("SELECT version FROM address_version").fetchall() == [(V2,)]
    assert db.execute("SELECT value FROM address_revision").fetchone() == (2,)
    left = "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname ~ '^gar_houses_36_'"
    assert db.execute(left).fetchone() == (1,)


def test_who_searches_meanwhile_sees_the_old_houses_until_the_new_are_there(db, pg_url, tmp_path):
    kit.take(db, archive(tmp_path / "first.zip", files({"36": sample()})))
    rows, seen = sample(), []
    rows.of["HOUSES"].clear()
    rows.house(11, "70")
    path = archive(tmp_path / "gar_xml.zip", files({"36": rows}, V2))
    with kit.connected(pg_url) as other, Delivery(path, Drift()) as delivery:
        told = lambda *_: seen.append([key for _, key, _ in kit.houses(other)])  # noqa: E731
        load(db, delivery, Wish(), lambda: NOW, told)
        assert seen == [["68к2"]] * len(seen) != []
        assert [key for _, key, _ in kit.houses(other)] == ["70"]


def test_regions_stand_beside_each_other_and_only_the_named_are_loaded(db, tmp_path):
    given = files({"36": sample(), "48": sample(1000)}) | {"77/AS_HOUSES_bad.XML": b"<"}
    path = archive(tmp_path / "gar_xml.zip", given)
    kit.take(db, path, regions=("48",))
    assert [row[0] for row in kit.houses(db)] == [48]
    kit.take(db, path, regions=("36",))
    assert [row[0] for row in kit.houses(db)] == [36, 48]


def test_byte_order_marks_and_words_for_flags_are_read_like_any_other(db, tmp_path):
    rows = sample()
    for kind in ("ADDR_OBJ", "HOUSES", "ADM_HIERARCHY"):
        for row in rows.of[kind]:
            for flag in {"ISACTUAL", "ISACTIVE"} & set(row):
                row[flag] = "true" if row[flag] == "1" else "false"
    (done,) = kit.take(db, archive(tmp_path / "gar_xml.zip", files({"36": rows}, bom=True)))
    assert (done.houses, done.names, done.strange) == (1, 4, {})


def test_a_folder_is_read_as_it_was_unpacked_and_one_region_by_itself(db, tmp_path):
    for file, body in files({"36": sample()}).items():
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_bytes(body)
    (whole,) = kit.take(db, tmp_path)
    (alone,) = kit.take(db, tmp_path / "36")
    assert (whole.houses, whole.version) == (alone.houses, alone.version) == (1, V1)


def test_houses_whose_number_stands_only_in_an_additional_one_are_found(db, tmp_path):
    rows = sample()
    rows.house(20, None, ADDNUM1="5", ADDTYPE1=2)
    rows.house(21, None, ADDNUM1="7")
    rows.house(22, "3", ADDNUM1="А", ADDTYPE1=4, ADDNUM2="1", ADDTYPE2=3)
    rows.house(23, None)
    (done,) = kit.take(db, archive(tmp_path / "gar_xml.zip", files({"36": rows})))
    assert [(key, label) for _, key, label in kit.houses(db)] == [
        ("3ас1", "д. 3, литера А, соор. 1"), ("68к2", "д. 68, к. 2"), ("7", "7"),
        ("с5", "стр. 5"),
    ]  # fmt: skip
    assert done.strange["a number that no key can be made of"] == 1


def test_the_dictionary_of_the_delivery_says_what_an_additional_number_is(db, tmp_path):
    given = files({"36": sample()})
    word = {"ID": "1", "NAME": "Строение", "SHORTNAME": "стр.", "ISACTIVE": "true"} | kit.DATES
    given[kit.name("ADDHOUSE_TYPES")] = kit.xml("ADDHOUSE_TYPES", [word])
    kit.take(db, archive(tmp_path / "gar_xml.zip", given))
    assert kit.houses(db) == [(36, "68с2", "д. 68, стр. 2")]


def test_flats_and_plots_are_loaded_where_they_are_wanted(db, tmp_path):
    rows = sample()
    rows.add("APARTMENTS", 30, NUMBER="15", APARTTYPE=2)
    rows.place(30, REGION, CITY, STREET, 10)
    rows.add("APARTMENTS", 35, NUMBER="16", APARTTYPE=2)
    rows.place(35, REGION, CITY, STREET)
    rows.add("STEADS", 31, NUMBER="5/1")
    rows.place(31, REGION, CITY, STREET)
    rows.house(32, "1", REGION, CITY, STREET, 31)
    path = archive(tmp_path / "gar_xml.zip", files({"36": rows}))
    (plain,) = kit.take(db, path)
    (full,) = kit.take(db, path, extras=frozenset(("apartments", "steads")))
    assert (plain.houses, plain.flats, full.houses, full.flats) == (2, 0, 3, 1)
    assert full.examples["an apartment without a house"] == ["OBJECTID 35"]
    assert db.execute("SELECT house, key, label FROM address_flat").fetchall() == [
        (10, "15", "кв. 15")
    ]
    plot = "SELECT parent, key, label FROM address_house WHERE kind = 1"
    assert db.execute(plot).fetchall() == [(STREET, "уч5/1", "уч. 5/1")]


def test_parameters_hold_from_day_to_day_and_the_latest_wins(db, tmp_path):
    rows = sample()
    for value, start, end in (
        ("394999", "2021-01-01", "2079-06-06"), ("394888", "2021-06-01", "2022-01-01"),
        ("394777", "2027-01-01", "2079-06-06"),
    ):  # fmt: skip
        rows.add("HOUSES_PARAMS", 10, TYPEID=5, VALUE=value, STARTDATE=start, ENDDATE=end)
    kit.take(db, archive(tmp_path / "gar_xml.zip", files({"36": rows})))
    assert db.execute("SELECT postal_code FROM address_house").fetchall() == [("394999",)]


def test_what_refers_to_nothing_is_counted_and_told_with_examples(db, tmp_path):
    rows = sample()
    rows.add("HOUSES", 40, HOUSENUM="1", HOUSETYPE=2)
    rows.add("HOUSES_PARAMS", 404, TYPEID=5, VALUE="1")
    rows.house(41, "2", 900, 901)
    rows.house(42, "3")
    rows.add("HOUSES", 42, HOUSENUM="4", HOUSETYPE=2)
    rows.add("ADDR_OBJ", 60, NAME="Нигде", TYPENAME="ул", LEVEL=8)
    for object_, above in ((61, 62), (62, 61)):
        rows.add("ADDR_OBJ", object_, NAME="Кольцо", TYPENAME="ул", LEVEL=8)
        rows.place(object_, above)
    (done,) = kit.take(db, archive(tmp_path / "gar_xml.zip", files({"36": rows})))
    assert done.strange["a house without a place in the hierarchies"] == 2
    assert done.examples["a house without a place in the hierarchies"][0].startswith("OBJECTID 4")
    assert done.strange["parameters of no current house"] == 1
    assert done.strange["two current rows of one house"] == 1
    assert done.strange["an object outside of the hierarchies"] == 1
    assert done.strange["objects under each other in a ring"] == 4
    assert [key for _, key, _ in kit.houses(db)] == ["4", "68к2"]


def test_what_is_loaded_is_told_with_its_age_and_report(db, tmp_path):
    kit.take(db, archive(tmp_path / "gar_xml.zip", files({"36": sample()})))
    found = status(db, NOW.replace(day=29))
    assert found["broken_off"] == []
    (region,) = found["regions"]
    assert (region["region"], region["age_days"], region["houses"]) == ("36", 20, 1)
    assert region["report"]["rows"]["gar_houses_params"] == 2
