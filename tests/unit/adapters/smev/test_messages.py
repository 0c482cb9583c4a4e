"""Calls of СМЭВ as they leave, and answers as they are read."""

import datetime as dt
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from adapters.smev.messages import names, package, read, words, write
from adapters.smev.messages import types as t
from gateway import ns, xml, xmldsig
from gateway.errors import (
    GatewayError,
    MalformedError,
    TrustError,
    UnsupportedError,
    ValidationError,
)
from tests.gost_kit import NOW as AT
from tests.gost_kit import needs_gost, opened, pki

NOW = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
MID = "5f1b6a10-1c2d-11f1-8a3c-a1b2c3d4e5f6"
OID = "4e0a5900-1c2d-11f1-8a3c-a1b2c3d4e5f6"
PAYLOAD = (
    '<?xml version="1.0"?><Appeal xmlns="urn:x">'
    "<Text>снег &gt;&gt; двор\n--&gt; ждём</Text></Appeal>"
)
VERSIONS = pytest.mark.parametrize("version", t.VERSIONS)


class Signer:
    """Signs by telling what it was given: a stand-in that shows what a signature is over."""

    def __init__(self, who: str = "body") -> None:
        self.who = who
        self.over: list[bytes] = []

    def __call__(self, element):
        assert element.get("Id"), "what is signed is found by its Id"
        self.over.append(xml.c14n(element))
        text = (
            f'<ds:Signature xmlns:ds="{ns.DS}"><ds:SignedInfo>'
            f'<ds:Reference URI="#{element.get("Id")}"/></ds:SignedInfo>'
            f"<ds:KeyInfo><ds:KeyName>{self.who}</ds:KeyName></ds:KeyInfo></ds:Signature>"
        )
        return etree.fromstring(text)


def request(**more) -> t.RequestData:
    return t.RequestData(**{"message_id": MID, "content": PAYLOAD.encode(), **more})


def called(body: bytes):
    """Return the call in an envelope, as its receiver parses it."""
    envelope = xml.parse(body).root
    assert envelope.tag == ns.tag(ns.SOAP11, "Envelope")
    return read.body_child(envelope)


def found(call, name: str):
    return next(call.iter(f"{{*}}{name}"))


@VERSIONS
def test_a_request_carries_what_was_signed_byte_for_byte(version):
    body, official = Signer(), Signer("official")
    call = called(write.send_request(version, request(test=True), body, official))

    data = found(call, "SenderProvidedRequestData")
    assert xml.c14n(data) == body.over[0]
    content = found(data, "MessagePrimaryContent")[0]
    assert xml.c14n(content) == official.over[0]
    assert content.findtext("{urn:x}Text") == "снег >> двор\n--> ждём"
    signatures = {
        names.local(s.getparent().tag): s.findtext(f".//{{{ns.DS}}}KeyName")
        for s in call.iter(names.SIGNATURE)
    }
    assert signatures == {
        "PersonalSignature": "official", "CallerInformationSystemSignature": "body"
    }  # fmt: skip
    assert found(call, "TestMessage") is not None


def test_the_first_message_of_a_chain_in_1_2_refers_to_itself():
    call = called(write.send_request("1.2", request(), Signer()))

    assert found(call, "ReferenceMessageID").text == MID
    assert found(call, "TransactionCode").text is None


@VERSIONS
def test_every_operation_has_its_call(version):
    selector = t.Selector(now=NOW, namespace="urn:x", local_name="Appeal", node_id="n1")
    told = t.RequestStatus(code=2, description="Принято", parameters=(("a", "<b>"),))
    calls = {
        "SendResponse": write.send_response(
            version, t.ResponseData(message_id=MID, to="opaque==", status=told), Signer()
        ),
        "GetRequest": write.get_request(version, selector, Signer()),
        "GetResponse": write.get_response(version, t.Selector(now=NOW), Signer()),
        "GetStatus": write.get_status(version, NOW, Signer()),
        "Ack": write.ack(version, MID, Signer(), accepted=False),
    }
    for name, body in calls.items():
        assert called(body).tag == f"{{{names.types(version)}}}{name}Request"
    assert found(called(calls["SendResponse"]), "To").text == "opaque=="
    assert found(called(calls["Ack"]), "AckTargetMessage").get("accepted") == "false"


def test_queues_are_counted_up_to_1_2_only():
    call = called(write.statistics("1.2", NOW, Signer(), "n1"))

    assert [names.local(c.tag) for c in call][:2] == ["NodeID", "Timestamp"]
    with pytest.raises(UnsupportedError):
        write.statistics("1.3", NOW, Signer())


@VERSIONS
def test_a_response_says_one_of_its_kinds(version):
    kinds = {
        "response": t.ResponseData(message_id=MID, to="x", content=PAYLOAD.encode()),
        "rejected": t.ResponseData(
            message_id=MID,
            to="x",
            rejected=(t.RequestRejected(code="NO_DATA", description="нет"),) * 2,
        ),
    }
    for kind, data in kinds.items():
        assert data.kind == kind
        write.send_response(version, data, Signer())


def test_version_1_2_knows_no_failure():
    data = t.ResponseData(
        message_id=MID, to="x", rejected=(t.RequestRejected(code="FAILURE", description="сбой"),)
    )
    write.send_response("1.3", data, Signer())
    with pytest.raises(ValidationError) as caught:
        write.send_response("1.2", data, Signer())
    assert "RejectionReasonCode" in caught.value.violations[0].path


@pytest.mark.parametrize(
    "bad", [{"message_id": MID.upper()}, {"node_id": "n" * 51}, {"transaction_code": "t" * 1501}]
)
def test_what_the_schema_forbids_does_not_leave(bad):
    with pytest.raises(ValidationError):
        write.send_request("1.3", request(**bad), Signer())


def test_what_only_1_3_says_is_not_said_before_it():
    header = t.RefAttachmentHeader(uuid="u", hash="h", mime_type="text/plain", file_name="a.txt")
    write.send_request("1.3", request(ref_headers=(header,)), Signer())
    with pytest.raises(ValidationError):
        write.send_request("1.1", request(ref_headers=(header,)), Signer())


def test_a_file_may_travel_in_the_message_or_beside_it():
    headers = tuple(
        t.AttachmentHeader(content_id=n, mime_type="text/plain", signature=b"der") for n in "ab"
    )
    contents = (
        t.AttachmentContent(id="a", content=b"bytes"),
        t.AttachmentContent(id="b", href="cid:b@x"),
    )
    call = called(write.send_request("1.1", request(headers=headers, contents=contents), Signer()))

    listed = list(call.iter("{*}AttachmentContent"))
    assert listed[0].findtext("{*}Content") == "Ynl0ZXM="
    assert found(listed[1], "Include").get("href") == "cid:b@x"
    signed = found(call, "SenderProvidedRequestData")
    assert listed[0] not in list(signed.iter("*")), "bytes are not under the signature"


@VERSIONS
def test_a_payload_of_no_namespace_and_hostile_text_stay_what_they_are(version):
    content = b'<p:A xmlns:p="urn:x" a="&quot;&lt;"><p:B>]]&gt;&#13;\n&amp;</p:B></p:A>'
    signer = Signer()
    call = called(write.send_request(version, request(content=content), signer))

    assert xml.c14n(found(call, "MessagePrimaryContent")[0]) == xml.c14n(xml.parse(content).root)
    with pytest.raises(ValidationError):
        write.send_request(version, request(content=b"<bare/>"), Signer())
    with pytest.raises(GatewayError):
        write.send_request(version, request(content=b"<a"), Signer())


def envelope(body: str) -> bytes:
    return f'<s:Envelope xmlns:s="{ns.SOAP11}"><s:Body>{body}</s:Body></s:Envelope>'.encode()


def spaces(version: str) -> str:
    return f'xmlns:t="{names.types(version)}" xmlns:b="{names.basic(version)}"'


SIGNATURE = f'<d:Signature xmlns:d="{ns.DS}"><d:SignedInfo/></d:Signature>'
METADATA = (
    f'<t:MessageMetadata Id="M"><t:MessageId>{MID}</t:MessageId>'
    "<t:MessageType>REQUEST</t:MessageType><t:Sender><t:Mnemonic>DEMO01</t:Mnemonic>"
    "<t:HumanReadableName>Портал</t:HumanReadableName></t:Sender>"
    "<t:SendingTimestamp>2026-03-02T12:00:00+03:00</t:SendingTimestamp></t:MessageMetadata>"
)


def request_message(version: str, extra: str = "") -> bytes:
    return envelope(
        f"<t:GetRequestResponse {spaces(version)}><t:RequestMessage>"
        f'<t:Request Id="SIGNED_BY_SMEV"><t:SenderProvidedRequestData Id="SIGNED_BY_CONSUMER">'
        f"<t:MessageID>{MID}</t:MessageID><t:ReferenceMessageID>{OID}</t:ReferenceMessageID>"
        '<b:MessagePrimaryContent><Appeal xmlns="urn:x"/></b:MessagePrimaryContent>'
        f"<t:PersonalSignature>{SIGNATURE}</t:PersonalSignature>{extra}"
        "<b:AttachmentHeaderList><b:AttachmentHeader><b:contentId>f1</b:contentId>"
        "<b:MimeType>text/plain</b:MimeType><b:SignaturePKCS7>ZGVy</b:SignaturePKCS7>"
        "</b:AttachmentHeader></b:AttachmentHeaderList><t:TestMessage/>"
        f"</t:SenderProvidedRequestData>{METADATA}"
        "<b:FSAttachmentsList><b:FSAttachment><b:uuid>u</b:uuid><b:UserName>n</b:UserName>"
        "<b:Password>secret</b:Password><b:FileName>/f</b:FileName></b:FSAttachment>"
        "</b:FSAttachmentsList><t:ReplyTo> eyJ4IjoxfQ== </t:ReplyTo>"
        f"<t:SenderInformationSystemSignature>{SIGNATURE}</t:SenderInformationSystemSignature>"
        "</t:Request><b:AttachmentContentList><b:AttachmentContent><b:Id>f1</b:Id>"
        "<b:Content>Ynl0ZXM=</b:Content></b:AttachmentContent></b:AttachmentContentList>"
        f"<t:SMEVSignature>{SIGNATURE}</t:SMEVSignature></t:RequestMessage></t:GetRequestResponse>"
    )


@VERSIONS
def test_a_request_is_read_with_each_signature_and_what_it_is_over(version):
    told = read.answer(request_message(version))

    assert isinstance(told, t.RequestMessage)
    assert (told.version, told.data.message_id, told.data.test) == (version, MID, True)
    assert told.reply_to == " eyJ4IjoxfQ== ", "an opaque token is kept letter by letter"
    assert told.metadata.sender == "DEMO01"
    assert told.metadata.sent_at == dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
    assert told.data.headers[0].signature == b"der"
    assert told.data.contents == (t.AttachmentContent(id="f1", content=b"bytes"),)
    assert told.storage[0].password == "secret"
    assert "secret" not in repr(told.storage)
    assert [(one.who, names.local(one.element.tag)) for one in told.signed] == [
        ("smev", "Request"), ("sender", "SenderProvidedRequestData"), ("personal", "Appeal"),
    ]  # fmt: skip
    holders = [names.local(one.signature.getparent().tag) for one in told.signed]
    assert holders == [
        "SMEVSignature", "SenderInformationSystemSignature", "PersonalSignature",
    ]  # fmt: skip


def test_what_is_against_the_schema_is_noted_and_read_all_the_same():
    told = read.answer(request_message("1.3", "<t:Unheard>x</t:Unheard>"))

    assert isinstance(told, t.RequestMessage)
    assert told.data.content
    assert any("Unheard" in one for one in told.deviations)
    assert read.answer(request_message("1.3")).deviations == ()


@VERSIONS
@pytest.mark.parametrize("operation", ["GetRequest", "GetResponse", "GetStatus"])
def test_an_empty_queue_is_empty(version, operation):
    told = read.answer(envelope(f"<t:{operation}Response {spaces(version)}/>"))

    assert isinstance(told, t.Empty)
    assert not told.deviations


@VERSIONS
def test_an_asynchronous_rejection_may_come_as_a_response(version):
    body = envelope(
        f"<t:GetResponseResponse {spaces(version)}><t:ResponseMessage><t:Response>"
        f"<t:OriginalMessageId>{OID}</t:OriginalMessageId><t:SenderProvidedResponseData>"
        f"<t:MessageID>{MID}</t:MessageID><t:To>x</t:To><t:AsyncProcessingStatus>"
        f"<t:OriginalMessageId>{OID}</t:OriginalMessageId>"
        "<t:StatusCategory>requestIsRejectedBySmev</t:StatusCategory>"
        "<t:SmevFault><b:Code>SMEV-301</b:Code><b:Description>нет</b:Description></t:SmevFault>"
        f"</t:AsyncProcessingStatus></t:SenderProvidedResponseData>{METADATA}</t:Response>"
        "</t:ResponseMessage></t:GetResponseResponse>"
    )
    told = read.answer(body)

    assert isinstance(told, t.ResponseMessage)
    assert (told.original_message_id, told.data.kind) == (OID, "async")
    assert told.data.async_status
    assert told.data.async_status.refused
    assert told.data.async_status.fault == t.SmevFault(code="SMEV-301", description="нет")
    assert [one.signature for one in told.signed] == [None, None]


def test_the_other_answers_are_read():
    sent = read.answer(
        envelope(
            f"<t:SendRequestResponse {spaces('1.3')}>{METADATA}"
            f"<t:SMEVSignature>{SIGNATURE}</t:SMEVSignature></t:SendRequestResponse>"
        )
    )
    assert isinstance(sent, t.Sent)
    assert sent.metadata.message_id == MID
    assert isinstance(read.answer(envelope(f"<t:AckResponse {spaces('1.1')}/>")), t.Acknowledged)
    counted = read.answer(
        envelope(
            f"<t:GetIncomingQueueStatisticsResponse {spaces('1.1')}><t:QueueStatistics "
            'queueName="q" pendingMessageNumber="7"/></t:GetIncomingQueueStatisticsResponse>'
        )
    )
    assert isinstance(counted, t.Statistics)
    assert counted.queues == (("q", 7),)


def test_a_fault_is_known_by_its_detail():
    told = read.answer(
        envelope(
            "<s:Fault><faultcode>s:Client</faultcode><faultstring>Содержимое неверно</faultstring>"
            f'<detail><f:InvalidContent xmlns:f="{names.faults("1.3")}" {spaces("1.3")}>'
            "<b:Code>SMEV-1</b:Code><b:Description>что-то</b:Description>"
            '<f:ValidationError errorPosition="17">нет элемента</f:ValidationError>'
            "</f:InvalidContent></detail></s:Fault>"
        )
    )
    assert told == t.Fault(
        name="InvalidContent",
        code="SMEV-1",
        description="что-то",
        text="Содержимое неверно",
        details=(("ValidationError@17", "нет элемента"),),
    )


def test_a_document_of_no_version_is_refused():
    with pytest.raises(UnsupportedError):
        read.answer(envelope('<x:GetRequestResponse xmlns:x="urn:other"/>'))
    with pytest.raises(MalformedError):
        read.answer(b"<html/>")


@given(data=st.binary(max_size=200), at=st.integers(0, 3000), cut=st.integers(0, 40))
@settings(max_examples=150, deadline=None)
def test_no_answer_raises_anything_but_an_error_of_ours(data, at, cut):
    whole = request_message("1.3")
    at %= len(whole)
    with suppress(GatewayError):
        read.answer(whole[:at] + data + whole[at + cut :])


def test_words_come_back_as_they_were_written():
    told = words.Words(rejected=(t.RequestRejected(code="NO_DATA", description="a < b"),) * 3)
    again = words.read(xml.parse(words.write("1.2", told)).root)
    assert again == told
    status = words.Words(status=t.RequestStatus(code=-4, description="", parameters=(("k", ""),)))
    assert words.read(xml.parse(words.write("1.1", status)).root) == status
    assert words.read(xml.parse(b"<a/>").root) is None


def test_a_package_gives_back_its_files():
    files = (package.Packed(id="a", data=b"1", name="я.txt", signature=b"s", storage=True),)
    body = package.pack(b"<a/>", files)

    assert package.unpack(body) == (b"<a/>", files)
    assert package.pack(b"<a/>", files) == body
    for broken in (body[:-9], body.replace(b"files/1", b"files/2", 1)):
        with pytest.raises(GatewayError):
            package.unpack(broken)


@needs_gost
@VERSIONS
def test_what_leaves_is_believed_by_whoever_reads_it(version):
    signing = opened()
    key = signing.keys.current(pki().ours.name, AT)

    def sign(element):
        return xmldsig.sign(element, key, signing.backend)

    content = b'<Appeal xmlns="urn:x" Id="SIGNED_BY_CALLER"><Text>&gt;&gt; ]]&gt;</Text></Appeal>'
    call = called(write.send_request(version, request(content=content), sign, sign))

    data = found(call, "SenderProvidedRequestData")
    pairs = {
        "CallerInformationSystemSignature": data,
        "PersonalSignature": found(data, "MessagePrimaryContent")[0],
    }
    for holder, over in pairs.items():
        assert xmldsig.verify(found(call, holder)[0], over, signing.backend)
    data[0].text = OID
    with pytest.raises(TrustError):
        xmldsig.verify(found(call, "CallerInformationSystemSignature")[0], data, signing.backend)


def test_what_is_noted_for_the_log_holds_no_value():
    body = request_message("1.3").replace(b"<t:MessageID>", b"<t:MessageID>+7 900 'Anna' ")
    told = read.answer(body)

    assert all("Anna" not in one and "900" not in one for one in told.deviations)
    assert any("MessageID" in one for one in told.deviations)


def test_a_file_beside_the_envelope_is_no_deviation():
    href = b'<x:Include xmlns:x="http://www.w3.org/2004/08/xop/include" href="cid:1@x"/>'
    told = read.answer(request_message("1.1").replace(b"Ynl0ZXM=", href))

    assert isinstance(told, t.RequestMessage)
    assert told.data.contents == (t.AttachmentContent(id="f1", href="cid:1@x"),)
    assert not any("Content" in one for one in told.deviations)


def test_very_many_mistakes_are_not_counted():
    many = "<b:AttachmentHeader><b:MimeType>x</b:MimeType></b:AttachmentHeader>" * 900
    body = request_message("1.3", f"<b:Many>{many * 4}</b:Many>")
    told = read.answer(body)

    assert len(told.deviations) <= 20
    assert any("not compared" in one for one in told.deviations)
