"""The directory: nothing is seen half, nothing appears twice, nothing is answered twice."""

import json
import os
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from lxml import etree

from adapters.sed.adapter import Sed
from adapters.sed.folder import unpack
from gateway.adapter import Window
from gateway.errors import (
    BusyError,
    ConfigurationError,
    ConflictError,
    PeerUnavailable,
    ValidationError,
    Violation,
)
from tests.unit.adapters.sed import exchange
from tests.unit.adapters.sed.exchange import NOW, drop, find, out_wire, told, verdict


@pytest.fixture
def make(tmp_path):
    return partial(exchange.make, tmp_path)


def test_a_message_is_taken_answered_by_a_receipt_and_moved_away(tmp_path, make):
    drop(tmp_path, "m1", "m26-document")
    sed = make()

    batch = sed.receive("")
    assert [taken.token for taken in batch.messages] == ["m1"]
    assert sed.decode(batch.messages[0].wire).items[0].files
    sed.acknowledge((verdict("m1"),))

    (card,) = told(tmp_path)
    assert find(card, ".//x:accepted") == "true"
    assert (tmp_path / "done" / "m1" / "doc.pdf").exists()
    assert sed.receive("").messages == ()


def test_a_repeat_of_the_verdict_answers_nothing_twice(tmp_path, make):
    drop(tmp_path, "m1", "m26-document")
    sed = make()
    sed.receive("")
    sed.acknowledge((verdict("m1"),))
    sed.acknowledge((verdict("m1"),))
    assert len(told(tmp_path)) == 1


def test_killed_between_the_answer_and_the_move_nothing_is_answered_twice(tmp_path, make):
    drop(tmp_path, "m1", "m26-document")
    sed = make()
    spool = sed._exchange._spool()
    spool.make()
    sed._exchange._answer(spool, spool.read("m1"), verdict("m1"))
    (answered,) = [f for f in (tmp_path / "out").iterdir() if not f.name.startswith(".")]
    for path in answered.iterdir():
        path.unlink()
    answered.rmdir()  # the partner has taken it already

    sed.acknowledge((verdict("m1"),))

    assert told(tmp_path) == []
    assert (tmp_path / "done" / "m1").is_dir()


def test_what_came_again_after_it_was_answered_is_answered_again(tmp_path, make):
    sed = make()
    for name in ("m1", "m1-again"):
        drop(tmp_path, name, "m26-document")
        sed.receive("")
        sed.acknowledge((verdict(name),))
        for folder in (tmp_path / "out").iterdir():
            if not folder.name.startswith("."):
                folder.rename(tmp_path / f"taken-{name}")
    assert (tmp_path / "taken-m1").is_dir()
    assert (tmp_path / "taken-m1-again").is_dir()


def test_a_document_that_cannot_be_taken_is_refused_with_a_fitting_reason(tmp_path, make):
    drop(tmp_path, "m1", "m26-document")
    sed = make()
    sed.receive("")
    wrong = Violation("document/num/number", "required", "нет номера")
    sed.acknowledge((verdict("m1", ValidationError("not taken", (wrong,))),))

    cards = told(tmp_path)
    assert {find(card, ".//x:accepted") for card in cards} == {"false", None}
    assert "Нет № и даты" in {find(card, ".//x:reason") for card in cards}
    assert "нет номера" in next(
        filter(None, (find(c, ".//x:acknowledgment/x:comment") for c in cards))
    )
    assert (tmp_path / "error" / "m1").is_dir()
    assert "нет номера" in (tmp_path / "error" / "m1.txt").read_text()


def test_another_text_of_a_document_known_already_is_no_refusal_to_register(tmp_path, make):
    drop(tmp_path, "m1", "m26-document")
    sed = make()
    sed.receive("")
    sed.acknowledge((verdict("m1", ConflictError("used before")),))
    (card,) = told(tmp_path)
    assert find(card, ".//x:accepted") == "false"


def test_what_may_be_taken_later_stays_where_it_is(tmp_path, make):
    drop(tmp_path, "m1", "m26-document")
    sed = make()
    sed.receive("")
    sed.acknowledge((verdict("m1", BusyError("later")),))
    assert told(tmp_path) == []
    assert [t.token for t in sed.receive("").messages] == ["m1"]


def test_what_nobody_can_read_waits_and_then_comes_as_it_is(tmp_path, make):
    folder = tmp_path / "in" / "m1"
    folder.mkdir(parents=True)
    (folder / "document.xml").write_bytes(b"<xdms:communication")
    assert make().receive("").messages == ()
    late = make(incomplete_seconds=0)
    (taken,) = late.receive("").messages
    late.acknowledge((verdict("m1", ValidationError("no card")),))
    assert unpack(taken.wire).body == b"<xdms:communication"
    assert told(tmp_path) == []
    assert (tmp_path / "error" / "m1").is_dir()


def test_a_folder_that_lacks_what_its_envelope_lists_is_left_alone(tmp_path, make):
    folder = drop(tmp_path, "m1", "m26-document")
    scan = (folder / "doc.pdf").read_bytes()
    (folder / "doc.pdf").unlink()
    sed = make()
    assert sed.receive("").messages == ()
    (folder / "doc.pdf").write_bytes(scan)
    assert len(sed.receive("").messages) == 1


def test_a_folder_that_is_being_written_is_left_alone(tmp_path, make):
    drop(tmp_path, "m1", "m26-document")
    drop(tmp_path, ".hidden", "m26-document")
    drop(tmp_path, "m2.tmp", "m26-document")
    assert make(settle_seconds=3600).receive("").messages == ()
    assert [t.token for t in make().receive("").messages] == ["m1"]


def test_links_are_not_followed(tmp_path, make):
    secret = tmp_path / "secret.pdf"
    secret.write_bytes(b"%PDF-secret")
    folder = drop(tmp_path, "m1", "m26-accepted")
    (folder / "doc.pdf").symlink_to(secret)
    (tmp_path / "in" / "m2").symlink_to(folder)
    (taken,) = make().receive("").messages
    assert unpack(taken.wire).files.keys() == {"document.xml"}


def test_names_of_another_encoding_are_read(tmp_path, make):
    folder = drop(tmp_path, "m1", "m26-accepted")
    (Path(os.fsdecode(os.fsencode(folder) + b"/" + "скан.pdf".encode("cp1251")))).write_bytes(
        b"%PDF"
    )
    (taken,) = make().receive("").messages
    assert "скан.pdf" in unpack(taken.wire).files


def test_a_clock_that_is_ahead_does_not_hold_a_folder_back(tmp_path, make):
    folder = drop(tmp_path, "m1", "m26-accepted")
    later = datetime(2090, 1, 1, tzinfo=UTC).timestamp()
    os.utime(folder, (later, later))
    assert len(make(settle_seconds=5).receive("").messages) == 1


def test_what_comes_by_another_version_is_answered_in_it(tmp_path, make):
    folder = drop(tmp_path, "m1", "e271-message")
    sed = make()
    (taken,) = sed.receive("").messages
    assert folder.is_dir()
    sed.acknowledge((verdict(taken.token),))
    (answer,) = [p for p in (tmp_path / "out").iterdir() if not p.name.startswith(".")]
    card = etree.parse(answer / "message.xml").getroot()
    assert etree.QName(card).namespace == "urn:IEDMS:MESSAGE"


def test_a_batch_says_that_there_is_more(tmp_path, make):
    for name in ("a", "b", "c"):
        drop(tmp_path, name, "m26-accepted")
    sed = make(batch=2)
    first = sed.receive("not ours")
    second = sed.receive(first.cursor)
    assert [len(batch.messages) for batch in (first, second)] == [2, 1]
    assert [batch.more for batch in (first, second)] == [True, False]
    assert second.cursor == ""
    assert len({t.token for t in first.messages + second.messages}) == 3


def test_a_call_looks_at_so_many_folders_and_the_next_goes_on(tmp_path, make):
    for number in range(30):
        (tmp_path / "in" / f"nothing-{number:02}").mkdir(parents=True)
    drop(tmp_path, "a message", "m26-accepted")
    sed, cursor, calls, tokens = make(batch=2), "", 0, []
    while True:
        batch = sed.receive(cursor)
        cursor, calls = batch.cursor, calls + 1
        tokens += [taken.token for taken in batch.messages]
        if not batch.more:
            break
    assert (calls, tokens) == (4, ["a message"])
    assert cursor == ""


def test_what_is_taken_later_holds_up_nothing_behind_it(tmp_path, make):
    for name in ("a", "b", "c"):
        drop(tmp_path, name, "m26-accepted")
    sed = make(batch=1)
    cursor, tokens = "", []
    for _ in range(3):
        batch = sed.receive(cursor)
        tokens += [taken.token for taken in batch.messages]
        sed.acknowledge(tuple(verdict(t.token, BusyError("later")) for t in batch.messages))
        cursor = batch.cursor
    assert sorted(tokens) == ["a", "b", "c"]


def test_names_of_another_encoding_fit_in_a_cursor(tmp_path, make):
    for name in (b"\xef\xe0\xef\xea\xe0", b"second"):
        folder = Path(os.fsdecode(os.fsencode(tmp_path / "in") + b"/" + name))
        drop(tmp_path, "x", "m26-accepted").rename(folder)
    sed = make(batch=1)
    first = sed.receive("")
    assert first.cursor.isascii()
    second = sed.receive(first.cursor)
    tokens = [t.token for t in first.messages + second.messages]
    assert {os.fsencode(token) for token in tokens} == {b"\xef\xe0\xef\xea\xe0", b"second"}


def test_a_folder_that_cannot_be_moved_holds_up_no_other(tmp_path, make):
    for name in ("a", "b"):
        drop(tmp_path, name, "m26-document")
    sed = make()
    sed.receive("")
    (tmp_path / "error").write_bytes(b"")  # where what is refused would go
    with pytest.raises(PeerUnavailable):
        sed.acknowledge((verdict("a", ValidationError("no")), verdict("b")))
    assert (tmp_path / "done" / "b").is_dir()
    told = {p.name for p in exchange.folders(tmp_path)}
    (tmp_path / "error").unlink()
    assert [t.token for t in sed.receive("").messages] == ["a"]
    sed.acknowledge((verdict("a", ValidationError("no")),))
    assert {p.name for p in exchange.folders(tmp_path)} == told
    assert (tmp_path / "error" / "a").is_dir()


def test_the_newest_notification_of_each_document_is_what_the_partner_holds(tmp_path, make):
    sed = make()
    for name, case in (("b", "m26-prepared"), ("a", "m26-accepted"), ("c", "m26-sent")):
        drop(tmp_path, name, case)
        sed.receive("")
        sed.acknowledge((verdict(name),))
    window = Window(start=NOW - timedelta(days=60), end=NOW)
    (line,) = sed.reconcile(window)
    assert (line.key, line.states) == ("ЖН-77", {"": "Доклад направлен"})
    assert list(sed.reconcile(Window(start=NOW, end=NOW + timedelta(days=1)))) == []


def test_the_probe_says_what_is_wrong(tmp_path, make):
    assert not Sed({}).probe().ok
    sed = make()
    assert not sed.probe().ok
    sed._exchange._spool().make()
    drop(tmp_path, "m1", "m26-accepted")
    found = sed.probe()
    assert found.ok
    assert found.detail.startswith("Во входящих: 1")
    assert json.dumps(found.detail)


def test_without_a_directory_the_codec_works_and_the_rest_says_why():
    sed = Sed({})
    for call in (lambda: sed.receive(""), lambda: sed.deliver(out_wire(), "k")):
        with pytest.raises(ConfigurationError) as caught:
            call()
        assert caught.value.where == "options.directory"
