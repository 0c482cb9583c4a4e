"""The directory of organisations: validated, idempotent, and nothing unknown is dropped."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from tests.workbook import sheet, workbook

CSV = """id;full_name;short_name;parent;kind;zone;ogrn;id:sstu;id:medo
gzhi;Жилищная инспекция;ГЖИ;;роив;Asia/Omsk;1025500748613;{5F0C4B3E-1111-2222-3333-444455556666};
gzhi.1;Отдел надзора;;gzhi;подразделение;Asia/Omsk;;a-1|a-2;m-1
"""


@pytest.fixture
def file(tmp_path):
    def write(text=CSV, name="org.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return str(path)

    return write


def counts(found):
    return found["added"], found["changed"], found["same"]


def test_nothing_is_written_without_commit(house, file):
    assert counts(house.json("org", "import", file())) == (2, 0, 0)
    assert house.json("org", "list") == []


def test_a_second_import_changes_nothing(house, file):
    house.run("org", "import", file(), "--commit")

    assert counts(house.json("org", "import", file(), "--commit")) == (0, 0, 2)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1251"])
def test_a_table_saved_by_a_russian_spreadsheet_is_read(house, file, encoding):
    house.run("org", "import", file(encoding=encoding), "--commit")

    assert house.json("org", "show", "gzhi")["full_name"] == "Жилищная инспекция"


def test_a_record_holds_its_ids_per_system_in_one_spelling(house, file):
    house.run("org", "import", file(), "--commit")

    assert house.json("org", "show", "gzhi")["ids"] == {
        "ogrn": ["1025500748613"],
        "sstu": ["5f0c4b3e-1111-2222-3333-444455556666"],
    }
    assert house.json("org", "show", "gzhi.1")["ids"]["sstu"] == ["a-1", "a-2"]


def test_what_the_file_does_not_have_stays_as_it_is(house, file):
    house.run("org", "import", file(), "--commit")
    house.run("org", "import", file("id,full_name\ngzhi,ГЖИ области\n"), "--commit")

    found = house.json("org", "show", "gzhi")
    assert (found["full_name"], found["zone"]) == ("ГЖИ области", "Asia/Omsk")
    assert found["ids"]["ogrn"] == ["1025500748613"]


def test_json_is_read_too(house, file):
    text = json.dumps(
        [{"id": "mer", "full_name": "Мэрия", "ids": {"smev": "MER55", "medo": ["1", "2"]}}]
    )
    house.run("org", "import", file(text, "org.json"), "--commit")

    assert house.json("org", "show", "mer")["ids"] == {"medo": ["1", "2"], "smev": ["MER55"]}


def test_a_workbook_is_read_as_a_table_is(house, tmp_path):
    rows = [
        ["id", "full_name", "inn", "id:sstu", "valid_from"],
        ["gzhi", "Жилищная инспекция", 5501234567, "a-1|a-2", dt.date(2020, 1, 1)],
        ["mer", "Мэрия"],
    ]
    path = tmp_path / "org.xlsx"
    path.write_bytes(workbook(sheet(rows)))
    house.run("org", "import", str(path), "--commit")

    found = house.json("org", "show", "gzhi")
    assert (found["doc"]["inn"], found["valid_from"]) == ("5501234567", "2020-01-01")
    assert found["ids"]["sstu"] == ["a-1", "a-2"]
    assert house.json("org", "show", "mer")["full_name"] == "Мэрия"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id;name\nx;y\n", "no such column"),
        ("id;full_name\n;Без кода\n", "a code is needed"),
        ("id;full_name\nx;А\nx;Б\n", "stands twice"),
        ("id;full_name\nx;\n", "a name is needed"),
        ("id;full_name;zone\nx;А;Asia/Omks\n", "no such zone"),
        ("id;full_name;kind\nx;А;роивв\n", "no such kind"),
        ("id;full_name;parent\nx;А;nobody\n", "no such body"),
        ("id;full_name;parent\nx;А;y\ny;Б;x\n", "its own parent"),
        ("id;full_name;ogrn\nx;А;1025500748614\n", "check digit"),
        ("id;full_name;inn\nx;А;12345\n", "10"),
        ("id;full_name;valid_from;valid_to\nx;А;2026-02-01;2026-01-01\n", "before it"),
        ("id;full_name;valid_from\nx;А;31.02.2026\n", "not a date"),
        ("id;full_name;id:sstu\nx;А;1\ny;Б;1\n", "already of x"),
        ("id;full_name\nx\n", "number of cells"),
    ],
)
def test_a_file_with_one_mistake_is_refused_whole_and_says_where(house, file, text, said):
    assert said in house.run("org", "import", file(text), "--commit", code=2)
    assert house.json("org", "list") == []


def test_an_unknown_id_of_an_appeal_is_queued_counted_and_taken_off_when_mapped(house, file):
    house.run("org", "import", file(), "--commit")
    for n in range(2):
        house.submit(
            f"e-{n}",
            registrations=[
                {"organisation": "Мэрия города", "number": f"М-{n}", "date": "2026-11-01"},
                {"organisation": "gzhi", "number": f"Г-{n}", "date": "2026-11-01"},
            ],
        )
        house.triage()

    (waiting,) = house.json("org", "unmapped")
    assert (waiting["system"], waiting["value"], waiting["times"]) == (
        "epgu:name",
        "Мэрия города",
        2,
    )
    told = house.json("org", "map", "epgu:name", "Мэрия города", "gzhi.1")
    assert told["unmapped"] == 0
    house.submit(
        "e-3",
        registrations=[{"organisation": "Мэрия города", "number": "М-9", "date": "2026-11-01"}],
    )
    house.triage()
    assert house.json("org", "unmapped") == []


def test_an_id_of_another_body_is_not_taken_from_it_unsaid(house, file):
    house.run("org", "import", file(), "--commit")

    assert "belongs to gzhi.1" in house.run("org", "map", "medo", "m-1", "gzhi", code=2)
    house.run("org", "map", "medo", "m-1", "gzhi", "--move")
    assert house.json("org", "show", "gzhi")["ids"]["medo"] == ["m-1"]


def test_people_get_tables(house, file):
    assert "ГЖИ" in house.run("org", "import", file(), "--commit") + house.run("org", "list")
    assert "Asia/Omsk" in house.run("org", "show", "gzhi")
    assert "Не сопоставлены" in house.run("org", "unmapped")
