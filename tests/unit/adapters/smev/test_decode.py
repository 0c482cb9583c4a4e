"""What messages of the profile say, in the model; hostile ones raise errors of ours only."""

import json
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.smev import restore
from adapters.smev.codes import NAMESPACE
from adapters.smev.decode import decode
from adapters.smev.messages import package
from adapters.smev.messages import types as t
from gateway.adapter import Wire
from gateway.errors import GatewayError, TooLargeError, ValidationError
from gateway.model.digest import content_sha256
from gateway.model.events import AppealKey, EventType
from gateway.testing.cases import found

CASES = [c for c in found(Path(__file__).parents[3] / "contract", "smev") if c.comes_in]
MID = "5f1b6a10-1c2d-11f1-8a3c-a1b2c3d4e5f6"


def wire(body: str | bytes, **headers: str) -> Wire:
    told = {f"x-smev-{name.replace('_', '-')}": value for name, value in headers.items()}
    data = body.encode() if isinstance(body, str) else body
    return Wire(media_type="application/xml", body=data, headers=told)


def submit(inner: str = "") -> str:
    return (
        f'<SubmitAppeal xmlns="{NAMESPACE}"><Appeal><ExternalId>17</ExternalId>'
        f"<Text>т</Text>{inner}</Appeal></SubmitAppeal>"
    )


def test_an_appeal_is_the_same_one_under_another_number_of_its_message():
    (first,) = decode(wire(submit(), message_id=MID)).items
    (again,) = decode(wire(submit(), message_id=f"6{MID[1:]}")).items

    assert first.appeal
    assert again.appeal
    assert content_sha256(first.appeal) == content_sha256(again.appeal)
    assert first == again


def test_an_appeal_of_a_test_message_is_marked():
    (item,) = decode(wire(submit(), message_id=MID, test="1")).items

    assert item.appeal
    assert item.appeal.test_message


@pytest.mark.parametrize("prefix", ["", "p:"])
def test_prefixes_of_the_sender_do_not_matter(prefix):
    text = submit().replace("<", f"<{prefix}").replace(f"<{prefix}/", f"</{prefix}")
    if prefix:
        text = text.replace("xmlns=", "xmlns:p=")
    (item,) = decode(wire(text)).items
    assert item.external_id == "17"


def test_an_answer_is_about_the_appeal_that_our_request_was_about():
    payload = (
        f'<Status xmlns="{NAMESPACE}"><Report><MessageKey>s-1</MessageKey>'
        "<Key><ExternalId>another</ExternalId></Key><Event>TakenToWork</Event>"
        "<OccurredOn>2026-03-05</OccurredOn></Report></Status>"
    )
    (told,) = decode(wire(payload, appeal="G-2026-00000001")).items
    (untold,) = decode(wire(payload)).items

    assert told.report
    assert told.report.key == AppealKey(receipt_number="G-2026-00000001")
    assert untold.report
    assert untold.report.key == AppealKey(receipt_number="another")
    assert restore.restore(told).body == payload.encode()


def test_the_time_of_a_status_is_that_of_its_message_where_nothing_tells_it():
    space = "urn://x-artefacts-smev-gov-ru/services/message-exchange/types/1.1"
    body = (
        f'<RequestStatus xmlns="{space}"><StatusCode>5</StatusCode>'
        "<StatusDescription>в работе</StatusDescription></RequestStatus>"
    )
    (item,) = decode(wire(body, message_id=MID, appeal="G-1")).items

    assert item.report
    assert item.report.event is EventType.PEER_STATE_REPORTED
    assert item.report.occurred_at
    assert item.report.occurred_at.year == 2026
    with pytest.raises(ValidationError) as caught:
        decode(wire(body, message_id="5f1b6a10-1c2d-41f1-8a3c-a1b2c3d4e5f6", appeal="G-1"))
    assert caught.value.violations[0].path == t.SENT_AT


def test_two_files_of_one_id_are_refused():
    files = (package.Packed(id="a", data=b"1"), package.Packed(id="a", data=b"2"))
    with pytest.raises(ValidationError):
        decode(wire(package.pack(submit().encode(), files)))


def test_a_file_that_is_not_the_one_named_is_refused():
    named = (
        "<Attachments><AttachmentIn><FileName>a.txt</FileName>"
        f"<Sha256>{'0' * 64}</Sha256><ContentId>a</ContentId></AttachmentIn></Attachments>"
    )
    files = (package.Packed(id="a", data=b"1"),)
    with pytest.raises(ValidationError) as caught:
        decode(wire(package.pack(submit(named).encode(), files)))
    assert caught.value.violations[0].code == "sha256"


def test_a_header_of_any_length_is_no_key():
    with pytest.raises(TooLargeError):
        decode(wire(submit(), message_id="m" * 201))


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_hostile_messages_raise_errors_of_ours_only(data):
    case = data.draw(st.sampled_from(CASES))
    given_wire = case.wire()
    assert given_wire
    body = bytearray(given_wire.body)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body)))
        body[at : at + data.draw(st.integers(0, 30))] = data.draw(
            st.one_of(
                st.binary(max_size=20),
                st.sampled_from([b"<Id>", b"</Appeal>", b"&#0;", b"&#xD800;", b"<!--", b"]]>", b'"',
                                 b"<Appeal>", b"9" * 40, "й".encode() * 9]),
            )
        )  # fmt: skip
    headers = data.draw(
        st.dictionaries(
            st.sampled_from([t.MESSAGE_ID, t.ORIGINAL_ID, t.APPEAL, t.SENT_AT, t.TEST, t.KIND]),
            st.one_of(st.text(max_size=20), st.sampled_from([MID, "2026-03-02T09:00:00Z"])),
        )
    )
    with suppress(GatewayError):
        decoded = decode(msgspec.structs.replace(given_wire, body=bytes(body), headers=headers))
        for item in decoded.items:
            json.dumps(msgspec.to_builtins(msgspec.structs.replace(item, files=())))
            restore.restore(item)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_else(body):
    with suppress(GatewayError):
        decode(wire(b"PK\x03\x04" + body))
    with suppress(GatewayError):
        decode(wire(body))
