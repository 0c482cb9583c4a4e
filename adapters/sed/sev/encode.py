"""An appeal → DocInfo; what became of one → Report, to the system that sent it.

Options: `uid`, `organization` (we), `addressee_uid`, `addressee` (they), `zone`, `given_on`,
`stop_days` (how long we want to be told of a document; 30 where none is given), `signatory`,
`signatory_post`, `tables`.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import TYPE_CHECKING, Any, Final

from adapters.sed.codes import PEER, document_uid, reasons
from adapters.sed.edc.decode import zone_of
from adapters.sed.sev.draft import Draft
from adapters.sed.sev.words import IDS, citizen_out, officer_out, organisation_out
from gateway import limits
from gateway.errors import UnsupportedError
from gateway.model import facts as f
from gateway.model.events import EventType
from gateway.model.organisation import Officer, Organisation, OrganisationId

if TYPE_CHECKING:
    from adapters.sed.codes import Purpose
    from gateway.adapter import EncodeContext
    from gateway.model.answer import Answer
    from gateway.model.appeal import Appeal
    from gateway.model.events import Event
    from gateway.model.registration import ReferralIn

_NAMES: Final = uuid.UUID("b4e0c1d2-7a55-4a3e-9d0e-2f6c8b1a9e47")
"""Namespace of the uids of our messages: the same delivery, the same message."""
GIVEN: Final = (EventType.RECEIVED, EventType.TRANSFERRED)
"""With what an appeal goes to a system that did not send it, where `given_on` is not told."""
_TOLD: Final = {
    EventType.RECEIVED: "Reception",
    EventType.REGISTRATION_REFUSED: "Failure",
    EventType.NOT_AN_APPEAL: "Failure",
    EventType.REGISTERED: "Registration",
    EventType.ROUTED: "Forwarding",
    EventType.ASSIGNED: "Consideration",
    EventType.REASSIGNED: "Consideration",
    EventType.ANSWER_PREPARED: "Report",
    EventType.TRANSFERRED: "Redirection",
    EventType.ANSWERED: "Answer",
}
_TYPES: Final = {"Reception": "Reception", "Failure": "Failure"}
_STOP_DAYS: Final = 30


def encode(appeal: Appeal, event: Event | None, ctx: EncodeContext) -> dict[str, bytes]:
    """Return the files of the message folder by name, without its envelope.

    Raises UnsupportedError for an event that has no word here, ValidationError naming everything
    that is missing.
    """
    kind = event.type if event else None
    message = _Message(appeal, ctx)
    if event is not None and _is_theirs(appeal, ctx):
        if kind not in _TOLD:
            raise UnsupportedError(
                "в СЭВ нет такого уведомления · SEV has no word for it", found=str(kind)
            )
        message.report(event)
    elif kind is None or kind in ctx.options.get("given_on", GIVEN):
        message.document(event)
    else:
        raise UnsupportedError(
            "о таком не сообщают · not told to who did not send it", found=str(kind)
        )
    return message.files()


def _is_theirs(appeal: Appeal, ctx: EncodeContext) -> bool:
    """Whether the destination is the system that the appeal came from."""
    if ctx.peer and appeal.source_peer:
        return ctx.peer == appeal.source_peer
    return _ref(appeal, "uid") != "" or _ref(appeal, "documentId") != ""


def _ref(appeal: Appeal, kind: str) -> str:
    return next((r.value for r in appeal.refs if r.peer == PEER and r.kind == kind), "")


class _Message(Draft):
    """A message about an appeal."""

    def __init__(self, appeal: Appeal, ctx: EncodeContext) -> None:
        super().__init__()
        self._appeal = appeal
        self._ctx = ctx
        self._zone = zone_of(ctx.options)
        ids = OrganisationId(system=IDS, value=self._option("uid"))
        self._we = Organisation(
            short_name=self._option("organization"), ids=(ids,) if ids.value else ()
        )

    def document(self, event: Event | None) -> None:
        """Put the appeal as a document, with what we want to be told of it."""
        appeal, at = self._appeal, "DocInfo/DocumentList/Document[0]"
        transfer = event.payload if event and isinstance(event.payload, f.TransferFacts) else None
        purpose: Purpose = "passed" if transfer else "handed"
        question = (event.question or 0) if event else 0
        uid = self._uid(purpose, question)
        self._header("DocInfo", "MainDoc", uid)
        number, day = self._numbered(transfer)
        self._card(at, uid, number, day, main=True)
        self.put(f"{at}/@Version", str(appeal.revision))
        if term := next((r.control_term for r in appeal.referrals if r.control_term), None):
            self.put(f"{at}/Control/@State", "UnderControl")
            self.put(f"{at}/Control/Deadline", term.isoformat())
        self.put(f"{at}/Group", appeal.document_kind.label or appeal.document_kind.value
                  if appeal.document_kind else "Обращения граждан")  # fmt: skip
        text = appeal.text or "\n\n".join(q.text for q in appeal.questions if q.text)
        self.put(f"{at}/Annotation", appeal.subject or text[: limits.SUBJECT_CHARS])
        self.put(f"{at}/Note", text if text.strip() not in {"", appeal.subject.strip()} else "")
        if appeal.collective is not None:
            self.put(f"{at}/Collective", "true" if appeal.collective else "false")
        for n, topic in enumerate(t for q in appeal.questions for t in q.topics):
            self.put(f"{at}/Rubric[{n}]/@UID", topic.code.value)
            self.put(
                f"{at}/Rubric[{n}]", topic.name_as_given or topic.code.label or topic.code.value
            )
        self.attach(at, appeal.attachments, self._ctx.files)
        for n, one in enumerate(appeal.applicants):
            author = f"{at}/Author[{n}]"
            if one.organisation and not one.person:
                named = f"{author}/Contact/Organization"
                self.some(organisation_out(named, _short(one.organisation)))
                self.need(f"{named}/ShortName", "наименование заявителя")
            else:
                self.some(citizen_out(f"{author}/PrivatePerson", one))
                self.need(f"{author}/PrivatePerson/FIO", "ФИО заявителя")
        self._addressee(f"{at}/Addressee[0]/Contact")
        self._subscriptions()

    def _subscriptions(self) -> None:
        at = "DocInfo/Subscriptions"
        self.put(f"{at}/@StopDayCount", self._option("stop_days") or str(_STOP_DAYS))
        for word in ("Reception", "Registration", "Forwarding", "Consideration", "Report",
                     "Redirection", "Answer"):  # fmt: skip
            self.put(f"{at}/{word}/@Include", "true")

    def report(self, event: Event) -> None:
        """Put a notification of what became of their document."""
        word, at = _TOLD[event.type], "Report/Notification"
        self._header("Report", _TYPES.get(word, "Report"), _ref(self._appeal, "returnId"))
        theirs = next(iter(self._appeal.referrals), None)
        self._initial(f"{at}/InitialDoc", theirs)
        instant = self._instant(event)
        payload: Any = event.payload
        match word:
            case "Reception":
                self.put(f"{at}/Reception", instant)
            case "Failure":
                self.put(f"{at}/Failure/@Code", payload.code if payload.code.isdecimal() else "1")
                table = reasons(self._option("tables"))
                self.put(f"{at}/Failure", table.word(payload.code))
            case "Registration":
                self._registered(at, payload, instant)
            case "Consideration":
                self._task(f"{at}/Consideration[0]", event, payload)
            case "Report":
                self._task(f"{at}/Report[0]", event, f.ExecutorFacts())
            case "Forwarding" | "Redirection":
                self._passed_on(f"{at}/{word}[0]", payload, instant)
            case _:
                self._answered(at, event, payload, instant)

    def _initial(self, at: str, theirs: ReferralIn | None) -> None:
        self.put(f"{at}/@UID", _ref(self._appeal, "uid") or _ref(self._appeal, "documentId"))
        self.put(f"{at}/Number", theirs.number if theirs else "")
        self.put(f"{at}/Date", theirs.date.isoformat() if theirs and theirs.date else "")
        for path, what in (("@UID", "идентификатор их документа"), ("Number", "номер их документа"),
                           ("Date", "дата их документа")):  # fmt: skip
            self.need(f"{at}/{path}", what)

    def _registered(self, at: str, payload: f.RegistrationFacts, instant: str) -> None:
        document = "Report/DocumentList/Document[0]"
        uid = self._uid("handed", 0)
        self.put(f"{at}/Registration/@DocumentID", uid)
        self.put(f"{at}/Registration/@SystemDate", instant)
        self._card(document, uid, payload.number, payload.date, main=False)

    def _task(self, at: str, event: Event, payload: f.ExecutorFacts) -> None:
        """Put a task with its executor: who is named by the assignment, else by the event."""
        asked = event.question
        mine = [a for a in self._appeal.assignments
                if not a.questions or asked is None or asked in a.questions]  # fmt: skip
        task = mine[-1] if mine else None
        uid = str(uuid.uuid5(_NAMES, f"task/{self._appeal.id}/{event.question or 0}"))
        self.put(f"{at}/@TaskID", uid)
        place = "Report/TaskList/Task[0]"
        for name, value in (("@UID", uid), ("@TaskID", uid), ("@Type", "Resolution"),
                            ("@Privacy", "false"), ("IsProject", "false")):  # fmt: skip
            self.put(f"{place}/{name}", value)
        self.put(f"{place}/Text", task.text if task else "")
        due = payload.due or (task.due if task else None)
        if due:
            self.put(f"{place}/Control/Deadline", due.isoformat())
        executors = list(task.executors) if task else []
        named = Organisation(short_name=payload.organisation)
        executors = executors or [Officer(organisation=named if payload.organisation else self._we)]
        for n, officer in enumerate(executors):
            one = f"{place}/Executor[{n}]"
            self.put(f"{one}/@Responsible", "false" if n else "true")
            body = _short(officer.organisation or self._we)
            if not body.short_name.strip():
                body = self._we
            post = officer.post if officer.name or officer.post else ""
            self.some(
                officer_out(
                    f"{one}/Contact", Officer(organisation=body, name=officer.name, post=post)
                )
            )

    def _passed_on(self, at: str, payload: Any, instant: str) -> None:
        to = next((t.to_org for t in reversed(self._appeal.transfers) if t.to_org), None)
        name = str(getattr(payload, "organisation", ""))
        body = to or (Organisation(short_name=name) if name else self._we)
        self.some(organisation_out(f"{at}/Contact/Organization", _short(body)))
        self.need(f"{at}/Contact/Organization/ShortName", "кому направлено")
        self.put(f"{at}/Date", instant)
        if "Redirection" in at:
            self.put(f"{at}/Type", "СЭД")

    def _answered(self, at: str, event: Event, payload: f.AnswerFacts, instant: str) -> None:
        answer = self._letter(payload)
        uid = self._uid("answer", event.question or 0)
        self.put(f"{at}/Answer[0]/@DocumentID", uid)
        self.put(f"{at}/Answer[0]/Date", instant)
        self.put(f"{at}/Answer[0]/Type", "СЭД")
        document = "Report/DocumentList/Document[0]"
        number = (answer.number if answer else "") or payload.number
        day = (answer.date if answer else None) or payload.date
        self._card(document, uid, number, day, main=False)
        self.put(f"{document}/Annotation", answer.text if answer else "")
        self.attach(document, answer.attachments if answer else (), self._ctx.files)
        signer = (answer.signed_by if answer else None) or Officer(
            name=self._option("signatory"), post=self._option("signatory_post")
        )
        author = Officer(organisation=self._we, name=signer.name, post=signer.post)
        self.some(officer_out(f"{document}/Author[0]/Contact", author))

    def _letter(self, payload: f.AnswerFacts) -> Answer | None:
        mine = [a for a in self._appeal.answers if not payload.number or a.number == payload.number]
        return mine[-1] if mine else None

    def _header(self, root: str, kind: str, return_id: str) -> None:
        ctx = self._ctx
        mid = str(uuid.uuid5(_NAMES, ctx.key or f"{ctx.peer}/{self._appeal.id}/{root}"))
        self.header(
            root, kind, mid=mid, return_id=return_id, time=self._iso(ctx.now), we=self._we,
            system=self._option("uid"),
        )  # fmt: skip
        self._addressee(f"{root}/Header/Recipient/Contact[0]")

    def _addressee(self, at: str) -> None:
        uid, name = self._option("addressee_uid"), self._option("addressee")
        theirs = next((r.from_org for r in self._appeal.referrals if r.from_org), None)
        body = Organisation(
            short_name=name or (_short(theirs).short_name if theirs else ""),
            ids=(OrganisationId(system=IDS, value=uid),) if uid else (),
        )
        self.some(organisation_out(f"{at}/Organization", body))
        self.need(f"{at}/Organization/ShortName", "options.addressee")

    def _card(self, at: str, uid: str, number: str, day: dt.date | None, *, main: bool) -> None:
        for name, value in (
            ("@UID", uid), ("@DocumentID", uid), ("@Type", "Created" if main else "Incoming"),
            ("@MainDocument", "true" if main else "false"),
            ("RegistrationInfo/Number", number),
            ("RegistrationInfo/Date", day.isoformat() if day else ""),
        ):  # fmt: skip
            self.put(f"{at}/{name}", value)
        self.need(f"{at}/RegistrationInfo/Number", "регистрационный номер")
        self.need(f"{at}/RegistrationInfo/Date", "дата регистрации")

    def _numbered(self, transfer: f.TransferFacts | None) -> tuple[str, dt.date | None]:
        """The number: of the covering letter, of a registration, of the letter that it came by."""
        appeal = self._appeal
        if transfer and transfer.number:
            return transfer.number, transfer.date
        given = sorted(appeal.registrations, key=lambda one: not one.is_ours)
        told = [(one.number, one.date) for one in given]
        told += [(one.number, one.date) for one in appeal.referrals]
        for number, date in told:
            if number:
                return number, date
        came = appeal.received_at or appeal.sent_at or self._ctx.now
        return appeal.receipt_number, came.astimezone(self._zone).date()

    def _uid(self, purpose: Purpose, question: int) -> str:
        if self._appeal.receipt_number:
            return document_uid(self._appeal.receipt_number, purpose, question)
        return str(uuid.uuid5(_NAMES, f"{self._appeal.id}/{purpose}/{question}"))

    def _instant(self, event: Event) -> str:
        at = event.occurred_at
        if not isinstance(at, dt.datetime):
            at = dt.datetime.combine(at, dt.time(), self._zone)
        return self._iso(at)

    def _iso(self, at: dt.datetime) -> str:
        return at.astimezone(self._zone).isoformat(timespec="seconds")

    def _option(self, name: str) -> str:
        return str(self._ctx.options.get(name) or "").strip()


def _short(body: Organisation) -> Organisation:
    """A body with the short name that the format asks for."""
    return Organisation(
        short_name=body.short_name or body.full_name,
        full_name=body.full_name,
        inn=body.inn,
        ids=body.ids,
    )
