"""Timestamp: when a message was made, and until when it may be taken."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.errors import SecurityError
from gateway.soap.security import instants
from tests.unit.soap.security.kit import NOW, Ctx, header, read, refused, soap, timestamp, username

CREATED = "<wsu:Created>2026-11-20T12:00:00Z</wsu:Created>"
EXPIRES = "<wsu:Expires>2026-11-20T12:05:00Z</wsu:Expires>"
SWAPPED = f"<wsu:Timestamp>{EXPIRES}{CREATED}</wsu:Timestamp>"


def message(stamp):
    return soap(header(stamp, username()))


@pytest.mark.parametrize(
    "stamp",
    [
        timestamp(),
        timestamp(expires=None),
        timestamp(NOW - timedelta(seconds=359), None),
        timestamp(NOW + timedelta(seconds=60), NOW + timedelta(minutes=6)),
        timestamp(NOW - timedelta(minutes=4), NOW - timedelta(seconds=59)),
        timestamp(NOW, NOW + timedelta(days=400)),
        timestamp("2026-11-20T12:00:00.1234567Z", None),
        timestamp("2026-11-20T15:00:00+03:00", None),
        timestamp("\n 2026-11-20T12:00:00Z ", None),
    ],
)
def test_a_fresh_timestamp_is_accepted(stamp):
    assert read(message(stamp)).timestamp


@pytest.mark.parametrize(
    "stamp",
    [
        timestamp(NOW - timedelta(minutes=5), NOW - timedelta(seconds=60)),
        timestamp(NOW - timedelta(seconds=360), None),
        timestamp(NOW - timedelta(hours=1), NOW + timedelta(hours=1)),
    ],
)
def test_an_expired_one_is_refused_by_its_name(stamp):
    error = refused(message(stamp))
    assert error.fault == "MessageExpired"
    assert "clock" in error.todo


@pytest.mark.parametrize(
    "stamp",
    [
        timestamp(NOW + timedelta(seconds=61)),
        timestamp(NOW, NOW - timedelta(seconds=1)),
        timestamp() + timestamp(name="T2"),
        "<wsu:Timestamp/>",
        "<wsu:Timestamp><wsu:Expires>2026-11-20T12:05:00Z</wsu:Expires></wsu:Timestamp>",
        SWAPPED,
        timestamp().replace("<wsu:Expires>", f"{CREATED}<wsu:Expires>"),
        timestamp().replace("</wsu:Timestamp>", "<wsu:Received>x</wsu:Received></wsu:Timestamp>"),
        timestamp("2026-11-20T12:00:00"),
        timestamp("2026-11-20"),
        timestamp("2026-02-30T12:00:00Z"),
        timestamp("2026-11-20T24:00:00Z"),
        timestamp("2026-11-20T12:00:60Z"),
        timestamp("0001-01-01T00:00:00+14:00"),
        timestamp("9999-12-31T23:59:59-14:00"),
        timestamp("2026-11-20T12:00:00+99:99"),
        timestamp("٢٠٢٦-11-20T12:00:00Z"),
        timestamp("2026-11-20T12:00:00." + "1" * 90 + "Z"),
        timestamp("now"),
        timestamp(""),
        timestamp("<b/>"),
    ],
)
def test_one_that_cannot_be_right_is_refused(stamp):
    assert refused(message(stamp)).fault == "InvalidSecurity"


def test_a_timestamp_alone_is_checked_and_proves_nobody():
    assert read(soap(header(timestamp()))) is None
    old = timestamp(NOW - timedelta(hours=1), None)
    assert refused(soap(header(old))).fault == "MessageExpired"


def test_every_instant_that_is_written_is_read():
    moment = datetime(2026, 11, 20, 12, 0, 0, 123000, tzinfo=UTC)
    assert instants.write(moment) == "2026-11-20T12:00:00.123Z"
    assert instants.read(instants.write(moment), "x") == moment


def test_the_zone_of_the_writer_does_not_matter():
    moscow = NOW.astimezone(datetime.fromisoformat("2026-11-20T15:00:00+03:00").tzinfo)
    assert instants.write(moscow) == "2026-11-20T12:00:00.000Z"


def test_a_refused_instant_names_its_place():
    with pytest.raises(SecurityError) as caught:
        read(message(timestamp("now")), Ctx())
    assert caught.value.where == "/Envelope/Header/Security/Timestamp/Created"
