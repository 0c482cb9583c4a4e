import pytest
from lxml import etree

from simulators.asdou.rules import refusals
from simulators.asdou.store import Store

REPORT = """<Report xmlns="urn:asdou-profile:v0"><author><lastName>Примерова</lastName></author>
<date>2026-03-10</date><importId>1_2_О</importId><parentId>РЗ-1</parentId><text>Текст</text></Report>"""
FILE = "<attachments><attachment><name>а</name><content>x</content></attachment></attachments>"
FINAL = """<FinalReport xmlns="urn:asdou-profile:v0"><author><lastName>Примерова</lastName></author>
<date>2026-03-10</date><importId>1_2_И</importId><parentId>РЗ-1</parentId><reviewResult>
<measuresTaken>true</measuresTaken><type>SUPPORTED</type></reviewResult><text>Текст</text></FinalReport>"""


def tree(text):
    parser = etree.XMLParser(remove_blank_text=True)
    return etree.fromstring(text.replace("\n", "").encode(), parser)


def judge(store, name, text):
    verdict = store.judge(name, tree(text))
    if verdict.keep:
        verdict.keep()
    return verdict.code


def test_a_report_and_its_final_one_are_taken_in_this_order_and_a_repeat_is_known():
    store = Store()
    assert judge(store, "Report", REPORT) == "NOT_FOUND"
    store.assign("РЗ-1", responsible=True)
    assert judge(store, "FinalReport", FINAL) == "ORDER"
    assert judge(store, "Report", REPORT) == "0"
    assert judge(store, "FinalReport", FINAL) == "0"
    assert judge(store, "FinalReport", FINAL) == "ALREADY_ACCEPTED"
    assert judge(store, "Report", REPORT.replace("Текст", "Другой")) == "CONFLICT"
    (held,) = store.holds()
    assert (held["reports"], held["statuses"]) == (1, ["SUPPORTED"])
    assert len(store.rows()) == 2


def test_who_is_not_responsible_sends_no_final_report():
    store = Store()
    store.assign("РЗ-1", responsible=False)
    assert judge(store, "Report", REPORT) == "0"
    assert judge(store, "FinalReport", FINAL) == "FORBIDDEN"


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("_И<", "_I<", "кириллицей"), ("2026-03-10", "10.03.2026", "не дата"),
        ("SUPPORTED", "POSTPONED", "вид результата"),
        ("<measuresTaken>true</measuresTaken>", "", "measures"),
        ("<type>SUPPORTED", "<type>EXPLAINED", "measures"),
        ("<parentId>РЗ-1</parentId>", "", "parentId"),
        ("<text>Текст</text>", "<own/>", "неизвестный"), ("Примерова", " ", "lastName"),
        ("<date>2026-03-10</date><importId>1_2_И</importId>",
         "<importId>1_2_И</importId><date>2026-03-10</date>",
         "не по порядку"),
        ("<date>", f"{FILE}<date>",
         "base64"),
    ],
)  # fmt: skip
def test_each_rule_refuses_with_its_words(old, new, word):
    text = FINAL.replace("\n", "")
    assert old in text
    assert any(word in reason for reason in refusals("FinalReport", tree(text.replace(old, new))))


def test_a_report_says_something():
    assert refusals("Report", tree(REPORT.replace("<text>Текст</text>", "")))
