"""A body's own file of a classifier: docx, CSV or JSON, with what a document for people adds."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import limits
from gateway.errors import GatewayError, MalformedError, TooLargeError, ValidationError
from import_export import topics

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
TREE = [
    ("0005.0000.0000.0000", "Жилищно-коммунальная сфера"),
    ("0005.0005.0000.0000", "Жилище"),
    ("0005.0005.0056.0000", "Коммунальное хозяйство"),
    ("0005.0005.0056.1149", "Оплата услуг"),
]
CODES = ["0005", "0005.0005", "0005.0005.0056", "0005.0005.0056.1149"]


def run(text: str, *, raised: bool = False) -> str:
    style = '<w:rPr><w:vertAlign w:val="superscript"/></w:rPr>' if raised else ""
    return f'<w:r>{style}<w:t xml:space="preserve">{text}</w:t></w:r>'


def docx(rows, before: str = "") -> bytes:
    """Return a document with one table; a cell is text, or runs made by `run`."""
    made = []
    for row in rows:
        cells = "".join(
            f"<w:tc><w:p>{c if c.startswith('<w:r>') else run(c)}</w:p></w:tc>" for c in row
        )
        made.append(f"<w:tr>{cells}</w:tr>")
    body = f'{before}<w:document xmlns:w="{W}"><w:body><w:p>{run("Классификатор")}</w:p>'
    body += f"<w:tbl>{''.join(made)}</w:tbl></w:body></w:document>"
    return packed({"word/document.xml": body.encode()})


def packed(members: dict[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def table(*rows: tuple[str, ...], delimiter=";") -> bytes:
    return "\n".join(delimiter.join(row) for row in rows).encode()


def codes(read: topics.Read) -> list[str]:
    return [node.code for node in read.nodes]


def test_a_document_is_read_row_by_row_wherever_the_code_stands():
    rows = [("№", "Код", "Наименование"), *((str(n), *row) for n, row in enumerate(TREE, 1))]
    read = topics.nodes(docx(rows), "Классификатор.docx", "sstu")
    assert codes(read) == CODES
    assert [(n.level, n.parent) for n in read.nodes][2:] == [
        (3, "0005.0005"), (4, "0005.0005.0056"),
    ]  # fmt: skip
    assert read.skipped == ()


def test_digits_of_footnotes_go_in_superscript_or_stuck_to_a_code():
    rows = [
        *TREE[:3],
        (run("0005.0005.0056.1149") + run("2", raised=True), run("Оплата") + run("3", raised=True)),
        ("0005.0005.0056.11502", "Отключение"),
    ]
    read = topics.nodes(docx(rows), "k.docx", "sstu")
    assert codes(read)[3:] == ["0005.0005.0056.1149", "0005.0005.0056.1150"]
    assert read.nodes[3].title == "Оплата"


def test_a_code_that_was_broken_into_runs_is_one():
    rows = [*TREE[:3], (run("0005.0005.") + run("0056. 1149"), "Оплата услуг")]
    assert codes(topics.nodes(docx(rows), "k.docx", "sstu")) == CODES


def test_lists_of_the_document_itself_are_left_out_and_named():
    rows = [*TREE, ("0000.0001", "Перечень"), ("0003", "государственные услуги"), ("2025", "год")]
    read = topics.nodes(docx(rows), "k.docx", "sstu")
    assert codes(read) == CODES
    assert [line.split(":")[0] for line in read.skipped] == ["0003", "2025", "0000.0001"]


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_a_table_is_read_by_its_header(delimiter):
    data = table(
        ("Код", "Примечание", "Наименование"), *((a, "", b) for a, b in TREE), delimiter=delimiter
    )
    assert codes(topics.nodes(data, "k.csv", "sstu")) == CODES


def test_a_table_of_windows_is_read_too():
    data = table(("Код", "Наименование"), *TREE).decode().encode("cp1251")
    assert topics.nodes(data, "k.csv", "sstu").nodes[1].title == "Жилище"


def test_another_classifier_names_parents_levels_and_days_itself():
    data = table(
        ("code", "title", "parent", "level", "valid_from", "valid_to"),
        ("ЖКХ", "ЖКХ", "", "1", "2025-01-01", ""),
        ("ЖКХ-1", "Вывоз мусора", "ЖКХ", "2", "01.02.2025", "31.12.2026"),
    )
    top, below = topics.nodes(data, "k.csv", "pos.topic").nodes
    assert (top.level, below.level, below.parent) == (1, 2, "ЖКХ")
    assert (below.valid_from.isoformat(), below.valid_to.isoformat()) == (
        "2025-02-01", "2026-12-31",
    )  # fmt: skip


def test_objects_are_read_bare_or_as_nodes():
    listed = [{"code": a, "name": b} for a, b in TREE]
    for document in (listed, {"nodes": listed}):
        data = json.dumps(document).encode()
        assert codes(topics.nodes(data, "k.json", "sstu")) == CODES


def test_every_violation_is_named_with_its_line():
    data = table(
        ("code", "title", "level"),
        ("0005", "Сфера", ""),
        ("5.5", "Не код", ""),
        ("0005.0009", "", ""),
        ("0005", "Другое", ""),
        ("0005.0006.0001", "Без узла выше", ""),
    )
    with pytest.raises(ValidationError) as caught:
        topics.nodes(data, "k.csv", "sstu")
    found = [(v.path, v.code, v.line) for v in caught.value.violations]
    assert found[:3] == [("code", "code", 3), ("title", "required", 4), ("code", "twice", 5)]
    assert ("0005.0006.0001/parent", "parent") in [f[:2] for f in found]


def test_a_part_may_hang_on_what_is_there():
    data = table(("code", "title"), TREE[3])
    with pytest.raises(ValidationError):
        topics.nodes(data, "k.csv", "sstu")
    assert codes(topics.nodes(data, "k.csv", "sstu", frozenset({"0005.0005.0056"}))) == CODES[3:]


def test_a_table_of_meanings_is_read():
    data = table(("from", "to"), ("42", "0005.0005.0056.11491"), ("43", ""))
    assert topics.pairs(data, "m.csv", "pos.topic", "sstu") == {
        "42": "0005.0005.0056.1149", "43": "",
    }  # fmt: skip
    data = json.dumps({"42": "0005.0005.0056.1149"}).encode()
    assert topics.pairs(data, "m.json", "pos.topic", "sstu") == {"42": "0005.0005.0056.1149"}


def test_a_code_that_means_two_things_is_refused():
    data = table(
        ("from", "to"), ("42", "0005.0005.0056.1149"), ("42", "0005.0005.0056.1150"), ("1", "ЖКХ")
    )
    with pytest.raises(ValidationError) as caught:
        topics.pairs(data, "m.csv", "pos.topic", "sstu")
    assert [(v.path, v.line) for v in caught.value.violations] == [("from", 3), ("to", 4)]


BOMB = packed({"word/document.xml": b" " * 4 * limits.MB})


@pytest.mark.parametrize(
    ("data", "name", "error"),
    [
        (b"", "k.docx", MalformedError),
        (b"PK\x03\x04broken", "k.docx", MalformedError),
        (packed({"other.xml": b"<a/>"}), "k.docx", MalformedError),
        (docx(TREE, before='<!DOCTYPE d [<!ENTITY a "b">]>'), "k.docx", MalformedError),
        (packed({"word/document.xml": "<a/>".encode("utf-16")}), "k.docx", MalformedError),
        (BOMB, "k.docx", TooLargeError),
        (docx([("нет", "кода")]), "k.docx", MalformedError),
        (table(("a", "b"), ("1", "2")), "k.csv", MalformedError),
        (table(("code", "code", "title"), ("1", "2", "3")), "k.csv", MalformedError),
        (b"[1]", "k.json", MalformedError),
        (b"[" * 100_000, "k.json", MalformedError),
    ],
)
def test_what_is_no_classifier_is_refused(data, name, error):
    with pytest.raises(error):
        topics.nodes(data, name, "sstu")


@given(st.binary(max_size=300), st.sampled_from(["k.docx", "k.csv", "k.json"]))
def test_any_bytes_are_read_or_refused(data, name):
    for read in (
        lambda: topics.nodes(data, name, "sstu"),
        lambda: topics.pairs(data, name, "a", "b"),
    ):
        try:
            read()
        except GatewayError:
            continue


def test_a_level_of_many_digits_is_no_level():
    for text in ("0001" + "9" * 5_000, "0001999999999"):
        with pytest.raises(ValidationError) as caught:
            topics.nodes(f"code;title;level\nA;b;{text}\n".encode(), "a.csv", "own")
        assert [v.path for v in caught.value.violations] == ["level"]


@pytest.mark.parametrize("text", ["a\0b", "\ufffe", "\x01"])
def test_what_no_store_holds_is_in_no_code_and_no_title(text):
    for row in ({"code": text, "title": "t"}, {"code": "A", "title": text}):
        with pytest.raises(ValidationError):
            topics.nodes(json.dumps([row]).encode(), "a.json", "own")
    with pytest.raises(ValidationError):
        topics.pairs(json.dumps({text: "B"}).encode(), "a.json", "own", "other")


def test_a_node_that_stands_above_itself_is_refused():
    rows = [
        {"code": code, "title": code, "parent": over} for code, over in ("AB", "BC", "CA", "DA")
    ]
    with pytest.raises(ValidationError) as caught:
        topics.nodes(json.dumps(rows).encode(), "a.json", "own")
    assert [v.code for v in caught.value.violations] == ["circle"]


def test_a_file_of_nothing_but_mistakes_is_told_by_its_first():
    rows = b"[" + b"{}," * 50_000 + b"{}]"
    with pytest.raises(ValidationError) as caught:
        topics.nodes(rows, "a.json", "own")
    assert len(caught.value.violations) <= topics.WRONG + 2
    with pytest.raises(TooLargeError):
        topics.nodes(b"[" + b"{}," * 1_000_000 + b"{}]", "a.json", "own")
