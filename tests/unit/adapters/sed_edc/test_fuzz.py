"""Whatever comes, a container is read, or refused by an error of the tree."""

from __future__ import annotations

from copy import deepcopy
from datetime import date
from hashlib import sha256

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from msgspec.structs import replace

from adapters.sed import edc
from adapters.sed.edc import zipped
from gateway import xml
from gateway.errors import GatewayError
from gateway.model.appeal import Appeal
from gateway.model.attachment import Attachment, AttachmentGroup, Signature, Stamp
from gateway.model.base import Extra
from gateway.model.digest import content_sha256
from gateway.model.ids import receipt_of
from gateway.model.organisation import Organisation
from gateway.model.registration import ReferralIn
from gateway.testing.leaves import leaves
from tests.unit.adapters.sed_edc import material
from tests.unit.adapters.sed_edc.test_container import BODY, LETTER, context, members

WHOLE = material.letter(LETTER)
INSIDE = members(WHOLE[BODY])
WORDS = st.sampled_from(
    [b"", b"<", b"\x00", b"&#0;", b"9" * 400, b"-1", b"\xff\xfe", b"c:uid", b"<c:author/>", b"]]>",
     "\u0301".encode() * 40, b"passport.xml", b"NaN", b"2026-13-45", b"0001-01-01T00:00:00"]
)  # fmt: skip


def taken(files):
    try:
        root = xml.parse(files["document.xml"]).root
        if not edc.is_container(root):
            return
        decoded = edc.decode(root, files)
    except GatewayError:
        return
    for item in decoded.items:
        msgspec.json.encode(item.appeal or item.report)
        if item.appeal:
            content_sha256(item.appeal)
        again = edc.restore(item)
        assert leaves(again["document.xml"], "xml") == leaves(files["document.xml"], "xml")
        assert members(again[BODY]) == members(files[BODY])


def spoilt(data, body: bytes) -> bytes:
    start = data.draw(st.integers(0, len(body)))
    end = min(len(body), start + data.draw(st.integers(0, 60)))
    return body[:start] + data.draw(WORDS) + body[end:]


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_spoilt_message_is_read_or_refused(data):
    taken(WHOLE | {"document.xml": spoilt(data, WHOLE["document.xml"])})


@settings(max_examples=250, deadline=None)
@given(data=st.data())
def test_a_spoilt_passport_is_read_or_refused(data):
    body = zipped.write(INSIDE | {"passport.xml": spoilt(data, LETTER)})
    taken(WHOLE | {BODY: body})


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_spoilt_zip_is_read_or_refused(data):
    taken(WHOLE | {BODY: spoilt(data, WHOLE[BODY])})


@settings(max_examples=100, deadline=None)
@given(
    files=st.dictionaries(
        st.text(max_size=12).filter(lambda name: name[-1:] != "/"),
        st.binary(max_size=40),
        max_size=4,
    )
)
def test_files_of_any_name_are_kept_or_refused(files):
    try:
        body = zipped.write(INSIDE | files)
    except (UnicodeEncodeError, ValueError, UserWarning):
        return
    taken(WHOLE | {BODY: body})


TEXTS = st.sampled_from(
    ["", " ", " x ", "02", "1e3", "-4,50", "2026-3-1", "2026-03-24T10:15:00+05:00", "passport.xml",
     "2026-03-24T10:15:00.5", "true", "otvet.pdf", "Ж" * 3000, "9" * 30, "document.xml"]
)  # fmt: skip


def twisted(data, body: bytes) -> bytes:
    """Return the document with some elements twice, gone, moved, renamed, or saying else."""
    root = etree.fromstring(body)
    for _ in range(data.draw(st.integers(1, 3))):
        nodes = list(root.iter())
        node = data.draw(st.sampled_from(nodes))
        parent = node.getparent()
        match data.draw(st.integers(0, 5)):
            case 0 if parent is not None:
                parent.append(deepcopy(node))
            case 1 if parent is not None:
                parent.remove(node)
            case 2:
                node.text = data.draw(TEXTS)
            case 3:
                name = data.draw(st.sampled_from([*node.attrib, "own", "{urn:x}own"]))
                node.set(name, data.draw(TEXTS))
            case 4:
                node.tag = data.draw(st.sampled_from(["own", "{urn:x/y~1}own", nodes[-1].tag]))
            case 5:
                node.tail = data.draw(TEXTS)
    return etree.tostring(root, encoding="utf-8", xml_declaration=True)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_twisted_message_is_read_and_comes_back_or_is_refused(data):
    taken(WHOLE | {"document.xml": twisted(data, WHOLE["document.xml"])})


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_twisted_passport_is_read_and_comes_back_or_is_refused(data):
    taken(WHOLE | {BODY: zipped.write(INSIDE | {"passport.xml": twisted(data, LETTER)})})


NAMES = st.sampled_from(
    ["", "a.pdf", "A.PDF", "passport.xml", "source.xml", "\u202egpj.exe", "/etc/passwd", "..",
     "ж" * 400, "appeal.txt", "\ud800.pdf", "a\x07b.pdf", ".pdf", "document.edc.zip"]
)  # fmt: skip
BYTES = st.sampled_from(
    [material.pdf("x"), b"%PDF-", b"text", b"PK\x03\x04", b"", material.stamp(1)]
)
PLACES = st.sampled_from(
    ["container/own", "container/a b", "container/requisites/annotation", "container/",
     "container/[0]", "container/authors/author[0]/@x", "communication/header", "container/λ",
     "container/{urn:x}y"]
)  # fmt: skip


@st.composite
def attached(draw):
    data = draw(BYTES)
    digest = sha256(data).hexdigest()
    signature = Signature(sha256=digest, declared_name=draw(NAMES), type=draw(WORDED))
    stamp = Stamp(kind="signature", page=draw(st.sampled_from([None, 0, 1, 7])), x=1.0, y=1.0,
                  width=draw(st.sampled_from([None, -1.0, 10.0, 900.0])), height=2.5,
                  image=draw(NAMES), image_sha256=digest)  # fmt: skip
    return data, Attachment(
        sha256=digest,
        declared_name=draw(NAMES),
        group=draw(st.sampled_from([None, *AttachmentGroup])),
        signatures=(signature,) * draw(st.integers(0, 2)),
        stamps=(stamp,) * draw(st.integers(0, 2)),
    )


DAY = date(2026, 3, 1)
WORDED = st.sampled_from(["", "Слова", "a & <b>", "\x07\ufffe", " ", "λ", "x" * 300])


@settings(max_examples=200, deadline=None)
@given(
    files=st.lists(attached(), max_size=3),
    words=st.lists(WORDED, min_size=4, max_size=4),
    places=st.lists(PLACES, max_size=2),
    profile=st.sampled_from(["2.7", "2.7.1"]),
)
def test_whatever_the_appeal_a_container_of_ours_can_be_read_or_is_not_made(
    files, words, places, profile
):
    appeal = Appeal(
        receipt_number=receipt_of(5),
        subject=words[0],
        text=words[1],
        referrals=(
            ReferralIn(from_org=Organisation(full_name=words[2]), number=words[3] or "1", date=DAY),
        ),
        attachments=tuple(one for _, one in files),
        extras=tuple(Extra(peer="sed", path=path, value=words[3]) for path in places),
    )
    ctx = replace(
        context(profile=profile), files={sha256(data).hexdigest(): data for data, _ in files}
    )
    try:
        out = edc.encode(appeal, None, ctx)
    except GatewayError:
        return
    (item,) = edc.decode(xml.parse(next(out[name] for name in out if name != BODY)).root, out).items
    given_away = {file.sha256 for file in item.files}
    assert {one.sha256 for one in appeal.attachments} <= given_away
