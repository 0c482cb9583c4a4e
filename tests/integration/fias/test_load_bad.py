"""A delivery that cannot be loaded is refused with what to do, and what was loaded is untouched."""

import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import psycopg
import pytest

from adapters.fias import loads
from gateway.errors import (
    BusyError,
    ConfigurationError,
    GatewayError,
    MalformedError,
    NotFoundError,
    StateError,
    TooLargeError,
    UnsupportedError,
)
from tests.integration.fias import kit
from tests.integration.fias.kit import CITY, V1, V2, archive, files, sample

CHECKOUT = Path(__file__).resolve().parents[3]
HOUSES = f"36/{kit.name('HOUSES', V2)}"


@pytest.fixture
def db(pg_url, tmp_path):
    """A database that has a region already."""
    with kit.connected(pg_url) as connection:
        kit.take(connection, archive(tmp_path / "first.zip", files({"36": sample()})))
        yield connection


def refused(db, sort, path, **wish):
    before = kit.houses(db)
    with pytest.raises(GatewayError) as error:
        kit.take(db, path, **wish)
    assert isinstance(error.value, sort), error.value
    assert kit.houses(db) == before != []
    assert db.execute("SELECT version FROM address_version").fetchone() == (V1,)
    return error.value


def given(tmp_path, **changed):
    """A newer delivery with some of its files replaced, by the kind of table."""
    of = files({"36": sample()}, V2)
    for kind, body in changed.items():
        of[f"36/{kit.name(kind, V2)}"] = body
    return archive(tmp_path / "gar_xml.zip", of)


UNREADABLE = {
    "broken": (b"<HOUSES>\n<HOUSE ID='1'>\n</HOUSES>", MalformedError, "line 3"),
    "another": (b"<STEADS><STEAD ID='1'/></STEADS>", MalformedError, "STEADS"),
    "incomplete": (b"<HOUSES><HOUSE X='1'/></HOUSES>", MalformedError, "missing attribute ID"),
    "dtd": (b"<!DOCTYPE HOUSES []><HOUSES/>", UnsupportedError, "DTD"),
    "entities": (
        b"<!DOCTYPE h [<!ENTITY a 'b'><!ENTITY c '&a;&a;'>]><HOUSES>&c;</HOUSES>",
        UnsupportedError, "DTD",
    ),
    "long": (b"<HOUSES><HOUSE ID='" + b"9" * 3_000_000 + b"'/></HOUSES>", TooLargeError, "line 1"),
    "deep": (b"<HOUSES>" + b"<HOUSE>" * 1000 + b"</HOUSE>" * 500, TooLargeError, "16"),
    "empty": (b"", MalformedError, "line 1"),
    "encoding": (b"<?xml version='1.0' encoding='bogus'?><HOUSES/>", UnsupportedError, "bogus"),
}  # fmt: skip


def test_a_file_that_cannot_be_read_is_named_with_its_line(db, tmp_path):
    for body, kind, told in UNREADABLE.values():
        error = refused(db, kind, given(tmp_path, HOUSES=body))
        assert told in str(error)
        assert HOUSES in error.where
        assert error.todo


def test_a_truncated_archive_is_refused(db, tmp_path):
    path = given(tmp_path)
    path.write_bytes(path.read_bytes()[:-100])
    assert "fetch it again" in refused(db, MalformedError, path).todo


def test_a_damaged_archive_is_refused_where_the_damage_is(db, tmp_path):
    of = files({"36": sample()}, V2)
    with zipfile.ZipFile(tmp_path / "gar_xml.zip", "w", zipfile.ZIP_STORED) as packed:
        for name, body in of.items():
            packed.writestr(name, body)
    body = (tmp_path / "gar_xml.zip").read_bytes()
    (tmp_path / "gar_xml.zip").write_bytes(body.replace(b'HOUSENUM="68"', b'HOUSENUM="69"', 1))
    error = refused(db, MalformedError, tmp_path / "gar_xml.zip")
    assert (HOUSES in error.where, "CRC" in error.message) == (True, True)


def test_names_that_leave_the_archive_or_come_twice_are_refused(db, tmp_path):
    of = files({"36": sample()}, V2)
    assert "../x" in str(
        refused(db, MalformedError, archive(tmp_path / "a.zip", of | {"../x": b""}))
    )
    twice = archive(tmp_path / "b.zip", {HOUSES: b"<HOUSES/>", HOUSES.replace("AS_", "XX_"): b""})
    twice.write_bytes(twice.read_bytes().replace(b"XX_HOUSES", b"AS_HOUSES"))
    assert HOUSES in str(refused(db, MalformedError, tmp_path / "b.zip"))
    other = HOUSES.replace(kit.guid(6), kit.guid(7))
    mixed = archive(tmp_path / "c.zip", of | {other: of[HOUSES]})
    assert "две выгрузки" in refused(db, MalformedError, mixed).message


def test_an_encrypted_archive_is_refused(db, tmp_path):
    path = given(tmp_path)
    body = bytearray(path.read_bytes())
    for mark, place in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        body[body.index(mark) + place] |= 1
    path.write_bytes(bytes(body))
    assert "encrypted" in refused(db, MalformedError, path).message


def test_a_delivery_without_objects_of_a_wanted_region_is_refused(db, tmp_path):
    rows = sample()
    rows.of["ADDR_OBJ"].clear()
    refused(db, MalformedError, archive(tmp_path / "gar_xml.zip", files({"36": rows}, V2)))
    refused(db, NotFoundError, given(tmp_path), regions=("48",))
    refused(db, NotFoundError, archive(tmp_path / "x.zip", {"notes.txt": b"?"}))
    refused(db, NotFoundError, tmp_path / "nowhere.zip")
    nameless = archive(tmp_path / "y.zip", {f"36/{kit.name('HOUSES', 0)}": b"<HOUSES/>"})
    assert refused(db, NotFoundError, nameless)


def test_a_version_that_nothing_says_is_asked_for(db, tmp_path):
    path = archive(tmp_path / "y.zip", {f"36/AS_HOUSES_00000000_{kit.guid(1)}.XML": b"<HOUSES/>"})
    assert "--version" in refused(db, ConfigurationError, path).todo


def test_drift_of_the_format_is_told_and_does_not_stop_a_load(db, tmp_path):
    rows = sample()
    rows.of["HOUSES"][0]["COLOUR"] = "red"
    rows.house(70, "70")
    rows.of["HOUSES"][1].pop("UPDATEDATE")
    rows.house(71, "71")
    rows.of["HOUSES"][2].pop("OBJECTGUID")
    rows.house(72, "72", OBJECTGUID="not a guid")
    rows.house(73, "7\t3\\", HOUSETYPE="40000")
    rows.house(74, "7" * 2000)
    of = files({"36": rows}, V2)
    of[HOUSES] = (
        of[HOUSES].replace(b"</HOUSES>", b"<EXTRA A='1'/></HOUSES>").replace(b"\t", b"&#9;")
    )
    of[f"36/AS_CASTLES_{V2}_{kit.guid(3)}.XML"] = b"<CASTLES/>"
    of["36/nested.zip"] = b"PK"
    of[f"36/{kit.name('STEADS', V2)}"] = b"<"
    (done,) = kit.take(db, archive(tmp_path / "gar_xml.zip", of))
    assert [key for _, key, _ in kit.houses(db)] == ["68к2", "7/3", "70"]
    assert done.strange == {
        "unknown attribute COLOUR": 1, "missing attribute UPDATEDATE": 1,
        "missing attribute OBJECTGUID": 1, "unknown element EXTRA": 1, "bad value OBJECTGUID": 1,
        "bad value HOUSETYPE": 1, "bad value HOUSENUM": 1, "unknown table AS_CASTLES": 1,
        "unknown file": 1, "a number that no key can be made of": 1,
    }  # fmt: skip
    assert HOUSES in done.examples["unknown attribute COLOUR"][0]


def test_a_root_of_another_name_is_told(db, tmp_path):
    body = files({"36": sample()}, V2)[HOUSES].replace(b"HOUSES>", b"BUILDINGS>")
    (done,) = kit.take(db, given(tmp_path, HOUSES=body))
    assert (done.houses, done.strange) == (1, {"renamed root": 1})


def test_a_disk_that_is_too_small_is_refused_before_anything_is_written(db, tmp_path):
    path = archive(tmp_path / "gar_xml.zip", files({"36": sample(), "48": sample(100)}, V2))
    error = refused(db, TooLargeError, path, free=2_000)
    assert ("--region 36" in error.todo, "needed" in error.expected) == (True, True)
    assert db.execute("SELECT count(*) FROM gar_load").fetchone() == (1,)


def test_half_a_region_is_not_taken_for_a_whole_one(db, tmp_path):
    rows = sample()
    rows.of["ADDR_OBJ"] = rows.of["ADDR_OBJ"][:1]
    path = archive(tmp_path / "36.zip", files({"36": rows}, V2))
    assert "--delta" in refused(db, StateError, path).todo
    (done,) = kit.take(db, path, kind="full", smaller=True)
    assert done.objects == 1


def test_a_delivery_that_lacks_the_file_of_houses_does_not_take_them_away(db, tmp_path):
    of = files({"36": sample()}, V2)
    del of[HOUSES]
    path = archive(tmp_path / "36.zip", of)
    assert "--full" in refused(db, StateError, path).todo
    assert "--full" in refused(db, StateError, path, kind="full").todo  # as a schedule loads
    assert "houses" in refused(db, StateError, given(tmp_path, HOUSES=b"<HOUSES/>")).current_state
    (done,) = kit.take(db, path, kind="full", smaller=True)
    assert done.houses == 0


DICTIONARY = f"AS_HOUSE_TYPES_{V2}_{kit.guid(5)}.XML"


def dictionary(tmp_path, body):
    return archive(tmp_path / "gar_xml.zip", files({"36": sample()}, V2) | {DICTIONARY: body})


def test_a_dictionary_that_cannot_be_read_is_named(db, tmp_path):
    long = b"<HOUSETYPES><HOUSETYPE NAME='" + b"x" * 17_000_000 + b"'/></HOUSETYPES>"
    bogus = b"<?xml version='1.0' encoding='bogus'?><HOUSETYPES/>"
    nest = b"<HOUSETYPES>" * 20_000
    for body, kind in (
        (long, TooLargeError), (bogus, MalformedError), (nest, MalformedError),
        (b"<HOUSETYPES><HOUSETYPE", MalformedError), (b"<!DOCTYPE a []><a/>", UnsupportedError),
    ):  # fmt: skip
        error = refused(db, kind, dictionary(tmp_path, body))
        assert (DICTIONARY in error.where, bool(error.todo)) == (True, True)


def test_numbers_of_a_dictionary_that_no_column_takes_are_told(db, tmp_path):
    body = (
        b"<HOUSETYPES><HOUSETYPE ID='99999999999' NAME='a'/><HOUSETYPE ID='-1' NAME='b'/>"
        b"<HOUSETYPE ID='2147483647' LEVEL='99999' NAME='c'/></HOUSETYPES>"
    )
    (done,) = kit.take(db, dictionary(tmp_path, body))
    assert done.strange == {"bad row of a dictionary": 2}
    assert db.execute("SELECT id, level FROM gar_type WHERE name = 'c'").fetchone() == (
        2**31 - 1, 0,
    )  # fmt: skip


def test_folders_that_are_no_region_are_not_taken_for_one(db, tmp_path):
    of = files({"36": sample()}, V2)
    for folder in ("00", "0x", "100", "\u0663\u0666"):
        of |= files({folder: sample(1000)}, V2)
    (done,) = kit.take(db, archive(tmp_path / "gar_xml.zip", of))
    assert done.region == "36"
    assert done.strange == {"a table outside of the folders of regions": 24}


def test_a_made_up_chain_of_places_or_successors_ends(db, tmp_path):
    rows = sample()
    for number in range(1000, 1300):
        rows.add("ADDR_OBJ", number, NAME=f"П{number}", TYPENAME="ул.", LEVEL=8)
        rows.add("ADM_HIERARCHY", number, PARENTOBJID=CITY if number == 1000 else number - 1)
        rows.add(
            "ADDR_OBJ", number + 1000, NAME=f"Б{number}", TYPENAME="ул.", LEVEL=8, ISACTUAL=0,
            ISACTIVE=0,
        )  # fmt: skip
        after = number + 1001 if number < 1299 else kit.STREET
        rows.add("ADDR_OBJ_DIVISION", PARENTID=number + 1000, CHILDID=after)
    (done,) = kit.take(db, archive(tmp_path / "gar_xml.zip", files({"36": rows}, V2)))
    assert done.strange["objects under each other in a ring"] == 300 - 62
    heirs = "SELECT count(*) FROM address_name WHERE kind = 2 AND object = $1"
    assert db.execute(heirs, (kit.STREET,)).fetchone() == (64,)


def test_one_load_at_a_time(db, pg_url, tmp_path):
    with kit.connected(pg_url) as other, loads.alone(other):
        error = refused(db, BusyError, given(tmp_path))
        assert str(other.info.backend_pid) in error.where
    assert kit.take(db, given(tmp_path))[0].version == V2


def test_tables_that_somebody_holds_are_not_waited_for_without_end(db, pg_url, tmp_path):
    path = given(tmp_path)
    with psycopg.connect(pg_url) as other:
        other.execute("SELECT count(*) FROM address_house")
        error = refused(db, BusyError, path, tries=1)
        assert str(other.info.backend_pid) in error.where
    (done,) = kit.take(db, path)
    assert (done.version, done.kept_files) == (V2, 6)


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.integration.fias import kit
from adapters.fias.drift import Drift
from adapters.fias.load import Wish, load
from adapters.fias.members import Delivery

def told(name, size, rows):
    if "HOUSES_PARAMS" in name:
        os.kill(os.getpid(), signal.SIGKILL)

with Delivery(Path(sys.argv[2]), Drift()) as delivery, kit.connected(sys.argv[1]) as db:
    load(db, delivery, Wish(), lambda: kit.NOW, told)
"""


def test_a_load_that_was_killed_goes_on_with_the_files_that_are_missing(db, pg_url, tmp_path):
    path = given(tmp_path)
    dead = subprocess.run(
        [sys.executable, "-c", KILLED, pg_url, str(path)], cwd=CHECKOUT, check=False,
        env=os.environ | {"PYTHONPATH": str(CHECKOUT)},
    )  # fmt: skip
    assert dead.returncode == -signal.SIGKILL
    assert db.execute("SELECT version FROM address_version").fetchone() == (V1,)
    (broken,) = loads.status(db, kit.NOW)["broken_off"]
    assert (broken["region"], broken["version"], broken["files"]) == ("36", V2, 5)
    (done,) = kit.take(db, path)
    assert (done.version, done.kept_files, done.houses) == (V2, 5, 1)
    assert done.rows["gar_houses"] == 1


def test_a_restart_forgets_what_was_staged(db, pg_url, tmp_path):
    path = given(tmp_path, HOUSES_PARAMS=b"<PARAMS><PARAM></PARAMS>")
    refused(db, MalformedError, path)
    (done,) = kit.take(db, given(tmp_path), restart=True)
    assert done.kept_files == 0
    assert loads.status(db, kit.NOW)["broken_off"] == []
