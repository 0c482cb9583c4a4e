"""The catalogue says the same by both wires, and what is no catalogue is told from one."""

import pytest

from adapters.fias.adapter import Fias
from adapters.fias.soap import SoapCatalogue
from gateway.errors import ConfigurationError, MalformedError, PeerRefused, PeerUnavailable
from simulators.faults import Fault
from simulators.fias.soap import BARE, SLASH

DAYS = ("2026.09.01", "2026.09.04", "2026.09.08")


@pytest.fixture
def fias(site):
    for day in DAYS:
        site.release(day, size=2_000, full=day == DAYS[-1])

    def made(**more):
        return Fias(site.options(**more), outbound=site.outbound(**more))

    return made


@pytest.mark.parametrize("more", [{}, {"kind": "soap"}, {"kind": "soap", "soap12": True}])
def test_every_release_comes_oldest_first_by_each_wire(fias, site, more):
    found = fias(**more).catalogue.every()
    assert [d.version_id for d in found] == [20260901, 20260904, 20260908]
    assert [str(d.date) for d in found] == ["2026-09-01", "2026-09-04", "2026-09-08"]
    assert [bool(d.full_url) for d in found] == [False, False, True]
    assert found[2].full_url == site.url("2026.09.08")
    assert found[2].text_version == "БД ФИАС от 08.09.2026"
    assert fias(**more).catalogue.last() == found[2]


@pytest.mark.parametrize("space", ["bare", "slash"])
@pytest.mark.parametrize("soap12", [False, True])
def test_whichever_namespace_the_service_understands_is_found(fias, site, space, soap12):
    site.service.command({"space": space})
    catalogue = fias(kind="soap", soap12=soap12).catalogue
    assert catalogue.last().version_id == 20260908
    assert len(catalogue.every()) == 3


def test_what_was_understood_once_is_used_from_then_on(fias, site):
    site.service.command({"space": "slash"})
    catalogue = fias(kind="soap").catalogue
    catalogue.last()
    refusals = len(site.peer.journal.troubles())
    catalogue.every()
    assert refusals == len(site.peer.journal.troubles()) == 1


def test_an_operation_that_is_not_there_is_a_fault(site):
    catalogue = SoapCatalogue(site.outbound(), site.options()["soap_url"])
    client = catalogue._clients[0]
    wire = client.message("GetLastDownloadFileInfo")
    for space in (BARE, SLASH):
        body = wire.body.replace(b"GetLast", b"GetOldest").replace(BARE.encode(), space.encode())
        with pytest.raises(PeerRefused, match="SOAPAction"):
            client.send(type(wire)(media_type=wire.media_type, body=body, headers=wire.headers))


@pytest.mark.parametrize("kind", ["rest", "soap"])
@pytest.mark.parametrize("page", ["html", "wsdl"])
def test_a_page_in_the_place_of_an_answer_says_what_to_do(fias, site, kind, page):
    site.service.command({"page": page})
    with pytest.raises(PeerUnavailable) as caught:
        fias(kind=kind).catalogue.every()
    assert caught.value.found == page.upper()
    assert caught.value.todo.endswith(f"kind = {'soap' if kind == 'rest' else 'rest'}")


@pytest.mark.parametrize("spelling", ["lower", "upper"])
def test_names_of_fields_in_another_case_are_read(fias, site, spelling):
    site.service.command({"spelling": spelling})
    assert fias().catalogue.every()[0].delta_url == site.url("2026.09.01", "gar_delta_xml.zip")


@pytest.mark.parametrize("kind", ["rest", "soap"])
def test_a_service_that_asks_to_come_later_is_unavailable(fias, site, kind):
    site.peer.faults.plan(Fault(kind="busy", key=kind, times=0))
    with pytest.raises(PeerUnavailable):
        fias(kind=kind).catalogue.last()
    health = fias(kind=kind).probe()
    assert not health.ok
    assert health.todo


@pytest.mark.parametrize("kind", ["rest", "soap"])
def test_a_service_that_fails_leaves_no_doubt_a_question_stores_nothing(fias, site, kind):
    site.peer.faults.plan(Fault(kind="error", key=kind))
    with pytest.raises(PeerUnavailable):
        fias(kind=kind).catalogue.last()


def test_an_empty_catalogue_has_no_newest_release(site):
    for kind in ("rest", "soap"):
        with pytest.raises(MalformedError):
            Fias(site.options(kind=kind), outbound=site.outbound()).catalogue.last()


def test_a_catalogue_in_the_own_network_is_asked_only_when_that_is_allowed(site):
    with pytest.raises(ConfigurationError, match="allow_private"):
        Fias(site.options(allow_private=[])).catalogue.every()


def test_the_probe_tells_the_newest_release(fias):
    health = fias().probe()
    assert (health.ok, health.detail) == (True, "20260908")


def test_the_releases_since_one_are_listed(fias):
    assert [d["version_id"] for d in fias().refresh("20260901")] == [20260904, 20260908]
    assert len(list(fias().refresh(""))) == 3
    with pytest.raises(MalformedError):
        list(fias().refresh("вчера"))
