"""Who serves a house: taken from partners' tables with its history, and nothing in doubt is."""

from __future__ import annotations

import datetime as dt

import pytest

from gateway.keepers import body_of
from gateway.store import keepers as store
from tests.unit.addresses.region_kit import voronezh
from tests.workbook import sheet, workbook

A = "0c5b2444-70a0-4932-980c-b4dc0d3f02b5"
B = "11111111-2222-4333-8444-555555555555"
ORGANISATIONS = """id;full_name;short_name;kind;ogrn;inn;id:medo
uk;УК «Уют»;Уют;уо;1025500748613;0278123456;
tsj;ТСЖ «Дом»;;тсж;;5501234567;m-7
tgk;Тепловая компания;ТГК;рсо;;5507654321;
eco;Региональный оператор;;рсо;;;
town;Администрация города;;омсу;;;
region;Правительство области;;роив;;;
"""


@pytest.fixture
def file(tmp_path):
    def write(data, name="houses.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode(encoding))
        return str(path)

    return write


@pytest.fixture
def city(house, file):
    house.run("org", "import", file(ORGANISATIONS, "org.csv"), "--commit")
    return house


def counts(found):
    return tuple(found[kind] for kind in ("added", "changed", "closed", "same"))


def now(city, guid=A, on="2026-11-23"):
    told = city.json("house", "show", guid, "--on", on)["keepers"]
    return {row["service"]: row["organisation"] for row in told}


CSV = f"""ГУИД дома;Вид услуги;ИНН;Действует с;Действует по;Основание
{A};управление домом;278123456;01.03.2024;;Договор № 5
{{{B.upper()}}};ТСЖ;5501234567;;;Протокол
{A};отопление;5507654321;;бессрочно;
"""


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1251"])
def test_a_table_saved_by_a_russian_spreadsheet_is_taken(city, file, encoding):
    given = file(CSV, encoding=encoding)

    assert counts(city.json("house", "import", given)) == (3, 0, 0, 0)
    assert now(city) == {}
    city.run("house", "import", given, "--commit", "--by", "petrova")
    assert now(city) == {"management": "uk", "heat": "tgk"}
    assert now(city, B) == {"management": "tsj"}
    (row, _) = city.json("house", "show", A)["keepers"]
    assert (row["ground"], row["by"], row["source"]) == ("Договор № 5", "petrova", "houses.csv")
    assert now(city, on="2024-02-29") == {"heat": "tgk"}


def test_a_second_import_changes_nothing_and_keeps_no_new_rows(city, file):
    city.run("house", "import", file(CSV), "--commit")

    assert counts(city.json("house", "import", file(CSV), "--commit")) == (0, 0, 0, 3)
    assert len(city.json("house", "show", A)["history"]) == 2


def test_a_workbook_is_taken_with_its_days_numbers_and_coordinates(city, file):
    rows = [
        ["Перечень домов на 01.11.2026"],
        [],
        ["Адрес", "ГУИД дома*", "Управляющая организация", "Отопление", "Действует с", "Широта",
         "Долгота", "Этажей"],
        ["ул. Мира, 1", A, 1025500748613, "tgk", dt.date(2024, 3, 1), 51.6608, 39.2003, 9],
        ["ул. Мира, 2", B, "medo:m-7", "", dt.date(2024, 3, 1), "", "", 5],
    ]  # fmt: skip
    given = file(workbook(sheet([["не то"]]), sheet(rows), hidden=(1,)), "дома.xlsx")

    told = city.json("house", "import", given, "--commit")

    assert counts(told) == (3, 0, 0, 0)
    assert "Этажей" in " ".join(told["notes"])
    found = city.json("house", "show", A)
    assert (found["point"]["lat"], found["point"]["lon"]) == (51.6608, 39.2003)
    assert found["keepers"][0]["valid_from"] == "2024-03-01"
    assert now(city) == {"management": "uk", "heat": "tgk"}
    assert now(city, B) == {"management": "tsj"}
    assert counts(city.json("house", "import", given, "--commit")) == (0, 0, 0, 3)


def test_another_keeper_closes_the_one_before_and_both_are_told(city, file):
    city.run("house", "import", file(CSV), "--commit")
    given = file(f"fias_guid;организация;действует с\n{A};tsj;2026-10-01\n")

    assert counts(city.json("house", "import", given, "--kind", "management", "--commit")) == (
        1, 0, 1, 0,
    )  # fmt: skip
    assert now(city, on="2026-09-30")["management"] == "uk"
    assert now(city, on="2026-10-01")["management"] == "tsj"
    told = city.json("house", "show", A)["history"]
    rows = [
        (row["organisation"], row["valid_to"], row["withdrawn_at"] is None)
        for row in told
        if row["service"] == "management"
    ]
    assert sorted(rows, key=str) == [
        ("tsj", None, True),
        ("uk", "2026-09-30", True),
        ("uk", None, False),
    ]
    assert "Уют" in city.run("house", "show", A)


def test_a_row_without_a_day_begins_today_where_somebody_else_is_known(city, file):
    city.run("house", "import", file(f"guid;организация\n{A};uk\n"), "--kind", "УО", "--commit")
    given = file(f"guid;организация\n{A};tsj\n")

    city.run("house", "import", given, "--kind", "УО", "--from", "01.12.2026", "--commit")

    assert now(city, on="2000-01-01") == now(city, on="2026-11-30") == {"management": "uk"}
    assert now(city, on="2026-12-01") == {"management": "tsj"}
    assert counts(city.json("house", "import", given, "--kind", "УО", "--from", "2027-01-01")) == (
        0, 0, 0, 1,
    )  # fmt: skip


def test_a_correction_of_the_same_day_withdraws_the_mistake(city, file):
    city.run("house", "import", file(CSV), "--commit")
    given = file(f"guid;услуга;организация;действует с\n{A};management;tsj;01.03.2024\n")

    assert counts(city.json("house", "import", given, "--commit")) == (0, 1, 0, 0)
    assert now(city, on="2024-03-01")["management"] == "tsj"
    assert len(city.json("house", "show", A)["history"]) == 3


def test_a_table_that_contradicts_the_registry_is_told_with_both_rows(city, file):
    city.run("house", "import", file(CSV), "--commit")
    given = file(f"guid;услуга;организация;действует с\n{A};management;tsj;01.01.2020\n", "old.csv")

    told = city.json("house", "import", given, "--commit", code=2)

    (wrong,) = told["wrong"]
    assert (wrong["line"], wrong["code"], told["committed"]) == (2, "known", False)
    assert "tsj 2020-01-01" in wrong["found"]
    assert "uk 2024-03-01" in wrong["expected"]
    assert "houses.csv" in wrong["expected"]
    city.run("house", "import", given, "--replace", "--commit")
    assert now(city, on="2026-11-23")["management"] == "tsj"


def test_a_temporary_keeper_goes_into_the_middle_only_when_the_file_is_said_to_be_right(city, file):
    first = f"guid;услуга;организация;с;по\n{A};УО;uk;01.01.2020;31.12.2030\n"
    city.run("house", "import", file(first), "--commit")
    given = file(f"guid;услуга;организация;с;по\n{A};УО;tsj;01.01.2025;30.06.2025\n")
    assert "says otherwise" in city.run("house", "import", given, "--commit", code=2)

    city.run("house", "import", given, "--replace", "--commit")

    days = ("2024-12-31", "2025-01-01", "2025-06-30", "2025-07-01", "2030-12-31")
    assert [now(city, on=day)["management"] for day in days] == ["uk", "tsj", "tsj", "uk", "uk"]


def test_a_kind_that_allows_several_keeps_them_side_by_side(city, file):
    given = file(f"guid;услуга;организация\n{A};интернет;uk\n{A};интернет;tsj\n{A};УО;uk\n")

    city.run("house", "import", given, "--commit")

    told = city.json("house", "show", A)["keepers"]
    assert [(row["service"], row["organisation"]) for row in told] == [
        ("management", "uk"),
        ("telecom", "tsj"),
        ("telecom", "uk"),
    ]


def test_a_file_with_one_mistake_is_not_taken_and_the_place_of_it_is_told(city, file):
    given = file(f"guid;организация\n{B};uk\n{A};никто\n")

    told = city.json("house", "import", given, "--kind", "УО", "--commit", code=2)

    assert [(w["line"], w["path"]) for w in told["wrong"]] == [(3, "организация")]
    assert (told["taken"], now(city), now(city, B)) == (False, {}, {})
    assert "not in the directory" in city.run("house", "import", given, "--kind", "УО", code=2)


def test_the_good_rows_are_taken_when_that_is_asked_for_and_the_others_are_named(city, file):
    given = file(f"guid;организация\n{A};uk\n{B};никто\n")

    said = city.run("house", "import", given, "--kind", "УО", "--partial", "--commit", code=1)

    assert "Left out: 1" in said
    assert (now(city), now(city, B)) == ({"management": "uk"}, {})


@pytest.fixture
def register(city):
    """The city with a made-up region in its register of addresses."""
    made = voronezh()
    with city.connection() as db:
        for table in ("object", "name", "house", "flat"):
            db.execute(
                f"CREATE TABLE a_{table} PARTITION OF address_{table} FOR VALUES IN (36)".encode()
            )
        for o in made.objects.values():
            db.execute(
                "INSERT INTO address_object (region, id, guid, level, type, type_name, name,"
                " parent, parent_mun, oktmo, okato, postal_code, houses)"
                " VALUES (36, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
                tuple(o),
            )
        for n in made.names:
            db.execute(
                "INSERT INTO address_name (region, key, object, type, kind, name)"
                " VALUES (36, $1, $2, $3, $4, '') ON CONFLICT DO NOTHING",
                tuple(n),
            )
        for h in made.houses:
            db.execute(
                "INSERT INTO address_house (region, parent, key, id, guid, kind, label, oktmo)"
                " VALUES ($1, $2, $3, $4, $5::uuid, $6, $7, '20701000001') ON CONFLICT DO NOTHING",
                tuple(h)[:7],
            )
        db.execute("INSERT INTO address_version VALUES (36, 20260908, now(), 'made', 1, 1, 0)")
        db.execute("INSERT INTO address_revision (value) VALUES (1)")
    return city


def test_an_address_stands_for_its_house_and_a_doubt_is_listed_with_candidates(register, file):
    text = (
        "адрес;УО\nг Воронеж, ул 9 Января, 68к2;uk\n"
        "Берёзовка, ул Лесная, д 1;tsj\nд Берёзовка, ул Лесная, 77;tsj\nгде-то там;uk\n"
    )
    told = register.json("house", "import", file(text), "--partial", "--commit", code=1)

    assert counts(told) == (1, 0, 0, 0)
    assert [(w["line"], w["path"]) for w in told["wrong"]] == [
        (3, "адрес"), (4, "адрес"), (5, "адрес"),
    ]  # fmt: skip
    assert "Берёзовка" in told["wrong"][0]["expected"]
    shown = register.json("house", "show", "Воронеж, 9 Января 68 корпус 2")
    assert [row["organisation"] for row in shown["keepers"]] == ["uk"]
    assert (shown["address"], shown["oktmo"]) == ("д. 68к2", "20701000001")
    register.run("house", "territories", "import", file(TERRITORIES), "--commit")
    assert register.json("house", "show", shown["house_guid"])["body"]["organisation"] == "town"


def test_houses_that_appeals_are_about_and_nobody_has_are_listed(city, file):
    for house, times in ((A, 1), (B, 3)):
        for _ in range(times):
            city.change(
                "INSERT INTO place (appeal_id, role, seq, outcome, house_guid, at)"
                " VALUES (gen_random_uuid(), 'problem', 2, 'exact', $1::uuid, now())",
                house,
            )
    city.run("house", "import", file(CSV), "--commit")

    assert city.json("house", "gaps") == []
    assert [
        (g["house_guid"], g["appeals"]) for g in city.json("house", "gaps", "--kind", "ТКО")
    ] == [
        (B, 3),
        (A, 1),
    ]
    assert [g["house_guid"] for g in city.json("house", "gaps", "--kind", "heat")] == [B]
    assert B in city.run("house", "gaps", "--on", "2026-11-23", "--kind", "лифты")


def test_a_house_that_the_register_does_not_have_is_taken_and_told(register, file):
    told = register.json("house", "import", file(CSV), "--commit")

    assert (told["added"], told["not_in_register"]) == (3, [A, B])
    assert "no single house" in register.run("house", "show", "где-то там", code=2)


def test_the_attack_on_the_reader_of_workbooks_is_refused_and_nothing_is_taken(city, file):
    rows = sheet([["guid", "организация"], [A, "uk"]])
    far = '<row r="20000"><c r="XFD20000"><v>1</v></c></row>'

    said = city.run(
        "house", "import", file(workbook(rows + far), "x.xlsx"), "--kind", "УО", "--commit", code=2
    )

    assert "reaches too far" in said
    assert now(city) == {}


def test_the_houses_of_an_organisation_are_found_and_counted(city, file):
    city.run("house", "import", file(CSV), "--commit")

    found = city.json("house", "find", "0278123456")
    assert [(row["house_guid"], row["service"]) for row in found] == [(A, "management")]
    assert city.json("house", "find", "uk", "--on", "2020-01-01") == []
    assert city.json("house", "list") == [
        {"service": "heat", "organisation": "tgk", "rows": 1, "houses": 1},
        {"service": "management", "organisation": "tsj", "rows": 1, "houses": 1},
        {"service": "management", "organisation": "uk", "rows": 1, "houses": 1},
    ]
    assert "Уют" in city.run("house", "find", "uk")
    assert "Уют" in city.run("house", "list")


TERRITORIES = """ОКТМО;организация;вид услуги
20000000;region;
20701000;town;
20000000;eco;обращение с ТКО
"""


def test_territories_are_taken_and_the_body_of_a_place_is_told(city, file):
    given = file(TERRITORIES)
    assert counts(city.json("house", "territories", "import", given, "--commit")) == (3, 0, 0, 0)
    assert counts(city.json("house", "territories", "import", given, "--commit")) == (0, 0, 0, 3)

    def body(oktmo, *more):
        told = city.json("house", "territories", "show", oktmo, *more)["body"]
        return told["organisation"] if told else None

    assert [body("20701000001"), body("20608101"), body("71876000")] == ["town", "region", None]
    assert body("20701000001", "--kind", "ТКО") == "eco"
    assert len(city.json("house", "territories", "list")) == 3


def test_a_zero_that_a_spreadsheet_ate_is_put_back_and_that_is_said(city, file):
    given = file(workbook(sheet([["ОКТМО", "организация"], [3701000, "town"]])), "t.xlsx")

    told = city.json("house", "territories", "import", given, "--commit")

    assert any("leading zero" in note for note in told["notes"])
    assert [row["oktmo"] for row in city.json("house", "territories", "list")] == ["03701"]


def test_those_who_route_ask_for_a_batch_of_houses_and_keep_the_territories(city, file):
    city.run("house", "import", file(CSV), "--commit")
    day = dt.date(2026, 11, 23)
    kept = store.Kept()
    with city.connection() as db:
        found = store.for_houses(db, [A, B, B.replace("1", "3")], day)
        assert {guid: [k.organisation for k in rows] for guid, rows in found.items()} == {
            A: ["uk", "tgk"],
            B: ["tsj"],
        }
        assert kept.read(db) == ()
        city.run("house", "territories", "import", file(TERRITORIES), "--commit")
        assert body_of(kept.read(db), "20701000001", day).organisation == "town"
        assert kept.read(db) is kept.read(db)
