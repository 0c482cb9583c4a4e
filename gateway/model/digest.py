"""The digest of an appeal's content: the same words from any wire give the same digest.

A repeat is recognised by it (design §6), so it covers what the peer said and nothing that we add.
Left out: our ids and numbers, folded keys, first-seen and recording times, states and flags of the
life cycle, resolutions of addresses, topics named by a rule or an employee, our own registrations,
terms, and what we find out about a file. A file counts by the SHA-256 of its bytes alone. Texts
count in NFC with line feeds, instants in UTC: XML, JSON and CSV spell both differently.

Compute it on the decoded appeal, before the gateway fills anything in. Any change of what is
covered or how it is written needs a new DIGEST_VERSION; the version is stored beside the digest.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec.structs import replace

from gateway.model.attachment import Attachment
from gateway.model.base import NIL
from gateway.model.fold import is_nfc, nfc
from gateway.model.question import RECEIVED, AssignedBy

if TYPE_CHECKING:
    from gateway.model.address import Address
    from gateway.model.appeal import Appeal
    from gateway.model.base import ExternalRef
    from gateway.model.person import Applicant
    from gateway.model.question import Question

DIGEST_VERSION: Final = 1

_NOT_CONTENT: Final = frozenset({
    "id", "receipt_number", "value_key", "number_key", "first_seen", "recorded_at", "revision",
    "historical", "source_peer", "state", "extended", "overdue", "resolution", "deadlines",
    "parent", "scan_verdict",
})  # fmt: skip
_encode: Final = msgspec.json.Encoder(order="sorted").encode


def canonical_json(obj: Any) -> bytes:
    """Return `obj` as canonical JSON: keys sorted, no spaces, UTF-8, every text in NFC.

    obj: an entity, or JSON-like values; dates and instants become ISO 8601 text, absent fields of
    entities are left out. Equal values give equal bytes. Raises ValidationError for a long one with
    more combining marks in a row than any language has.
    """
    body = _encode(obj)
    if body.isascii() and b"\\u" not in body:
        return body
    if is_nfc(body.decode()):
        return body
    return _encode(_normalised(msgspec.to_builtins(obj)))


_SPELLED_ANEW: Final = (b'""', b"\\r")
_NEEDS_A_WALK: Final = (
    b"[]", b"null", b'"id":', b'"parent":', b'"first_seen":', b'"recorded_at":', b'"resolution":',
    b'"value_key":', b'"number_key":',
)  # fmt: skip
"""What in an encoded appeal must be left out; a plain one holds none of it."""
_OFFSET: Final = re.compile(rb'T\d\d:\d\d:\d\d(?:\.\d+)?[+-]\d\d:\d\d"')


def content_sha256(appeal: Appeal) -> str:
    """Return the SHA-256, in hex, of what the peer said in `appeal`, under DIGEST_VERSION."""
    return hashlib.sha256(_plain(appeal) or _walked(appeal)).hexdigest()


def _plain(appeal: Appeal) -> bytes | None:
    """Return the content of a freshly decoded appeal in one encoding, or None when it needs a walk.

    The walk below takes ten times as long and gives the same bytes; a test holds them together.
    """
    if not _fresh(appeal):
        return None
    body = _encode(
        replace(
            appeal,
            source_peer="",
            revision=1,
            historical=False,
            registrations=tuple(replace(r, number_key="") for r in appeal.registrations),
            referrals=tuple(replace(r, number_key="") for r in appeal.referrals),
            attachments=tuple(Attachment(sha256=file.sha256) for file in appeal.attachments),
        )
    )
    if any(mark in body for mark in _SPELLED_ANEW) or _OFFSET.search(body):
        return None
    if not _bare(appeal) and any(mark in body for mark in _NEEDS_A_WALK):
        return None
    return body if body.isascii() or is_nfc(body.decode()) else None


def _fresh(appeal: Appeal) -> bool:
    """Say whether nothing of ours is in it yet, and none of the rarer relations."""
    return (
        appeal.id is NIL
        and not appeal.receipt_number
        and not (
            appeal.answers or appeal.assignments or appeal.transfers or appeal.extensions
            or appeal.deadlines or appeal.feedback or appeal.contractor_notices
            or appeal.moderations or appeal.clarifications or appeal.document_requests
            or appeal.control_marks or appeal.control_body or appeal.social_source
            or appeal.addressees
        )
        and all(file.sha256 for file in appeal.attachments)
        and all(not link.organisation and not link.extras for link in appeal.links)
        and not any(registration.is_ours for registration in appeal.registrations)
        and all(_plain_question(question) for question in appeal.questions)
    )  # fmt: skip


def _bare(appeal: Appeal) -> bool:
    """Say whether a fresh appeal has no part that could hold ids, keys, times of ours or extras.

    Most have none, and asking their fields is cheaper than searching the encoded text.
    """
    return (
        not (appeal.registrations or appeal.referrals or appeal.links or appeal.extras)
        and all(map(_bare_ref, appeal.refs))
        and all(map(_bare_address, appeal.addresses))
        and all(map(_bare_applicant, appeal.applicants))
        and all(
            question.id is NIL and not question.extras and all(map(_bare_ref, question.refs))
            for question in appeal.questions
        )
    )


def _bare_ref(ref: ExternalRef) -> bool:
    return not ref.value_key and ref.first_seen is None


def _bare_address(address: Address) -> bool:
    return address.resolution is None and not address.extras


def _bare_applicant(applicant: Applicant) -> bool:
    return (
        applicant.organisation is None
        and not applicant.extras
        and all(map(_bare_address, applicant.addresses))
    )


def _plain_question(question: Question) -> bool:
    return (
        question.state is RECEIVED
        and not (question.extended or question.overdue or question.outcome or question.owner_org)
        and not question.peer_states
        and all(topic.assigned_by is AssignedBy.PEER for topic in question.topics)
    )


def _walked(appeal: Appeal) -> bytes:
    tree = msgspec.to_builtins(appeal, builtin_types=(dt.datetime,))
    return _encode(_content(tree))


def _content(node: Any) -> Any:
    """Return a builtin tree without what is ours, its texts and instants in one spelling."""
    if isinstance(node, str):
        return _text(node)
    if isinstance(node, dict):
        if node.get("sha256"):
            return {"sha256": node["sha256"]}
        kept = {
            key: _normalised(value) if key == "value" else _content(value)
            for key, value in node.items()
            if key not in _NOT_CONTENT
        }
        return {key: value for key, value in kept.items() if key == "value" or _said(value)}
    if isinstance(node, (list, tuple)):
        return [_content(item) for item in node if not _ours(item)]
    if isinstance(node, dt.datetime):
        return node.astimezone(dt.UTC)
    return node


def _said(value: Any) -> bool:
    """Say whether a value tells anything; false and zero do, empty text and lists do not."""
    return value is not None and value not in ("", [])


def _ours(item: Any) -> bool:
    """Say whether a list item was put there by the gateway: a topic by rule, our registration."""
    return isinstance(item, dict) and ("assigned_by" in item or bool(item.get("is_ours")))


def _normalised(node: Any) -> Any:
    """Return builtin values with every text in NFC, keys too; nothing is left out."""
    if isinstance(node, str):
        return nfc(node)
    if isinstance(node, dict):
        return {_normalised(key): _normalised(value) for key, value in node.items()}
    if isinstance(node, (list, tuple)):
        return [_normalised(item) for item in node]
    return node


def _text(value: str) -> str:
    if "\r" in value:
        value = value.replace("\r\n", "\n").replace("\r", "\n")
    return nfc(value)
