"""The digest covers what the peer said, in one spelling, and nothing of ours."""

import datetime as dt
import json
import unicodedata
import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.errors import ValidationError
from gateway.model import digest
from gateway.model.appeal import Appeal
from gateway.model.attachment import Attachment
from gateway.model.base import Code, ExternalRef, Extra
from gateway.model.digest import DIGEST_VERSION, canonical_json, content_sha256
from gateway.model.person import Applicant, Person
from gateway.model.question import AssignedBy, Question, Topic
from gateway.model.registration import ReferralIn, Registration
from tests.unit.model.appeals import entity

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.timezone(dt.timedelta(hours=3)))
TREES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=3)
    ),
    max_leaves=10,
)
LETTER = Appeal(
    source_peer="portal",
    received_at=NOON,
    subject="Снег",
    text="Во дворе й не вывозят снег",
    applicants=(Applicant(person=Person(full_name_as_given="Образцов И. Т.")),),
    questions=(Question(ordinal=1, topics=(Topic(code=Code(system="sstu", value="0005")),)),),
    attachments=(Attachment(sha256="ab" * 32, declared_name="a.pdf"),),
    referrals=(ReferralIn(number="А26-1", date=dt.date(2026, 3, 1)),),
    refs=(ExternalRef(peer="portal", kind="id", value="7"),),
)


def normal(node, form):
    if isinstance(node, str):
        return unicodedata.normalize(form, node)
    if isinstance(node, list):
        return [normal(item, form) for item in node]
    if isinstance(node, dict):
        return {normal(key, form): normal(value, form) for key, value in node.items()}
    return node


@given(TREES)
def test_canonical_json_is_json_in_nfc(tree):
    wanted = normal(tree, "NFC")

    assert json.loads(canonical_json(tree)) == wanted
    assert canonical_json(wanted) == canonical_json(tree)


@given(st.dictionaries(st.text(st.characters(codec="utf-8")), st.integers(0, 9)), st.randoms())
def test_the_order_of_keys_does_not_matter(tree, random):
    pairs = list(tree.items())
    random.shuffle(pairs)

    assert canonical_json(dict(pairs)) == canonical_json(tree)


@given(st.text('и\u0306е\u0308a\u0301\n\t"\\ ё'))
def test_one_text_in_two_normal_forms_has_one_digest(text):
    one = replace(LETTER, text=unicodedata.normalize("NFC", text))
    other = replace(LETTER, text=unicodedata.normalize("NFD", text))

    assert content_sha256(one) == content_sha256(other)


@pytest.mark.parametrize("walked", [False, True])
def test_marks_in_a_field_that_nobody_cleaned_are_refused_before_they_are_put_in_order(walked):
    marks = "\u0315\u0300" * 49_000
    letter = replace(LETTER, applicants=(Applicant(person=Person(family=marks)),))
    if walked:
        letter = replace(letter, id=uuid.uuid4())
    with pytest.raises(ValidationError, match="marks in a row"):
        content_sha256(letter)


@settings(suppress_health_check=list(HealthCheck), deadline=None)
@given(entity(Appeal))
def test_the_digest_is_determined_by_the_content(appeal):
    digest = content_sha256(appeal)

    assert len(digest) == 64
    assert content_sha256(replace(appeal)) == digest
    assert content_sha256(replace(appeal, id=uuid.uuid4(), revision=9, source_peer="x")) == digest


def test_what_the_gateway_adds_does_not_count():
    question = replace(
        LETTER.questions[0],
        id=uuid.uuid4(),
        state="answered",
        extended=True,
        topics=(
            *LETTER.questions[0].topics,
            Topic(code=Code(system="own", value="9"), assigned_by=AssignedBy.RULE),
        ),
    )
    seen = replace(LETTER.refs[0], first_seen=NOON, value_key="7")
    grown = replace(
        LETTER,
        id=uuid.uuid4(),
        receipt_number="0000000000X",
        revision=2,
        questions=(question,),
        refs=(seen,),
        registrations=(Registration(number="1", is_ours=True),),
        referrals=(replace(LETTER.referrals[0], number_key="A26-1", recorded_at=NOON),),
    )

    assert content_sha256(grown) == content_sha256(LETTER)


@pytest.mark.parametrize(
    "change",
    [
        {"text": "Другое"},
        {"subject": ""},
        {"received_at": NOON + dt.timedelta(seconds=1)},
        {"direct": False},
        {"test_message": True},
        {"applicants": ()},
        {"questions": (Question(ordinal=1),)},
        {"attachments": (Attachment(sha256="cd" * 32, declared_name="a.pdf"),)},
        {"referrals": (ReferralIn(number="А26-1", date=dt.date(2026, 3, 2)),)},
        {"refs": (ExternalRef(peer="portal", kind="id", value="8"),)},
        {"extras": (Extra(peer="portal", path="id", value=1),)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_the_peer_says_counts(change):
    assert content_sha256(replace(LETTER, **change)) != content_sha256(LETTER)


def test_wires_that_spell_one_content_differently_agree():
    other = replace(
        LETTER,
        received_at=NOON.astimezone(dt.UTC),
        attachments=(Attachment(sha256="ab" * 32, media_type="application/pdf", size=3),),
    )
    lines = replace(LETTER, text="раз\nдва")

    assert content_sha256(other) == content_sha256(LETTER)
    assert content_sha256(replace(lines, text="раз\r\nдва")) == content_sha256(lines)


def test_extras_count_verbatim():
    """A key called `id` in a peer's own object is the peer's word, not ours."""
    one = replace(LETTER, extras=(Extra(peer="p", path="x", value={"id": 1, "state": "a"}),))
    other = replace(LETTER, extras=(Extra(peer="p", path="x", value={"id": 2, "state": "a"}),))

    assert content_sha256(one) != content_sha256(other)


def test_version_one_of_the_digest_is_frozen():
    """Stored digests must stay comparable: when this fails, raise DIGEST_VERSION."""
    assert DIGEST_VERSION == 1
    assert content_sha256(LETTER) == (
        "54fde75c0e6dcf04faf9eb6ee074fc84fdcac317d2dfc8b7ff98a9017b29888d"
    )


@settings(suppress_health_check=list(HealthCheck), deadline=None)
@given(entity(Appeal))
def test_the_short_way_gives_the_same_bytes_as_the_walk(appeal):
    plain = digest._plain(appeal)
    assert plain is None or plain == digest._walked(appeal)


def test_a_decoded_submission_takes_the_short_way():
    appeal = Appeal(
        source_peer="portal", revision=3, text="Во дворе не горит фонарь «у входа»",
        referrals=(ReferralIn(number="А26-1", number_key="a261"),),
        attachments=(Attachment(sha256="ab" * 32, declared_name="скан.pdf"),),
    )  # fmt: skip
    assert digest._plain(appeal) == digest._walked(appeal)


def test_an_id_that_we_gave_a_file_without_bytes_does_not_count():
    told = Appeal(attachments=(Attachment(declared_name="акт.pdf"),))
    kept = Appeal(attachments=(Attachment(declared_name="акт.pdf", id=uuid.uuid4()),))
    assert content_sha256(told) == content_sha256(kept)
