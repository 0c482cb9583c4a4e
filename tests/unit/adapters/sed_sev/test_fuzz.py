"""Whatever comes, a message of SEV is read and comes back, or is refused by a known error."""

from __future__ import annotations

from copy import deepcopy
from datetime import date
from hashlib import sha256

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from msgspec.structs import replace

from adapters.sed import sev
from gateway import xml
from gateway.errors import GatewayError
from gateway.model.address import Address
from gateway.model.answer import Answer
from gateway.model.assignment import Assignment, TransferOut
from gateway.model.attachment import Attachment, Signature
from gateway.model.base import Code
from gateway.model.digest import content_sha256
from gateway.model.organisation import Officer, Organisation
from gateway.model.person import Applicant, ContactKind, ContactPoint, Person, Sex
from gateway.model.question import Question, Topic
from gateway.testing.leaves import leaves
from tests.unit.adapters.sed_sev.test_messages import (
    OUT,
    appeal_of,
    context,
    event,
    folder_of,
    schemas_beside,
)

DAY = date(2026, 3, 1)
SCHEMAS = schemas_beside()
CASES = ("sev-docinfo", "sev-answer", "sev-several-notifications", "sev-registration")
TEXTS = st.sampled_from(
    ["", " ", " x ", "02", "1", "2", "true", "0", "2026-3-1", "2026-03-24T10:15:00", "scan.pdf",
     "document.xml", "Ж" * 3000, "9" * 30, "MainDoc", "Male", "Undefined", "@", "8 000 000"]
)  # fmt: skip


def twisted(data, body: bytes) -> bytes:
    """Return the document with some elements twice, gone, renamed, or saying else."""
    root = etree.fromstring(body)
    for _ in range(data.draw(st.integers(1, 3))):
        nodes = list(root.iter())
        node = data.draw(st.sampled_from(nodes))
        parent = node.getparent()
        match data.draw(st.integers(0, 4)):
            case 0 if parent is not None:
                parent.insert(parent.index(node), deepcopy(node))
            case 1 if parent is not None:
                parent.remove(node)
            case 2:
                node.text = data.draw(TEXTS)
            case 3:
                name = data.draw(st.sampled_from([*node.attrib, "own", "{urn:x}own"]))
                node.set(name, data.draw(TEXTS))
            case 4:
                node.tag = data.draw(st.sampled_from(["own", "{urn:x/y~1}own", nodes[-1].tag]))
    return etree.tostring(root, encoding="utf-8", xml_declaration=True)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
@pytest.mark.parametrize("name", CASES)
def test_a_twisted_message_is_read_and_comes_back_or_is_refused(name, data):
    files = folder_of(name)
    files["document.xml"] = twisted(data, files["document.xml"])
    try:
        root = xml.parse(files["document.xml"]).root
        if not sev.is_container(root):
            return
        items = sev.decode(root, files).items
    except GatewayError:
        return
    for item in items:
        msgspec.json.encode(item.appeal or item.report)
        if item.appeal:
            content_sha256(item.appeal)
        again = sev.restore(item)
        assert leaves(again.pop("document.xml"), "xml") == leaves(files["document.xml"], "xml")
        assert again == {name: data for name, data in files.items() if name != "document.xml"}


WORDED = st.sampled_from(["", "Слова", "a & <b>", "\x07\ufffe", " ", "λ", "x" * 300, "\ud800"])


@settings(max_examples=200, deadline=None)
@given(
    words=st.lists(WORDED, min_size=8, max_size=8),
    sex=st.sampled_from([None, *Sex]),
    name=st.sampled_from(["", "a.pdf", "document.xml", "/etc/passwd", "\u202egpj.exe", "ж" * 300]),
    kind=st.sampled_from(["DocInfo", "Answered", "Assigned", "Transferred", "Registered"]),
)
def test_whatever_the_appeal_a_message_of_ours_can_be_read_or_is_not_made(words, sex, name, kind):
    data = b"%PDF- made up"
    digest = sha256(data).hexdigest()
    file = Attachment(
        sha256=digest,
        declared_name=name,
        signatures=(Signature(sha256=digest, declared_name=name),),
    )
    body = Organisation(full_name=words[4])
    appeal = replace(
        appeal_of(OUT),
        subject=words[0],
        text=words[1],
        applicants=(
            Applicant(
                person=Person(full_name_as_given=words[2], sex=sex),
                contacts=(ContactPoint(kind=ContactKind.EMAIL, value=words[3]),),
                addresses=(Address(raw=words[3]),),
            ),
        ),
        answers=(Answer(number="1", text=words[5], date=DAY, attachments=(file, file)),),
        transfers=(TransferOut(to_org=body),),
        assignments=(Assignment(text=words[6], executors=(Officer(organisation=body),)),),
        questions=(Question(topics=(Topic(code=Code(system="x", value=words[7] or "1")),)),),
        attachments=(file,),
    )
    given_on = {"given_on": ["Received"]}
    ctx = replace(context(**given_on), files={digest: data}, peer="other")
    if kind != "DocInfo":
        ctx, appeal = replace(ctx, peer="same"), replace(appeal, source_peer="same")
    else:
        appeal = replace(appeal, source_peer="same")
    try:
        files = sev.encode(appeal, event("Received" if kind == "DocInfo" else kind), ctx)
    except GatewayError:
        return
    root = xml.parse(files["document.xml"]).root
    (item,) = sev.decode(root, files).items
    if kind in {"DocInfo", "Answered"}:
        assert {one.sha256 for one in item.files} == {digest}
    if SCHEMAS:
        schema = SCHEMAS[etree.QName(root).localname]
        assert schema.validate(etree.fromstring(files["document.xml"])), schema.error_log
