"""Reads a body's own file of a classifier, or of what codes of one mean in another; pure.

| file | what is read |
|---|---|
| .docx | rows of its tables that hold a code of ССТУ and a title beside it |
| .csv | a header: code, title, and parent, level, valid_from, valid_to where there are any |
| .json | a list of objects with the same names, or an object with such a list as `nodes` |

Of a document for people the digits of footnotes go, in superscript or stuck to a code, and so do
its own lists (`0000.…`) and padding (`0005.0005.0056.0000`). Nothing of a file with one violation
is taken: a classifier that is half of two is worse than an old one.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import msgspec
from lxml import etree

from gateway import limits, xml
from gateway.archives import BROKEN, opened
from gateway.errors import MalformedError, TooLargeError, ValidationError, Violation
from gateway.jsontext import check_values
from gateway.model.fold import FORBIDDEN
from gateway.topics import Node, canonical, is_shaped, level_of, parent_of
from gateway.topics.codes import SSTU, is_methodical, is_short
from import_export import encoding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lxml.etree import _Element

FILE_BYTES: Final = 64 * limits.MB
NODES: Final = 100_000
WRONG: Final = 1_000
"""Violations that are told of one file; nobody reads more, and 45 MB of `{},` took 5 GB of them."""
MARKS: Final = 4_000_000
"""Tags of a document; one of twenty thousand topics has a million."""
TITLE_CHARS: Final = 2_000
CODE_CHARS: Final = 100
_W: Final = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_DOCUMENT: Final = "word/document.xml"
_CHUNK: Final = 256 * limits.KB
_CODE: Final = re.compile(r"\d{4}(?:\.\d{4}){0,3}(?:\.\d{4,6})?\.?")
_NAMES: Final = {
    "код": "code", "code": "code",
    "наименование": "title", "название": "title", "title": "title", "name": "title",
    "родитель": "parent", "parent": "parent",
    "уровень": "level", "level": "level",
    "действует с": "valid_from", "valid_from": "valid_from",
    "действует по": "valid_to", "valid_to": "valid_to",
}  # fmt: skip
_FROM: Final = {"from": "from", "из": "from", "code": "from", "код": "from"}
_TO: Final = {"to": "to", "в": "to", "to_code": "to", "код в": "to"}


class Line(NamedTuple):
    """One row as the file gives it, and its place: a line, or the ordinal of a row or an object."""

    number: int
    values: Mapping[str, str]


class Read(NamedTuple):
    """Nodes of a file, and what of it was left out and why, for people."""

    nodes: tuple[Node, ...]
    skipped: tuple[str, ...]


def nodes(data: bytes, name: str, system: str, above: frozenset[str] = frozenset()) -> Read:
    """Return the nodes of a file, in its order.

    above: codes that are there already, which a file of a part may hang its nodes on. Raises
    MalformedError for a file that is not what its name says, TooLargeError past a limit,
    ValidationError with every violation of every row.
    """
    _bounded(data)
    skipped: list[str] = []
    suffix = name.lower().rpartition(".")[2]
    if suffix == "docx":
        lines = list(_tree(_rows(data), skipped))
    elif suffix == "json":
        lines = list(_objects(data, "nodes", _NAMES))
    else:
        lines = list(_table(data, _NAMES, ("code", "title")))
    return Read(_nodes(lines, system, above, skipped), tuple(skipped))


def pairs(data: bytes, name: str, system: str, to_system: str) -> dict[str, str]:
    """Return what codes mean in another classifier; empty for a code to be taken off the table.

    CSV with the columns `from` and `to`; JSON as a list of such objects, or one object from code to
    code. Raises as `nodes`.
    """
    _bounded(data)
    if name.lower().endswith(".json"):
        lines = list(_objects(data, "map", {**_FROM, **_TO}))
    else:
        lines = list(_table(data, {**_FROM, **_TO}, ("from", "to")))
    found: list[Violation] = []
    made: dict[str, str] = {}
    for line in lines:
        code = canonical(system, line.values.get("from", ""))
        to = canonical(to_system, line.values.get("to", ""))
        if not _fits(system, code):
            found.append(_wrong(line, "from", "code", "не код · not a code", code))
        elif to and not _fits(to_system, to):
            found.append(_wrong(line, "to", "code", "не код · not a code", to))
        elif made.setdefault(code, to) != to:
            found.append(_wrong(line, "from", "twice", "код уже был · stands twice", code))
        if len(found) > WRONG:
            break
    _refuse(found)
    return made


def _bounded(data: bytes) -> None:
    if len(data) > FILE_BYTES:
        raise TooLargeError(
            "the file is too large", found=f"{len(data)} bytes", expected=f"{FILE_BYTES} bytes"
        )


def _nodes(
    lines: Iterable[Line], system: str, above: frozenset[str], skipped: list[str]
) -> tuple[Node, ...]:
    made: dict[str, Node] = {}
    found: list[Violation] = []
    for line in lines:
        code = canonical(system, line.values.get("code", ""))
        if is_methodical(system, code):
            skipped.append(f"{code}: перечень самого документа · a list of the document itself")
            continue
        node = _node(line, code, system, found)
        if len(found) > WRONG:
            break
        known = made.setdefault(code, node) if code else node
        if known.title.casefold() != node.title.casefold():
            message = "код уже был с другим названием · stands twice with another title"
            found.append(_wrong(line, "code", "twice", message, code))
        if len(made) > NODES:
            raise TooLargeError("too many topics", expected=str(NODES))
    _together(made, above, found)
    _refuse_circles(made, found)
    _refuse(found)
    if not made:
        raise MalformedError(
            "no topics were found in the file",
            expected="rows with a code and a title" + (" (0000.0000.…)" if system == SSTU else ""),
        )
    return tuple(made.values())


def _node(line: Line, code: str, system: str, found: list[Violation]) -> Node:
    told = line.values
    title = " ".join(told.get("title", "").split())
    if not _fits(system, code):
        found.append(_wrong(line, "code", "code", "не код · not a code", code))
    if not title or len(title) > TITLE_CHARS or FORBIDDEN.search(title):
        message = "нужно название · a title is needed"
        found.append(_wrong(line, "title", "required", message, title[:60]))
    parent = canonical(system, told.get("parent", "")) or parent_of(system, code)
    return Node(
        system=system,
        code=code,
        title=title,
        parent=parent,
        level=level_of(system, code) or _level(line, found),
        valid_from=_day(line, "valid_from", found),
        valid_to=_day(line, "valid_to", found),
    )


def _fits(system: str, code: str) -> bool:
    plain = not any(c in code for c in "\n\t|") and FORBIDDEN.search(code) is None
    return is_shaped(system, code) and len(code) <= CODE_CHARS and plain


def _together(made: Mapping[str, Node], above: frozenset[str], found: list[Violation]) -> None:
    """Refuse a node whose parent is nowhere: a row was lost, or a code is misspelt."""
    for number, node in enumerate(made.values(), 1):
        if node.parent and node.parent not in made and node.parent not in above:
            message = "нет узла выше · there is no such node above"
            found.append(
                _wrong(Line(number, {}), f"{node.code}/parent", "parent", message, node.parent)
            )


def _refuse_circles(made: Mapping[str, Node], found: list[Violation]) -> None:
    """Refuse a node that stands above itself: who goes up from it would never arrive."""
    ends: set[str] = set()
    for number, node in enumerate(made.values(), 1):
        way: dict[str, None] = {}
        code = node.code
        while code in made and code not in ends and code not in way:
            way[code] = None
            code = made[code].parent
        if code in way:
            message = "узел стоит над самим собой · a node stands above itself"
            found.append(_wrong(Line(number, {}), f"{code}/parent", "circle", message, code))
        ends |= way.keys()


def _level(line: Line, found: list[Violation]) -> int:
    text = line.values.get("level", "").strip()
    if not text:
        return 0
    if text.isascii() and text.isdigit() and len(text) <= 4 and 0 < int(text) < 100:
        return int(text)
    found.append(_wrong(line, "level", "number", "не уровень · not a level", text))
    return 0


def _day(line: Line, name: str, found: list[Violation]) -> dt.date | None:
    text = line.values.get(name, "").strip()
    for pattern in ("%Y-%m-%d", "%d.%m.%Y"):
        try:
            return dt.datetime.strptime(text, pattern).date() if text else None  # noqa: DTZ007
        except ValueError:
            continue
    expected = "ГГГГ-ММ-ДД | ДД.ММ.ГГГГ"
    found.append(_wrong(line, name, "date", "не дата · not a date", text, expected))
    return None


def _wrong(
    line: Line, place: str, code: str, message: str, value: str, expected: str = ""
) -> Violation:
    return Violation(place, code, message, value[:100], expected, line.number)


def _refuse(found: list[Violation]) -> None:
    if found:
        raise ValidationError(f"the file is not taken: {len(found)} violations", tuple(found))


def _table(data: bytes, names: Mapping[str, str], needed: tuple[str, ...]) -> Iterator[Line]:
    codec = encoding.detect(io.BytesIO(data))
    try:
        text = data.decode("utf-8-sig" if codec == "utf-8" else codec)
    except UnicodeDecodeError as error:
        raise MalformedError("the table is not text", found=str(error)) from error
    header = text.partition("\n")[0]
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=max(";,\t", key=header.count), strict=True
    )
    try:
        columns = [names.get(cell.strip().lower(), "") for cell in next(reader, [])]
        missing = [name for name in needed if name not in columns]
        if missing or len(set(filter(None, columns))) != len(list(filter(None, columns))):
            raise MalformedError(
                "the table has no such columns", found=header[:200], expected=", ".join(needed)
            )
        for cells in reader:
            if any(cell.strip() for cell in cells):
                told = zip(columns, cells, strict=False)
                yield Line(reader.line_num, {k: v.strip() for k, v in told if k})
    except csv.Error as error:
        raise MalformedError(f"the table cannot be read: {error}") from error


def _objects(data: bytes, member: str, names: Mapping[str, str]) -> Iterator[Line]:
    check_values(data, 10 * NODES)
    try:
        document = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise MalformedError("the file is not JSON", found=str(error)) from error
    listed: Any = document
    if isinstance(document, dict):
        listed = document.get(member, document)
    if isinstance(listed, dict):  # an object from code to code
        listed = [{"from": key, "to": value} for key, value in listed.items()]
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        raise MalformedError("the file is not a list of objects", expected='[{"code": …}, …]')
    for number, item in enumerate(listed, 1):
        told = {names.get(str(k).lower(), ""): v for k, v in item.items()}
        yield Line(
            number,
            {k: str(v) for k, v in told.items() if k and isinstance(v, str | int)},
        )


def _tree(rows: Iterable[tuple[str, str]], skipped: list[str]) -> Iterator[Line]:
    """Yield the rows that belong to the tree of the classifier.

    A row of one block is a section when other codes begin with it; else it belongs to a list of
    shared last blocks, or is a mere number.
    """
    listed = list(rows)
    above = {parent_of(SSTU, canonical(SSTU, code)) for code, _ in listed}
    seen: set[str] = set()
    for number, (raw, title) in enumerate(listed, 1):
        code = canonical(SSTU, raw)
        if is_short(SSTU, code) and (code not in above or code in seen):
            skipped.append(f"{code}: не раздел · not a section: {title[:60]}")
            continue
        seen.add(code)
        yield Line(number, {"code": code, "title": title})


def _rows(data: bytes) -> Iterator[tuple[str, str]]:
    """Yield code and title of every row of a document's tables that has both."""
    document = _member(data)
    if b"<!DOCTYPE" in document or b"\0" in document:
        raise MalformedError("the document has a DTD or is not in UTF-8", where=_DOCUMENT)
    if document.count(b"<") > MARKS:
        raise TooLargeError("too many elements in the document", expected=f"at most {MARKS} tags")
    options = {key: value for key, value in xml.OPTIONS.items() if key != "dtd_validation"}
    try:
        for _, row in etree.iterparse(
            io.BytesIO(document), events=("end",), tag=f"{_W}tr", **cast("Any", options)
        ):
            cells = [_cell(cell) for cell in row.iterchildren(f"{_W}tc")]
            row.clear()
            place = next((n for n, c in enumerate(cells) if _CODE.fullmatch(_compact(c))), None)
            if place is None:
                continue
            title = max((c for n, c in enumerate(cells) if n != place), key=len, default="")
            if title and not _CODE.fullmatch(_compact(title)):
                yield _compact(cells[place]), title
    except etree.XMLSyntaxError as error:
        raise MalformedError("the document is not XML", found=str(error)) from error


def _compact(text: str) -> str:
    return "".join(text.split())


def _cell(cell: _Element) -> str:
    """Return the text of a cell without what stands in superscript: the numbers of footnotes."""
    parts: list[str] = []
    for paragraph in cell.iter(f"{_W}p"):
        for run in paragraph.iter(f"{_W}r"):
            raised = run.find(f"{_W}rPr/{_W}vertAlign")
            if raised is not None and raised.get(f"{_W}val") == "superscript":
                continue
            for part in run:
                if part.tag == f"{_W}t":
                    parts.append(part.text or "")
                elif part.tag in {f"{_W}tab", f"{_W}br"}:
                    parts.append(" ")
        parts.append(" ")
    return " ".join("".join(parts).split())


def _member(data: bytes) -> bytes:
    """Return the text of a document, unpacked within limits."""
    archive, _ = opened(data)
    try:
        info = archive.getinfo(_DOCUMENT)
        most = min(limits.ZIP_MEMBER_BYTES, max(info.compress_size, 1) * limits.ZIP_RATIO)
        out = bytearray()
        with archive.open(info) as stream:
            while chunk := stream.read(_CHUNK):
                out += chunk
                if len(out) > most:
                    raise TooLargeError("the document is too large unpacked", where=_DOCUMENT)
    except KeyError as error:
        raise MalformedError("not a document of this kind", expected=_DOCUMENT) from error
    except BROKEN as error:
        raise MalformedError("the document cannot be unpacked", found=str(error)) from error
    return bytes(out)
