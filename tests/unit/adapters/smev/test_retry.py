"""Each fault of the exchange has its action, and none is forgotten."""

from __future__ import annotations

import pytest
from lxml import etree

from adapters.smev import retry
from adapters.smev.line import joined
from adapters.smev.messages.types import VERSIONS, Fault
from gateway import contracts
from gateway.errors import MalformedError, PeerRefused, PeerUnavailable
from gateway.soap.splitter import media_type

XS = "{http://www.w3.org/2001/XMLSchema}"


def described(version):
    """The elements of faults that our own schemas describe."""
    folder = contracts.folder("xsd", "smev") / version
    found = set()
    for path in folder.glob("*faults*.xsd"):
        root = etree.parse(path).getroot()
        found |= {one.get("name") for one in root.findall(f"{XS}element")}
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_every_fault_that_the_schemas_describe_has_its_action(version):
    names = described(version)
    assert len(names) >= 14
    assert names - retry.ACTIONS.keys() <= {"InvalidContent"}
    assert retry.ACTIONS.keys() - names <= {"QuoteLimitExceeded"}


@pytest.mark.parametrize("name", sorted(retry.ACTIONS))
def test_what_a_person_has_to_mend_says_what_to_do(name):
    action = retry.action(Fault(name=name))
    told = retry.error(Fault(name=name, code="SMEV-1", description="так"), "SendRequest")
    assert isinstance(told, PeerUnavailable if action == "later" else PeerRefused)
    assert name in str(told)
    if action in {"later", "ours"}:
        assert told.todo


def test_a_fault_that_nobody_knows_is_for_a_person_and_one_without_a_name_comes_later():
    assert retry.action(Fault(name="SomethingNew")) == "refused"
    assert retry.action(Fault()) == "later"


def test_parameters_in_pieces_are_put_together():
    split = (
        'multipart/related; start*0="<root."; start*1="message@x>"; type="application/xop+xml"'
        '; boundary*0="uuid:1-"; boundary*1="2"'
    )
    found = media_type(joined(split))
    assert found.name == "multipart/related"
    assert found.parameters["start"] == "<root.message@x>"
    assert found.parameters["boundary"] == "uuid:1-2"
    assert joined("text/xml; charset=utf-8") == "text/xml; charset=utf-8"


@pytest.mark.parametrize("pieces", ['type*0="a"; type*=1="b"', 'type*=="a"; type*1="b"; x*0=y'])
def test_parameters_in_pieces_that_have_no_order_are_an_error_of_ours(pieces):
    """`email` sorts their numbers, one of which is none: a TypeError."""
    with pytest.raises(MalformedError):
        joined(f"multipart/related; boundary=B; start*0=x; {pieces}")
