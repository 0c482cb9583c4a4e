"""Deltas go over what is loaded only where nothing is missing between them."""

import pytest

from adapters.fias import loads
from gateway.errors import StateError
from tests.integration.fias import kit
from tests.integration.fias.kit import STREET, V1, V2, V3, Rows, archive, files, sample


@pytest.fixture
def db(pg_url, tmp_path):
    """A database that has two regions of the first version."""
    with kit.connected(pg_url) as connection:
        both = {"36": sample(), "48": sample(1000)}
        kit.take(connection, archive(tmp_path / "first.zip", files(both)))
        yield connection


def versions(db):
    return db.execute("SELECT region, version FROM address_version ORDER BY 1").fetchall()


def renamed(version=V2):
    """A street gets another name, a house is gone, another one is new, as a delta says it."""
    rows, made = sample(), Rows(5000)
    old = next(r for r in rows.of["ADDR_OBJ"] if r["NAME"] == "9 Января")
    closed = {"ISACTUAL": "0", "ISACTIVE": "0", "ENDDATE": "2026-09-01"}
    made.of["ADDR_OBJ"].append(old | closed | {"NEXTID": "5001"})
    made.add("ADDR_OBJ", NAME="Девятого Мая", TYPENAME="ул.", LEVEL=8, OBJECTID=STREET,
             OBJECTGUID=kit.guid(STREET), PREVID=old["ID"])  # fmt: skip
    made.of["HOUSES"].append(rows.of["HOUSES"][0] | closed)
    made.base = 0
    made.house(11, "70")
    return files({"36": made}, version)


def test_a_delta_changes_what_it_names_and_nothing_else(db, tmp_path):
    path = archive(tmp_path / "gar_delta_xml.zip", renamed())
    done = kit.take(db, path, after=V1)
    assert [(one.region, one.state) for one in done] == [("36", "loaded"), ("48", "no change")]
    assert kit.houses(db) == [(36, "70", "д. 70"), (48, "68к2", "д. 68, к. 2")]
    assert kit.names(db, STREET) == [("9 мая", 0), ("9 января", 1), ("дворянская", 1)]
    assert versions(db) == [(36, V2), (48, V2)]
    again = kit.take(db, path, after=V1)
    assert {one.state for one in again} == {"applied already"}


def test_words_of_a_delta_are_put_over_those_that_are_there(db, tmp_path):
    words = [
        {"ID": id_, "NAME": name, "SHORTNAME": short, "ISACTIVE": "true"} | kit.DATES
        for id_, name, short in (("1", "Блок", "бл."), ("2", "Строение", "стр."))
    ]
    file = kit.name("ADDHOUSE_TYPES")
    full = files({"36": sample()}) | {file: kit.xml("ADDHOUSE_TYPES", words)}
    kit.take(db, archive(tmp_path / "gar_xml.zip", full))
    words[0]["NAME"] = "Корпус"
    changed = renamed() | {file: kit.xml("ADDHOUSE_TYPES", words[:1])}
    kit.take(db, archive(tmp_path / "gar_delta_xml.zip", changed), after=V1)
    query = "SELECT id, name FROM gar_type WHERE dictionary = 'addhouse_types' ORDER BY 1"
    assert db.execute(query).fetchall() == [(1, "Корпус"), (2, "Строение")]


def test_a_second_delta_goes_over_the_first_and_takes_it_back(db, tmp_path):
    kit.take(db, archive(tmp_path / "gar_delta_xml.zip", renamed()), after=V1)
    back = Rows()
    back.of["HOUSES"].append(sample().of["HOUSES"][0])
    kit.take(db, archive(tmp_path / "gar_delta_xml.zip", files({"36": back}, V3)), after=V2)
    assert [key for _, key, _ in kit.houses(db)] == ["68к2", "70", "68к2"]
    assert versions(db) == [(36, V3), (48, V3)]


def test_a_delta_out_of_order_asks_for_a_full_delivery(db, tmp_path):
    path = archive(tmp_path / "gar_delta_xml.zip", renamed(V3))
    for wish, told in (({"after": V2}, "missing"), ({}, "--after")):
        with pytest.raises(StateError) as error:
            kit.take(db, path, **wish)
        assert told in str(error.value)
    kit.take(db, path, after=V1)
    with pytest.raises(StateError, match="older"):
        kit.take(db, archive(tmp_path / "gar_delta_xml.zip", renamed(V2)), after=V1)
    with pytest.raises(StateError, match="not loaded"):
        kit.take(db, path, after=V1, regions=("77",))
    assert versions(db) == [(36, V3), (48, V3)]


def test_a_delta_over_rows_that_a_crash_took_asks_for_a_full_delivery(db, tmp_path):
    assert [one["deltas"] for one in loads.status(db, kit.NOW)["regions"]] == [True, True]
    db.execute("TRUNCATE gar_addr_obj")
    with pytest.raises(StateError, match="full delivery"):
        kit.take(db, archive(tmp_path / "gar_delta_xml.zip", renamed()), after=V1)
    assert [one["deltas"] for one in loads.status(db, kit.NOW)["regions"]] == [False, False]
    assert [key for _, key, _ in kit.houses(db)] == ["68к2", "68к2"]


def test_a_delta_that_breaks_half_way_changes_nothing(db, tmp_path):
    of = renamed()
    of[f"36/{kit.name('ADM_HIERARCHY', V2)}"] = b"<ITEMS><ITEM"
    with pytest.raises(Exception, match="not well-formed"):
        kit.take(db, archive(tmp_path / "gar_delta_xml.zip", of), after=V1)
    assert kit.names(db, STREET)[0] == ("9 января", 0)
    assert db.execute("SELECT count(*) FROM gar_houses WHERE region = 36").fetchone() == (1,)
    assert versions(db) == [(36, V1), (48, V1)]
