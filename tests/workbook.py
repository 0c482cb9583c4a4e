"""Workbooks for tests, put together by hand: nothing that writes them is among the dependencies."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from xml.sax.saxutils import escape

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELS = "http://schemas.openxmlformats.org/package/2006/relationships"
_DOC = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
EPOCH = dt.date(1899, 12, 30)
DAY_STYLE = 1


def workbook(*sheets: str, names=(), hidden=(), more=None, packing=zipfile.ZIP_DEFLATED) -> bytes:
    """Return a workbook of these sheets, each given as the XML within `sheetData`.

    names: of the sheets. hidden: numbers of those that are not shown, from 1. more: further
    members, or others in the place of our own.
    """
    numbers = range(1, len(sheets) + 1)
    names = names or [f"Лист{n}" for n in numbers]
    states = ["hidden" if n in hidden else "visible" for n in numbers]
    listed = "".join(
        f'<sheet name="{name}" sheetId="{n}" state="{state}" r:id="rId{n}"/>'
        for n, name, state in zip(numbers, names, states, strict=True)
    )
    related = "".join(
        f'<Relationship Id="rId{n}" Type="{_DOC}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in numbers
    )
    members = {
        "[Content_Types].xml": f'<Types xmlns="{_TYPES}"><Default Extension="xml"'
        ' ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{_RELS}"><Relationship Id="r1"'
        f' Type="{_DOC}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_DOC}"><sheets>{listed}</sheets>'
        "</workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_RELS}">{related}'
        f'<Relationship Id="rIdS" Type="{_DOC}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><cellXfs count="2"><xf numFmtId="0"/>'
        '<xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>',
    }
    for n, body in zip(numbers, sheets, strict=True):
        members[f"xl/worksheets/sheet{n}.xml"] = (
            f'<worksheet xmlns="{_MAIN}"><sheetData>{body}</sheetData></worksheet>'
        )
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", packing) as archive:
        for name, text in (members | (more or {})).items():
            archive.writestr(name, text if isinstance(text, bytes) else HEAD + text)
    return target.getvalue()


def sheet(rows, first=1) -> str:
    """Return rows of values as the XML of a sheet; days as a spreadsheet keeps them: as numbers."""
    made = []
    for n, row in enumerate(rows, first):
        cells = "".join(_cell(f"{_letters(at)}{n}", value) for at, value in enumerate(row, 1))
        made.append(f'<row r="{n}">{cells}</row>')
    return "".join(made)


def _cell(place: str, value: object) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, dt.date):
        return f'<c r="{place}" s="{DAY_STYLE}"><v>{(value - EPOCH).days}</v></c>'
    if isinstance(value, int | float):
        return f'<c r="{place}"><v>{value}</v></c>'
    return f'<c r="{place}" t="inlineStr"><is><t>{escape(str(value))}</t></is></c>'


def _letters(number: int) -> str:
    found = ""
    while number:
        number, rest = divmod(number - 1, 26)
        found = chr(65 + rest) + found
    return found
