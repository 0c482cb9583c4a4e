"""Documents that we answer with: the complex types of the contract that stand in responses.

Enumerations are open strings here, so that a new state does not break an old client (model.md §2).
"""

from gateway.wires.requests import (
    Address,
    AppealKey,
    Applicant,
)
from gateway.wires.words import (
    Day,
    Instant,
    Int,
    Response,
)


class Receipt(Response, frozen=True, kw_only=True):
    """Proof that a call is stored durably; a repeat of the call gets the same bytes.

    accepted_at: when it was first stored. content_sha256: digest of the content as it was
    understood. message_key: of calls that carry one.
    """

    receipt_number: str
    external_id: str | None = None
    revision: Int | None = None
    accepted_at: Instant
    content_sha256: str
    message_key: str | None = None


class FieldError(Response, frozen=True, kw_only=True):
    """One thing wrong with a message: where, what was found, what was expected.

    path: XPath-like, from the body element; JSON Pointer on the JSON wire. line: line of the
    source, from 1, when known. code: a stable word: required, pattern, enumeration, unexpected, …
    found: cut to 200 characters.
    """

    path: str
    line: Int | None = None
    code: str
    found: str | None = None
    expected: str | None = None
    message: str


class ItemError(Response, frozen=True, kw_only=True):
    """Why one item of a package was not taken; the other items were.

    code: a code of the error tree (docs/errors.md). retry: never, later or ask. receipt_number:
    of the stored appeal, when the code is conflict.
    """

    code: str
    message: str
    retry: str
    errors: tuple[FieldError, ...] = ()
    receipt_number: str | None = None


class SubmitResult(Response, frozen=True, kw_only=True):
    """What became of one item of SubmitAppeals: a receipt or an error.

    index: place of the item in the request, from 0.
    """

    index: Int
    external_id: str
    receipt: Receipt | None = None
    error: ItemError | None = None


class OutcomeOut(Response, frozen=True, kw_only=True):
    """How the question was decided.

    result: a code of GetDirectory(Outcomes).
    """

    result: str
    actions_taken: bool | None = None


class AttachmentOut(Response, frozen=True, kw_only=True):
    """A file without its bytes; GetAttachment gives them.

    media_type: by content. size: bytes.
    """

    attachment_id: str
    file_name: str
    media_type: str
    size: int
    sha256: str
    role: str | None = None


class TopicOut(Response, frozen=True, kw_only=True):
    """One classifier code of a question."""

    system: str
    code: str
    version: str | None = None
    title: str | None = None


class QuestionOut(Response, frozen=True, kw_only=True):
    """One question with its state.

    ordinal: from 1. state: a code of GetDirectory(States). text: when IncludeText was asked for.
    due_date: the day until which the answer is due by law; absent when none is owed.
    """

    question_id: str
    external_id: str | None = None
    ordinal: Int
    state: str
    text: str | None = None
    topics: tuple[TopicOut, ...] = ()
    owner_organisation: str | None = None
    due_date: Day | None = None
    outcome: OutcomeOut | None = None


class RegistrationOut(Response, frozen=True, kw_only=True):
    """A registration number that one organisation gave to the appeal."""

    organisation: str | None = None
    register: str | None = None
    number: str
    date: Day


class LinkOut(Response, frozen=True, kw_only=True):
    """A tie to another document."""

    kind: str
    number: str
    date: Day | None = None


class AnswerOut(Response, frozen=True, kw_only=True):
    """An answer given to questions of an appeal."""

    answer_id: str
    question_ids: tuple[str, ...] = ()
    kind: str
    number: str | None = None
    date: Day
    text: str | None = None
    outcome: OutcomeOut | None = None
    signed_by: str | None = None
    attachments: tuple[AttachmentOut, ...] = ()


class AppealOut(Response, frozen=True, kw_only=True):
    """An appeal as the gateway holds it.

    state: the least advanced open question decides it. received_at: when the sender received it.
    accepted_at: when the gateway stored it. content_sha256: of the whole content, for those who may
    see it whole. subject: when IncludeText was asked for. text: when
    IncludeText was asked for. answers: for those who may see them; their texts when IncludeText was
    asked for. due_date: the day until which the first answer is due by law; absent when none is
    owed. merged_into: receipt number of the appeal that goes on for this one: state, due date,
    registrations, questions and answers are that one's, the rest is as it was sent. applicants: as
    the sender gave them, when IncludeText was asked for, for those who may see the appeal in full.
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
    accepted_at: Instant
    updated_at: Instant
    content_sha256: str | None = None
    subject: str | None = None
    text: str | None = None
    due_date: Day | None = None
    problem_address: Address | None = None
    registrations: tuple[RegistrationOut, ...] = ()
    questions: tuple[QuestionOut, ...] = ()
    answers: tuple[AnswerOut, ...] = ()
    attachments: tuple[AttachmentOut, ...] = ()
    links: tuple[LinkOut, ...] = ()
    test_message: bool = False
    merged_into: str | None = None
    applicants: tuple[Applicant, ...] = ()


class QuestionState(Response, frozen=True, kw_only=True):
    """Where one question stands.

    due_date: the day until which the answer is due by law; absent when none is owed.
    """

    question_id: str
    external_id: str | None = None
    ordinal: Int
    state: str
    extended: bool
    overdue: bool
    on_control: bool
    due_date: Day | None = None
    outcome: OutcomeOut | None = None


class StatusItem(Response, frozen=True, kw_only=True):
    """Where one appeal stands, in the order of the keys asked.

    found: false also when the caller may not see it. due_date: the day until which the first answer
    is due by law; absent when none is owed. receipt_number: of the appeal asked for.
    merged_into: receipt number of the appeal that goes on for it, and whose state this is.
    """

    key: AppealKey
    found: bool
    state: str | None = None
    questions: tuple[QuestionState, ...] = ()
    due_date: Day | None = None
    updated_at: Instant | None = None
    receipt_number: str | None = None
    merged_into: str | None = None


class RegisterLine(Response, frozen=True, kw_only=True):
    """One line of the register for the caller's own reconciliation.

    content_digest: equals ContentSha256 of the receipt of the latest revision.
    """

    external_id: str
    receipt_number: str
    registration_number: str | None = None
    state: str
    content_digest: str
    updated_at: Instant


class ExecutorOut(Response, frozen=True, kw_only=True):
    """Who works on the question."""

    organisation: str | None = None
    name: str | None = None
    post: str | None = None
    phone: str | None = None
    email: str | None = None


class ExtensionOut(Response, frozen=True, kw_only=True):
    """A prolonged term (59-ФЗ, ст. 12 ч. 2)."""

    ground: str
    new_due_date: Day
    decided_on: Day | None = None
    decided_by: str | None = None


class TransferOut(Response, frozen=True, kw_only=True):
    """Forwarding to the competent body (59-ФЗ, ст. 8 ч. 3)."""

    to_organisation: str
    date: Day | None = None
    number: str | None = None
    ground: str | None = None
    copy: bool = False
    keeps_control: bool = False


class DeclineOut(Response, frozen=True, kw_only=True):
    """Left without an answer on the merits (59-ФЗ, ст. 11)."""

    article: str
    part: str | None = None
    text: str | None = None


class StatusOut(Response, frozen=True, kw_only=True):
    """A status as it is told to those who follow the appeal.

    registration: of ReceiverRegistered and ReceiverAnswered, the receiver's.
    """

    event: str
    occurred_on: Day
    registration: RegistrationOut | None = None
    executor: ExecutorOut | None = None
    extension: ExtensionOut | None = None
    transfer: TransferOut | None = None
    decline: DeclineOut | None = None
    outcome: OutcomeOut | None = None
    comment: str | None = None
    reason: str | None = None
    topic: TopicOut | None = None
    peer_state: str | None = None


class Change(Response, frozen=True, kw_only=True):
    """One event in the caller's lane; delivered again until acknowledged.

    sequence: place in the lane. occurred_at: when only the day is known, OccurredOn stands
    instead. message_key: of the caller's own report that this change answers. applied: what
    became of that report: applied, inferred, late, conflict or refused; comment of status says why
    it was refused. file: of a FileAttached, for those who may see the appeal's files; GetAttachment
    gives its bytes.
    """

    sequence: int
    key: AppealKey
    question_id: str | None = None
    event_type: str
    occurred_at: Instant | None = None
    occurred_on: Day | None = None
    recorded_at: Instant
    message_key: str | None = None
    applied: str | None = None
    status: StatusOut | None = None
    answer: AnswerOut | None = None
    file: AttachmentOut | None = None


class ReceiptLine(Response, frozen=True, kw_only=True):
    """One call of the caller that the gateway holds.

    applied: applied, inferred, late, conflict or refused; absent while triage has not seen it.
    """

    operation: str
    external_id: str | None = None
    revision: Int | None = None
    message_key: str | None = None
    content_sha256: str
    accepted_at: Instant
    applied: str | None = None
    state: str | None = None
    receipt_number: str


class DirectoryItem(Response, frozen=True, kw_only=True):
    """One entry of a directory."""

    code: str
    title: str
    parent: str | None = None
    valid_from: Day | None = None
    valid_to: Day | None = None
