"""Whatever is sent, the engine answers with a call or with an error of ours, and with a fault."""

from contextlib import suppress
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from gateway import ns
from gateway.errors import GatewayError, InputError
from gateway.soap import envelope, faults, frame
from gateway.wires import binding, contract
from tests.unit.soap.kit import CONTEXT, MEDIA, soap

SAMPLE = (Path(__file__).parents[2] / "data/submit_appeal_2k.xml").read_bytes()
WSA = (
    f'<a:Action xmlns:a="{ns.WSA}" e:mustUnderstand="1">urn:gov:appeals:v1/GetAppeal</a:Action>'
    f'<a:MessageID xmlns:a="{ns.WSA}">urn:uuid:1</a:MessageID>'
)
SEEDS = [
    SAMPLE,
    SAMPLE.decode().encode("utf-16"),
    soap("1.2", header=WSA).encode(),
    soap("1.1", header=WSA).encode(),
]
WORDS = [
    b"<", b">", b"</", b"/>", b"&", b"&amp;", b"&x;", b"&#0;", b"]]>", b"<![CDATA[",
    b"<!--", b"-->",
    b"<!DOCTYPE a>", b'<!DOCTYPE a [<!ENTITY x "y">]>', b"<?x?>",
    b"\x00", b"\xff", b"\xfe\xff",
    b"\xd0", b"=", b'"', b"xmlns", b' xmlns:s="urn:x"', b' s:mustUnderstand="1"', b"<a/>",
    b"<a>" * 120,
    b"Envelope",
    b"Body", b"Header", b"SubmitAppeal", b"<Appeal>", b"2026-13-45", b"99999999999",
    b"<Surprise/>", b' a="1" a="2"', b"1e999", b"-1", "я".encode(), b" ", b"\r\n", b"24:00:00",
]  # fmt: skip
EDIT = st.tuples(
    st.sampled_from(["insert", "delete", "replace", "duplicate"]),
    st.integers(0, 4000),
    st.integers(0, 60),
    st.one_of(st.sampled_from(WORDS), st.binary(max_size=8)),
)
HEADERS = st.fixed_dictionaries(
    {
        "content-type": st.one_of(
            st.sampled_from([*MEDIA.values(), "text/xml", "text/xml; charset=utf-16", "x/y", ""]),
            st.text(max_size=40),
        )
    },
    optional={"soapaction": st.one_of(st.just('"urn:gov:appeals:v1/SubmitAppeal"'), st.text())},
)


def mutate(data, edits):
    for kind, place, length, word in edits:
        at = min(place, len(data))
        piece = data[at : at + length]
        data = {
            "insert": data[:at] + word + data[at:],
            "delete": data[:at] + data[at + length :],
            "replace": data[:at] + word + data[at + length :],
            "duplicate": data[:at] + piece + piece + data[at + length :],
        }[kind]
    return data


@given(st.sampled_from(SEEDS), st.lists(EDIT, max_size=6), HEADERS)
def test_a_mutated_envelope_is_a_call_or_an_error_of_ours(seed, edits, headers):
    data = mutate(seed, edits)
    try:
        call = envelope.open(data, headers, {}, CONTEXT)
        binding.read(contract.OPERATIONS[call.operation].request, call.body)
    except GatewayError as error:
        answer = faults.seal_fault(error, frame.of_request(data, headers), "c")
        assert etree.fromstring(answer.body) is not None
    else:
        assert etree.fromstring(envelope.seal(envelope.Reply(body=b"<x/>"), call).body) is not None


@given(st.binary(max_size=300), HEADERS)
def test_any_bytes_are_an_error_of_ours(data, headers):
    with suppress(InputError):
        envelope.open(data, headers, {}, CONTEXT)
