"""A workbook gives its rows as text, or a refusal that says what to do."""

from __future__ import annotations

import datetime as dt
import io
import zipfile

import pytest

from gateway import limits
from gateway.errors import GatewayError, MalformedError, TooLargeError, UnsupportedError
from import_export import xlsx
from tests.workbook import sheet, workbook


def test_cells_are_read_as_they_are_seen():
    formula = '<c r="H1" t="str"><f>A1&amp;"!"</f><v>дом!</v></c>'
    rows = [["дом", 20701000, 2.07e7, 51.6608, dt.date(2026, 11, 23), "", "10.5.1"]]
    body = sheet(rows).replace("</row>", formula + '<c r="I1" t="b"><v>1</v></c></row>')

    found = xlsx.read(workbook(body))

    assert found.rows == (
        (
            1,
            ("дом", "20701000", "20700000", "51.6608", "2026-11-23", "", "10.5.1", "дом!", "да"),
        ),
    )


def test_rows_keep_their_numbers_and_empty_ones_are_passed_over():
    body = sheet([["", "б"]], first=3) + sheet([["в", "г", ""]], first=7)

    assert xlsx.read(workbook(body)).rows == ((3, ("", "б")), (7, ("в", "г")))


def test_the_first_visible_sheet_with_rows_is_read_unless_one_is_named():
    book = workbook(
        sheet([["тайна"]]), "", sheet([["дома"]]), sheet([["лифты"]]),
        names=("Скрытый", "Пусто", "Дома", "Лифты"), hidden=(1,),
    )  # fmt: skip

    found = xlsx.read(book)
    assert (found.name, found.rows[0][1], found.others) == ("Дома", ("дома",), ("Пусто", "Лифты"))
    assert xlsx.read(book, "Лифты").rows[0][1] == ("лифты",)
    with pytest.raises(MalformedError, match=r"no such sheet.*Дома"):
        xlsx.read(book, "Дом")


@pytest.mark.parametrize(
    "body",
    [
        '<row r="1"><c r="A1"><v>1</v></c></row><row r="20000"><c r="XFD20000"><v>1</v></c></row>',
        '<row r="1"><c r="A1"><v>1</v></c></row><row r="200001"><c r="A200001"><v>1</v></c></row>',
        # within the rows and the columns that are read, yet all of it would be made room for
        '<row r="1"><c r="A1"><v>1</v></c></row><row r="90000"><c r="IV90000"><v>1</v></c></row>',
        '<row><c r="A1"><v>1</v></c></row><row><c r="&#88;FD1048576"><v>1</v></c></row>',
    ],
)
def test_a_sparse_sheet_that_would_take_gigabytes_is_refused(body):
    book = workbook(body)
    assert len(book) < 5 * limits.KB

    with pytest.raises(TooLargeError, match=r"reaches too far.*delete what lies"):
        xlsx.read(book)


def test_what_is_packed_a_thousand_to_one_is_refused():
    book = workbook(sheet([["x" * (20 * limits.MB)]]))
    assert len(book) < 100 * limits.KB

    with pytest.raises(TooLargeError, match="packed too well"):
        xlsx.read(book)


def test_the_kernel_stops_what_no_look_beforehand_has_seen():
    """A second of CPU is not enough for two million cells, and nobody waits longer."""
    row = "<row>" + "<c><v>1</v></c>" * 250 + "</row>"
    book = workbook(row * 8_000, packing=zipfile.ZIP_STORED)

    with pytest.raises(TooLargeError, match="at most 1 s"):
        xlsx.read(book, seconds=1)


@pytest.mark.parametrize(
    ("data", "kind", "said"),
    [
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, UnsupportedError, "password"),
        (b"PK\x03\x04xxxx", MalformedError, "not a zip"),
        (b"", MalformedError, "not a zip"),
        (workbook(sheet([["а"]]))[:-300], MalformedError, "not a zip"),
        (workbook(""), MalformedError, "no rows"),
        (workbook('<row r="1"><c r="A1"><v>1</v></row>'), MalformedError, "not XML"),
        (workbook('<row r="1"><c r="1A"><v>1</v></c></row>'), MalformedError, "not a place"),
        (
            workbook(sheet([["а"]]), more={"xl/x.xml": '<!DOCTYPE a [<!ENTITY b "c">]><a/>'}),
            MalformedError,
            "DTD",
        ),
    ],
)
def test_what_is_no_sheet_is_refused_by_name(data, kind, said):
    with pytest.raises(GatewayError, match=said) as caught:
        xlsx.read(data)
    assert type(caught.value) is kind


def test_another_kind_of_package_is_named():
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("word/document.xml", "<x/>")

    with pytest.raises(UnsupportedError, match=r"not a workbook of \.xlsx"):
        xlsx.read(target.getvalue())
