"""`gateway topics`: a body loads its classifier, says what codes mean, and sees what is left."""

from __future__ import annotations

import json

import pytest

FEES = "0005.0005.0056.1149"
WHOLE = [
    ("0005", "Жилищно-коммунальная сфера"),
    ("0005.0005", "Жилище"),
    ("0005.0005.0056", "Коммунальное хозяйство"),
    (FEES, "Оплата жилищно-коммунальных услуг"),
    ("0005.0005.0056.1154", "Перебои в водоснабжении"),
]


@pytest.fixture
def table(tmp_path):
    """Write a table and return its path as the command takes it."""

    def write(rows, name="topics.csv", header=("code", "title")):
        path = tmp_path / name
        path.write_text("\n".join(";".join(row) for row in (header, *rows)), "utf-8")
        return str(path)

    return write


def topics(house, *arguments, **more):
    return house.json("topics", *arguments, **more)


def load(house, file, version, *more):
    return topics(house, "import", file, "--version", version, *more, "--commit")


def seen(house, external_id, code, system="pos.topic"):
    topic = {"system": system, "code": code}
    house.submit(external_id, questions=[{"text": "Вода", "topics": [topic]}])
    house.triage()


def test_without_a_file_of_its_own_a_body_has_a_part(house):
    [row] = topics(house, "list")
    assert (row["system"], row["partial"], row["nodes"]) == ("sstu", True, 166)
    assert next(n["title"] for n in topics(house, "show", FEES)).startswith("Оплата")
    assert "Коммунальное хозяйство" in house.run("topics", "list", "0005.0005")
    house.run("topics", "show", "9999.9999", code=2)


def test_nothing_is_loaded_without_commit(house, table):
    told = topics(house, "import", table(WHOLE), "--version", "2026-01-01")
    assert (told["added"], told["committed"]) == (5, False)
    assert topics(house, "list")[0]["nodes"] == 166
    assert "--commit" in house.run("topics", "import", table(WHOLE), "--version", "2026-01-01")


def test_a_new_version_ends_what_it_does_not_name_and_the_old_one_is_still_read(house, table):
    load(house, table(WHOLE), "2026-01-01")
    told = load(house, table(WHOLE[:4]), "2026-11-01")
    assert (told["closed"], told["same"]) == (1, 4)
    assert topics(house, "show", "0005.0005.0056.1154", "--on", "2026-10-31")
    house.run("topics", "show", "0005.0005.0056.1154", "--on", "2026-11-01", code=2)
    assert topics(house, "list")[0] == {
        "system": "sstu", "version": "2026-11-01", "partial": False, "source": "topics.csv",
        "nodes": 4,
    }  # fmt: skip
    again = load(house, table(WHOLE[:4]), "2026-11-01")
    assert (again["added"], again["changed"], again["closed"]) == (0, 0, 0)


def test_a_first_part_is_added_to_what_comes_with_the_gateway(house, table):
    own, reworded = "0005.0005.0056.9901", (FEES, "Плата за жильё и коммунальные услуги")
    same = ("0005", next(n["title"] for n in topics(house, "show", "0005")))
    part = table([(own, "Домофоны"), reworded, same])

    planned = topics(house, "import", part, "--version", "2026-11-01", "--partial")
    counts = {"added": 1, "changed": 1, "closed": 0, "same": 1, "kept": 164}
    assert counts.items() <= planned.items()
    assert topics(house, "list")[0]["nodes"] == 166

    assert counts.items() <= load(house, part, "2026-11-01", "--partial").items()

    row = topics(house, "list")[0]
    assert (row["nodes"], row["partial"], row["version"]) == (167, True, "2026-11-01")
    assert [n["title"] for n in topics(house, "show", own)] == ["Домофоны"]
    for more in ((), ("--on", "2020-01-01")):
        assert [n["title"] for n in topics(house, "show", FEES, *more)] == [reworded[1]]
    again = load(house, part, "2026-11-01", "--partial")
    assert (again["added"], again["changed"], again["closed"], again["same"]) == (0, 0, 0, 3)
    assert "kept: 164" in house.run(
        "topics", "import", part, "--version", "2026-11-01", "--partial"
    )


def test_a_second_part_is_added_to_the_first(house, table):
    load(house, table([("0005.0005.0056.9901", "Домофоны")]), "2026-01-01", "--partial")
    told = load(house, table([("0005.0005.0056.9902", "Лифты")]), "2026-11-01", "--partial")
    assert (told["added"], told["kept"]) == (1, 167)
    assert topics(house, "list")[0]["nodes"] == 168


def test_a_first_part_of_another_classifier_brings_nothing_of_sstu(house, table):
    told = load(house, table([("roads", "Дороги")]), "1", "--partial", "--system", "pos.topic")
    assert (told["added"], told["kept"]) == (1, 0)
    assert {r["system"]: r["nodes"] for r in topics(house, "list")} == {"sstu": 166, "pos.topic": 1}


def test_a_file_with_a_mistake_is_not_taken_at_all(house, table):
    wrong = table([*WHOLE, ("5.5", "Не код")])
    said = house.run("topics", "import", wrong, "--version", "1", "--commit", code=2)
    assert "5.5" in said or "7" in said
    assert topics(house, "list")[0]["nodes"] == 166


def test_codes_that_nobody_knows_come_first_by_how_often(house, table):
    for n, code in enumerate(("lift", "water", "water")):
        seen(house, f"a-{n}", code)
    rows = topics(house, "unmapped")
    assert [(r["system"], r["code"], r["times"]) for r in rows] == [
        ("pos.topic", "water", 2), ("pos.topic", "lift", 1),
    ]  # fmt: skip

    meanings = table(
        [("water", "0005.0005.0056.1154"), ("roads", "0003.0011")], "map.csv", ("from", "to")
    )
    told = topics(house, "map", "pos.topic", "sstu", meanings)
    assert (told["changed"], told["unmapped"], told["committed"]) == (2, 2, False)
    told = topics(house, "map", "pos.topic", "sstu", meanings, "--commit")
    assert told["unmapped"] == 1
    assert told["stray"] == ["0003.0011"]  # a group, which is given to no question
    assert [r["code"] for r in topics(house, "unmapped")] == ["lift"]

    seen(house, "b", "water")
    assert house.rows("SELECT topic FROM question WHERE topic LIKE '0005%'") == [
        ("0005.0005.0056.1154",)
    ]
    assert "lift" in house.run("topics", "unmapped", "pos.topic")
    assert house.json("verify")["faults"] == {}


def test_what_lacks_a_meaning_in_one_classifier_is_listed_after_what_was_seen(house, table):
    own = table([("1", "Дороги"), ("2", "Вода"), ("3", "Свет")], "own.csv")
    load(house, own, "1", "--system", "own")
    seen(house, "a", "9", "own")
    pairs = json.dumps({"2": FEES})
    path = table([], "map.json")
    with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write(pairs)
    topics(house, "map", "own", "sstu", path, "--commit")
    rows = topics(house, "unmapped", "own", "sstu")
    assert [(r["code"], r["title"], r["times"]) for r in rows] == [
        ("9", "", 1), ("1", "Дороги", 0), ("3", "Свет", 0),
    ]  # fmt: skip


def test_a_meaning_whose_node_has_ended_is_named(house, table):
    load(house, table(WHOLE), "2026-01-01")
    pairs = table([("water", "0005.0005.0056.1154")], "map.csv", ("from", "to"))
    topics(house, "map", "pos.topic", "sstu", pairs, "--commit")
    told = topics(house, "import", table(WHOLE[:4]), "--version", "2026-11-01")
    assert told["stray"] == ["pos.topic water → 0005.0005.0056.1154"]


def test_a_whole_classifier_says_which_codes_are_not_its_own(house, table):
    seen(house, "a", "0003.0009.0097.0689", "sstu")
    assert topics(house, "unmapped") == []  # the part that comes along does not know
    load(house, table(WHOLE), "2026-01-01")
    seen(house, "b", "0003.0009.0097.0689", "sstu")
    assert [r["code"] for r in topics(house, "unmapped")] == ["0003.0009.0097.0689"]
    more = [
        ("0003", "Экономика"),
        ("0003.0009", "Х"),
        ("0003.0009.0097", "Т"),
        ("0003.0009.0097.0689", "В"),
    ]
    load(house, table(more), "2026-02-01", "--partial")
    assert topics(house, "unmapped") == []
