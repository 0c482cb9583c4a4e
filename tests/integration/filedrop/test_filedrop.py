"""What a partner who drops files gets back, and what the gateway holds afterwards."""

from __future__ import annotations

import hashlib
import os
import threading
from datetime import timedelta

import msgspec
import pytest
from lxml import etree

from gateway import contracts
from gateway.errors import BusyError, MalformedError
from import_export.filedrop import FileDrop, run_once
from import_export.inbox import Directories, Sightings
from import_export.known import StoreKnown
from import_export.profile import PROFILES
from import_export.snapshot import take

from .conftest import table

GOOD = "А26-1;01.02.2026;Жалоба;Иванов Иван;04000000;Нет света во дворе"
OTHER = "А26-2;02.02.2026;Заявление;Петров Пётр;04000000;Прошу починить крышу"
BAD = "А26-3;31.02.2026;жалобба;Сидоров;4000000;Текст"


def test_bad_rows_of_a_cp1251_file_are_answered_by_row_and_column_while_the_rest_lands(drop):
    drop.put("register.csv", table(GOOD, BAD, OTHER))
    (report,) = drop.look().files
    assert (report.accepted, report.rejected, report.place) == (2, 1, "done")
    errors = drop.answers("register.csv.err.csv")
    assert [(e["row"], e["column"], e["rule"]) for e in errors] == [
        ("3", "Дата поступления", "date"),
        ("3", "Вид", "enumeration"),
        ("3", "ОКТМО", "oktmo_zero"),
    ]
    assert errors[0]["found"] == "31.02.2026"
    assert "не дата" in errors[0]["reason_ru"]
    acks = drop.answers("register.csv.ack.csv")
    assert [(a["row"], a["external_id"], a["result"]) for a in acks] == [
        ("2", "А26-1", "accepted"),
        ("4", "А26-2", "accepted"),
    ]
    stored = dict(drop.rows("SELECT external_id, receipt_number FROM appeal"))
    assert {a["external_id"]: a["receipt_number"] for a in acks} == stored
    assert {a["accepted_at"] for a in acks} == {drop.now.isoformat()}
    assert drop.rows("SELECT DISTINCT accepted_at FROM ledger") == [(drop.now,)]
    assert drop.names("done") == ["register.csv"]
    assert drop.names("in") == drop.names("work") == drop.names("error") == []


def test_a_row_from_the_future_is_answered_by_its_column_and_history_is_taken(drop):
    ahead = f"{drop.now + timedelta(days=3):%d.%m.%Y}"
    drop.put(
        "register.csv",
        table(GOOD.replace("01.02.2026", ahead), OTHER.replace("02.02.2026", "02.02.1998")),
    )
    (report,) = drop.look().files
    assert (report.accepted, report.rejected) == (1, 1)
    (error,) = drop.answers("register.csv.err.csv")
    assert (error["row"], error["column"], error["rule"]) == ("2", "Дата поступления", "future")
    assert error["found"] == ahead
    assert "позже" in error["reason_ru"]


def test_each_row_is_kept_as_its_own_bytes_and_points_at_the_file_it_came_in(drop):
    data = table(GOOD, BAD)
    drop.put("register.csv", data)
    (report,) = drop.look().files
    ((file_id, body, note),) = drop.rows(
        "SELECT id, body, note FROM message WHERE operation = 'file'"
    )
    assert bytes(body) == data
    assert (str(file_id), note["name"]) == (report.file_id, "register.csv")
    rows = drop.rows(
        "SELECT body, note, stage FROM message WHERE operation = 'submit' ORDER BY note ->> 'row'"
    )
    assert [bytes(row[0]) for row in rows] == [
        f"{GOOD}\r\n".encode("cp1251"),
        f"{BAD}\r\n".encode("cp1251"),
    ]
    assert [(r[1]["file"], r[1]["row"], r[2]) for r in rows] == [
        (report.file_id, 2, "accepted"),
        (report.file_id, 3, "undecodable"),
    ]


def test_a_large_file_is_stored_once_outside_the_database(drop):
    rows = [f"А26-{n};01.02.2026;Жалоба;Иванов;04000000;{'ы' * 600}" for n in range(600)]
    data = table(*rows)
    drop.put("big.csv", data)
    (report,) = drop.look().files
    assert report.accepted == 600
    ((body, blob),) = drop.rows("SELECT body, blob FROM message WHERE operation = 'file'")
    assert body is None
    assert bytes(blob) == hashlib.sha256(data).digest()
    assert drop.blobs.get(bytes(blob)) == data


def test_the_whole_register_dropped_again_gives_the_same_receipts_and_changes_become_revisions(
    drop,
):
    drop.put("monday.csv", table(GOOD, OTHER))
    drop.look()
    first = {a["external_id"]: a for a in drop.answers("monday.csv.ack.csv")}
    changed = OTHER.replace("крышу", "крышу и подвал")
    drop.put("tuesday.csv", table(GOOD, changed))
    (report,) = drop.look().files
    assert (report.repeat, report.amended) == (1, 1)
    second = {a["external_id"]: a for a in drop.answers("tuesday.csv.ack.csv")}
    assert second["А26-1"]["receipt_number"] == first["А26-1"]["receipt_number"]
    assert second["А26-1"]["accepted_at"] == first["А26-1"]["accepted_at"]
    assert (second["А26-2"]["revision"], second["А26-2"]["result"]) == ("2", "amended")
    ((amendment,),) = drop.rows("SELECT decoded FROM message WHERE operation = 'amend'")
    assert "подвал" in bytes(amendment).decode(), "triage must be told what to apply"
    drop.put("wednesday.csv", table(GOOD, changed))
    assert drop.look().files[0].repeat == 2
    drop.put("thursday.csv", table(GOOD, OTHER))
    assert drop.look().files[0].amended == 1
    assert drop.answers("thursday.csv.ack.csv")[1]["revision"] == "3"
    assert drop.count("appeal") == 2


def test_the_same_number_with_other_content_twice_in_one_file_is_a_conflict(drop):
    drop.put("r.csv", table(GOOD, GOOD.replace("света", "воды")))
    (report,) = drop.look().files
    assert (report.accepted, report.conflict) == (1, 1)
    (error,) = drop.answers("r.csv.err.csv")
    (ack, conflict) = drop.answers("r.csv.ack.csv")
    assert (error["row"], error["code"]) == ("3", "conflict")
    assert conflict["result"] == "conflict"
    assert error["found"] == conflict["receipt_number"] == ack["receipt_number"]


@pytest.mark.parametrize(
    ("name", "data", "code", "rule"),
    [
        ("empty.csv", b"", "malformed", "empty"),
        ("empty.xml", b"", "malformed", "empty"),
        ("header-only.csv", table(), "validation", "no_rows"),
        ("half.xml", b'<Appeals xmlns="urn:gov:appeals:v1"><AppealIn><Ext', "malformed", "xml"),
        ("other.xml", b"<a/>", "validation", "root"),
        ("dtd.xml", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "malformed", "doctype"),
        ("book.xlsx", b"PK\x03\x04xxxx", "unsupported", "workbook"),
        ("header.csv", "Номер;Вид\r\n1;Жалоба\r\n".encode("cp1251"), "validation", "header"),
        ("utf16.csv", "Номер".encode("utf-16"), "unsupported", "utf16"),
        ("utf8.csv", table(GOOD).decode("cp1251").encode(), "malformed", "utf8_not_cp1251"),
        (
            "bom.csv",
            table(GOOD).decode("cp1251").encode("utf-8-sig"),
            "malformed",
            "utf8_not_cp1251",
        ),
    ],
)
def test_a_file_that_cannot_be_read_goes_to_error_with_its_reason_and_is_kept(
    drop, name, data, code, rule
):
    drop.put(name, data)
    (report,) = drop.look().files
    assert report.place == "error"
    assert drop.names("error") == [name]
    encoding = "utf-8" if name.endswith(".xml") else "cp1251"
    (error,) = drop.answers(f"{name}.err.csv", encoding)
    assert (error["code"], error["rule"]) == (code, rule)
    assert error["reason_ru"]
    assert drop.names("out") == [f"{name}.err.csv"]
    ((body,),) = drop.rows("SELECT body FROM message WHERE operation = 'file'")
    assert bytes(body) == data
    assert drop.count("appeal") == 0


def test_a_file_past_the_limit_is_answered_and_stays_whole_in_error(make_drop, tmp_path):
    text = "max_bytes = 10\n"
    shipped = (
        (PROFILES / "legacy-cp1251.toml")
        .read_text("utf-8")
        .replace("[table]\n", f"[table]\n{text}", 1)
    )
    (tmp_path / "small.toml").write_text(shipped, "utf-8")
    drop = make_drop(str(tmp_path / "small.toml"))
    drop.put("r.csv", table(GOOD))
    (report,) = drop.look().files
    assert report.error == "too_large"
    assert (drop.inbox.path / "error" / "r.csv").read_bytes() == table(GOOD)


def test_partial_hidden_and_linked_files_are_left_alone(drop, tmp_path):
    for name in ("a.csv.part", "b.csv.tmp", ".c.csv", "d.csv.filepart"):
        drop.put(name, table(GOOD))
    secret = tmp_path / "secret"
    secret.write_text("x")
    (drop.inbox.path / "in" / "link.csv").symlink_to(secret)
    assert drop.look().files == ()


def test_a_file_is_taken_only_after_it_stood_still(make_drop):
    drop = make_drop(settle_seconds=5.0)
    sightings = Sightings()

    def look(seconds):
        return run_once(
            drop.inbox, drop.committer, drop.blobs, drop.now + timedelta(seconds=seconds),
            known=drop.known, sightings=sightings,
        ).files  # fmt: skip

    drop.put("r.csv", table(GOOD))
    assert look(0) == ()
    drop.put("r.csv", table(GOOD, OTHER))
    assert look(6) == ()
    assert look(10) == ()
    (report,) = look(11)
    assert report.accepted == 2


def test_without_memory_the_files_own_time_decides(make_drop):
    drop = make_drop(settle_seconds=60.0)
    drop.put("r.csv", table(GOOD))
    assert drop.look().files == ()
    drop.now += timedelta(seconds=120)
    assert len(drop.look().files) == 1


def test_one_of_two_watchers_wins(drop):
    directories = Directories(drop.inbox.path)
    drop.put("r.csv", table(GOOD))
    with directories.exclusive() as mine:
        assert mine
        assert drop.look().held
    assert drop.look().files[0].accepted == 1


def test_two_watchers_running_at_once_take_every_file_once(make_drop):
    drop = make_drop()
    for n in range(20):
        drop.put(f"{n}.csv", table(GOOD.replace("А26-1", f"А26-{n}")))
    seen = []

    def watch():
        known = StoreKnown(drop.url)
        for _ in range(10):
            seen.extend(drop.look(known=known).files)
        known.close()

    threads = [threading.Thread(target=watch) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(report.name for report in seen) == sorted(f"{n}.csv" for n in range(20))
    assert drop.count("appeal") == 20


def test_a_bundle_lands_item_by_item_and_is_acknowledged_by_the_soap_contract(drop):
    drop.put(
        "b.xml",
        """<?xml version="1.0" encoding="windows-1251"?>
        <Appeals xmlns="urn:gov:appeals:v1">
          <AppealIn><ExternalId>X-1</ExternalId><Text>Нет света</Text></AppealIn>
          <AppealIn><ExternalId>X-2</ExternalId><Txt>ошибка</Txt></AppealIn>
          <AppealIn><ExternalId>X-3</ExternalId><Text>Нет воды</Text></AppealIn>
        </Appeals>""".encode("cp1251"),
    )
    (report,) = drop.look().files
    assert (report.accepted, report.rejected) == (2, 1)
    root = etree.parse(drop.inbox.path / "out" / "b.xml.ack.xml").getroot()
    contracts.appeals().validate(root)
    space = {"a": "urn:gov:appeals:v1"}
    items = root.findall("a:Items/a:SubmitResult", space)
    assert [i.findtext("a:Index", namespaces=space) for i in items] == ["0", "1", "2"]
    assert items[0].findtext("a:Receipt/a:ExternalId", namespaces=space) == "X-1"
    assert items[1].findtext("a:Error/a:Code", namespaces=space) == "validation"
    (error,) = drop.answers("b.xml.err.csv", "utf-8")
    assert (error["row"], error["column"], error["rule"]) == ("2", "Txt", "unexpected")
    assert (error["line"], error["found"]) == ("4", "Txt")
    assert error["reason_ru"].startswith("элемент здесь не ожидается")
    told = items[1].find("a:Error", space)
    assert told.findtext("a:Message", namespaces=space).startswith("Txt: the element is not")
    place = told.find("a:Errors/a:FieldError", space)
    names = ("Path", "Line", "Found")
    said = [place.findtext(f"a:{name}", namespaces=space) for name in names]
    assert said == ["Txt", "4", "Txt"]
    assert "Text" in place.findtext("a:Expected", namespaces=space)
    drop.put("again.xml", (drop.inbox.path / "done" / "b.xml").read_bytes())
    assert drop.look().files[0].repeat == 2


def test_a_table_and_a_bundle_that_say_the_same_are_one_appeal(make_drop):
    drop = make_drop("appeals-default")
    drop.put(
        "a.csv",
        "external_id;revision;text;problem_oktmo;phone;email\n"
        "T-1;1;Нет света;04000000;+7 900 000-00-00;a@example.test\n".encode(),
    )
    drop.put(
        "b.xml",
        """<Appeals xmlns="urn:gov:appeals:v1"><AppealIn><ExternalId>T-1</ExternalId>
        <Revision>1</Revision><Text>Нет света</Text><Applicants><Applicant>
        <Phone>+7 900 000-00-00</Phone><Email>a@example.test</Email></Applicant></Applicants>
        <ProblemAddress><Oktmo>04000000</Oktmo></ProblemAddress></AppealIn></Appeals>""".encode(),
    )
    reports = {report.name: report for report in drop.look().files}
    assert (reports["a.csv"].accepted, reports["b.xml"].repeat) in ((1, 1), (0, 0))
    assert sum(r.landed for r in reports.values()) == 2
    assert drop.count("appeal") == 1


def marked(tmp_path, marker):
    text = (PROFILES / "legacy-cp1251.toml").read_text("utf-8")
    path = tmp_path / "marked.toml"
    path.write_text(text.replace("[table]\n", f'[table]\nmarker = "{marker}"\n', 1), "utf-8")
    return str(path)


def test_a_file_with_a_checksum_beside_it_is_taken_when_it_is_there_and_right(make_drop, tmp_path):
    drop = make_drop(marked(tmp_path, ".md5"))
    drop.put("r.csv", table(GOOD))
    assert drop.look().files == ()
    digest = hashlib.md5(table(GOOD)).hexdigest()
    drop.put("r.csv.md5", f"{digest}  r.csv\n".encode())
    assert drop.look().files[0].accepted == 1
    assert drop.names("in") == drop.names("work") == []
    drop.put("s.csv", table(GOOD, OTHER))
    drop.put("s.csv.md5", b"0" * 32)
    (report,) = drop.look().files
    assert (report.place, report.error) == ("error", "malformed")
    (said,) = drop.answers("s.csv.err.csv")
    assert (said["rule"], said["expected"]) == ("digest", ""), "what it says is not told back"


@pytest.mark.parametrize("kind", ["link", "pipe", "directory"])
def test_a_checksum_is_read_from_a_plain_file_only(make_drop, tmp_path, kind):
    """A partner who may make links must not be told what stands where he points."""
    drop = make_drop(marked(tmp_path, ".md5"))
    secret = tmp_path / "secrets.json"
    secret.write_text('{"gateway":"made-up-password"}')
    companion = drop.inbox.path / "in" / "r.csv.md5"
    drop.put("r.csv", table(GOOD))
    if kind == "link":
        companion.symlink_to(secret)
    elif kind == "pipe":
        os.mkfifo(companion)
    else:
        companion.mkdir()
    assert drop.look().files == ()
    companion.rename(tmp_path / "companion")
    (tmp_path / "r.csv").write_bytes(table(GOOD))
    with take(tmp_path / "r.csv", drop.blobs, 10_000) as snapshot:
        with pytest.raises(MalformedError) as caught:  # put there between two looks
            snapshot.check_marker(tmp_path / "companion", ".md5")
        assert "made-up-password" not in str(caught.value)


def test_the_second_file_of_a_name_keeps_the_first_one_and_replaces_its_answers(drop):
    drop.put("r.csv", table(GOOD, BAD))
    drop.look()
    drop.put("r.csv", table(OTHER))
    drop.look()
    assert len(drop.names("done")) == 2
    assert drop.names("out") == ["r.csv.ack.csv"]


def test_the_watcher_runs_until_it_is_stopped(drop):
    stop = threading.Event()
    watcher = FileDrop(
        [drop.inbox], drop.committer, drop.blobs, url=drop.url, clock=lambda: drop.now,
        poll_seconds=0.01,
    )  # fmt: skip
    thread = threading.Thread(target=watcher.run, args=(stop,))
    thread.start()
    drop.put("r.csv.tmp", table(GOOD))
    (drop.inbox.path / "in" / "r.csv.tmp").rename(drop.inbox.path / "in" / "r.csv")
    acknowledgement = drop.inbox.path / "out" / "r.csv.ack.csv"
    while not (drop.inbox.path / "done" / "r.csv").exists():
        stop.wait(0.01)
    stop.set()
    thread.join()
    assert acknowledgement.exists()


def test_an_inbox_that_cannot_be_reached_does_not_stop_the_others(drop, tmp_path):
    (tmp_path / "file").write_text("not a directory")
    away = msgspec.structs.replace(drop.inbox, path=tmp_path / "file" / "box")
    drop.put("r.csv", table(GOOD))
    stop = threading.Event()
    watcher = FileDrop(
        [away, drop.inbox], drop.committer, drop.blobs, url=drop.url, clock=lambda: drop.now,
        poll_seconds=0.01,
    )  # fmt: skip
    thread = threading.Thread(target=watcher.run, args=(stop,))
    thread.start()
    while not (drop.inbox.path / "done" / "r.csv").exists():
        stop.wait(0.01)
    stop.set()
    thread.join()
    assert drop.count("appeal") == 1


class Meddling(StoreKnown):
    """The store's memory, and a partner who goes on writing while the file is read."""

    def __init__(self, url, box, more):
        super().__init__(url)
        self.box, self.more = box, more

    def latest(self, peer, keys, before):
        if self.more:
            (path,) = self.box.glob("work/*/r.csv")
            with path.open("ab") as file:
                file.write(self.more)
            self.more = b""
        return super().latest(peer, keys, before)


def test_a_file_that_grows_while_it_is_read_is_given_back_and_read_anew(drop):
    more = f"{OTHER}\r\n".encode("cp1251")
    known = Meddling(drop.url, drop.inbox.path, more)
    drop.put("r.csv", table(GOOD))
    assert drop.look(known=known).files == ()
    assert (drop.names("in"), drop.names("work"), drop.names("out")) == (["r.csv"], [], [])
    (report,) = drop.look(known=known).files
    known.close()
    assert (report.repeat, report.accepted) == (1, 1)
    assert (drop.inbox.path / "done" / "r.csv").read_bytes() == table(GOOD) + more


def test_a_watcher_that_is_stopped_leaves_its_file_for_the_next_one(drop):
    stop = threading.Event()
    drop.put("r.csv", table(GOOD))
    claim = Directories(drop.inbox.path).claim(drop.inbox.path / "in" / "r.csv")
    stop.set()
    for _ in range(7):
        with pytest.raises(BusyError):
            drop.look(stop=stop)
    assert drop.names("work") == [f"{claim.id}/r.csv"]
    assert drop.look().files[0].accepted == 1
