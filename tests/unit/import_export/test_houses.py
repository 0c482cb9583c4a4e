"""Tables of who serves houses: what is read of them, what is refused, what they change."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import keepers
from gateway.addresses.found import Place, Resolved
from gateway.errors import GatewayError, ValidationError
from gateway.keepers import Keeper
from gateway.store.organisations import Record
from import_export import grid, house_changes, houses
from import_export.directory import Directory
from import_export.house_changes import Kind
from tests.workbook import sheet, workbook

A = "0c5b2444-70a0-4932-980c-b4dc0d3f02b5"
B = "11111111-2222-4333-8444-555555555555"
TODAY = dt.date(2026, 11, 23)
KNOWN = Directory(
    {
        "uk": Record(id="uk", full_name="УК «Уют»", doc={"inn": "0278123456"}),
        "tsj": Record(id="tsj", full_name="ТСЖ «Дом»", doc={"inn": "5501234567"}),
        "head": Record(id="head", full_name="Сети", doc={"inn": "7700000001"}),
        "branch": Record(id="branch", full_name="Филиал сетей", doc={"inn": "7700000001"}),
    }
)
PLACES = {
    "мира 1": Resolved(
        outcome="exact",
        best=Place(guid=A, level=10, region="36", label="ул Мира, д. 1", house_guid=A),
    ),
    "мира": Resolved(outcome="exact", best=Place(guid=B, level=8, region="36", label="ул Мира")),
    "мира 2": Resolved(
        outcome="ambiguous",
        candidates=(
            Place(guid=A, level=10, region="36", label="ул Мира, д. 2", house_guid=A),
            Place(guid=B, level=10, region="36", label="пер Мира, д. 2", house_guid=B),
        ),
    ),
}


def resolve(texts):
    return [PLACES[text] for text in texts]


def read(text, **more):
    data = text if isinstance(text, bytes) else text.encode()
    return houses.houses(grid.read(data), KNOWN, resolve, **more)


def territories(text):
    data = text if isinstance(text, bytes) else text.encode()
    return houses.territories(grid.read(data), KNOWN)


@pytest.mark.parametrize(
    ("text", "row", "column", "said"),
    [
        (f"guid;услуга;организация\n{A};УО;никто\n", 2, "организация", "not in the directory"),
        (f"guid;услуга;организация\n{A};УО;\n", 2, "организация", "required value"),
        (f"guid;услуга;организация\n{A};лапта;uk\n", 2, "услуга", "управление домом"),
        (f"guid;услуга;организация\n{A[:-1]};УО;uk\n", 2, "guid", "GUID"),
        ("guid;услуга;организация\n;УО;uk\n", 2, "guid", "нужен ГУИД"),
        (f"guid;услуга;организация;с\n{A};УО;uk;45292\n", 2, "с", "not a calendar date"),
        (f"guid;услуга;организация;с\n{A};УО;uk;01.01.0024\n", 2, "с", "1900"),
        (f"guid;услуга;организация;с;по\n{A};УО;uk;2.1.2026;1.1.2026\n", 2, "по", "before"),
        (f"guid;услуга;организация\n{A};УО;uk;лишнее\n", 2, "", "number of cells"),
        (f"guid;услуга;организация;ИНН\n{A};УО;uk;5501234567\n", 2, "организация", "different"),
        (f"guid;услуга;ИНН\n{A};УО;7700000001\n", 2, "ИНН", "branch, head"),
        (f"guid;широта;долгота\n{A};39.2;51.6\n", 2, "широта", "range"),
        (f"guid;широта;долгота\n{A};51.6;9.2\n", 2, "долгота", "not in Russia"),
        (f"guid;широта;долгота\n{A};51.6;\n", 2, "долгота", "required"),
        (f"guid;организация\n{A};uk\n", 1, "service", "lacks"),
        (f"guid;этажей\n{A};9\n", 1, "organisation", "lacks"),
        ("адрес;услуга;организация\nмира 2;УО;uk\n", 2, "адрес", "пер Мира, д. 2"),
        ("адрес;услуга;организация\nмира;УО;uk\n", 2, "адрес", "no house"),
    ],
)
def test_what_is_wrong_is_told_by_row_and_column(text, row, column, said):
    (wrong,) = read(text).wrong

    assert (wrong.line, wrong.path) == (row, column)
    assert said in str(wrong)


def test_a_file_that_is_wrong_throughout_is_given_up(monkeypatch):
    monkeypatch.setattr(houses, "WRONG", 50)

    with pytest.raises(ValidationError, match="given up after 50"):
        read("guid;УО\n" + "не тот столбец;uk\n" * 100)


def test_an_address_is_taken_where_it_is_exactly_one_house():
    found = read("Адрес дома;УО;отопление\nмира 1;uk;tsj\n")

    assert [(g.row.house_guid, g.row.service, g.row.organisation) for g in found.given] == [
        (A, "management", "uk"),
        (A, "heat", "tsj"),
    ]


def test_an_inn_that_lost_its_zero_in_a_spreadsheet_still_names_its_organisation():
    rows = [["guid", "ИНН", "x_"], [A, 278123456, ""]]

    assert [g.row.organisation for g in read(workbook(sheet(rows)), kind="lift").given] == ["uk"]


def test_words_for_no_end_are_no_end():
    for word in ("бессрочно", "31.12.9999", "", "—"):
        (found,) = read(f"guid;УО;по\n{A};uk;{word}\n").given
        assert found.row.valid_to is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("что-то;иное\n1;2\n", "lacks a required column"),
        (f"guid;guid дома;организация\n{A};{A};uk\n", "names a column twice"),
        (" ", "empty"),
        ("{}", "workbook or an archive"),
        ("guid;УО\n".encode("utf-16"), "UTF-16"),
    ],
)
def test_what_is_no_table_of_houses_is_refused_at_once(text, said):
    with pytest.raises(GatewayError, match=said):
        read(text)


@pytest.mark.parametrize(
    ("oktmo", "kept"),
    [
        (3701000, "03701"), (3701000001, "03701000001"), (2.07e7, "207"), ("03 701 000", "03701"),
        ("20701000001", "20701000001"), ("718", "718"), ("20", "20"),
    ],
)  # fmt: skip
def test_an_oktmo_is_text_whatever_a_spreadsheet_made_of_it(oktmo, kept):
    found = territories(workbook(sheet([["ОКТМО", "организация"], [oktmo, "uk"]])))

    assert [g.row.oktmo for g in found.given] == [kept]
    assert any("leading zero" in note for note in found.notes) == (str(oktmo)[0] == "3")


@pytest.mark.parametrize("oktmo", ["2.07E+07", "2,07Е7", "123456789", "О3701000", "00", "3", ""])
def test_an_oktmo_that_lost_more_than_a_zero_is_refused(oktmo):
    found = territories(f"ОКТМО;организация\n{oktmo};uk\n")

    assert [(w.line, w.path) for w in found.wrong] == [(2, "ОКТМО")]
    assert not found.given


def test_two_rows_of_a_file_about_the_same_days_are_both_named():
    found = read(f"guid;УО;с\n{A};uk;1.1.2025\n{A};tsj;1.1.2026\n")

    (wrong,) = house_changes.plan(found.given, [], begins=None, today=TODAY).wrong

    assert (wrong.line, wrong.code) == (3, "overlap")
    assert "row 2" in wrong.message
    assert "tsj" in wrong.found
    assert "uk" in wrong.expected


DAYS = st.none() | st.integers(0, 12).map(lambda n: TODAY + dt.timedelta(days=n))


@st.composite
def rows(draw):
    first, last = draw(DAYS), draw(DAYS)
    if first and last and last < first:
        first, last = last, first
    return Keeper(
        house_guid=A, service="management", organisation=draw(st.sampled_from(["uk", "tsj"])),
        valid_from=first, valid_to=last,
    )  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(rows(), max_size=6), st.booleans())
def test_a_house_never_has_two_organisations_for_one_service_and_a_repeat_changes_nothing(
    listed, replace
):
    there: list[Keeper] = []
    for number, row in enumerate(listed):
        item = houses.Given(number, row, ends=True, grounds=True)
        plan = house_changes.plan([item], there, begins=None, today=TODAY, replace=replace)
        assert not (replace and plan.wrong)
        assert set(plan.withdrawn) <= set(there)
        there = [r for r in there if r not in plan.withdrawn] + plan.taken
        again = house_changes.plan([item], there, begins=None, today=TODAY, replace=replace)
        assert plan.wrong or {c.kind for c in again.changes} == {Kind.SAME}
        for n in range(-1, 14):
            day = TODAY + dt.timedelta(days=n)
            assert len(keepers.keepers_of(there, A, day)) < 2
