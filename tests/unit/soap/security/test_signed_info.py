"""What a stranger puts into a ds:SignedInfo is bounded before it is made canonical."""

import pytest
from lxml import etree

from gateway import ns
from tests.unit.soap.security.kit import (
    EXC,
    HOLE,
    Signing,
    binary_token,
    header,
    read,
    refused,
    signed,
    soap,
    timestamp,
    transform,
)

BOMB = "<q:b xmlns:q='urn:q'/>" * 300
INFO = "<ds:SignedInfo>"
METHOD = "<ds:DigestMethod"


def within(name, inside):
    """Put something into the first element of that name, which may be empty."""
    message = signed(transforms=transform(EXC, "e"), prefixes="e", info_prefixes="e")
    root = etree.fromstring(message)
    place = next(root.iter(f"{{{ns.DS}}}{name}", f"{{{EXC}}}{name}"))
    place.extend(etree.fromstring(f"<a>{inside}</a>"))
    return etree.tostring(root, encoding="unicode")


PLACES = (
    "DigestMethod",
    "DigestValue",
    "SignatureMethod",
    "CanonicalizationMethod",
    "SignatureValue",
    "InclusiveNamespaces",
    "Transforms",
    "Reference",
    "SignedInfo",
)


@pytest.mark.parametrize("inside", ["<q:b xmlns:q='urn:q'/>", BOMB], ids=["one", "many"])
@pytest.mark.parametrize("name", PLACES)
def test_no_place_in_it_takes_other_elements(made, name, inside):
    refused(within(name, inside))
    assert made == []


@pytest.mark.parametrize(
    "written",
    [f"{INFO}{' ' * 70_000}", f"<ds:SignedInfo Id='{'v' * 70_000}'>"],
    ids=["text", "attribute"],
)
def test_its_text_is_bounded(made, written):
    error = refused(signed().replace(INFO, written))
    assert error.message == "ds:SignedInfo is too large"
    assert made == []


def test_a_namespace_of_attributes_counts_each_time(made):
    long = f"urn:{'a' * 1_900}"
    message = signed().replace(INFO, f"<ds:SignedInfo xmlns:l='{long}'>")
    attributes = " ".join(f"l:a{n}=''" for n in range(40))
    assert refused(message.replace(METHOD, f"{METHOD} {attributes}")).message.endswith("too large")
    assert made == []


def test_sixteen_references_of_the_longest_form_fit():
    steps = transform(f"{ns.DS}enveloped-signature") + transform(EXC, "e")
    blocks = "".join(f"<k:b xmlns:k='urn:k' wsu:Id='K{n}'/>" for n in range(14))
    refs = ("B", "T", *(f"K{n}" for n in range(14)))
    head = header(timestamp(), binary_token(), HOLE)
    message = Signing(refs=refs, transforms=steps, prefixes="e").sign(soap(blocks + head))
    assert read(message).peer == "omsu"
