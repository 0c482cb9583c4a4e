"""Words of the contract: the simple types of xsd/appeals/appeals-v1.xsd as annotated Python types.

The bounds are the facets of the schema, so JSON and XML refuse the same values; the test
tests/unit/wires/test_contract.py compares them one by one. Enumerations are closed here because
these words stand in requests only (model.md §2); what we answer is an open `str`.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from gateway import limits

Day = date
"""A calendar day (xs:date), never midnight of some zone."""
_END: Final = r"$(?!\n)"
_WORDS: Final = r"^[^ \t\n\r]+( [^ \t\n\r]+)*" + _END

Id = Annotated[str, Meta(min_length=1, max_length=limits.ID_CHARS, pattern=_WORDS)]
"""An id that its owner gave: no space around it, single spaces inside."""
Number = Annotated[str, Meta(min_length=1, max_length=limits.ID_CHARS, pattern=_WORDS)]
"""A number of a document, as its owner spells it."""
Code = Annotated[str, Meta(min_length=1, max_length=64)]
"""A short code that must be there."""
Word = Annotated[str, Meta(max_length=64)]
"""A short code or number; empty means absent."""
ReasonCode = Annotated[str, Meta(max_length=64, pattern=r"^[0-9A-Za-z._:/-]*" + _END)]
"""A code of the sender's own list, never words about a person; empty means absent."""
Name = Annotated[str, Meta(max_length=200)]
"""A part of a person's name; empty means absent."""
Title = Annotated[str, Meta(min_length=1, max_length=500)]
"""A line of text that must be there."""
Label = Annotated[str, Meta(max_length=500)]
"""A line of text; empty means absent."""
Subject = Annotated[str, Meta(max_length=limits.SUBJECT_CHARS)]
"""A paragraph of text; empty means absent."""
Text = Annotated[str, Meta(max_length=limits.TEXT_CHARS)]
"""A long text."""
FileName = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[^/\\\t\n\r]+" + _END)]
"""A file name without a path."""
Sha256 = Annotated[str, Meta(min_length=64, max_length=64, pattern=r"^[0-9a-fA-F]{64}" + _END)]
"""SHA-256 in hexadecimal digits."""
Guid = Annotated[
    str,
    Meta(max_length=36, pattern=r"^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})?" + _END),
]
"""A GUID with hyphens, without braces; empty means absent."""
Ogrn = Annotated[str, Meta(max_length=15, pattern=r"^([0-9]{13}([0-9]{2})?)?" + _END)]
"""ОГРН, 13 digits, or ОГРНИП, 15; empty means absent."""
Inn = Annotated[str, Meta(max_length=12, pattern=r"^([0-9]{10}([0-9]{2})?)?" + _END)]
"""ИНН, 10 or 12 digits; empty means absent."""
Oktmo = Annotated[str, Meta(max_length=11, pattern=r"^([0-9]{8}([0-9]{3})?)?" + _END)]
"""ОКТМО, 8 or 11 digits; empty means absent."""
RegionCode = Annotated[str, Meta(max_length=2, pattern=r"^([0-9]{2})?" + _END)]
"""Code of a region, two digits; empty means absent."""
AddressText = Annotated[str, Meta(min_length=1, max_length=limits.ADDRESS_TEXT)]
"""An address as a person wrote it, or its beginning."""
Cursor = Annotated[str, Meta(min_length=1, max_length=500, pattern=r"^[!-~]+" + _END)]
"""An opaque place in a list, as the gateway returned it."""

Revision = Annotated[int, Meta(ge=1, le=2_147_483_647)]
"""Version of a content."""
Ordinal = Annotated[int, Meta(ge=1, le=limits.QUESTIONS_PER_APPEAL)]
"""Place of a question in its appeal."""
Count = Annotated[int, Meta(ge=0, le=2_147_483_647)]
"""How many."""
PageSize = Annotated[int, Meta(ge=1, le=1000)]
"""How many items a page may hold at most."""
Suggested = Annotated[int, Meta(ge=1, le=limits.SUGGESTIONS)]
"""How many completions are wanted at most."""
MaxBytes = Annotated[int, Meta(ge=4096, le=limits.RESPONSE_BYTES_MAX)]
"""How many bytes the answer may take."""
Int = Annotated[int, Meta(ge=-2_147_483_648, le=2_147_483_647)]
"""xs:int."""
Latitude = Annotated[float, Meta(ge=-90, le=90)]
"""Degrees of latitude."""
Longitude = Annotated[float, Meta(ge=-180, le=180)]
"""Degrees of longitude."""
Confidence = Annotated[float, Meta(ge=0, le=1)]
"""How sure it is, 0 to 1."""
Instant = Annotated[datetime, Meta(tz=True)]
"""An instant, always with its offset from UTC."""
Content = Annotated[bytes, Meta(max_length=limits.ATTACHMENT_INLINE_BYTES)]
"""Bytes of a file in base64, at most 5 MB decoded."""

Regime = Literal[
    "fz59",
    "message",
    "incident",
    "information_request",
    "deputy_request",
    "other_law",
    "not_an_appeal",
]
"""Порядок рассмотрения: 59-ФЗ, a message of a portal, an incident, and the rest."""
AppealType = Literal[
    "proposal",
    "application",
    "complaint",
    "request",
    "thanks",
    "unknown",
]
"""Вид обращения (59-ФЗ, ст. 4), thanks and unknown beside the law's own."""
AppealForm = Literal[
    "written",
    "electronic",
    "oral",
]
"""Форма обращения."""
DeliveryMethod = Literal[
    "post",
    "in_person",
    "fax",
    "telegram",
    "phone",
    "site",
    "epgu",
    "medo",
    "smev",
    "email",
    "social",
    "mobile_app",
    "file",
    "api",
]
"""Способ доставки."""
RepeatKind = Literal[
    "none",
    "repeat",
    "multiple",
    "duplicate",
]
"""Повторность."""
ApplicantRole = Literal[
    "author",
    "coauthor",
    "representative",
    "on_behalf_of",
    "contact",
]
"""What an applicant is to the appeal."""
IdentificationMethod = Literal[
    "none",
    "login",
    "esia",
    "ukep",
    "in_person",
    "phone",
]
"""How a person was identified."""
IdentificationLevel = Literal[
    "simplified",
    "standard",
    "confirmed",
]
"""Level of the person's account."""
AttachmentRole = Literal[
    "appeal",
    "answer",
    "evidence",
    "covering",
    "before",
    "after",
]
"""What a file is to its owner."""
LinkKind = Literal[
    "answer_to",
    "in_pursuance",
    "ground",
    "repeat_of",
    "duplicate_of",
    "same_document_other_channel",
    "cluster_head",
    "attached_case",
]
"""What another document is to this one."""
ReplyChannel = Literal[
    "postal",
    "email",
    "phone",
    "epgu_cabinet",
    "system_cabinet",
    "social",
]
"""Where an answer goes."""
EventName = Literal[
    "Received",
    "Registered",
    "RegistrationRefused",
    "NotAnAppeal",
    "TopicAssigned",
    "TopicChanged",
    "Transferred",
    "RefusedByReceiver",
    "ReturnedToUs",
    "ReceiverRegistered",
    "ReceiverAnswered",
    "Assigned",
    "Reassigned",
    "TakenToWork",
    "NoticeSentToContractor",
    "EvidenceSubmitted",
    "EvidenceAccepted",
    "EvidenceRejected",
    "NotOurHouse",
    "InspectionOpened",
    "InspectionResult",
    "Extended",
    "DocumentsRequested",
    "DocumentsReceived",
    "ClarificationAsked",
    "ClarificationAnswered",
    "AnswerPrepared",
    "AnswerRejected",
    "Answered",
    "Delivered",
    "DeliveryFailed",
    "Declined",
    "CauseRemoved",
    "ReopenedBySupervisor",
    "Confirmed",
    "Rated",
    "ReturnedForRework",
    "Withdrawn",
    "Filed",
    "Reopened",
    "PeerStateReported",
]
"""What a peer may report; each peer is granted a part of it."""
QuestionStateName = Literal[
    "received",
    "moderation",
    "registered",
    "assigned",
    "with_contractor",
    "in_work",
    "inspection",
    "answer_prepared",
    "answered",
    "transferred",
    "declined",
    "closed",
]
"""States of a question."""
AnswerKind = Literal[
    "first_reaction",
    "interim",
    "final",
    "notice",
    "primary_public",
]
"""What kind of answer it is."""
OutcomeResult = Literal[
    "supported",
    "explained",
    "not_supported",
    "answered",
    "left_without_answer",
    "transferred",
    "refused",
]
"""Результат рассмотрения."""
DirectoryName = Literal[
    "Topics",
    "Organisations",
    "States",
    "Outcomes",
    "DeclineGrounds",
    "DeliveryMethods",
    "Faults",
]
"""Directories that GetDirectory gives."""


class Request(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    rename="camel",
    omit_defaults=True,
    forbid_unknown_fields=True,
):
    """Base of what peers send: unknown fields are refused, as the schema refuses elements."""


class Response(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Base of what we answer: a reader of an older contract skips what it does not know."""
