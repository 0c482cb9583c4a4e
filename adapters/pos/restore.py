"""The model → what came: an item, an event or an e-mail, with everything that was kept beside."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

import msgspec

from adapters.pos import mail
from adapters.pos.codes import (
    BY_MAIL,
    DUE_AS_SENT,
    EVENT,
    ITEM,
    LEVELS,
    OPA,
    PEER,
    POLLS,
    RESULTS,
    RETURNED,
    REWORK,
    WORDS,
)
from adapters.pos.fields import put_back
from adapters.pos.people import CONTACTS
from adapters.pos.report import CLARIFIED, MODERATED
from gateway.adapter import File, Inbound, Wire
from gateway.errors import UnsupportedError
from gateway.model.appeal import Appeal, Regime
from gateway.model.attachment import AttachmentGroup
from gateway.model.later import FeedbackKind
from gateway.model.question import AssignedBy

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from adapters.pos.codes import Tables
    from gateway.model.attachment import Attachment
    from gateway.model.events import PeerReport
    from gateway.model.person import Applicant

_KINDS: Final = {kind: word for word, kind in CONTACTS.items()}
_DECISIONS: Final = {facts: word for word, facts in RESULTS.items()}


def restore(item: Inbound, tables: Tables) -> Wire:
    """Return the document that an item came in; raise UnsupportedError for what never came."""
    if item.report is not None:
        return _json(_event(item.report, item.files))
    if item.appeal is None:
        raise UnsupportedError("only items and events are written back", found=item.operation)
    if item.appeal.delivery_method == BY_MAIL:
        return Wire(media_type=mail.MEDIA_TYPE, body=mail.write(item, tables), name="item.eml")
    return _json(_item(item.appeal, item))


def _json(document: dict[str, Any]) -> Wire:
    return Wire(media_type="application/json", body=msgspec.json.encode(document), name="item.json")


def told(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that say something."""
    return {k: v for k, v in document.items() if v is not None and v not in ("", [])}


def _item(appeal: Appeal, item: Inbound) -> dict[str, Any]:
    kind = appeal.document_kind.value if appeal.document_kind else ITEM
    question = appeal.questions[0]
    opa = appeal.addressees[0].organisation if appeal.addressees else None
    document = told(
        {
            "kind": kind if kind in POLLS else None,
            "id": item.external_id,
            "version": appeal.revision if kind != REWORK else None,
            "fz59": None if kind in POLLS else appeal.regime is Regime.FZ59,
            "opaId": opa.id_in(OPA) if opa else None,
            "submittedAt": _iso(appeal.received_at),
            "sentAt": _iso(appeal.sent_at),
            "stage": question.peer_states[0].code if question.peer_states else None,
            "fastTrack": _fast_track(appeal),
            "subject": appeal.subject,
            "text": appeal.text,
            "textTruncated": appeal.text_truncated or None,
            "collective": appeal.collective,
            "concerned": appeal.concerned_count,
            "publish": appeal.consent_publish,
            "test": appeal.test_message or None,
            "place": _place(appeal),
            "applicant": _applicant(appeal.applicants[0]) if appeal.applicants else None,
            "attachments": [_file(a, item.files) for a in appeal.attachments],
            "rating": _rating(appeal),
            **_topics(appeal),
        }
    )
    if kind == REWORK:
        _as_event(document, appeal)
    elif appeal.links:
        document["rework"] = _rework(appeal)
    put_back(document, appeal.extras)
    if kind == REWORK:
        document["at"] = document.pop("submittedAt")
    return document


def _as_event(document: dict[str, Any], appeal: Appeal) -> None:
    """Make the repeat appeal the event that it came as."""
    reason = appeal.feedback[0].peer_kind
    document |= {
        "kind": EVENT,
        "event": RETURNED,
        "eventId": document["id"],
        "id": appeal.links[0].number,
    }
    if reason:
        document["reason"] = told({"code": reason.value, "name": reason.label})


def _rework(appeal: Appeal) -> dict[str, Any]:
    link = appeal.links[0]
    reason = next((f.text for f in appeal.feedback if f.kind is FeedbackKind.REWORK), "")
    return told({"of": link.number, "reason": reason, "answeredOn": _iso(link.date)})


def _rating(appeal: Appeal) -> dict[str, Any] | None:
    found = next((f for f in appeal.feedback if f.kind is FeedbackKind.RATING), None)
    if found is None:
        return None
    return told(
        {
            "score": found.score,
            "scale": int(found.scale.value) if found.scale else None,
            "text": found.text,
            "at": _iso(found.occurred_at),
        }
    )


def _fast_track(appeal: Appeal) -> dict[str, Any] | None:
    if appeal.priority is None:
        return None
    due = next((m.due for m in appeal.control_marks if m.label == DUE_AS_SENT), None)
    code = appeal.priority
    return told({"code": code.value, "name": code.label, "due": _iso(due)})


def _topics(appeal: Appeal) -> dict[str, Any]:
    """The levels that were named; those that a rule added were not."""
    names = dict(zip(LEVELS, ("fact", "subcategory", "category"), strict=True))
    return {
        names[t.code.system]: told({"code": t.code.value, "name": t.name_as_given})
        for t in appeal.questions[0].topics
        if t.code.system in names and t.assigned_by is AssignedBy.PEER
    }


def _place(appeal: Appeal) -> dict[str, Any] | None:
    if not appeal.addresses:
        return None
    place = appeal.addresses[0]
    document = told(
        {
            "address": place.raw,
            "lat": place.lat,
            "lon": place.lon,
            "fiasGuid": place.fias_guid,
            "oktmo": place.oktmo,
        }
    )
    put_back(document, place.extras)
    return document


def _applicant(applicant: Applicant) -> dict[str, Any]:
    person, known = applicant.person, applicant.identification
    oid = person.esia_oid if person else ""
    company = applicant.organisation
    consent = told(
        {"processing": applicant.consent_processing, "disclosure": applicant.consent_disclosure}
    )
    document = told(
        {
            "lastName": person.family if person else None,
            "firstName": person.given if person else None,
            "middleName": person.patronymic if person else None,
            "birthDate": _iso(person.birth_date) if person else None,
            "snils": person.snils if person else None,
            "organisation": told(
                {"name": company.full_name, "ogrn": company.ogrn, "inn": company.inn}
            )
            if company
            else None,
            "anonymous": applicant.anonymous or None,
            "address": applicant.addresses[0].raw if applicant.addresses else None,
            "consent": consent or None,
            "esia": told({"oid": oid, "level": known.level, "at": _iso(known.at)})
            if known
            else None,
            "contacts": [
                told(
                    {
                        "kind": _KINDS[contact.kind],
                        "value": contact.value,
                        "verified": contact.verified,
                        "reply": contact.reply_here or None,
                    }
                )
                for contact in applicant.contacts
            ],
        }
    )
    put_back(document, applicant.extras)
    return document


def _file(attachment: Attachment, files: tuple[File, ...]) -> dict[str, Any]:
    data = next((f.data for f in files if f.sha256 == attachment.sha256), None)
    digest = attachment.sha256 or next((r.value for r in attachment.refs if r.peer == PEER), "")
    document = told(
        {
            "name": attachment.declared_name,
            "mediaType": attachment.declared_type,
            "sha256": digest,
            "content": _base64(data),
            "url": attachment.url,
            "photo": True if attachment.group is AttachmentGroup.PHOTO else None,
            "description": attachment.description,
        }
    )
    put_back(document, attachment.extras)
    return document


def _event(report: PeerReport, files: tuple[File, ...]) -> dict[str, Any]:
    kept = {extra.path for extra in report.extras}
    unknown = "/event" in kept
    state = report.peer_state
    document = told(
        {
            "kind": EVENT,
            "id": report.key.external_id,
            "eventId": report.message_key,
            "event": None if unknown else WORDS[report.event],
            "at": _iso(report.occurred_at),
            "stage": None if state is None or (unknown and state.code not in _stages(report))
            else state.code,
            "text": report.comment,
            **_facts(report, files),
        }
    )  # fmt: skip
    put_back(document, report.extras)
    return document


def _stages(report: PeerReport) -> tuple[str, ...]:
    """The state of an unknown event is its own word unless a stage was named."""
    word = next((e.value for e in report.extras if e.path == "/event"), "")
    state = report.peer_state
    return (state.code,) if state and state.code != word else ()


def _facts(report: PeerReport, files: tuple[File, ...]) -> dict[str, Any]:
    rating, moderation, reason = report.rating, report.moderation, report.reason
    code = moderation.reason if report.event in MODERATED and moderation else ""
    due = reason.due if reason else None
    if report.event in CLARIFIED and report.clarification:
        due = report.clarification.due
    code = code or (reason.code if reason else "")
    facts = report.outcome
    return {
        "executor": _executor(report),
        "postponed": told(
            {
                "ground": report.extension.ground,
                "decidedOn": _iso(report.extension.decided_on),
                "due": _iso(report.extension.new_due),
            }
        )
        if report.extension
        else None,
        "redirect": told(
            {
                "organisation": {"id": report.transfer.organisation},
                "date": _iso(report.transfer.date),
                "number": report.transfer.number,
            }
        )
        if report.transfer
        else None,
        "rating": told(
            {"score": rating.score, "scale": int(rating.scale) if rating.scale else None}
        )
        if rating
        else None,
        "reason": {"code": code} if code else None,
        "due": _iso(due),
        "decision": _DECISIONS.get((facts.result, facts.actions_taken)) if facts else None,
        "answer": _answer(report, files),
    }


def _executor(report: PeerReport) -> dict[str, Any] | None:
    told_ = report.executor
    if told_ is None:
        return None
    return told(
        {
            "organisation": {"id": told_.organisation},
            "officer": report.executor_name,
            "due": _iso(told_.due),
        }
    )


def _answer(report: PeerReport, files: tuple[File, ...]) -> dict[str, Any] | None:
    answer = report.answer
    if answer is None:
        return None
    return told(
        {
            "number": answer.number,
            "date": _iso(answer.date),
            "text": answer.text,
            "signedBy": answer.signed_by,
            "attachments": [
                {
                    "name": file.name,
                    "mediaType": file.media_type,
                    "sha256": file.sha256,
                    "content": _base64(file.data),
                }
                for file in files
            ],
        }
    )


def _base64(data: Any) -> str | None:
    return base64.b64encode(data).decode() if isinstance(data, bytes) else None


def _iso(moment: dt.date | None) -> str | None:
    return moment.isoformat() if moment else None
