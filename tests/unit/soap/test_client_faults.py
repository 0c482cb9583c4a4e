"""Faults as the stacks of our peers spell them, and what each says about our delivery."""

from __future__ import annotations

import contextlib
import random

import pytest

from gateway import errors, limits, ns
from gateway.errors import GatewayError, PeerDoubtful, PeerRefused, PeerUnavailable
from gateway.outbound import Answered, Response
from gateway.soap import answers, faults
from gateway.soap.frame import Frame
from tests.unit.soap import fault_shapes as shapes


def answer(text, status=500, media="text/xml; charset=utf-8", **headers):
    data = text if isinstance(text, bytes) else text.encode()
    return Response(status, {"content-type": media, **headers}, data)


def told(response, message_id=""):
    with pytest.raises((PeerRefused, PeerUnavailable, PeerDoubtful)) as caught:
        answers.receipt(response, "partner", message_id)
    assert isinstance(caught.value.__cause__, Answered), "the bytes stand behind the error"
    assert caught.value.__cause__.response is response
    return caught.value


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (shapes.MONO_TYPED, PeerRefused),
        (shapes.MONO_BUSY_12, PeerUnavailable),
        (shapes.MONO_DEFECT_12, PeerDoubtful),
        (shapes.WCF_TYPED, PeerRefused),
        (shapes.WCF_TYPED_12, PeerRefused),
        (shapes.WCF_UNKNOWN, PeerDoubtful),
        (shapes.WCF_UNREADABLE, PeerRefused),
        (shapes.WCF_SECURITY, PeerRefused),
        (shapes.WCF_SECURITY_12, PeerRefused),
        (shapes.WCF_BUSY, PeerUnavailable),
        (shapes.WCF_ACTION, PeerRefused),
        (shapes.JAX_WS_TYPED, PeerRefused),
        (shapes.JAX_WS_DEFECT, PeerDoubtful),
        (shapes.JAX_WS_TYPED_12, PeerUnavailable),
        (shapes.JAX_WS_UNADDRESSED, PeerRefused),
        (shapes.JAX_WS_UNADDRESSED_12, PeerRefused),
        (shapes.JAX_WS_MUST_12, PeerRefused),
        (shapes.METRO_VERSION, PeerRefused),
        (shapes.PHP_UNTYPED, PeerUnavailable),
        (shapes.PHP_NESTED, PeerRefused),
        (shapes.PHP_12, PeerRefused),
        (shapes.PHP_OWN_CODE, PeerDoubtful),
        (shapes.GSOAP, PeerRefused),
        (shapes.GSOAP_12, PeerDoubtful),
        (shapes.GSOAP_MUST, PeerRefused),
        (shapes.AXIS, PeerDoubtful),
        (shapes.AXIS_CLIENT, PeerRefused),
        (shapes.CXF_SECURITY, PeerRefused),
        (shapes.LOST_PREFIX, PeerRefused),
        (shapes.QUALIFIED_11, PeerRefused),
        (shapes.ACCESS, PeerRefused),
        (shapes.UNREACHABLE, PeerUnavailable),
        (shapes.WITHOUT_CODE, PeerDoubtful),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
@pytest.mark.parametrize("status", [500, 400, 200])
def test_a_fault_means_the_same_whatever_the_stack_and_the_status(text, kind, status):
    assert type(told(answer(text, status))) is kind


@pytest.mark.parametrize(
    "text",
    [
        shapes.WCF_SECURITY,
        shapes.WCF_SECURITY_12,
        shapes.CXF_SECURITY,
        shapes.LOST_PREFIX,
        shapes.ACCESS,
    ],
    ids=range(5),
)
def test_a_refusal_of_our_credentials_says_where_to_look(text):
    error = told(answer(text))
    assert "password_file" in error.todo
    assert "credentials" in error.message


@pytest.mark.parametrize(
    "text",
    [
        shapes.METRO_VERSION,
        shapes.GSOAP_MUST,
        shapes.WCF_ACTION,
        shapes.JAX_WS_UNADDRESSED,
        shapes.JAX_WS_UNADDRESSED_12,
        shapes.JAX_WS_MUST_12,
    ],
    ids=range(6),
)
def test_a_refusal_of_our_headers_says_which_options_choose_them(text):
    assert "addressing" in told(answer(text)).todo


def test_the_peers_words_are_evidence_and_no_part_of_what_is_shown_to_everybody():
    error = told(answer(shapes.WCF_TYPED_12))
    assert error.found == "Sender: no"
    assert "no" not in error.message.split()
    assert error.message == "partner refused: ConflictFault"


@pytest.mark.parametrize(
    ("status", "headers", "kind"),
    [
        (500, {"retry-after": "30"}, PeerUnavailable),
        (503, {}, PeerUnavailable),
        (429, {}, PeerUnavailable),
        (401, {}, PeerRefused),
        (403, {}, PeerRefused),
    ],
)
def test_a_servers_fault_is_read_together_with_what_http_says(status, headers, kind):
    assert type(told(answer(shapes.GSOAP_12, status, **headers))) is kind


@pytest.mark.parametrize(
    ("status", "hint"),
    [(401, "password_file"), (403, "password_file"), (407, "proxy"), (415, "soap12"), (404, "")],
)
def test_a_refusal_without_soap_says_where_to_look_too(status, hint):
    error = told(Response(status, {}, b"<html>no</html>"))
    assert isinstance(error, PeerRefused)
    assert hint in error.todo
    assert bool(error.todo) == bool(hint)


OURS, OTHER = "urn:uuid:1", "urn:uuid:2"
OK = (
    f'<SubmitStatusResponse xmlns="{ns.APPEALS}"><R><ReceiptNumber>77</ReceiptNumber></R>'
    "</SubmitStatusResponse>"
)


def related(*ids, kind="", space=ns.WSA):
    attribute = f' RelationshipType="{kind}"' if kind else ""
    blocks = "".join(
        f'<w:RelatesTo xmlns:w="{space}"{attribute}>{id_}</w:RelatesTo>' for id_ in ids
    )
    return f"<s:Header>{blocks}</s:Header>"


@pytest.mark.parametrize("space", [ns.WSA, ns.WSA_2004])
@pytest.mark.parametrize(
    "body", [OK, shapes.WCF_TYPED.split("Body>")[1][:-4]], ids=["answer", "fault"]
)
def test_an_answer_to_another_message_settles_nothing(space, body):
    error = told(answer(shapes.envelope11(body, header=related(OTHER, space=space))), OURS)
    assert isinstance(error, PeerDoubtful)
    assert (error.found, error.expected) == (OTHER, OURS)


@pytest.mark.parametrize(
    "header",
    [
        "",
        related(OURS),
        related(OURS, kind=f"{ns.WSA}/reply"),
        related(OTHER, kind="urn:follows"),
        related(f"{ns.WSA}/unspecified"),
        related(OTHER, OURS),
    ],
    ids=["none", "ours", "named reply", "another relation", "unspecified", "both"],
)
def test_an_answer_to_our_message_or_to_none_is_taken(header):
    receipt = answers.receipt(answer(shapes.envelope11(OK, header=header), 200), "partner", OURS)
    assert (receipt.final, receipt.status, receipt.reference) == (True, 200, "77")


def package(*parts, start="", boundary="b"):
    begin = f'; start="{start}"' if start else ""
    body = b"".join(b"--" + boundary.encode() + b"\r\n" + part + b"\r\n" for part in parts)
    media = f'multipart/related; type="application/xop+xml"; boundary="{boundary}"{begin}'
    return answer(body + b"--" + boundary.encode() + b"--", 200, media)


def part(content, name="", media="application/xop+xml; charset=utf-8"):
    named = f"Content-ID: <{name}>\r\n" if name else ""
    return f"{named}Content-Type: {media}\r\n\r\n".encode() + content


def test_the_envelope_of_a_package_is_found_first_or_by_its_name():
    good, noise = part(shapes.envelope11(OK).encode(), "r"), part(b"\x00--x", "f", "image/png")
    nameless = part(b"<a/>")
    for given in (
        package(good),
        package(good, noise),
        package(good, nameless),
        package(good, noise, start="<other>"),
        package(noise, good, start="<r>"),
        package(nameless, good, noise, start="r"),
    ):
        receipt = answers.receipt(given, "partner")
        assert receipt.reference == "77"
        assert receipt.body == given.body, "the evidence is the whole package"


def test_an_answer_in_another_encoding_is_read_by_what_http_says():
    text = shapes.envelope11(OK.replace("77", "ОГ-77")).encode("cp1251")
    receipt = answers.receipt(answer(text, 200, "text/xml; charset=windows-1251"), "partner")
    assert receipt.reference == "ОГ-77"
    inside = package(part(text, media="application/xop+xml;\r\n charset=windows-1251"))
    assert answers.receipt(inside, "partner").reference == "ОГ-77"


@pytest.mark.parametrize(
    "given",
    [
        answer(b"", 202),
        answer(b"", 200),
        answer("<html>welcome</html>", 200),
        answer(f"<!DOCTYPE a [<!ENTITY b 'c'>]>{shapes.envelope11(OK)}", 200),
        answer(f'<s:Envelope xmlns:s="{ns.SOAP11}"/>', 200),
        answer(f'<e:Envelope xmlns:e="urn:other"><e:Body>{OK}</e:Body></e:Envelope>', 200),
        answer(b"\xff\xfe\x00", 200, "text/xml; charset=klingon"),
        answer(b"--b\r\n\r\n", 200, "multipart/related; boundary=b"),
        answer(b"x", 200, "multipart/related"),
        package(b"no head"),
        package(part(b"no xml")),
    ],
    ids=range(11),
)
def test_what_is_no_answer_leaves_the_doubt(given):
    assert isinstance(told(given), PeerDoubtful)


OURS_ALL = (
    errors.MalformedError("m"),
    errors.TooLargeError("m"),
    errors.ValidationError("m", (errors.Violation("/a", "required", "m"),)),
    errors.UnknownOperationError("m"),
    errors.UnsupportedError("m"),
    errors.VersionMismatchError("m"),
    errors.MustUnderstandError("m", ("{urn:x}H",)),
    errors.ConflictError("m", receipt_number="1"),
    errors.StateError("m"),
    errors.NotFoundError("m"),
    errors.AccessError("m"),
    errors.SecurityError("m", "FailedAuthentication"),
    errors.AddressingError(
        "m", names=(ns.tag(ns.WSA, "InvalidAddressingHeader"),), header=ns.tag(ns.WSA, "To")
    ),
    errors.BusyError("m"),
)
"""What a gateway like ours may answer with."""


@pytest.mark.parametrize("error", OURS_ALL, ids=lambda error: error.code)
@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_a_partner_that_is_a_gateway_like_ours_is_understood(version, error):
    sealed = faults.seal_fault(error, Frame(version=version), "c-1")
    kind = PeerUnavailable if error.retry == "later" else PeerRefused
    caught = told(answer(sealed.body, sealed.status, sealed.content_type))
    assert type(caught) is kind
    assert ("credentials" in caught.message) == (error.code in {"access", "security"})


def test_an_answer_past_the_size_of_an_envelope_is_not_read():
    text = shapes.envelope11(OK + "<!---->" + " " * limits.SOAP_ROOT_BYTES)
    assert isinstance(told(answer(text, 200)), PeerDoubtful)


def test_hostile_answers_raise_nothing_but_errors_of_the_house():
    chance = random.Random(7)
    samples = [
        shapes.UNREACHABLE,
        shapes.JAX_WS_TYPED_12,
        shapes.PHP_NESTED,
        shapes.envelope11(OK, header=related(OTHER)),
    ]
    for _ in range(2_000):
        data = bytearray(chance.choice(samples).encode())
        for _ in range(chance.randint(1, 6)):
            begin = chance.randrange(len(data))
            match chance.randrange(3):
                case 0:
                    data[begin] = chance.randrange(256)
                case 1:
                    del data[begin : begin + chance.randint(1, 40)]
                case _:
                    data[begin:begin] = data[chance.randrange(len(data)) :][:60]
        with contextlib.suppress(GatewayError):
            answers.receipt(answer(bytes(data), chance.choice([200, 500])), "partner", OURS)
