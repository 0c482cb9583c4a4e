"""A synthetic region of the address registry is the same for a seed, valid, and full of traps."""

import os
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from lxml import etree

from simulators.gar import delivery, houses, places, region
from simulators.gar.__main__ import main

ROOT = Path(__file__).resolve().parents[3]
SCHEMAS = Path(os.environ.get("GATEWAY_SHARED", ROOT.parent / "shared")) / "data/gar-xsd"
SEEDED = ROOT / "simulators/seed/places.toml"
HOUSES = 3_000


@pytest.fixture(scope="module")
def drawn():
    return region.plan("36", HOUSES, 7)


@pytest.fixture(scope="module")
def folder(drawn, tmp_path_factory):
    made = tmp_path_factory.mktemp("full")
    delivery.full(drawn, made)
    return made


@pytest.fixture(scope="module")
def changed(drawn, tmp_path_factory):
    made = tmp_path_factory.mktemp("delta")
    return made, delivery.after(drawn, made)


def rows(folder, prefix):
    (path,) = folder.rglob(f"{prefix}_2026*.XML")
    return [dict(row.attrib) for row in etree.parse(path).getroot()]


def current(folder):
    return [
        row
        for row in rows(folder, "AS_ADDR_OBJ")
        if row["ISACTUAL"] == "1" and row["ISACTIVE"] == "1"
    ]


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    for name in ("one.zip", "two.zip", "other.zip"):
        delivery.full(region.plan("36", 1_000, 8 if "other" in name else 7), tmp_path / name)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    assert (tmp_path / "one.zip").read_bytes() != (tmp_path / "other.zip").read_bytes()


def test_exactly_as_many_houses_as_asked(drawn, folder):
    assert sum(len(drawn.houses(place)) for place in drawn.holders) == HOUSES
    assert len({row["OBJECTID"] for row in rows(folder, "AS_HOUSES")}) == HOUSES


@pytest.mark.skipif(not SCHEMAS.exists(), reason="no gar-xsd beside the checkout (GATEWAY_SHARED)")
@pytest.mark.parametrize("kind", ["full", "delta"])
def test_every_file_is_valid_under_the_official_schemas(kind, folder, changed):
    seen = 0
    for path in (folder if kind == "full" else changed[0]).rglob("*.XML"):
        prefix = path.name.partition("_2026")[0]
        name = "AS_PARAM" if prefix.endswith("_PARAMS") else prefix
        if name == "AS_ADDHOUSE_TYPES":  # no schema of it was ever published
            continue
        (schema,) = SCHEMAS.glob(f"{name}_2_251_*.xsd")
        etree.XMLSchema(etree.parse(schema)).assertValid(etree.parse(path))
        seen += 1
    assert seen == (16 if kind == "full" else 13)


def test_some_files_begin_with_a_mark_and_others_do_not(folder):
    marked = {path.read_bytes()[:3] == b"\xef\xbb\xbf" for path in (folder / "36").iterdir()}
    assert marked == {True, False}


def test_the_house_of_the_example_has_its_flat(drawn, folder):
    street = next(t for t in drawn.things if (t.name, t.kind) == ("9 Января", "ул") and t.forced)
    assert street.town.name == "Воронеж"
    house = next(h for h in drawn.houses(street) if (h.number, h.first) == ("68", "2"))
    assert (house.first_kind, house.closed, house.dangling) == (houses.BLOCK, False, False)
    path = f"{street.path}.{house.id}."
    flats = {r["OBJECTID"]: r["NUMBER"] for r in rows(folder, "AS_APARTMENTS")}
    lying = [r for r in rows(folder, "AS_ADM_HIERARCHY") if r["PATH"].startswith(path)]
    assert "15" in {flats[row["OBJECTID"]] for row in lying}


def test_every_number_of_a_street_stands_once(drawn):
    for place in drawn.holders:
        numbers = Counter(h[1:6] for h in drawn.houses(place) if not h.twin)
        assert max(numbers.values()) == 1


def test_names_repeat_across_settlements_and_types_but_not_within(drawn, folder):
    streets = [t for t in drawn.things if t.level == 8]
    assert len({(t.up.id, t.name, t.kind) for t in streets}) == len(streets)
    towns = {t.name: set() for t in streets}
    for thing in streets:
        towns[thing.name].add(thing.town.id if thing.town else 0)
    assert max(map(len, towns.values())) >= 4
    kinds = Counter((t.up.id, t.name) for t in streets if t.active)
    assert max(kinds.values()) >= 2


def test_what_had_another_name_keeps_the_row_of_it(drawn, folder):
    renamed = [t for t in drawn.things if t.before]
    assert renamed
    former = {
        (row["OBJECTID"], row["NAME"])
        for row in rows(folder, "AS_ADDR_OBJ")
        if row["ISACTUAL"] == row["ISACTIVE"] == "0"
    }
    assert {(str(t.id), b.name) for t in renamed for b in t.before} <= former


def test_streets_that_were_split_or_merged_lead_to_what_they_became(drawn, folder):
    names = {row["OBJECTID"] for row in current(folder)}
    divided = rows(folder, "AS_ADDR_OBJ_DIVISION")
    assert divided
    assert all(r["PARENTID"] not in names and r["CHILDID"] in names for r in divided)


def test_a_few_rows_lead_nowhere(folder):
    known = {row["OBJECTID"] for row in rows(folder, "AS_ADDR_OBJ")}
    known |= {row["OBJECTID"] for row in rows(folder, "AS_HOUSES")}
    lost = [r for r in rows(folder, "AS_ADDR_OBJ_PARAMS") if r["OBJECTID"] not in known]
    lost += [r for r in rows(folder, "AS_ADM_HIERARCHY") if r["PARENTOBJID"] not in {"0", *known}]
    assert 1 <= len(lost) <= 5


def test_inner_districts_stand_before_the_city_in_the_municipal_path_only(drawn):
    city = next(t for t in drawn.things if t.kind == "г" and t.up is drawn.root)
    street = next(t for t in drawn.things if t.up is city and t.inner)
    municipal = street.municipal_path.split(".")
    assert municipal.index(str(street.inner.id)) < municipal.index(str(city.id))
    assert str(street.inner.id) not in street.path.split(".")


def test_territory_codes_keep_their_leading_zero(tmp_path):
    delivery.full(region.plan("22", 300, 1), tmp_path)
    codes = {row["OKTMO"] for row in rows(tmp_path, "AS_MUN_HIERARCHY")}
    assert {code[:2] for code in codes} == {"01"}
    assert {len(code) for code in codes} == {8, 11}


def test_the_folder_of_a_region_has_two_digits(tmp_path):
    assert main.__module__
    delivery.full(region.plan("01", 300, 1), tmp_path)
    assert (tmp_path / "01").is_dir()


def test_a_delta_follows_three_days_later_and_changes_what_it_says(drawn, folder, changed):
    made, change = changed
    assert (made / "version.txt").read_text().strip() == "2026.09.11"
    assert (folder / "version.txt").read_text().strip() == "2026.09.08"
    named = {row["OBJECTID"]: row["NAME"] for row in current(made)}
    assert named[str(change.renamed.id)] == change.renamed.name
    assert {str(half.id) for half in change.halves} <= set(named)
    assert str(change.split.id) not in named
    added = {str(house.id) for _, house in change.new}
    assert not added & {row["OBJECTID"] for row in rows(folder, "AS_HOUSES")}
    assert added <= {row["OBJECTID"] for row in rows(made, "AS_HOUSES") if row["ISACTIVE"] == "1"}
    closed = next(r for r in rows(made, "AS_HOUSES") if r["OBJECTID"] == str(change.closed[1].id))
    assert closed["ISACTIVE"] == "0"


def test_places_of_the_made_up_appeals_can_be_added():
    drawn = region.plan("36", 300, 7, places.read(SEEDED))
    town = next(t for t in drawn.things if t.name == "Нижнедолинск")
    inside = {(t.name, t.kind) for t in drawn.things if t.up is town}
    assert {("Заречная-Новая", "ул"), ("Лодочная", "наб"), ("Северный-2", "мкр")} <= inside
    assert not [t for t in drawn.things if t.name == "Верхнеручьёвск"]


def test_the_command_writes_a_zip_that_opens(tmp_path, monkeypatch, capsys):
    out = tmp_path / "gar_xml.zip"
    monkeypatch.setattr("sys.argv", ["gar", str(out), "--houses", "300", "--apartments", "0.5"])
    assert main() == 0
    with zipfile.ZipFile(out) as archive:
        assert archive.testzip() is None
        assert {name.partition("/")[0] for name in archive.namelist() if "/" in name} == {"36"}
    assert '"houses": 300' in capsys.readouterr().out
