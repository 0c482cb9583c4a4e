"""What a caller is shown of an appeal: projections of the store as documents of the contract.

The sender of an appeal sees its own in full. Whoever was given it sees what its level of disclosure
allows (docs/adr/0014), by the same function that dispatch sends by.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

from gateway.disclosure import Level, disclose
from gateway.wires import contract as c

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID

    from gateway.access.policy import Caller
    from gateway.model.appeal import Appeal
    from gateway.model.attachment import Attachment


def level_for(head: Any, caller: Caller) -> Level:
    """Return how much of an appeal a caller may see. head: a row with `peer`, who sent it."""
    return Level.FULL if head.peer == caller.peer else Level(caller.disclosure)


def disclosed(content: Appeal | None, head: Any, caller: Caller) -> Appeal | None:
    """Return what a caller may see of an appeal's content."""
    if content is None:
        return None
    redacted = bool(caller.options.get("text_is_redacted", False))
    return disclose(content, level_for(head, caller), peer=caller.peer, text_is_redacted=redacted)


def appeal_out(
    head: Any,
    questions: Iterable[Any],
    due: dict[UUID, dict[int, Any]],
    registrations: Iterable[Any],
    files: Iterable[Any],
    content: Appeal | None,
    *,
    level: Level,
    with_text: bool,
) -> c.AppealOut:
    """Return an appeal; content: what the caller may see of it, None when it was erased.

    level: of the caller; the sender of an appeal sees its own in full.
    """
    terms = due.get(head.id, {})
    texts = {q.ordinal: q for q in content.questions} if content else {}
    return c.AppealOut(
        receipt_number=head.receipt_number,
        external_id=(head.external_id or None) if level is Level.FULL else None,
        revision=head.revision,
        state=head.state,
        regime=head.regime or None,
        type=content.type.value if content else None,
        form=content.form.value if content and content.form else None,
        delivery_method=content.delivery_method.value
        if content and content.delivery_method
        else None,
        received_at=content.received_at if content else None,
        accepted_at=head.recorded_at.astimezone(UTC),
        updated_at=head.changed_at.astimezone(UTC),
        content_sha256=head.content_sha256.hex(),
        subject=content.subject or None if content and with_text else None,
        text=content.text or None if content and with_text else None,
        due_date=min(terms.values(), default=None),
        problem_address=_address(content) if content else None,
        registrations=tuple(
            c.RegistrationOut(
                organisation=r.organisation or None, register=r.register or None,
                number=r.number, date=r.date,
            )
            for r in registrations
        ),
        questions=tuple(
            _question_out(q, texts, terms, level=level, with_text=with_text) for q in questions
        ),
        attachments=_files_out(files, content, level),
        links=tuple(
            c.LinkOut(kind=link.kind.value, number=link.number, date=link.date)
            for link in (content.links if content else ())
            if link.number
        ),
        test_message=head.test,
    )  # fmt: skip


def _files_out(
    files: Iterable[Any], content: Appeal | None, level: Level
) -> tuple[c.AttachmentOut, ...]:
    """Below `full` only files that the disclosed appeal names, under the names it gives them."""
    named = {file.sha256: file for file in content.attachments} if content else {}
    return tuple(
        c.AttachmentOut(
            attachment_id=f.sha256.hex(),
            file_name=f.name
            if level is Level.FULL
            else named[f.sha256.hex()].declared_name or f.sha256.hex()[:12],
            media_type=f.media_type or "application/octet-stream",
            size=f.size,
            sha256=f.sha256.hex(),
            role=named[f.sha256.hex()].role.value if f.sha256.hex() in named else None,
        )
        for f in files
        if level is Level.FULL or f.sha256.hex() in named
    )


def _question_out(
    row: Any, texts: dict[int, Any], terms: dict[int, Any], *, level: Level, with_text: bool
) -> c.QuestionOut:
    said = texts.get(row.ordinal)
    return c.QuestionOut(
        question_id=str(row.id),
        external_id=next((r.value for r in said.refs if r.kind == "external_id"), None)
        if said
        else None,
        ordinal=row.ordinal,
        state=row.state,
        text=(said.text or None) if said and with_text else None,
        topics=tuple(
            c.TopicOut(
                system=t.code.system, code=t.code.value, version=t.code.version or None,
                title=t.code.label or None,
            )
            for t in (said.topics if said else ())
        ),
        owner_organisation=None if level is Level.REFERENCE_ONLY else row.executor or None,
        due_date=terms.get(row.ordinal) or terms.get(0),
        outcome=_outcome(row.facts) if level is not Level.REFERENCE_ONLY else None,
    )  # fmt: skip


def status_item(
    key: c.AppealKey,
    found: Sequence[tuple[UUID, str, str]],
    into: dict[UUID, UUID],
    heads: dict[UUID, Any],
    questions: dict[UUID, list[Any]],
    due: dict[UUID, dict[int, Any]],
    *,
    caller: Caller,
) -> c.StatusItem:
    """Return where one appeal stands; not found also when the key names several.

    into: a merged appeal stands where the one stands that holds its letter.
    """
    ids = {row[0] for row in found}
    if len(ids) != 1:
        return c.StatusItem(key=key, found=False)
    own = heads[ids.pop()]
    head = heads[into.get(own.id, own.id)]
    terms = due.get(head.id, {})
    told = level_for(own, caller) is not Level.REFERENCE_ONLY
    return c.StatusItem(
        key=key,
        found=True,
        state=head.state,
        questions=tuple(
            c.QuestionState(
                question_id=str(q.id),
                ordinal=q.ordinal,
                state=q.state,
                extended="extended" in q.flags,
                overdue="overdue" in q.flags,
                on_control="on_control" in q.flags,
                due_date=terms.get(q.ordinal) or terms.get(0),
                outcome=_outcome(q.facts) if told else None,
            )
            for q in questions.get(head.id, [])
        ),
        due_date=min(terms.values(), default=None),
        updated_at=head.changed_at.astimezone(UTC),
    )


def _outcome(facts: dict[str, Any]) -> c.OutcomeOut | None:
    told = (facts.get("answer") or {}).get("outcome")
    if not told:
        return None
    return c.OutcomeOut(result=told.get("result", ""), actions_taken=told.get("actions_taken"))


def file_out(file: Attachment) -> c.AttachmentOut:
    """Return a file of a disclosed appeal; one whose name was erased goes by its digest."""
    return c.AttachmentOut(
        attachment_id=file.sha256,
        file_name=file.declared_name or file.sha256[:12],
        media_type=file.media_type or "application/octet-stream",
        size=file.size or 0,
        sha256=file.sha256,
        role=file.role.value,
    )


def _address(content: Appeal) -> c.Address | None:
    place = next((a for a in content.addresses if a.role.value == "problem"), None)
    if place is None:
        return None
    return c.Address(
        raw=place.raw or None, postal_code=place.postal_code or None,
        fias_guid=place.fias_guid or None, oktmo=place.oktmo or None, region=place.region or None,
        municipality=place.municipality or None, settlement=place.settlement or None,
        street=place.street or None, house=place.house or None, block=place.block or None,
        building=place.building or None, latitude=place.lat, longitude=place.lon,
    )  # fmt: skip


def due_of(found: Iterable[Any]) -> dict[UUID, dict[int, Any]]:
    """Return appeal → question (0: the appeal as a whole) → the nearest day it is due."""
    due: dict[UUID, dict[int, Any]] = {}
    for row in found:
        due.setdefault(row.appeal_id, {})[row.question] = row.due
    return due
