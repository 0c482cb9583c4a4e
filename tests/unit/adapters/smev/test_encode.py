"""What leaves for СМЭВ: of which kind, for whom, and fitting the schemas."""

import datetime as dt
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from lxml import etree

from adapters.smev import encode as pure
from adapters.smev.decode import decode
from adapters.smev.messages import package, schemas, write
from adapters.smev.messages import types as t
from adapters.smev.messages.words import read
from adapters.smev.telling import encode
from gateway import ns, xml
from gateway.adapter import Wire
from gateway.disclosure import Level, disclose
from gateway.errors import UnsupportedError, ValidationError
from gateway.model.base import Extra
from gateway.model.events import PAYLOADS, EventType
from gateway.testing.cases import Case, appeal_of, context_of, event_of, found

ROOT = Path(__file__).parents[3] / "contract"
CASES = {c.folder.name: c for c in found(ROOT, "smev") if c.goes_out}
LEAVES = [n for n, c in CASES.items() if not (c.folder / "encode_error.json").exists()]
MID = "5f1b6a10-1c2d-11f1-8a3c-a1b2c3d4e5f6"


def sent(case: Case, **options: str) -> Wire:
    given = {**(case.read("options.json") or {}), **options}
    return encode(appeal_of(case), event_of(case), context_of(case, given))


def payload(wire: Wire) -> bytes:
    return package.unpack(wire.body)[0] if package.is_package(wire.body) else wire.body


def sign(element):
    del element
    return etree.fromstring(f'<d:Signature xmlns:d="{ns.DS}"><d:SignedInfo/></d:Signature>')


@pytest.mark.parametrize("name", LEAVES)
def test_what_leaves_fits_the_profile_and_the_schema_of_smev(name):
    wire = sent(CASES[name])
    root = xml.parse(payload(wire)).root
    version = (CASES[name].read("options.json") or {}).get("version", "1.3")

    told = read(root)
    if told is None:
        schemas.profile().assertValid(root)
        data = t.RequestData(message_id=MID, content=payload(wire))
        assert write.send_request(version, data, sign)
    else:
        answer = t.ResponseData(message_id=MID, to="x", rejected=told.rejected, status=told.status)
        assert write.send_response(version, answer, sign)
    assert wire.headers[t.KIND] == {"o01": "status", "o02": "status", "o03": "response",
                                    "o04": "rejected", "o05": "rejected", "o06": "response",
                                    "o07": "request", "o08": "request"}[name[:3]]  # fmt: skip


def test_what_leaves_names_the_appeal_and_leaves_its_message_to_the_exchange():
    left = [sent(CASES[name]).headers for name in LEAVES]

    assert all(t.APPEAL in headers and t.IN_REPLY_TO not in headers for headers in left)


@pytest.mark.parametrize("source", ["another", "smev"])
def test_only_an_appeal_of_this_very_peer_is_answered(source):
    case = CASES["o01-registered"]
    other = msgspec.structs.replace(appeal_of(case), source_peer=source)

    wire = encode(other, event_of(case), context_of(case, {}))

    assert wire.headers[t.KIND] == "request"


def test_an_appeal_whose_source_is_hidden_is_not_given_to_anybody():
    case = CASES["o01-registered"]
    hidden = disclose(appeal_of(case), Level.REFERENCE_ONLY, peer="region")

    with pytest.raises(ValidationError, match="full"):
        encode(hidden, event_of(case), context_of(case, {}))


@pytest.mark.parametrize("name", LEAVES)
def test_a_gateway_behind_smev_reads_what_a_gateway_sends(name):
    wire = sent(CASES[name])
    headers = {
        t.MESSAGE_ID: MID, t.APPEAL: "G-7", t.SENT_AT: "2026-03-20T09:00:00Z",
        t.KIND: wire.headers[t.KIND],
    }  # fmt: skip
    (item,) = decode(msgspec.structs.replace(wire, headers=headers)).items

    if wire.headers[t.KIND] != "request":
        assert item.report
        assert item.report.key.receipt_number == "G-7"
        assert item.report.event is not EventType.PEER_STATE_REPORTED


def test_a_file_goes_with_the_letter():
    _, files = package.unpack(sent(CASES["o03-answer"]).body)

    assert [(f.id, f.name, f.data.decode()) for f in files] == [
        ("file-1", "ответ.txt", "Акт осмотра")
    ]


def test_a_peer_may_want_refusals_as_a_payload():
    wire = sent(CASES["o04-refused"], refuse_with="payload")
    root = xml.parse(wire.body).root

    schemas.profile().assertValid(root)
    assert (wire.headers[t.KIND], root[0].text) == ("response", "not_ours")


def test_our_own_word_of_their_message_is_not_sent():
    case = CASES["o01-registered"]
    with pytest.raises(UnsupportedError):
        encode(
            appeal_of(case), event_of(case), msgspec.structs.replace(context_of(case, {}), own=True)
        )


@pytest.mark.parametrize("kind", list(EventType))
@pytest.mark.parametrize("name", ["o01-registered", "o07-request"])
def test_every_event_is_sent_or_has_no_word(kind, name):
    case = CASES[name]
    event = event_of(case)
    assert event
    try:
        blank = msgspec.structs.replace(event, type=kind, payload=PAYLOADS[kind]())
    except TypeError:
        return
    with suppress(UnsupportedError, ValidationError):
        wire = encode(appeal_of(case), blank, context_of(case, {}))
        assert xml.parse(payload(wire)).root is not None


def test_a_receipt_and_a_rejection_answer_what_no_event_does():
    at = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
    receipt = pure.receipt("G-1", at, MID)
    schemas.profile().assertValid(xml.parse(receipt.body).root)
    refused = pure.not_understood(MID, "нет <элемента>", "1.2")

    told = read(xml.parse(refused.body).root)
    assert told
    assert told.rejected[0].description == "нет <элемента>"
    assert receipt.headers[t.IN_REPLY_TO] == refused.headers[t.IN_REPLY_TO] == MID


def test_what_the_profile_forbids_does_not_leave():
    case = CASES["o07-request"]
    long = msgspec.structs.replace(appeal_of(case), subject="я" * 5_000)

    with pytest.raises(ValidationError) as caught:
        encode(long, event_of(case), context_of(case, {}))
    assert "Subject" in caught.value.violations[0].path
    assert "яяя" not in str(caught.value)


def test_what_another_format_had_beside_is_not_given_on():
    case = CASES["o07-request"]
    extras = (
        Extra(peer="pos", path="/internal", value="тайна"),
        Extra(peer="gateway", path="Район", value="Центральный"),
    )
    wire = encode(
        msgspec.structs.replace(appeal_of(case), extras=extras),
        event_of(case),
        context_of(case, {}),
    )
    text = wire.body.decode()
    assert "Центральный" in text
    assert "тайна" not in text
