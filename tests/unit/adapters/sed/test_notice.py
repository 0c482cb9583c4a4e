"""What a notification's facts say is not kept beside them, and every spelling comes back."""

import pytest

from adapters.sed.adapter import Sed
from adapters.sed.folder import as_wire, pack
from gateway.testing.leaves import leaves
from tests.unit.adapters.sed.exchange import CASES

NOTICES = sorted(
    path.parent.name
    for path in CASES.glob("m26-*/wire.xml")
    if (path.parent / "canonical.json").exists() and b"xdms:notification " in path.read_bytes()
)
CHANGES = {
    "another version": (' xdms:version="2.6"', ' xdms:version="2.5"'),
    "no version": (' xdms:version="2.6"', ""),
    "no type of the message": (' xdms:type="Уведомление"', ""),
    "no id": (' xdms:id="N5YF0XKDZ4D"', ""),
    "another id": (' xdms:id="N5YF0XKDZ4D"', ' xdms:id="77"'),
    "a uid in capitals": ("688e38ea-c9b8", "688E38EA-C9B8"),
    "a uid of the message in capitals": ('uid="22222222-2222-4222', 'uid=" 22222222-2222-4222'),
    "no sender's uid": (' xdms:uid="11111111-1111-4111-8111-111111111111"', ""),
    "a time with an offset": ("T11:00:00</xdms:time>", "T11:00:00+03:00</xdms:time>"),
    "no time": ("<xdms:time>2026-03-03T11:00:00</xdms:time>", ""),
    "another kind's type": ('xdms:type="Зарегистрирован"', 'xdms:type="Исполнение"'),
    "an unknown type": ('xdms:type="Зарегистрирован"', 'xdms:type="Принят"'),
    "no type": (' xdms:type="Зарегистрирован"', ""),
    "a number with space around it": ("<xdms:number>", "<xdms:number> "),
    "a number that is empty": ("<xdms:number>ЖН-77</xdms:number>", "<xdms:number></xdms:number>"),
    "a letter without a number": ("<xdms:number>ЖН-77</xdms:number>", ""),
    "a day with a time": ("2026-03-03</xdms:date>", "2026-03-03T10:00:00</xdms:date>"),
    "no day": ("<xdms:date>2026-03-03</xdms:date>", ""),
    "a reason with space around it": ("<xdms:reason>", "<xdms:reason> "),
    "no reason": ("<xdms:reason>Ошибка адресации</xdms:reason>", ""),
    "a comment beside the course": ("<xdms:courseText>Назначен выезд на 10 марта", "<xdms:text>a"),
    "an executor with the sender's name": ("Отдел ЖКХ (тест)", "Администрация города Энска (тест)"),
    "an executor named by a uid": ("Отдел ЖКХ (тест)", "11111111-1111-4111-8111-111111111111"),
    "nothing of the kind": ("</xdms:notification>", "<xdms:odd>1</xdms:odd></xdms:notification>"),
}


def body_of(name):
    return (CASES / name / "wire.xml").read_bytes().decode("cp1251")


@pytest.mark.parametrize("change", CHANGES)
def test_every_spelling_of_a_notification_comes_back(change):
    old, new = CHANGES[change]
    tried = 0
    for name in NOTICES:
        text = body_of(name)
        if old not in text:
            continue
        text = text.replace(old, new)
        if "courseText>Назначен" in old:
            text = text.replace("</xdms:courseText>", "</xdms:text>")
        for wire in (
            as_wire("m", text.encode("cp1251")),
            pack("m", {"document.xml": text.encode("cp1251")}),
        ):
            (item,) = Sed({}).decode(wire).items
            again = Sed({}).restore(item)
            kind = "zip" if wire.name.endswith(".zip") else "xml"
            assert leaves(again.body, kind) == leaves(wire.body, kind), name
        tried += 1
    assert tried


@pytest.mark.parametrize(
    "name", [name for name in NOTICES if name not in {"m26-unknown-kind", "m26-answer"}]
)
def test_more_of_a_notification_is_said_than_kept(name):
    wire = as_wire("m", (CASES / name / "wire.xml").read_bytes())
    (item,) = Sed({}).decode(wire).items
    whole = len(leaves(wire.body, "xml"))
    assert len(item.report.extras) < whole / 2


def test_the_letter_that_is_answered_names_the_appeal_in_words_too():
    (item,) = Sed({}).decode(as_wire("m", body_of("m26-accepted").encode("cp1251"))).items
    key = item.report.key
    assert (key.receipt_number, key.registration_number) == ("N5YF0XKDZ4D", "ЖН-77")
    assert key.organisation == "Инспекция жилищного надзора (тест)"


def test_a_table_with_other_codes_spells_its_own_words(tmp_path):
    table = tmp_path / "reasons.toml"
    table.write_text(
        '[[reason]]\nword = "Ошибка адресации"\ncode = "elsewhere"\ngroup = "other"\n'
        '[refusals]\nother = "Ошибка адресации"\n[codes]\nother = "Ошибка адресации"\n',
        encoding="utf-8",
    )
    sed = Sed({"tables": str(table)})
    wire = as_wire("m", body_of("m26-refused").encode("cp1251"))
    (item,) = sed.decode(wire).items
    assert item.report.reason.code == "elsewhere"
    assert leaves(sed.restore(item).body, "xml") == leaves(wire.body, "xml")
