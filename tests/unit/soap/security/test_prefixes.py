"""The names of a PrefixList stay in the thread that learnt them, so there are few of them."""

import pytest
from lxml import etree

from gateway import limits
from gateway.errors import SecurityError
from gateway.soap.security import canonical
from tests.unit.soap.security.kit import refused, signed


@pytest.mark.parametrize(
    "prefixes",
    ["p" * (limits.SECURITY_PREFIXES_CHARS + 1), " ".join(["q"] * 51)],
    ids=["characters", "names"],
)
def test_a_list_is_bounded_before_any_of_it_is_learnt(monkeypatch, prefixes):
    learnt = []
    monkeypatch.setattr(canonical, "_learn", lambda *given: learnt.append(given))
    error = refused(signed(info_prefixes=prefixes))
    assert error.message == "the PrefixList is too long"
    assert f"{len(prefixes.split())} prefixes" in error.found
    assert str(limits.SECURITY_PREFIXES_CHARS) in error.expected
    assert learnt == []


def test_a_thread_whose_parser_reads_no_more_refuses(monkeypatch):
    def full(*_given):
        raise etree.XMLSyntaxError("unknown error", 1, 1, 1)

    monkeypatch.setattr(canonical.etree, "fromstring", full)
    element = etree.XML('<a xmlns:never-learnt="urn:n"/>')
    with pytest.raises(SecurityError, match="cannot be read"):
        canonical.canonical(element, ("never-learnt",))
