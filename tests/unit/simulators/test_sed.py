"""The simulated СЭД refuses what a real one would, and takes what our golden cases send."""

import threading
import time
from pathlib import Path
from random import Random

import pytest

from simulators.faults import Faults
from simulators.peer import Journal
from simulators.sed import messages as m
from simulators.sed import rules
from simulators.sed.store import Store
from simulators.seed.appeals import Source

CASES = Path(__file__).parents[2] / "contract" / "sed"
UID = "33333333-3333-4333-8333-333333333301"


def files(case):
    return {path.name: path.read_bytes() for path in (CASES / case / "wire_out").iterdir()}


def test_everything_that_our_cases_send_is_taken():
    cases = sorted(path.parent.name for path in CASES.glob("m26-out-*/wire_out"))
    assert len(cases) > 10
    for case in cases:
        assert rules.refusals(files(case)) == [], case


def test_its_own_messages_pass_its_own_rules():
    draw, about = Random(1), (UID, "ЖН-77")
    from simulators.peer import clock

    appeal = Source(3, clock(m.ZONE).date()).appeal("epgu")
    made = [
        m.document(appeal, m.new_uid(draw), UID, "ОГ-1/26"),
        m.receipt(m.new_uid(draw), UID, accepted=False, comment="нет"),
        m.accepted(m.new_uid(draw), about, "ВХ-1"),
        m.refused(m.new_uid(draw), about, rules.reasons()[0]),
        m.assigned(m.new_uid(draw), about),
        m.course(m.new_uid(draw), about),
        m.prepared(m.new_uid(draw), about),
        m.sent(m.new_uid(draw), about, "ИСХ-1"),
        m.published(m.new_uid(draw), about, "ИСХ-1"),
        m.answer(m.new_uid(draw), UID, about, "ИСХ-1", b"%PDF-1.4"),
    ]
    assert [rules.refusals(one) for one in made] == [[]] * len(made)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda f: f.pop("document.xml"), "нет document.xml"),
        (lambda f: f.pop("envelope.ini"), "нет envelope.ini"),
        (lambda f: f.pop("answer.txt"), "файла нет в папке"),
        (lambda f: f.update({"more.pdf": b""}), "envelope.ini называет"),
        (lambda f: _card(f, b'version="2.6"', b'version="2.5"'), "version"),
        (lambda f: _card(f, b"windows-1251", b"koi8-r"), "кодировка"),
        (lambda f: _card(f, "Документ".encode("cp1251"), "Квитанция".encode("cp1251")), "header"),
        (lambda f: _card(f, b"<xdms:pages>0</xdms:pages>", b""), "строка"),
        (lambda f: _card(f, b"</xdms:communication>", b""), "не читается"),
    ],
)
def test_what_is_wrong_is_refused_in_words(change, word):
    given = files("m26-out-answer")
    change(given)
    assert any(word in reason for reason in rules.refusals(given)), rules.refusals(given)


def _card(given, old, new):
    assert old in given["document.xml"]
    given["document.xml"] = given["document.xml"].replace(old, new)


def test_a_notification_whose_kind_and_element_differ_is_refused():
    given = files("m26-out-registered")
    _card(given, "Зарегистрирован".encode("cp1251"), "Опубликование".encode("cp1251"))
    assert "внутри documentAccepted" in rules.refusals(given)[0]


@pytest.fixture
def store(tmp_path):
    faults = Faults()
    made = Store(tmp_path, Journal(), faults, seed=1, step=0.0, refuse=0.0)
    made.faults = faults
    return made


def put(store, case, name="x"):
    folder = store.directory / "out" / name
    folder.mkdir()
    for member, data in files(case).items():
        (folder / member).write_bytes(data)


def inbox(store):
    return [p for p in (store.directory / "in").iterdir() if not p.name.startswith(".")]


def test_the_same_message_twice_is_kept_once_and_answered_twice(store):
    for name in ("x", "y"):
        put(store, "m26-out-course", name)
        store.walk()
    (held,) = store.holds()
    assert held["statuses"] == ["Исполнение"]
    assert len(inbox(store)) == 2


def test_a_person_sees_what_was_told_of_a_document_and_whose_it_is(store):
    put(store, "m26-out-course")
    store.walk()
    store.command({"emit": 1, "seed": 4})
    newest, told = store.rows()
    assert newest["number"].startswith("ОГ-")
    assert (told["number"], told["statuses"]) == (told["uid"], ["Исполнение"])
    assert told["whose"] == "СЭД · ours"


def test_the_same_uid_with_other_content_is_refused(store):
    put(store, "m26-out-course")
    store.walk()
    put(store, "m26-out-prepared")
    store.walk()
    receipts = [(p / "document.xml").read_bytes().decode("cp1251") for p in inbox(store)]
    assert sum("accepted>false" in text for text in receipts) == 1


def test_an_emission_is_repeatable_and_an_unknown_command_is_not_understood(store):
    (key,) = store.command({"emit": 1, "seed": 4})["keys"]
    assert key.startswith(m.UID)
    for wrong in ({"dance": True}, {"emit": 1, "odd": "colour"}):
        with pytest.raises(ValueError, match=r"unknown|odd"):
            store.command(wrong)


def test_the_loop_ends_when_it_is_told_to(store):
    stop = threading.Event()
    thread = threading.Thread(target=store.loop, args=(stop,))
    thread.start()
    put(store, "m26-out-received")
    end = time.monotonic() + 10
    while not store.holds() and time.monotonic() < end:
        time.sleep(0.02)
    stop.set()
    thread.join(10)
    assert store.holds()
    assert not thread.is_alive()
