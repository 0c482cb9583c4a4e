"""What is signed is not made canonical when that would take long, whoever signed it."""

import pytest

from gateway import limits, xml
from gateway.soap.security.cost import Budget
from tests.unit.soap.security.kit import (
    EXC,
    HOLE,
    Signing,
    binary_token,
    certificate,
    header,
    read,
    refused,
    soap,
    timestamp,
    transform,
)

LISTED = [f"q{n}" for n in range(50)]
TOP = "".join(f' xmlns:{name}="urn:{name}"' for name in LISTED)
LONG = " ".join(f'{"n" * 2_000}{n}=""' for n in range(198))
STEP_NS = 4
"""The dearest step that was found, on a machine of 2020."""


def deep(leaves, declarations=100, leaf="<a/>"):
    level = "<x" + "".join(f' xmlns:p{n}="urn:p"' for n in range(declarations)) + ">"
    return f"{level * 90}{leaf * leaves}{'</x>' * 90}"


def signed(body, prefixes="", info_prefixes="", top=TOP):
    """Return a message whose SignedInfo is signed; the digest of its Body is that of another."""
    head = header(timestamp(), binary_token(certificate()), HOLE)
    signing = Signing(transforms=transform(EXC, prefixes), info_prefixes=info_prefixes)
    hole = "<to-come/>"
    return signing.sign(soap(head, hole, declared=top)).replace(hole, body)


def parts_of(made):
    return [tag for tag in made if not tag.endswith("SignedInfo")]


@pytest.mark.parametrize(
    ("body", "prefixes"),
    [
        (deep(1_000), " ".join(LISTED)),
        (deep(10_000), ""),
        ("<a/>" * 40_000, " ".join(LISTED)),
        (f'<x xmlns:p="urn:{"u" * 1_990}">{"<p:a/>" * 40_000}</x>', ""),
        (f"<a {LONG}/>" * 20, ""),
    ],
    ids=["listed", "no prefix", "flat", "written each time", "compared"],
)
def test_what_would_take_long_is_refused_before_any_part_is_made_canonical(made, body, prefixes):
    error = refused(signed(body, prefixes))
    assert error.message == "the canonical form of a signed part takes too long"
    assert "steps" in error.found
    assert str(limits.SECURITY_STEPS) in error.expected
    assert parts_of(made) == []


def test_all_parts_take_from_one_budget(made, monkeypatch):
    message = signed(deep(40), " ".join(LISTED[:10]))
    monkeypatch.setattr(limits, "SECURITY_STEPS", steps_of(message, LISTED[:10]))
    assert refused(message).message.endswith("takes too long"), "nothing was left for the Timestamp"
    assert parts_of(made) == []


def test_a_stranger_has_less_of_it(made):
    """Sixteen references, 50 prefixes, and 200 declarations at every level; nobody has signed."""
    around = "".join(f' xmlns:p{n}="urn:p"' for n in range(200))
    blocks = "".join(f'<k:b xmlns:k="urn:k" wsu:Id="K{n}"/>' for n in range(14))
    refs = ("B", "T", *(f"K{n}" for n in range(14)))
    message = Signing(refs=refs, info_prefixes=" ".join(LISTED)).sign(
        soap(blocks + header(timestamp(), binary_token(), HOLE), declared=TOP)
    )
    assert read(message).peer == "omsu"
    del made[:]
    for name in ("<e:Header", "<wsse:Security", "<ds:Signature", "<ds:SignedInfo", "<ds:Reference"):
        message = message.replace(f"{name} ", f"{name}{around} ").replace(
            f"{name}>", f"{name}{around}>"
        )
    assert refused(message).message.endswith("takes too long")
    assert made == []


def steps_of(message, prefixes):
    budget = Budget(10**12)
    budget.take(xml.parse(message.encode()).root[-1], tuple(prefixes))
    return 10**12 - budget.left


@pytest.mark.parametrize(
    ("body", "prefixes"),
    [
        ("<a><b>text</b></a>" * 100, ["soapenv", "wsse", "wsu", "xsi"]),
        ('<a><i:n xmlns:i="urn:i" i:nil="true"/></a>' * 400, []),
        ("<q1:a><q2:b>text</q2:b></q1:a>" * 1_000, LISTED[:10]),
    ],
    ids=["WSS4J", "WCF", "a batch"],
)
def test_ordinary_messages_take_little_of_it(body, prefixes):
    assert steps_of(signed(body), prefixes) < limits.SECURITY_STEPS // 20


def test_the_budget_is_under_a_quarter_of_a_second():
    assert limits.SECURITY_STEPS * STEP_NS < 250_000_000
