"""The second opinion on a stored message, in a process of its own."""

from pathlib import Path

import pytest

from gateway import ns
from gateway.contracts_explain import _violations, explain
from gateway.errors import MalformedError, TooLargeError

SAMPLE = (Path(__file__).parents[1] / "data/submit_appeal_2k.xml").read_bytes()


def test_a_message_that_follows_the_contract_has_nothing_to_explain():
    assert explain(SAMPLE.decode().replace("utf-8", "utf-16").encode("utf-16"), "utf-16") == ()


def test_what_is_wrong_is_explained_with_its_place():
    found = _violations(SAMPLE.replace(b"fz59", b"fz60"), "")
    assert [violation.path for violation in found] == ["/SubmitAppeal/Appeal/Regime"]
    assert "fz59" in found[0].message
    assert found[0].found == "fz60"


def test_a_bare_element_and_a_wrong_type_are_explained_as_well():
    assert explain(f'<GetAppeal xmlns="{ns.APPEALS}"/>'.encode())[0].path == "/GetAppeal"
    typed = f'<GetAppeal xmlns="{ns.APPEALS}" xmlns:i="{ns.XSI}"><Key i:type="No"/></GetAppeal>'
    assert "No" in _violations(typed.encode(), "")[0].message


@pytest.mark.parametrize("message", [b"<a/>", b"\xff"])
def test_a_message_without_the_contract_is_refused(message):
    with pytest.raises(MalformedError):
        explain(message)


def test_thinking_stops_at_the_limit():
    inner = b"<Link><Kind>z</Kind><Number>1</Number></Link>" * 12000
    message = SAMPLE.replace(b"<ReplyTo>", b"<Links>" + inner + b"</Links><ReplyTo>")
    with pytest.raises(TooLargeError):
        explain(message + b" " * 10, seconds=0)
