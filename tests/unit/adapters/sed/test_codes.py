import tomllib
from hashlib import sha256
from pathlib import Path

import pytest

import adapters.sed
from adapters.sed.adapter import Sed
from adapters.sed.codes import NOTICES, document_uid, ours, reasons
from adapters.sed.notify import _COURSE, _WORDS
from adapters.sed.settings import Settings
from gateway.adapter import Channel, Codec, Source
from gateway.errors import ConfigurationError
from gateway.lifecycle.table import ROWS
from gateway.model.events import EventType
from gateway.model.ids import receipt_number, receipt_of

FOLDER = Path(adapters.sed.__file__).parent
MANIFEST = tomllib.loads((FOLDER / "manifest.toml").read_text(encoding="utf-8"))


def test_the_uid_of_a_document_says_which_appeal_why_it_went_and_which_question():
    for bits in (0, 1, 2**50 - 1, 0x2A5F3C1D9B7E4):
        receipt = receipt_of(bits)
        for purpose in ("handed", "passed", "answer"):
            for question in (0, 1, 4095):
                uid = document_uid(receipt, purpose, question)
                assert ours(uid) == ours(uid.upper()) == (receipt, purpose, question)
                assert uid[14] == "8"
                assert uid[19] in "89ab"


def test_no_other_uid_is_taken_for_ours():
    uid = document_uid(receipt_number(), "handed")
    for place in range(len(uid)):
        for char in "0123456789abcdef":
            changed = uid[:place] + char + uid[place + 1 :]
            if changed != uid and (known := ours(changed)):
                # What may differ is the question and the purpose; the receipt checks itself.
                assert 15 <= place <= 19
                assert known.receipt == ours(uid).receipt
    assert ours("33333333-3333-4333-8333-333333333301") is None
    assert ours("not a uid") is None
    assert ours(document_uid("2026-00017", "handed")) is None
    assert document_uid("2026-00017", "handed") != document_uid("2026-00017", "answer")


def test_every_reason_has_a_code_and_comes_back():
    table = reasons()
    for reason in table.reason:
        assert table.code(f" {reason.word} ") == reason.code
        assert table.word(reason.code) == table.word(reason.word) == reason.word
    assert table.code("Иное") == "Иное"
    assert table.word("unheard_of") == "Не подлежит регистрации"
    assert table.refusal((("document/num/number", "required"),)) == "Нет № и даты"
    assert table.refusal((("", "infected"),)) == "Не подлежит регистрации"
    assert table.refusal((("", ""), ("", "something"))) == "Текст не соответствует регламенту"
    at = "container/authors/author[2]/sign[0]/documentSignature/@localName"
    assert table.refusal(((at, "missing_file"),)) == "Отсутствует (не видна) подпись"
    main = "container/document/@localName"
    assert table.refusal(((main, "missing_file"),)) == "Отсутствует текст"
    assert table.refusal(((main, "media_type"),)) == "Текст не соответствует регламенту"
    assert table.refusal((("nowhere", "x"), ("files/file[3]", "x"))).startswith("Отсутствует прил")


def test_a_table_of_ones_own_must_be_whole(tmp_path):
    path = tmp_path / "reasons.toml"
    path.write_text("[refusals]\n[codes]\n[[reason]]\nword='x'\ncode='y'\ngroup='z'\n")
    for wrong in (str(path), str(tmp_path / "none.toml")):
        with pytest.raises(ConfigurationError) as caught:
            Sed({"tables": wrong})
        assert caught.value.where == "options.tables"


def test_what_may_come_in_is_what_peers_may_report():
    granted = set(MANIFEST["events"])
    said = {event for n in NOTICES.values() for event in (n.handed, n.passed)}
    assert granted == {event.value for event in said}
    reported = {row.event.value for row in ROWS if "peer" in row.who}
    assert granted <= reported


def test_everything_that_is_sent_on_has_a_word():
    words = {event.value for event in (*_WORDS, *_COURSE)}
    given = set(Settings.of({}).given_on)
    assert set(MANIFEST["sends_on"]) == words | given
    assert {_WORDS[event] for event in _WORDS} <= set(NOTICES)


def test_the_code_is_what_the_manifest_says():
    made = Sed(MANIFEST["options"])
    assert isinstance(made, Codec)
    assert isinstance(made, Channel)
    assert isinstance(made, Source)
    for contract in MANIFEST["contracts"]:
        body = (FOLDER / contract["name"]).read_bytes()
        assert sha256(body).hexdigest() == contract["sha256"]
    assert {*MANIFEST["events"], *MANIFEST["sends_on"]} <= {str(t) for t in EventType}


@pytest.mark.parametrize(
    "table",
    [
        {"profile": "2.5"}, {"zone": "Mars/Base"}, {"ack": "maybe"}, {"answers": "letter"},
        {"batch": -1}, {"settle_seconds": "soon"}, {"given_on": ["Sneezed"]},
        {"receipt_hours": float("inf")},
    ],
)  # fmt: skip
def test_an_option_that_cannot_work_is_named(table):
    with pytest.raises(ConfigurationError) as caught:
        Sed(table)
    assert caught.value.where == f"options.{next(iter(table))}"
