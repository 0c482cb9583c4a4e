"""Whom a header is for: actor of SOAP 1.1, 4.2.2; role of SOAP 1.2, Part 1, 2.2, 5.2.2 and 6."""

import msgspec
import pytest

from gateway import ns
from gateway.errors import GatewayError
from gateway.soap import construct, envelope
from tests.unit.soap.kit import BODY, CONTEXT, MEDIA, VERSIONS, Fault, exchange, open_, soap

both = pytest.mark.parametrize("version", VERSIONS)
ATTRIBUTE = {"1.1": "actor", "1.2": "role"}
NEXT = {"1.1": "http://schemas.xmlsoap.org/soap/actor/next", "1.2": f"{ns.SOAP12}/role/next"}
ROLES = f"{ns.SOAP12}/role/"


def block(version, role=None, attributes='e:mustUnderstand="1"'):
    said = "" if role is None else f'e:{ATTRIBUTE[version]}="{role}"'
    return f'<h:Unknown xmlns:h="urn:h" {said} {attributes}/>'


def stopped(version, header, **changes):
    """Whether a mandatory block that nobody knows stopped the call, so it was meant for us."""
    sealed = exchange(version, soap(version, header=header, **changes))
    return sealed.status != 200 and Fault(sealed).code == "MustUnderstand"


@both
@pytest.mark.parametrize("role", [None, "", "next", "\n next "])
def test_no_role_and_next_mean_us(version, role):
    value = role.replace("next", NEXT[version]) if role else role
    assert stopped(version, block(version, value))


def test_the_ultimate_receiver_is_us():
    assert stopped("1.2", block("1.2", f"{ROLES}ultimateReceiver"))


@both
@pytest.mark.parametrize(
    "role",
    [
        f"{ROLES}none",
        "urn:example:router",
        "http://example.org/" + "z" * 2_048,
        NEXT["1.1"].replace("next", "NEXT"),
        NEXT["1.2"].replace("/role/next", "/Role/next"),
        f"{NEXT['1.2']}/",
        "next",
    ],
)
def test_other_roles_are_other_nodes(version, role):
    assert not stopped(version, block(version, role))
    assert open_(version, soap(version, header=block(version, role))).blocks == ()


@both
def test_a_role_that_a_service_has_besides_means_us(version):
    service = msgspec.structs.replace(CONTEXT.service, roles=frozenset(("urn:example:desk",)))
    context = msgspec.structs.replace(CONTEXT, service=service)
    text = soap(version, header=block(version, "urn:example:desk"))
    assert not stopped(version, block(version, "urn:example:desk"))
    with pytest.raises(GatewayError, match="must_understand"):
        envelope.open(text.encode(), {"content-type": MEDIA[version]}, {}, context)


@pytest.mark.parametrize(
    "base",
    [
        'xml:base="http://www.w3.org/2003/05/soap-envelope/role/"',
        'xml:base="http://www.w3.org/2003/05/soap-envelope/role/none"',
    ],
)
def test_a_relative_role_is_made_absolute_by_its_base(base):
    header = block("1.2", "next", f'e:mustUnderstand="1" {base}')
    assert stopped("1.2", header)
    inherited = soap("1.2", header=block("1.2", "next")).replace("<e:Header", f"<e:Header {base}")
    assert Fault(exchange("1.2", inherited)).code == "MustUnderstand"
    assert not stopped("1.2", block("1.2", "none", f'e:mustUnderstand="1" {base}'))


@both
@pytest.mark.parametrize("base", ["http://[", "http://[::1", "//[x]/", "\u200b", "a b"])
def test_a_base_that_is_no_address_does_no_harm(version, base):
    header = block(version, "next", f'e:mustUnderstand="1" xml:base="{base}"')
    assert not stopped(version, header)


@pytest.mark.parametrize(
    ("base", "role", "joined"),
    [
        ("http://h/", "x", 5),
        (f"http://h/{'a' * 191}", "x", 5),
        (f"http://h/{'a' * 192}", "x", 0),
        (f"http://h/{'../' * 10_000}", "x", 0),
        ("http://h/", "x" * 201, 0),
        (None, "x", 0),
    ],
)
@both
def test_a_long_base_or_role_is_not_joined_for_each_block(monkeypatch, version, base, role, joined):
    calls = []
    real = construct.urljoin
    monkeypatch.setattr(construct, "urljoin", lambda *given: calls.append(given) or real(*given))
    text = soap(version, header=block(version, role, 'e:mustUnderstand="1"') * 5)
    if base:
        text = text.replace("<e:Header", f'<e:Header xml:base="{base}"')
    open_(version, text)
    assert len(calls) == joined


@both
def test_the_attribute_of_the_other_version_says_nothing(version):
    other = {"1.1": (ns.SOAP12, "role"), "1.2": (ns.SOAP11, "actor")}[version]
    said = f'e:mustUnderstand="1" xmlns:o="{other[0]}" o:{other[1]}="urn:example:router"'
    assert stopped(version, block(version, attributes=said))


@both
def test_a_role_without_namespace_says_nothing(version):
    said = f'e:mustUnderstand="1" {ATTRIBUTE[version]}="urn:example:router"'
    assert stopped(version, block(version, attributes=said))


@both
def test_a_role_below_a_block_says_nothing(version):
    inner = f'<x e:{ATTRIBUTE[version]}="{NEXT[version]}" e:mustUnderstand="1"/>'
    header = f'<h:Unknown xmlns:h="urn:h">{inner}</h:Unknown>'
    assert open_(version, soap(version, header=header)).operation == "GetAppeal"


@both
@pytest.mark.parametrize("place", ["<GetAppeal", "<ExternalId"])
def test_a_role_in_the_body_says_nothing(version, place):
    marked = BODY.replace(place, f'{place} e:{ATTRIBUTE[version]}="urn:x" e:mustUnderstand="1"')
    assert open_(version, soap(version, marked)).operation == "GetAppeal"
