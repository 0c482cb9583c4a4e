"""`gateway rules explain` says of every rule whether it took an appeal, and why."""

from __future__ import annotations

import json

import pytest

RULES = """
[[rule]]
id = "light"
executor = "gzhi"
destinations = ["sed"]
reason = "Свет во дворе"
[rule.when]
words = ["нет света"]
[[rule]]
id = "portal"
executor = "mer"
reason = "С портала"
[rule.when]
source = ["epgu"]
"""


@pytest.fixture
def ruled(house, tmp_path):
    path = tmp_path / "routing.toml"
    path.write_text(RULES)
    house.environ["GATEWAY_ROUTING_FILE"] = str(path)
    return house


def told(found):
    return [(r["rule"], r["matched"], r["chosen"]) for r in found["rules"]]


def test_a_stored_appeal_is_explained_with_its_source(ruled):
    receipt = ruled.submit("e-1", text="Во дворе нет света").receipt_number

    found = ruled.json("rules", "explain", receipt)

    assert told(found) == [("light", True, True), ("portal", True, False)]
    assert found["chosen"]["executor"] == "gzhi"


def test_a_file_is_explained_as_if_from_a_peer(ruled, tmp_path):
    file = tmp_path / "appeal.json"
    file.write_text(json.dumps({"externalId": "x", "text": "Яма"}))

    assert ruled.json("rules", "explain", str(file))["chosen"] is None
    found = ruled.json("rules", "explain", str(file), "--source", "epgu")
    assert found["chosen"]["rule"] == "portal"


def test_an_xml_document_is_read_too(ruled, tmp_path):
    file = tmp_path / "appeal.xml"
    file.write_bytes(
        '<SubmitAppeal xmlns="urn:gov:appeals:v1"><Appeal><ExternalId>e</ExternalId>'
        "<Text>нет света</Text></Appeal></SubmitAppeal>".encode()
    )

    assert "light: выбрано" in ruled.run("rules", "explain", str(file))


def test_a_file_without_an_appeal_is_refused(ruled, tmp_path):
    file = tmp_path / "x.json"
    file.write_text('{"what": 1}')

    assert "no appeal" in ruled.run("rules", "explain", str(file), code=2)


def test_an_erased_appeal_cannot_be_explained(ruled):
    receipt = ruled.submit("e-1").receipt_number
    ruled.change("UPDATE content SET bytes = NULL, salt = NULL, erased_at = now()")

    assert "erased" in ruled.run("rules", "explain", receipt, code=2)


def test_rules_are_checked_against_the_peers_there_are(ruled):
    assert ruled.json("rules", "check")["rules"] == 2
    ruled.change("DELETE FROM peer WHERE code = 'sed'")

    assert "no such peer" in ruled.run("rules", "check", code=2)
