"""The three formats of ССТУ, counted over the golden cases of their codec, like the fixtures'.

Cases that are refused on purpose (`error.json`, `encode_error.json`) and rows that are rejected do
not count: nothing of them is taken in, so nothing can be lost silently.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from adapters.sstu import analytics, review_csv
from adapters.sstu.decode import decode
from adapters.sstu.encode import encode
from gateway.adapter import Decoded, EncodeContext, Wire
from tests.contract.mappings.table import Leaves, extras_of
from tests.contract.mappings.trees import read_json

ROOT = Path(__file__).parent / "sstu"
ZONE = ZoneInfo("Europe/Moscow")
NOW = dt.datetime(2026, 4, 1, 12, tzinfo=ZONE)

_TYPED = ("number", "departmentId", "dt_modified", "receiveDate", "dispatchDate", "uploadDate",
          "exceptionMessage", "code", "status")  # fmt: skip
"""Fields of the node's list that have an attribute of `RemoteState`; it keeps the rest verbatim."""


class Count(NamedTuple):
    """One format's line of the table; counts are leaves or cells with something in them."""

    letter: str
    title: str
    cases: int
    mapped: int
    extras: int
    lost: int


def counts() -> list[Count]:
    """Return the lines for the list of the node, the JSON document and УРОГ's overview."""
    return [
        _count("A", "ССТУ list of the node", _list),
        _count("S", "ССТУ JSON", _document),
        _count("U", "УРОГ overview CSV", _overview),
    ]


def _count(letter: str, title: str, walk) -> Count:  # type: ignore[no-untyped-def]
    found = [
        walk(path.parent)
        for path in sorted(ROOT.glob(f"{letter.lower()}*/wire.*"))
        if not (path.parent / "error.json").exists()
        and not (path.parent / "encode_error.json").exists()
    ]
    before, extras, lost = (sum(column) for column in zip(*found, strict=True))
    return Count(letter, title, len(found), before - extras - lost, extras, lost)


def _decoded(case: Path) -> tuple[Wire, Decoded]:
    path = next(case.glob("wire.*"))
    wire = Wire(media_type="", body=path.read_bytes(), name=path.name)
    return wire, decode(wire, ZONE)


def _compared(before: Leaves, after: Leaves, extras: int) -> tuple[int, int, int]:
    lost = sum(path not in after or after[path] != value for path, value in before.items())
    return len(before), extras, lost


def _document(case: Path) -> tuple[int, int, int]:
    wire, decoded = _decoded(case)
    (item,) = decoded.items
    assert item.appeal
    options = case / "options.json"
    context = EncodeContext(
        now=NOW,
        files={file.sha256: file.data for file in item.files},
        options=json.loads(options.read_text()) if options.exists() else {},
    )
    meant = case / "wire_out.json"
    before = read_json(meant.read_bytes() if meant.exists() else wire.body)
    kept = sum(1 for _ in extras_of(item.appeal, "sstu"))
    return _compared(before, read_json(encode(item.appeal, context).body), kept)


def _overview(case: Path) -> tuple[int, int, int]:
    wire, decoded = _decoded(case)
    appeals = [item.appeal for item in decoded.items if item.appeal]
    rejected = {int(row.where) for row in decoded.rejected}
    before = _cells(wire.body, rejected)
    kept = sum(1 for appeal in appeals for _ in extras_of(appeal, review_csv.UROG))
    return _compared(before, _cells(review_csv.encode(appeals).body, set()), kept)


def _cells(body: bytes, without: set[int]) -> Leaves:
    """Return the filled cells by (number of the good row, header)."""
    header, *rows = csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), delimiter=";")
    good = [row for line, row in enumerate(rows, 2) if line not in without]
    return {
        f"{number}/{name}": cell
        for number, row in enumerate(good)
        for name, cell in zip(header, row, strict=False)
        if cell
    }


def _list(case: Path) -> tuple[int, int, int]:
    wire, decoded = _decoded(case)
    states = [item.expectation for item in decoded.items if item.expectation]
    back = read_json(analytics.encode(states))
    rejected = {row.where for row in decoded.rejected}
    rows = [row for n, row in enumerate(json.loads(wire.body)) if f"/{n}" not in rejected]
    before = read_json(json.dumps(rows).encode())
    verbatim = sum(path.rpartition("/")[2] not in _TYPED for path in before)
    return _compared(before, back, verbatim)
