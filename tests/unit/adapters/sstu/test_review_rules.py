"""Each rule of the overview's validator is named, by row and column."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.sstu import review_csv
from adapters.sstu.review_csv import HEADERS
from adapters.sstu.review_rules import COLUMNS, month, validate
from gateway.errors import ValidationError

FEBRUARY = (2026, 2)
GOOD = {
    "ГруппаГ": "РФ", "Округ": "СЗФО", "Регион": "Ленинградская область", "Кол-во": "1",
    "Номер": "А26-02-14057001", "Дата": "16.02.2026", "Код": "0005.0005.0056.1147",
    "Наименование": "Оплата жилищно-коммунальных услуг", "Тип": "Жалоба", "Комп": "ОСВ",
    "ПВ": "СУБ", "Орган": "Комитет по жилищному надзору", "ОЖ": "0", "Контр": "1",
    "Вид письма": "интернет", "Цель напр.": "по компетенции", "Повторность": "",
    "Приемная": "Приёмная Президента",
}  # fmt: skip


def line(**cells):
    row = {**GOOD, **cells}
    return review_csv.line([row.get(header, "") for header in HEADERS])


def table(*lines):
    return review_csv.HEAD + b"".join(lines)


def faults(body, *, cut=0):
    pieces = [body[at : at + cut] for at in range(0, len(body), cut)] if cut else [body]
    return [(f.line, f.column, f.rule) for f in validate(pieces, FEBRUARY)]


def test_a_table_that_keeps_every_rule_is_taken_however_it_is_cut():
    good = table(line(), line(Номер="А26-02-2", Наименование='а;\r\n"б"'))
    assert faults(good) == []
    assert faults(good, cut=1) == []
    assert faults(good, cut=64) == []


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("Дата", "16.03.2026", "month"), ("Дата", "30.02.2026", "date"),
        ("Дата", "2026-02-16", "date"), ("Дата", "", "required"),
        ("Орган", "Комитет\tпо надзору", "forbidden"), ("Орган", "Комитет…", "forbidden"),
        ("Орган", "К\x00", "forbidden"), ("Орган", "К\x1a", "forbidden"),
        ("Событие", "\ufffd", "forbidden"), ("Код", "1147", "code"),
        ("Код", "0005.0005.0056.1147.0001.0001", "length"), ("Код", "", "required"),
        ("Номер", "9" * 31, "length"), ("Район", "р" * 513, "length"),
        ("Сотрудник", "с" * 71, "length"), ("Округ", "Сибирь", "enumeration"),
        ("Кол-во", "2", "enumeration"), ("ОЖ", "да", "enumeration"),
        ("Контр", "2", "enumeration"), ("Повторность", "true", "enumeration"),
        ("Вид письма", "почта", "enumeration"), ("Цель напр.", "в работу", "enumeration"),
        ("Комп", "ОМСУ", "enumeration"), ("ПВ", "МЕСТ", "enumeration"),
    ],
)  # fmt: skip
def test_a_broken_rule_is_named_by_row_and_column(column, value, rule):
    found = faults(table(line(), line(**{column: value})))
    assert (3, column, rule) in found
    assert {place[:2] for place in found} == {(3, column)}


def test_every_required_column_may_not_be_empty():
    empty = faults(table(review_csv.line([""] * len(HEADERS))))
    assert empty == [(2, name, "required") for name, c in COLUMNS.items() if c.required]
    assert len(empty) == 14


def test_the_rules_of_the_file_as_a_whole():
    good = table(line())
    assert faults(good.removeprefix(b"\xef\xbb\xbf")) == [(1, "", "bom")]
    assert faults(good.replace(b"\r\n", b"\n")) == [(1, "", "crlf"), (2, "", "crlf")]
    assert faults(good.removesuffix(b"\r\n")) == [(2, "", "crlf")]
    assert faults(review_csv.HEAD) == [(2, "", "rows")]
    assert [f[2] for f in faults(b"")] == ["headers"]
    assert (1, "", "headers") in faults(good.replace(b";", b","))
    swapped = good.replace("Округ;Регион".encode(), "Регион;Округ".encode())
    assert faults(swapped) == [(1, "Регион", "headers"), (1, "Округ", "headers")]
    assert faults(table(b"1;2\r\n", line())) == [(2, "", "columns")]
    assert faults(table(line(), b"\r\n")) == [(3, "", "empty_row")]
    assert faults(table(line(), b"\xff\xfe\r\n")) == [(3, "", "utf8")]
    assert faults(table(line(), b'"x" y;\r\n')) == [(3, "", "row")]


def test_a_row_that_repeats_another_is_a_warning_only():
    found = list(validate([table(line(), line())], FEBRUARY))
    assert [(f.line, f.rule, f.level, f.found) for f in found] == [
        (3, "duplicate", "warning", "row 2")
    ]


@given(st.lists(st.binary(max_size=80), max_size=5), st.booleans())
def test_whatever_a_file_holds_its_faults_are_told(pieces, begins):
    found = list(validate([review_csv.HEAD] * begins + pieces, FEBRUARY))
    assert found
    assert all(fault.line >= 1 and fault.rule for fault in found)


def test_a_line_without_an_end_is_not_waited_for():
    endless = (b"x" * 1_000_000 for _ in range(1_000))
    assert [f.rule for f in validate(endless)] == ["row"]


def test_a_month_is_read_or_refused():
    assert month("2026-10") == (2026, 10)
    for text in ("2026-13", "2026-1", "10.2026", "0000-01", ""):
        with pytest.raises(ValidationError):
            month(text)
