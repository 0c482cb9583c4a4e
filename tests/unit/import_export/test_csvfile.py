"""Tables: what a partner's rows become, and what is said about rows that are wrong."""

from __future__ import annotations

import io

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import GatewayError
from gateway.model.digest import content_sha256
from import_export import profile as profiles
from import_export.csvfile import Table, reread
from import_export.csvout import guard, unguard, write_csv

LEGACY = profiles.load("legacy-cp1251")
DEFAULT = profiles.load("appeals-default")


def lines(data, profile=LEGACY, encoding="cp1251"):
    raw = data if isinstance(data, bytes) else data.encode(encoding)
    return list(Table(io.BytesIO(raw), profile, peer="sed"))


def said(found):
    return [(row, p.column, p.rule) for line in found for row, p in line.problems]


def small(columns, key=("id",), **table):
    """A profile with a few columns, as a dictionary."""
    revision = table.pop("revision", 1)
    return profiles.build({
        "name": "small",
        "key": {"columns": list(key), "revision": revision},
        "table": {"delimiter": ";", "encoding": "utf-8", **table},
        "column": columns,
    })  # fmt: skip


ID = {"name": "id"}
TEXT = {"name": "text", "field": "text"}


def test_russian_headers_days_words_and_codes_become_an_appeal():
    (line,) = lines(
        "№;Дата поступления;Вид;ФИО;ОКТМО;Содержание;Код вопроса;Номер письма\n"
        'А26-1;01.02.2026;ЖАЛОБА;Иванов Иван;04000000;"Нет ""света""\nво дворе";'
        "0002.0006.0065;А/5\n"
    )
    assert line.inbound is not None
    appeal = line.inbound.appeal
    assert (line.inbound.external_id, line.row, line.last) == ("А26-1", 2, 2)
    assert appeal.text == 'Нет "света"\nво дворе'
    assert appeal.type.value == "complaint"
    assert appeal.addresses[0].oktmo == "04000000"
    assert str(appeal.questions[0].incoming_date) == "2026-02-01"
    assert appeal.questions[0].topics[0].code.value == "0002.0006.0065"
    assert (appeal.referrals[0].number, appeal.referrals[0].number_key) == ("А/5", "A/5")


def test_the_day_a_letter_came_in_counts_for_all_its_questions():
    (line,) = lines(
        "№;Дата поступления;Содержание;Код вопроса 1;Код вопроса 2\n"
        "А26-1;01.02.2026;Нет света и воды;0005.0005.0056.1153;0005.0005.0056.1154\n"
    )
    days = [str(question.incoming_date) for question in line.inbound.appeal.questions]
    assert days == ["2026-02-01", "2026-02-01"]


def test_what_the_profile_does_not_know_is_kept():
    (line,) = lines("Номер;Содержание;Этаж\n1;текст;третий\n")
    extra = line.inbound.appeal.extras[0]
    assert (extra.peer, extra.path, extra.value) == ("sed", "Этаж", "третий")


def test_a_header_spelled_with_letters_of_another_alphabet_is_recognised():
    header = "Нoмер;Coдержание\n"
    assert any(char.isascii() and char.isalpha() for char in header)
    (line,) = lines(header + "1;текст\n")
    assert line.inbound.external_id == "1"


@pytest.mark.parametrize(
    ("cell", "column", "rule"),
    [
        ("4000000", "ОКТМО", "oktmo_zero"),
        ("О4000000", "ОКТМО", "lookalike"),
        ("0400-000", "ОКТМО", "digits"),
        ("040000001", "ОКТМО", "oktmo"),
        ("31.02.2026", "Дата поступления", "date"),
        ("2026-02-01", "Дата поступления", "date"),
        ("0З.02.2026", "Дата поступления", "lookalike"),
        ("٠١.02.2026", "Дата поступления", "lookalike"),
        ("жалобба", "Вид", "enumeration"),
        ("может быть", "Коллективное", "boolean"),
        ("Ива\tнов", "ФИО", "character"),
        ("текст\0", "Содержание", "character"),
        ("", "Содержание", "required"),
        ("нет данных", "Содержание", "required"),
    ],
)
def test_a_wrong_cell_is_named_by_row_and_column_and_the_others_land(cell, column, rule):
    names = ["Номер", "Содержание", *([column] if column != "Содержание" else [])]
    good = ["1", "текст", *([""] if column != "Содержание" else [])]
    wrong = [*good]
    wrong[0], wrong[names.index(column)] = "2", cell
    profile = msgspec.structs.replace(
        LEGACY, table=msgspec.structs.replace(LEGACY.table, encoding="utf-8")
    )
    data = "\n".join(";".join(row) for row in (names, good, wrong, ["3", *good[1:]]))
    found = lines(data, profile, "utf-8")
    assert [line.row for line in found if line.inbound] == [2, 4]
    assert said(found) == [(3, column, rule)]


def test_a_byte_of_no_encoding_is_named_with_its_place():
    good = "2;хорошо\n".encode("cp1251")
    found = lines("Номер;Содержание\n".encode("cp1251") + b"1;ab\x98\n" + good)
    assert said(found) == [(2, "Содержание", "encoding")]
    assert found[0].problems[0][1].found == "0x98, 3"
    assert found[1].inbound is not None


def test_a_broken_byte_in_utf8_does_not_turn_the_file_into_another_encoding():
    profile = small([ID, TEXT], encoding="auto")
    body = "".join(f"{n};обращение номер {n}\n" for n in range(20)).encode()
    found = lines(b"id;text\n" + body + b"x;\xff\n", profile)
    assert said(found) == [(22, "text", "encoding")]
    assert found[0].inbound.appeal.text == "обращение номер 0"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251", "cp866"])
def test_the_encoding_is_told_from_the_letters(encoding):
    profile = small([ID, TEXT], encoding="auto")
    data = "id;text\n1;Прошу отремонтировать дорогу у дома\n2;ЖАЛОБА НА ШУМ\n".encode(encoding)
    assert [line.inbound.appeal.text for line in lines(data, profile)] == [
        "Прошу отремонтировать дорогу у дома",
        "ЖАЛОБА НА ШУМ",
    ]


def test_an_encoding_that_is_not_guessed_is_named():
    profile = small([ID, TEXT], encoding="auto")
    data = "id;text\n1;Прошу отремонтировать дорогу у дома\n".encode("koi8-r")
    with pytest.raises(GatewayError, match="koi8-r"):
        lines(data, profile)


def test_a_quote_never_closed_costs_one_row():
    found = lines(
        'Номер;Содержание\n1;"не закрыта\n2;хорошо\n3;"тоже; хорошо"\n4;"и эта\n5;последняя\n'
    )
    assert [line.inbound.external_id for line in found if line.inbound] == ["2", "3", "5"]
    assert said(found) == [(2, "", "quote"), (5, "", "quote")]


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ("1;a;лишняя", "columns"),
        ("1", "columns"),
        ('1;"a"b', "after_quote"),
        ("1;a\rb", "line_end"),
        (f"1;{'я' * 100_001}", "cell_large"),
        (f"1;{'я' * 140_000}", "cell_large"),
        (f"1;{'я' * 3_000_000}", "row_large"),
    ],
)
def test_a_row_that_is_no_row_is_refused_alone(row, rule):
    found = lines(f"Номер;Содержание\n{row}\n2;хорошо\n")
    assert [p.rule for _, p in found[0].problems] == [rule]
    assert found[1].inbound.external_id == "2"


def test_empty_rows_and_empty_cells_too_many_are_passed_over_and_counted():
    found = lines("Номер;Содержание\r\n\r\n;\r\n1;a;;\r\n")
    assert [(line.row, line.inbound.external_id) for line in found] == [(4, "1")]


def test_neighbouring_rows_of_one_number_are_the_questions_of_one_appeal():
    found = lines(
        "external_id;text;question_text;question_topics\n"
        "А-1;Всё плохо;Крыша;0001,0002\n"
        "A-1;;Подвал;\n"
        "А-2;Другое;Двор;\n",
        DEFAULT,
        "utf-8",
    )
    first, second = (line.inbound.appeal for line in found)
    assert [(q.ordinal, q.text, len(q.topics)) for q in first.questions] == [
        (1, "Крыша", 2),
        (2, "Подвал", 0),
    ]
    assert (found[0].row, found[0].last, found[1].row) == (2, 3, 4)
    assert second.text == "Другое"


def test_rows_of_one_appeal_that_disagree_are_refused_together():
    found = lines("external_id;text;question_text\n1;Одно;а\n1;Другое;б\n2;х;у\n", DEFAULT, "utf-8")
    assert said(found) == [(3, "text", "differs")]
    assert found[1].inbound.external_id == "2"


def test_revisions_come_from_a_column():
    found = lines("external_id;revision;text\n1;3;a\n2;;b\n3;x;c\n", DEFAULT, "utf-8")
    assert [line.inbound.revision for line in found[:2]] == [3, 1]
    assert said(found) == [(4, "revision", "integer")]


def test_a_row_cut_off_is_refused_when_the_profile_wants_whole_lines():
    profile = small([ID, TEXT], final_newline=True)
    found = lines("id;text\n1;whole\n2;cu", profile)
    assert said(found) == [(3, "", "cut")]


def test_rows_past_the_limit_are_told_once():
    profile = small([ID, TEXT], max_rows=2)
    assert said(lines("id;text\n1;a\n2;b\n3;c\n4;d\n", profile)) == [(4, "", "many_rows")]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("", "empty"),
        ("Номер;Вид\n", "Содержание"),
        ("Номер;№;Содержание\n", "Номер"),
        ("Номер,Содержание\n", "Номер,Содержание"),
        ("PK\x03\x04", "workbook"),
    ],
)
def test_a_file_that_is_no_table_of_this_profile_is_refused_as_a_whole(data, message):
    with pytest.raises(GatewayError, match=message):
        lines(data)


def test_a_refused_row_can_be_read_again_after_its_profile_was_mended():
    data = "id;type\n1;жалобушка\n".encode()
    column = {"name": "type", "field": "type"}
    (line,) = lines(data, small([ID, column]))
    assert line.problems
    mended = small([ID, column | {"words": {"жалобушка": "complaint"}}])
    again = reread(io.BytesIO(data), mended, line.raw, peer="sed")
    assert again.inbound.appeal.type.value == "complaint"


def test_equal_rows_of_two_encodings_have_one_digest():
    text = "Номер;Содержание;ОКТМО\n1;Нет света;04000000\n"
    utf8 = msgspec.structs.replace(
        LEGACY, table=msgspec.structs.replace(LEGACY.table, encoding="utf-8")
    )
    (first,), (second,) = lines(text), lines(text, utf8, "utf-8")
    assert content_sha256(first.inbound.appeal) == content_sha256(second.inbound.appeal)


@pytest.mark.parametrize("profile", [LEGACY, DEFAULT], ids=lambda p: p.name)
@given(
    data=st.one_of(
        st.binary(max_size=400),
        st.lists(st.sampled_from([b"1", b";", b'"', b"\n", b"\r", b"\0", b"\xff", b"\x98", b"x"]))
        .map(b"".join)
        .map(lambda tail: b"external_id;text\n" + tail),
        st.text(max_size=200).map(
            lambda tail: ("Номер;Содержание\n" + tail).encode("cp1251", "ignore")
        ),
    )
)
def test_hostile_bytes_raise_only_errors_of_the_tree(profile, data):
    try:
        found = lines(data, profile)
    except GatewayError:
        return
    for line in found:
        assert (line.inbound is None) == bool(line.problems)
        assert line.raw in data


CELL = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30)


@given(rows=st.lists(st.tuples(CELL, CELL), min_size=1, max_size=5))
def test_what_we_write_reads_back_as_it_was(rows):
    profile = small(
        [{"name": "id", "required": True}, {"name": "text", "field": "text", "convert": "text"}],
        guarded=True,
    )
    rows = [(f"{n}{key}".strip(), text) for n, (key, text) in enumerate(rows)]
    data = b"".join(write_csv(rows, profile, columns=("id", "text")))
    back = list(Table(io.BytesIO(data), profile, peer="p"))
    import unicodedata

    expected = [
        (unicodedata.normalize("NFC", key.strip("\xa0")), unicodedata.normalize("NFC", text))
        for key, text in rows
    ]
    found = [
        (line.inbound.external_id, line.inbound.appeal.text or text)
        for line, (_, text) in zip(back, expected, strict=True)
        if line.inbound
    ]
    assert found == [pair for pair, line in zip(expected, back, strict=True) if line.inbound]
    for line in back:
        assert line.inbound or {p.rule for _, p in line.problems} <= {"character", "structure"}


@given(st.text(st.sampled_from("'=+-@a \t\r\n＝"), max_size=8))
def test_a_guarded_cell_runs_in_no_spreadsheet_and_comes_back(cell):
    assert not guard(cell).startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝"))
    assert unguard(guard(cell)) == cell


def test_our_tables_carry_no_formula():
    (_, _, row) = write_csv([["=HYPERLINK(1)", "+7"]], DEFAULT, columns=["a", "b"])
    assert row == b"'=HYPERLINK(1);'+7\r\n"
