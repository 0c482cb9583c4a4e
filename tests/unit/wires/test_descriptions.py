"""A description is made and packed once for each address that asks, and a flood keeps nothing."""

from __future__ import annotations

import asyncio
import gzip

import pytest

from gateway import contracts, ns
from gateway.errors import NotFoundError
from gateway.soap.frame import Sealed
from gateway.wires import descriptions, sending
from gateway.wires.descriptions import Descriptions

BASE = "https://gw.example"
QUERIES = ({"wsdl": ""}, {"singlewsdl": ""}, {"xsd": ""})


@pytest.fixture
def service():
    return Descriptions(contracts.appeals(), ns.APPEALS)


@pytest.fixture
def packings(monkeypatch):
    """How often something was packed."""
    done, real = [], gzip.compress

    def count(*arguments, **options):
        done.append(1)
        return real(*arguments, **options)

    monkeypatch.setattr(sending.gzip, "compress", count)
    return done


def served(service, query, base=BASE, accept="gzip"):
    """The answer as the caller reads it, and whether it came packed."""
    sent = []

    async def send(message):
        sent.append(message)

    described = service.describe(query, base)
    sealed = Sealed(status=200, content_type=described.content_type, body=described.body)
    asyncio.run(sending.send_sealed(send, sealed, {}, accept))
    packed = (b"content-encoding", b"gzip") in sent[0]["headers"]
    body = sent[1]["body"]
    assert dict(sent[0]["headers"])[b"content-length"] == str(len(body)).encode()
    return gzip.decompress(body) if packed else body, packed


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: next(iter(query)))
def test_the_same_question_is_packed_once(service, packings, query):
    first = served(service, query)
    assert [served(service, query) for _ in range(3)] == [first] * 3
    assert first[1]
    assert served(service, query, accept="") == (first[0], False)
    assert len(packings) == 1


def test_each_address_gets_its_own(service):
    contract = contracts.appeals()
    for base in (BASE, "http://localhost:8080", BASE):
        assert served(service, {"singlewsdl": ""}, base)[0] == contract.single_wsdl(base)
        assert served(service, {}, base)[0] == contract.wsdl(base)
        (bare,) = service.sections(base)["wsdl"].values()
        assert bare == contract.bare_wsdl(base)


def test_a_flood_of_addresses_packs_no_more_and_keeps_nothing(service, packings):
    flood = [f"http://localhost:{port}" for port in range(200)]
    for base in flood:
        served(service, {"singlewsdl": ""}, base)
    assert len(packings) == descriptions.KEPT
    assert len(service._kept) == descriptions.KEPT
    assert [served(service, {"wsdl": ""})[1] for _ in range(2)] == [False, True]


def test_what_is_not_there_is_not_kept(service):
    for query in ({"xsd": "other.xsd"}, {"disco": ""}):
        with pytest.raises(NotFoundError):
            service.describe(query, BASE)
    assert not service._kept
