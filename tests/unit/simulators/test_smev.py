"""The stand of СМЭВ: queues, what it refuses and by which fault, and its account of it all."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from lxml import etree

from gateway import contracts, xml
from simulators.smev import rules, writing
from simulators.smev.account import Limits
from simulators.smev.caller import Refused, opened
from simulators.smev.house import Replies
from simulators.smev.names import NAMES, VERSIONS
from simulators.smev.schemas import Schemas
from tests.gost_kit import needs_gost
from tests.unit.simulators.smev_kit import ASK, ASKED, OTHER, TELL, TOLD, Probe, refused, ring

pytestmark = needs_gost


OFFICIAL = Path("../shared/data/smev3-schemas")
"""The operator's own schemas; they are not ours to give on."""


def faults_schema(version):
    return contracts.folder("xsd", "smev") / version / "faults.xsd"


@pytest.fixture
def probe(tmp_path):
    return Probe(tmp_path)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_request_goes_there_and_its_answer_back(tmp_path, version):
    probe = Probe(tmp_path, version=version)
    alpha, beta = probe.caller("ALPHA"), probe.caller("BETA")
    number = alpha.request(ASKED)
    got = beta.get("Request", ASK)
    assert got.id == number
    assert got.content.get("n") == "1"
    beta.ack(got.id)
    answer = beta.respond(got.reply_to, TOLD)
    back = alpha.get("Response")
    assert (back.id, back.original, back.content.text) == (answer, number, "готово")
    alpha.ack(back.id)
    assert beta.get("Request") is None
    assert alpha.get("Response", TELL) is None
    counts = probe.account.counts()
    assert counts["open"] == counts["unanswered"] == counts["never_given"] == 0
    assert counts["states"] == {"accepted": 2}


@pytest.mark.parametrize("version", VERSIONS)
def test_everything_it_says_fits_the_schema_and_is_signed_by_it(tmp_path, version):
    probe = Probe(tmp_path, version=version, statuses=True)
    alpha, beta = probe.caller("ALPHA"), probe.caller("BETA")
    official = Schemas(OFFICIAL) if OFFICIAL.exists() else probe.schemas
    both = (probe.schemas, official)
    own = ring().signing.keys.current("smev", datetime.now(UTC)).certificate.der
    said = []

    def heard(caller):
        send = caller._send

        def sent(headers, body):
            answer = send(headers, body)
            said.append(opened(*answer))
            return answer

        caller._send = sent

    heard(alpha)
    heard(beta)
    alpha.request(ASKED, attachments={"a1": b"file"})
    got = beta.get("Request")
    beta.ack(got.id)
    rejected = "<t:RequestRejected><t:RejectionReasonCode>NO_DATA</t:RejectionReasonCode>"
    rejected += (
        "<t:RejectionReasonDescription>нет</t:RejectionReasonDescription></t:RequestRejected>"
    )
    beta.respond(got.reply_to, other=rejected)
    alpha.ack(alpha.get("Response").id)
    alpha.status()
    alpha.get("Response")
    names = NAMES[version]
    for root in said:
        for schemas in both:
            schemas.check(version, xml.parse(etree.tostring(root)).root)
        for place in root.iter(names.t("SMEVSignature")):
            targets = [one for one in place.getparent() if one.get("Id")]
            assert probe.house.ring.prove(place[0], targets[0], datetime.now(UTC)) == own
    assert sum(len(list(root.iter(names.t("SMEVSignature")))) for root in said) == 5


def test_attachments_come_out_as_they_went_in(probe):
    data = {"a1": bytes(range(256)) * 40, "a2": b"--boundary\r\n"}
    probe.caller("ALPHA").request(ASKED, attachments=data)
    got = probe.caller("BETA").get("Request")
    b = probe.caller("BETA").names.b
    root = opened(probe.last.reply.media_type, probe.last.reply.body)
    back = {
        one.findtext(b("Id")): one.findtext(b("Content"))
        for one in root.iter(b("AttachmentContent"))
    }
    assert {name: len(text) for name, text in back.items()} == {"a1": 13656, "a2": 16}
    assert got.data.findtext(f".//{b('contentId')}") == "a1"


def test_parameters_of_a_package_may_come_in_pieces(tmp_path):
    probe = Probe(tmp_path, replies=Replies(split=True))
    assert probe.caller("BETA").get("Request") is None
    told = probe.last.reply.media_type
    assert re.search(r'start\*0="[^"]+"; start\*1="', told)
    assert 'boundary*0="' in told


def test_a_repeated_number_is_known_and_nothing_is_there_twice(probe):
    alpha, beta = probe.caller("ALPHA"), probe.caller("BETA")
    number = alpha.request(ASKED)
    assert refused(alpha.request, ASKED, message_id=number) == "MessageIsAlreadySent"
    beta.ack(beta.get("Request").id)
    assert beta.get("Request") is None
    assert refused(alpha.request, ASKED, message_id=number) == "MessageIsAlreadySent"
    (row,) = probe.account.holds(number)
    assert (row["sent_again"], row["given"], row["acked"]) == (2, 1, 1)


def old(days):
    made = uuid.uuid1()
    ticks = made.time - int(timedelta(days=days).total_seconds() * 10**7)
    low, mid, high = ticks & 0xFFFFFFFF, (ticks >> 32) & 0xFFFF, (ticks >> 48) & 0x0FFF
    return str(uuid.UUID(fields=(low, mid, high | 0x1000, 0x80, 0, made.node)))


@pytest.mark.parametrize(
    ("number", "fault"),
    [
        (str(uuid.uuid4()), "InvalidMessageIdFormat"),
        (old(2.01), "StaleMessageId"),
        (old(-1), "StaleMessageId"),
        (str(uuid.uuid1()).upper(), "InvalidContent"),
    ],
    ids=["random", "two days ago", "tomorrow", "large letters"],
)
def test_a_number_must_be_fresh_and_of_version_one(probe, number, fault):
    assert refused(probe.caller("ALPHA").request, ASKED, message_id=number) == fault


def test_a_number_of_yesterday_still_goes(probe):
    assert probe.caller("ALPHA").request(ASKED, message_id=old(1.9))


def test_who_is_not_registered_has_no_queue(probe):
    assert refused(probe.caller("STRANGER").request, ASKED) == "SenderIsNotRegistered"
    assert refused(probe.caller("STRANGER").get, "Request") == "SenderIsNotRegistered"


def word(probe, envelope, name="SendRequest"):
    with pytest.raises(Refused) as error:
        probe.caller("ALPHA").sent(name, envelope, {})
    found = re.search(rb"<f:SignatureVerificationFault>(\w+)<", probe.last.reply.body)
    return error.value.detail, found and found[1].decode()


def made(probe):
    inside = f"<t:MessageID>{uuid.uuid1()}</t:MessageID>"
    inside += f"<b:MessagePrimaryContent>{ASKED}</b:MessagePrimaryContent>"
    data = f'<t:SenderProvidedRequestData Id="X">{inside}</t:SenderProvidedRequestData>'
    return probe.caller("ALPHA").made("SendRequest", data, {})


def test_a_signature_that_does_not_fit_is_refused_by_its_word(probe):
    envelope = made(probe)
    names = probe.caller("ALPHA").names
    detail = "SignatureVerificationFault"
    assert word(probe, envelope.replace("срок".encode(), "сок".encode())) == (
        detail,
        "SignatureIsInvalid",
    )
    bare = xml.parse(envelope).root
    place = next(bare.iter(names.t("CallerInformationSystemSignature")))
    place.getparent().remove(place)
    assert word(probe, etree.tostring(bare)) == (detail, "NoSignatureFound")
    elsewhere = envelope.replace(b'Id="X"', b'Id="Y"')
    assert word(probe, elsewhere)[0] == detail
    assert probe.account.counts()["messages"] == 0


def test_what_is_no_call_gets_a_fault_without_detail(probe):
    caller = probe.caller("ALPHA")
    for body in (b"", b"<a/>", b"<!DOCTYPE a><a/>", made(probe).replace(b"Body", b"Corpus")):
        assert refused(caller.sent, "SendRequest", body, {}) == ""
    assert probe.desk.serve("1.1", {"content-type": "text/xml"}, made(probe)).status == 500


def test_every_fault_fits_its_schema():
    fields = {
        "BusinessDataTypeIsNotSupported": {
            "RootElementLocalName": "a", "RootElementNamespaceURI": "b",
        },
        "AttachmentSizeLimitExceeded": {
            "PermittedTotalAttachmentSize": 1, "RealTotalAttachmentSize": 2,
        },
        "QuoteLimitExceeded": {"RemainedTotalQuoteSize": 1, "RealTotalAttachmentSize": 2},
        "DestinationOverflow": {"MessageBrokerAddress": "a", "DestinationName": "b"},
        "TransactionCodeInvalid": {},
        "SignatureVerificationFault": {"SignatureVerificationFault": "SignatureIsInvalid"},
        "InvalidContent": {"ValidationError": "почему", "errorPosition": 3},
        **{name: {} for name in rules._VOID},
    }  # fmt: skip
    for version in VERSIONS:
        schema = etree.XMLSchema(etree.parse(faults_schema(version)))
        official = next(OFFICIAL.glob(f"v{version}/*faults*.xsd"), None)
        for name, more in fields.items():
            root = xml.parse(writing.fault(NAMES[version], rules.Refusal(name, "т", **more))).root
            schema.assertValid(next(root.iter("detail"))[0])
            if official is not None:
                etree.XMLSchema(etree.parse(official)).assertValid(next(root.iter("detail"))[0])


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ('<p:Other xmlns:p="urn:probe"/>', "BusinessDataTypeIsNotSupported"),
        ("", "InvalidContent"),
    ],
)
def test_a_kind_must_be_registered(probe, content, fault):
    assert refused(probe.caller("ALPHA").request, content) == fault


def test_asking_for_a_kind_that_is_not_ones_own_is_refused(probe):
    assert refused(probe.caller("BETA").get, "Request", OTHER) == "UnknownMessageType"
    assert refused(probe.caller("ALPHA").get, "Request", ASK) == "UnknownMessageType"
    assert refused(probe.caller("ALPHA").get, "Response", OTHER) == "UnknownMessageType"
    assert probe.caller("ALPHA").get("Response", TELL) is None


def test_services_say_who_may_ask_whom_and_with_which_code(probe):
    alpha = probe.caller("ALPHA")
    probe.service.consumers = ["GAMMA"]
    assert refused(alpha.request, ASKED) == "AccessDenied"
    probe.service.consumers, probe.service.codes = [], ["code-1"]
    assert refused(alpha.request, ASKED) == "TransactionCodeInvalid"
    probe.service.codes, probe.service.providers = [], ["BETA", "GAMMA"]
    assert refused(alpha.request, ASKED) == "RecipientIsNotFound"
    assert probe.account.counts()["messages"] == 0


def routed(probe, *mnemonics, signed=True):
    """Return a request of 1.3 that names its recipients."""
    names = probe.caller("ALPHA").names
    values = "".join(f"<r:IdentifierValue>{one}</r:IdentifierValue>" for one in mnemonics)
    text = (
        f'<r:Routing xmlns:r="{names.routing}"><r:RoutingInformation Id="R">'
        f"<r:MessageID>{uuid.uuid1()}</r:MessageID><r:IdentifierRouting>{values}"
        "</r:IdentifierRouting></r:RoutingInformation><r:RoutingSignature/></r:Routing>"
    )
    envelope = xml.parse(made(probe)).root
    routing = etree.SubElement(envelope[0][0], names.r("Routing"))
    routing.extend(list(xml.parse(text.encode()).root))
    signature = probe.house.ring.signer("ALPHA", datetime.now(UTC)).sign(routing[0])
    if not signed:
        routing[0][0].text = str(uuid.uuid1())
    routing[1].append(signature)
    return etree.tostring(envelope)


def test_a_request_may_name_its_recipient(probe):
    probe.service.providers = ["BETA", "GAMMA"]
    alpha = probe.caller("ALPHA")
    alpha.sent("SendRequest", routed(probe, "GAMMA"), {})
    assert probe.caller("BETA").get("Request") is None
    assert probe.caller("GAMMA").get("Request") is not None
    assert refused(alpha.sent, "SendRequest", routed(probe, "DELTA"), {}) == "RecipientIsNotFound"
    forged = routed(probe, "BETA", signed=False)
    assert word(probe, forged) == ("SignatureVerificationFault", "SignatureIsInvalid")


def test_attachments_must_agree_with_their_headers(probe):
    caller = probe.caller("ALPHA")
    lone = "<b:AttachmentHeaderList><b:AttachmentHeader><b:contentId>a9</b:contentId>"
    lone += "<b:MimeType>text/plain</b:MimeType></b:AttachmentHeader></b:AttachmentHeaderList>"
    fault = "AttachmentContentMiscoordination"
    assert refused(caller.request, ASKED, more=lone) == fault
    gone = lone.replace("Attachment", "RefAttachment").replace("contentId>", "uuid>")
    gone = gone.replace("<b:MimeType", "<b:Hash>x</b:Hash><b:MimeType")
    assert refused(caller.request, ASKED, more=gone) == fault


def test_sizes_and_full_queues_are_told_with_their_limits(tmp_path):
    probe = Probe(tmp_path, limits=Limits(queue=1, attachments=100))
    alpha = probe.caller("ALPHA")
    assert refused(alpha.request, ASKED, attachments={"a": b"x" * 101}) == (
        "AttachmentSizeLimitExceeded"
    )
    assert b"<f:RealTotalAttachmentSize>101<" in probe.last.reply.body
    alpha.request(ASKED)
    assert refused(alpha.request, ASKED) == "DestinationOverflow"


def test_the_time_of_a_message_passes(probe):
    alpha, beta = probe.caller("ALPHA"), probe.caller("BETA")

    def eol(minutes):
        number, at = str(uuid.uuid1()), datetime.now(UTC) + timedelta(minutes=minutes)
        inside = f"<t:MessageID>{number}</t:MessageID><t:EOL>{at.isoformat()}</t:EOL>"
        inside += f"<b:MessagePrimaryContent>{ASKED}</b:MessagePrimaryContent>"
        name = "t:SenderProvidedRequestData"
        alpha.call("SendRequest", f'<{name} Id="X">{inside}</{name}>')
        return number

    assert refused(eol, -1) == "EndOfLifeReached"
    number = eol(5)
    probe.shift = timedelta(minutes=6)
    assert beta.get("Request") is None
    assert alpha.status().findtext(alpha.names.t("OriginalMessageId")) == number


def test_an_answer_must_be_of_its_kind_and_to_one_who_asked(probe):
    alpha, beta = probe.caller("ALPHA"), probe.caller("BETA")
    alpha.request(ASKED)
    got = beta.get("Request")
    wrong = '<p:Other xmlns:p="urn:probe"/>'
    assert refused(beta.respond, got.reply_to, wrong) == "IncorrectResponseContentType"
    assert refused(beta.respond, "eyJ0b2tlbiI6MX0=", TOLD) == "RecipientIsNotFound"
    stranger = probe.caller("GAMMA")
    assert refused(stranger.respond, got.reply_to, TOLD) == "RecipientIsNotFound"
