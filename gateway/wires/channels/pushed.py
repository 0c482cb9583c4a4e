"""What a web hook and a file carry: documents of the contract's names beside its XSD."""

from gateway.wires import contract as c
from gateway.wires.words import Day, Instant, Int, Response


class AppealTold(Response, frozen=True, kw_only=True):
    """An appeal as it stands, for whoever is sent an event of it.

    receipt_number to links: as in AppealOut. collective to urgency: as in AppealIn. transfers: as
    in StatusOut. applicants, referral, extra: as the sender gave them, for those who see the appeal
    in full.
    """

    receipt_number: str
    external_id: str | None = None
    revision: Int
    state: str
    regime: str | None = None
    type: str | None = None
    form: str | None = None
    delivery_method: str | None = None
    received_at: Instant | None = None
    subject: str | None = None
    text: str | None = None
    problem_address: c.Address | None = None
    registrations: tuple[c.RegistrationOut, ...] = ()
    questions: tuple[c.QuestionOut, ...] = ()
    answers: tuple[c.AnswerOut, ...] = ()
    attachments: tuple[c.AttachmentOut, ...] = ()
    links: tuple[c.LinkOut, ...] = ()
    test_message: bool = False
    collective: bool = False
    concerned_count: Int | None = None
    repeat_kind: str | None = None
    urgency: str | None = None
    transfers: tuple[c.TransferOut, ...] = ()
    applicants: tuple[c.Applicant, ...] = ()
    referral: c.Referral | None = None
    extra: tuple[c.Extra, ...] = ()


class Pushed(Response, frozen=True, kw_only=True):
    """`data` of the event: the contract's Change without a place in a lane, and the appeal."""

    key: c.AppealKey
    question_id: str | None = None
    event_type: str | None = None
    occurred_at: Instant | None = None
    occurred_on: Day | None = None
    recorded_at: Instant | None = None
    message_key: str | None = None
    applied: str | None = None
    status: c.StatusOut | None = None
    answer: c.AnswerOut | None = None
    file: c.AttachmentOut | None = None
    appeal: AppealTold
