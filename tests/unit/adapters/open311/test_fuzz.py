"""Whatever comes in, only errors of the house come out, and what was read can be stored."""

import json
from datetime import UTC, datetime
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.open311.codes import FIELDS
from gateway.adapter import EncodeContext, Wire
from gateway.errors import GatewayError, TooLargeError
from gateway.model.digest import content_sha256
from gateway.model.intake import check_intake
from gateway.testing.leaves import leaves

NOW = datetime(2200, 1, 1, tzinfo=UTC)
FORM = "application/x-www-form-urlencoded"

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
moments = st.sampled_from(
    ["2026-03-01T10:00:00Z", "2026-03-01T10:00:00+03:00", "2026-03-01", "0001-01-01T00:00:00+14:00",
     "2026-03-01T10:00:00+03:00:30", "20260301T100000Z", ""]
)  # fmt: skip
degrees = st.floats() | st.sampled_from(["56.8", "56.80", "1e3", "nan", "-0", "９", "", "+1"])
items = st.fixed_dictionaries(
    {"service_request_id": st.text(max_size=5) | st.integers() | values},
    optional={
        **{name: st.text() | values for name in FIELDS[1:]},
        **dict.fromkeys(("requested_datetime", "updated_datetime", "expected_datetime"), moments),
        **dict.fromkeys(("lat", "long"), degrees),
        "media_url": st.sampled_from(["http://a.example/1", "x", ["http://a", "http://b"], [1]]),
        "own": values,
    },
)
names = st.sampled_from(
    ["service_code", "lat", "long", "address_string", "description", "media_url", "media_url[]",
     "attribute[DEPTH]", "attribute[KIND][]", "attribute[", "attribute[]", "api_key", "phone",
     "jurisdiction_id", "client_request_id", "own"]
)  # fmt: skip
forms = st.lists(
    st.tuples(names | st.text(), st.text() | st.sampled_from(["street-light", "1.5", "garbage"])),
    max_size=8,
)


def walk(codec, wire):
    """Decode; what comes of it can be stored, told of, and written back leaf by leaf."""
    try:
        decoded = codec.decode(wire)
    except GatewayError:
        return
    alone = len(decoded.items) + len(decoded.rejected) == 1
    for item in decoded.items:
        msgspec.json.encode(item.appeal)
        content_sha256(item.appeal)
        check_intake(msgspec.structs.replace(item.appeal, source_peer="x"), NOW)
        codec.encode(item.appeal, None, EncodeContext(now=NOW)) if item.raw else None
        suffix = "form" if not item.raw else "json" if item.raw[:1] in b"[{" else "xml"
        meant = wire.body if alone else item.raw
        back = codec.restore(item)
        told = {k: v for k, v in leaves(meant, suffix).items() if not k.startswith("/api_key/")}
        assert leaves(back.body, suffix) == told


@given(st.lists(items | values, max_size=3))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_list_of_requests(codec, documents):
    body = json.dumps(documents).encode("utf-8", "surrogatepass")
    walk(codec, Wire(media_type="application/json", body=body))


@given(forms)
@settings(deadline=None)
def test_any_form(codec, pairs):
    try:
        body = urlencode(pairs).encode()
    except UnicodeEncodeError:
        return
    walk(codec, Wire(media_type=FORM, body=body))
    good = [("service_code", "street-light"), ("lat", "1.50"), ("long", "2")]
    walk(codec, Wire(media_type=FORM, body=urlencode(good).encode() + b"&" + body))


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_any_bytes(codec, body):
    for media in ("", FORM, "application/json", "text/xml; charset=utf-8", "text/xml; charset=x"):
        walk(codec, Wire(media_type=media, body=body))


@pytest.mark.parametrize(
    "inner",
    [
        "<a/>" * 3 + "<lat>1</lat><lat>2</lat>",
        "text<status>open</status>between",
        '<status kind="x">open</status><b c="d"><e/><e/></b>',
        '<x:status xmlns:x="urn:x">open</x:status><q><w>1</w>и</q>',
        "<own><own2><own3>1</own3></own2></own><description>a&#13;b\n</description>",
        "<media_url>http://a.example/1 </media_url><long>-122.40</long>",
    ],
)
def test_any_xml_of_a_request(codec, inner):
    number = "<service_request_id>1</service_request_id>"
    one = f"<request>{number}{inner}</request>"
    xmlns = 'xmlns="http://wiki.open311.org/GeoReport_v2"'
    for body in (
        f"<service_requests>{one}</service_requests>",
        f"<service_requests>{one}{one}</service_requests>",
        f"<service_requests {xmlns}>{one}</service_requests>",
        one,
    ):
        walk(codec, Wire(media_type="text/xml", body=body.encode()))


@pytest.mark.parametrize(
    "within", ["<request><x/></request>" * 100, "<request>" + '<x a="1"/>' * 100 + "</request>"]
)
def test_prefixes_around_many_pieces_are_not_copied_into_each_without_end(codec, within):
    declared = " ".join(f'xmlns:p{n}="u:{n}{"n" * 1_500}"' for n in range(100))
    body = f"<service_requests {declared}>{within}</service_requests>".encode()
    with pytest.raises(TooLargeError, match="too many prefixes"):
        codec.decode(Wire(media_type="text/xml", body=body))
