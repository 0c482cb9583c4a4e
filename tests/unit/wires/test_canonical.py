"""What a peer writes is kept whole, and is the same content over every wire."""

from __future__ import annotations

import unicodedata
from base64 import b64decode
from collections import Counter
from contextlib import suppress
from datetime import UTC, date, datetime
from hashlib import sha256

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway import contracts
from gateway.errors import GatewayError, ValidationError
from gateway.model.digest import canonical_json, content_sha256
from gateway.wires import binding, canonical, reported
from gateway.wires import contract as c
from tests.unit.wires.kit import documents

SAME_AS_ABSENT = {
    ("type", "unknown"),
    ("method", "none"),
    ("role", "appeal"),
    ("role", "author"),
}
"""Words that say no more than their absence; the model leaves them out."""
ROUNDS = settings(deadline=None)


def leaves(node, name=""):
    """Every value in a document, spelled as canonical JSON spells it."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from leaves(value, key)
    elif isinstance(node, (list, tuple)):
        for value in node:
            yield from leaves(value, name)
    elif isinstance(node, bytes):
        yield "str", sha256(node).hexdigest()
    elif isinstance(node, datetime):
        yield "instant", node.astimezone(UTC)
    elif isinstance(node, str):
        text = unicodedata.normalize("NFC", node)
        if text and (name, text) not in SAME_AS_ABSENT:
            yield "str", text.lower() if name in ("sha256", "attachmentId") else text
    elif node is not None and node is not False:
        yield type(node).__name__, node


def told(document):
    kept = msgspec.to_builtins(document, builtin_types=(bytes, datetime, date))
    return Counter(leaves(kept))


def held(inbound):
    parts = [inbound.appeal, inbound.report, inbound.message_key]
    kept = [msgspec.to_builtins(part, builtin_types=(bytes, datetime, date)) for part in parts]
    return Counter(leaves(kept))


def lost(document, inbound):
    """What was told and is nowhere; how often something is told does not count."""
    return set(told(document)) - set(held(inbound))


@ROUNDS
@given(documents(c.AppealIn))
def test_of_an_appeal_nothing_is_lost(appeal):
    inbound = canonical.submission(appeal)
    assert not lost(appeal, inbound)
    assert canonical_json(inbound.appeal)


@ROUNDS
@given(documents(c.AppealIn))
def test_an_appeal_is_the_same_content_in_json_and_in_xml(appeal):
    from_json = msgspec.json.decode(msgspec.json.encode(appeal), type=c.AppealIn)
    element = etree.fromstring(binding.write(c.SubmitAppeal(appeal=appeal)))
    contracts.appeals().validate(element, 1)
    from_xml = binding.read(c.SubmitAppeal, element).appeal
    digests = {
        content_sha256(canonical.submission(one).appeal) for one in (appeal, from_json, from_xml)
    }
    assert len(digests) == 1


KEYS = st.sampled_from(
    [c.AppealKey(external_id="А-1"), c.AppealKey(registration_number="Р/1", organisation_id="gzhi")]
)


@ROUNDS
@given(documents(c.StatusReport), KEYS)
def test_of_a_report_nothing_is_lost(report, key):
    report = msgspec.structs.replace(report, key=key)
    assert not lost(report, reported.report(report))


@ROUNDS
@given(documents(c.AnswerIn), KEYS)
def test_of_an_answer_nothing_is_lost(answer, key):
    answer = msgspec.structs.replace(answer, key=key)
    inbound = reported.answer(answer)
    assert not {(kind, value) for kind, value in lost(answer, inbound)}


@ROUNDS
@given(documents(c.WithdrawAppeal), KEYS)
def test_of_a_withdrawal_nothing_is_lost(withdrawal, key):
    withdrawal = msgspec.structs.replace(withdrawal, key=key)
    assert not lost(withdrawal, reported.withdrawal(withdrawal))


@given(
    st.builds(
        c.AppealKey,
        receipt_number=st.none() | st.just("x"),
        external_id=st.none() | st.just("y"),
        registration_number=st.none() | st.just("z"),
        organisation_id=st.none() | st.just("o"),
    )
)
def test_a_key_is_exactly_one_of_three_numbers(key):
    numbers = [key.receipt_number, key.external_id, key.registration_number]
    if sum(map(bool, numbers)) == 1:
        assert told(key) == Counter(leaves(msgspec.to_builtins(canonical.key(key))))
    else:
        with pytest.raises(ValidationError, match="exactly one"):
            canonical.key(key)


@ROUNDS
@given(documents(c.AppealIn), st.text(max_size=5))
def test_whatever_python_can_hold_is_taken_or_refused_in_our_words(appeal, text):
    """Also what no wire lets through: controls, lone surrogates, digests that do not agree."""
    spoilt = msgspec.structs.replace(
        appeal,
        text=text + "\ud800" * ("s" in text),
        attachments=(c.AttachmentIn(file_name="a", content=b"1", sha256=text or None),),
    )
    with suppress(GatewayError):
        canonical.submission(spoilt)


def test_a_reason_of_an_amendment_is_kept():
    given = c.AppealIn(external_id="a", text="x")
    inbound = canonical.submission(given, "amend", "Уточнён адрес")
    assert inbound.reason == "Уточнён адрес"
    assert content_sha256(inbound.appeal) == content_sha256(canonical.submission(given).appeal)


def test_the_answer_goes_where_the_applicant_said_even_if_another_contact_is_known():
    given = c.AppealIn(
        external_id="a",
        applicants=(c.Applicant(email="old@example.org"),),
        reply_to=c.ReplyTo(channel="email", address="new@example.org"),
    )
    contacts = canonical.submission(given).appeal.applicants[0].contacts
    assert [(one.value, one.reply_here) for one in contacts] == [
        ("old@example.org", False),
        ("new@example.org", True),
    ]


@pytest.mark.parametrize(
    "file", [{"attachment_id": "17"}, {"sha256": "a" * 64, "attachment_id": "b" * 64}]
)
def test_an_id_that_no_file_has_is_refused_at_its_place(file):
    given = c.AppealIn(external_id="a", attachments=(c.AttachmentIn(file_name="a.pdf", **file),))
    with pytest.raises(ValidationError) as caught:
        canonical.submission(given)
    assert caught.value.violations[0].path == "Attachments/AttachmentIn[1]/AttachmentId"


def test_the_bytes_of_a_file_are_kept_beside():
    content = b64decode("AP8=")
    given = c.AppealIn(
        external_id="a", attachments=(c.AttachmentIn(file_name="a", content=content),)
    )
    inbound = canonical.submission(given)
    assert [file.data for file in inbound.files] == [content]


@pytest.mark.parametrize("name", ["..", " ", "a\u202egpj.exe", "a\x00b"])
@pytest.mark.parametrize("file", [{"content": b"1"}, {"sha256": "0" * 64}])
def test_a_file_is_called_by_a_name_whichever_way_it_comes(name, file):
    given = c.AppealIn(external_id="a", attachments=(c.AttachmentIn(file_name=name, **file),))
    with pytest.raises(ValidationError) as refused:
        canonical.submission(given)
    (violation,) = refused.value.violations
    assert (violation.path, violation.code) == ("Attachments/AttachmentIn[1]/FileName", "file_name")


def test_a_file_of_its_own_call_is_called_by_a_name():
    call = c.AttachFile(
        message_key="k", owner_key=c.AppealKey(external_id="a"), file_name="..", content=b"1"
    )
    with pytest.raises(ValidationError) as refused:
        canonical.attachment(call)
    assert refused.value.violations[0].path == "FileName"
