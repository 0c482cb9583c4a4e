"""Writes an item back in the form in which it came: the proof that reading loses nothing.

Unlike `encode` it judges nothing and fills nothing in: what a document said stands in it again,
a misspelt status and a short code, too.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

import msgspec

from adapters.sstu import analytics, review_csv
from adapters.sstu.codes import PEER, status_of
from adapters.sstu.fields import put_back
from gateway.adapter import Wire
from gateway.errors import UnsupportedError
from gateway.model.person import Applicant, ContactKind

if TYPE_CHECKING:
    from gateway.adapter import Inbound
    from gateway.model.appeal import Appeal
    from gateway.model.base import Day
    from gateway.model.organisation import Organisation
    from gateway.model.question import Question

MEDIA_TYPE: Final = "application/json"


def restore(item: Inbound) -> Wire:
    """Return the document, the row of the list, or the table of one appeal.

    A row that came alone stands in its array again. Raises UnsupportedError for an item that this
    adapter never makes.
    """
    if item.expectation is not None:
        row = item.expectation
        body = row.raw if item.raw else analytics.encode([row])
        return Wire(media_type=MEDIA_TYPE, body=body, name="list.json")
    if item.appeal is None:
        raise UnsupportedError("not an item of ССТУ", found=item.operation)
    source = item.appeal.source_system
    if source is not None and source.value == review_csv.UROG:
        return review_csv.encode([item.appeal], "overview.csv")
    files = {file.sha256: file.data for file in item.files if isinstance(file.data, bytes)}
    body = msgspec.json.encode(_card(item.appeal, files))
    return Wire(media_type=MEDIA_TYPE, body=body, name="document.json")


def _card(appeal: Appeal, files: dict[str, bytes]) -> dict[str, Any]:
    numbers = (*(r.number for r in appeal.registrations), *(r.number for r in appeal.referrals))
    letter = next(iter(appeal.referrals), None)
    author = next(iter(appeal.applicants), Applicant())
    address = next(iter(author.addresses), None)
    out = {
        "departmentId": _guid(next((q.owner_org for q in appeal.questions), None)),
        "isDirect": appeal.direct,
        "format": appeal.delivery_method.value if appeal.delivery_method else None,
        "number": next(iter(numbers), None),
        "createDate": _iso(letter.date) if letter else None,
        "name": author.person.full_name_as_given if author.person else None,
        "address": address.raw if address else None,
        "email": next((c.value for c in author.contacts if c.kind == ContactKind.EMAIL), None),
        "questions": [_question(appeal, question, files) for question in appeal.questions],
    }
    out = {name: value for name, value in out.items() if value not in (None, "")}
    put_back(out, appeal.extras)
    return out


def _question(appeal: Appeal, question: Question, files: dict[str, bytes]) -> dict[str, Any]:
    said = next((state.code for state in question.peer_states), "")
    out = {
        "code": next((topic.code.value for topic in question.topics), None),
        "status": said,
        "incomingDate": _iso(question.incoming_date),
        "registrationDate": _iso(question.registration_date),
        "responseDate": _iso(question.response_date),
        "attachment": _attachment(appeal, question, files),
        "actionsTaken": question.outcome.actions_taken if question.outcome else None,
        "isExtend": True if question.extended and status_of(said) == "InWork" else None,
        "transfer": _transfer(appeal, question),
    }
    out = {name: value for name, value in out.items() if value is not None}
    put_back(out, question.extras)
    return out


def _attachment(
    appeal: Appeal, question: Question, files: dict[str, bytes]
) -> dict[str, Any] | None:
    for answer in appeal.answers:
        for file in answer.attachments if question.ordinal in answer.questions else ():
            content = base64.b64encode(files.get(file.sha256, b"")).decode("ascii")
            out: dict[str, Any] = {"name": file.declared_name, "content": content}
            put_back(out, file.extras)
            return out
    return None


def _transfer(appeal: Appeal, question: Question) -> dict[str, Any] | None:
    for transfer in appeal.transfers:
        if question.ordinal not in transfer.questions:
            continue
        out: dict[str, Any] = {
            "departmentId": _guid(transfer.to_org),
            "transferDate": _iso(transfer.date),
            "transferNumber": transfer.number or None,
        }
        out = {name: value for name, value in out.items() if value is not None}
        put_back(out, transfer.extras)
        return out
    return None


def _guid(organisation: Organisation | None) -> str | None:
    return (organisation.id_in(PEER) if organisation else "") or None


def _iso(day: Day | None) -> str | None:
    return day.isoformat() if day else None
