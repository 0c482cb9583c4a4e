"""An instant without its offset: taken in the zone that the façade names, or refused; never UTC."""

from datetime import UTC, datetime

import pytest
from lxml import etree

from gateway.errors import ConfigurationError, InternalError, ValidationError
from gateway.soap import facade as f
from gateway.soap import facade_time
from gateway.wires.facades import dispatcher, requests
from tests.unit.soap import legacy

SAMARA = f.Facade(
    legacy.MeterService, name="meters", namespace=legacy.NAMESPACE, zone="Europe/Samara"
)


def read(facade, instant):
    body = etree.fromstring(
        f'<Take xmlns="{legacy.NAMESPACE}"><reading><meter>A-1</meter><value>1</value>'
        f"<takenAt>{instant}</takenAt></reading></Take>"
    )
    facade.engine.validate(body, 20)
    return facade.read(body).arguments[0].takenAt


def test_what_net_writes_of_a_form_is_refused_with_its_place_and_what_to_do():
    with pytest.raises(ValidationError) as caught:
        read(legacy.FACADE, "2026-11-20T00:30:00")
    (violation,) = caught.value.violations
    assert (violation.path, violation.found) == ("/Take/reading/takenAt", "2026-11-20T00:30:00")
    assert "offset" in violation.message
    assert "DateTimeOffset" in caught.value.todo
    assert "zone=" in caught.value.todo


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-11-20T00:30:00", "2026-11-20T00:30:00+04:00"),
        ("2026-11-20T00:30:00.1234567", "2026-11-20T00:30:00.123456+04:00"),
        ("2010-10-31T02:30:00", "2010-10-31T02:30:00+04:00"),  # shown twice: the first is meant
        ("2026-11-20T00:30:00Z", "2026-11-20T00:30:00+00:00"),
        ("2026-11-20T00:30:00-03:30", "2026-11-20T00:30:00-03:30"),
    ],
)
def test_a_named_zone_is_for_what_says_none(written, meant):
    assert read(SAMARA, written).isoformat() == meant


@pytest.mark.parametrize("name", ["Europe/Nowhere", "../etc/passwd", "/etc/passwd", "Europe"])
def test_a_zone_that_is_none_is_refused_at_start(name):
    with pytest.raises(ConfigurationError) as caught:
        f.Facade(legacy.MeterService, name="meters", namespace=legacy.NAMESPACE, zone=name)
    assert caught.value.found == name


def test_an_answer_always_carries_its_offset():
    def written(facade, at):
        body = facade.write("Take", legacy.Taken(number=1, meters=[], at=at))
        return etree.fromstring(body).findtext(".//{*}at")

    bare = datetime(2026, 11, 20, 9)  # noqa: DTZ001 - what a careless author returns
    assert written(SAMARA, bare) == "2026-11-20T09:00:00+04:00"
    assert written(legacy.FACADE, bare.replace(tzinfo=UTC)) == "2026-11-20T09:00:00+00:00"
    with pytest.raises(InternalError):
        written(legacy.FACADE, bare)
    old = facade_time.write(datetime(1900, 1, 1), facade_time.zone_of("Europe/Moscow", ""))  # noqa: DTZ001 - as above
    assert old == "1899-12-31T21:29:43+00:00"


@pytest.mark.parametrize("facade", [requests.FACADE, dispatcher.FACADE])
def test_a_built_in_facade_asks_for_no_instant_so_that_it_needs_no_zone(facade):
    schema = etree.fromstring(facade.contract.xsd(facade.name))
    told = {each.getparent().getparent().get("name") for each in schema.iterfind(
        ".//{*}element[@type='xs:dateTime']")}  # fmt: skip
    assert told <= {"RequestStatus"}  # of an answer
