"""A delivery of a few rows in the official format, written by hand, and how it is loaded."""

from __future__ import annotations

import zipfile
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID
from xml.sax.saxutils import quoteattr

import psycopg

from adapters.fias.drift import Drift
from adapters.fias.load import Wish, load
from adapters.fias.members import Delivery

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = datetime(2026, 9, 9, 12, 0, tzinfo=UTC)
V1, V2, V3 = 20260901, 20260904, 20260908
DATES = {"UPDATEDATE": "2020-01-01", "STARTDATE": "2020-01-01", "ENDDATE": "2079-06-06"}
ROOTS = {
    "ADDR_OBJ": ("ADDRESSOBJECTS", "OBJECT"), "HOUSES": ("HOUSES", "HOUSE"),
    "ADM_HIERARCHY": ("ITEMS", "ITEM"), "MUN_HIERARCHY": ("ITEMS", "ITEM"),
    "ADDR_OBJ_DIVISION": ("ITEMS", "ITEM"), "ADDR_OBJ_PARAMS": ("PARAMS", "PARAM"),
    "HOUSES_PARAMS": ("PARAMS", "PARAM"), "APARTMENTS": ("APARTMENTS", "APARTMENT"),
    "STEADS": ("STEADS", "STEAD"), "ADDHOUSE_TYPES": ("HOUSETYPES", "HOUSETYPE"),
}  # fmt: skip
REGION, CITY, STREET, OLD = 1, 2, 3, 4


def guid(number: int) -> str:
    return str(UUID(int=number))


class Rows:
    """The rows of one region: a region, a city, a street of two names, a house."""

    def __init__(self, base: int = 0) -> None:
        self.base = base
        self.of: dict[str, list[dict[str, str]]] = {kind: [] for kind in ROOTS}
        self._id = base

    def add(self, kind: str, object_: int = 0, **more: Any) -> dict[str, str]:
        self._id += 1
        row = {"ID": str(self._id), "OBJECTID": str(self.base + object_), "CHANGEID": "1"}
        if kind in {"ADDR_OBJ", "HOUSES", "APARTMENTS", "STEADS"}:
            row |= {"OBJECTGUID": guid(self.base + object_), "OPERTYPEID": "10"}
            row |= {"PREVID": "0", "NEXTID": "0", "ISACTUAL": "1", "ISACTIVE": "1"}
        if kind.endswith("HIERARCHY"):
            row |= {"ISACTIVE": "1"}
        if kind.endswith("PARAMS"):
            row |= {"CHANGEIDEND": "0"}
        if kind == "ADDR_OBJ_DIVISION":
            del row["OBJECTID"]
        else:
            row |= DATES
        row |= {key: str(value) for key, value in more.items()}
        self.of[kind].append({key: value for key, value in row.items() if value != "None"})
        return self.of[kind][-1]

    def place(self, object_: int, *above: int, adm: bool = True, mun: bool = True) -> None:
        path = ".".join(str(self.base + one) for one in (*above, object_))
        parent = self.base + above[-1] if above else 0
        if adm:
            self.add("ADM_HIERARCHY", object_, PARENTOBJID=parent, PATH=path)
        if mun:
            self.add("MUN_HIERARCHY", object_, PARENTOBJID=parent, PATH=path, OKTMO="01701000001")

    def house(self, object_: int, number: str | None, *above: int, **more: Any) -> dict[str, str]:
        row = self.add("HOUSES", object_, HOUSENUM=number, **({"HOUSETYPE": 2} | more))
        self.place(object_, *(above or (REGION, CITY, STREET)))
        return row


def sample(base: int = 0) -> Rows:
    rows = Rows(base)
    rows.add("ADDR_OBJ", REGION, NAME="Воронежская", TYPENAME="обл.", LEVEL=1)
    rows.add("ADDR_OBJ", CITY, NAME="Воронеж", TYPENAME="г.", LEVEL=5)
    rows.add(
        "ADDR_OBJ", STREET, NAME="Дворянская", TYPENAME="ул.", LEVEL=8, ISACTUAL=0, ISACTIVE=0,
        ENDDATE="2020-05-01", NEXTID=base + 4,
    )  # fmt: skip
    rows.add("ADDR_OBJ", STREET, NAME="9 Января", TYPENAME="ул.", LEVEL=8, PREVID=base + 3)
    for object_, *above in ((REGION,), (CITY, REGION), (STREET, REGION, CITY)):
        rows.place(object_, *above)
    rows.add("ADDR_OBJ_PARAMS", STREET, TYPEID=7, VALUE="01701000002")
    rows.house(10, "68", ADDNUM1="2", ADDTYPE1=1)
    rows.add("HOUSES_PARAMS", 10, TYPEID=5, VALUE="394000")
    rows.add("HOUSES_PARAMS", 10, TYPEID=19, VALUE="1")
    rows.add("HOUSES_PARAMS", 10, TYPEID=13, VALUE="366010000010000000010001000000000")
    return rows


def xml(kind: str, rows: list[dict[str, str]], *, bom: bool = False) -> bytes:
    root, tag = ROOTS[kind]
    lines = [
        f"<{tag} " + " ".join(f"{key}={quoteattr(value)}" for key, value in row.items()) + " />"
        for row in rows
    ]
    text = f'<?xml version="1.0" encoding="utf-8"?>\n<{root}>' + "\n".join(lines) + f"</{root}>"
    return text.encode("utf-8-sig" if bom else "utf-8")


def name(kind: str, version: int = V1) -> str:
    return f"AS_{kind}_{version}_{guid(len(kind))}.XML"


def files(regions: dict[str, Rows], version: int = V1, *, bom: bool = False) -> dict[str, bytes]:
    """Return the files of a delivery by their names in the archive."""
    text = str(version)
    made = {"version.txt": f"{text[:4]}.{text[4:6]}.{text[6:]}\r\n".encode()}
    for region, rows in regions.items():
        for kind, of in rows.of.items():
            if of:
                made[f"{region}/{name(kind, version)}"] = xml(kind, of, bom=bom)
    return made


def archive(path: Path, of: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for file, body in of.items():
            packed.writestr(file, body)
    return path


@contextmanager
def connected(url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(url, autocommit=True, cursor_factory=psycopg.RawCursor) as db:
        yield db


def take(db: psycopg.Connection[Any], path: Path, **wish: Any):
    drift = Drift()
    with Delivery(path, drift) as delivery:
        return load(db, delivery, Wish(**wish), lambda: NOW, drift=drift)


def houses(db: psycopg.Connection[Any]) -> list[tuple[Any, ...]]:
    return db.execute("SELECT region, key, label FROM address_house ORDER BY 1, 2").fetchall()


def names(db: psycopg.Connection[Any], object_: int) -> list[tuple[Any, ...]]:
    query = "SELECT key, kind FROM address_name WHERE object = $1 ORDER BY 2, 1"
    return db.execute(query, (object_,)).fetchall()
