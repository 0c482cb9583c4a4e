"""Documents that peers send: the complex types of the contract that stand in requests.

Field names are the JSON names in snake case and, with capitals, the element names of
xsd/appeals/appeals-v1.xsd; their order is the order of the elements. An optional text that comes
empty means that it is absent. `AppealKey` and `Address` stand in answers as well.
"""

from typing import Annotated

from msgspec import Meta

from gateway import limits
from gateway.wires.words import (
    AnswerKind,
    AppealForm,
    AppealType,
    ApplicantRole,
    AttachmentRole,
    Code,
    Content,
    Count,
    Day,
    DeliveryMethod,
    EventName,
    FileName,
    Guid,
    Id,
    IdentificationLevel,
    IdentificationMethod,
    Inn,
    Instant,
    Label,
    Latitude,
    LinkKind,
    Longitude,
    Name,
    Number,
    Ogrn,
    Oktmo,
    Ordinal,
    OutcomeResult,
    ReasonCode,
    Regime,
    RepeatKind,
    ReplyChannel,
    Request,
    Revision,
    Sha256,
    Subject,
    Text,
    Title,
    Word,
)


class Person(Request, frozen=True, kw_only=True):
    """A natural person as the source names them; anonymous appeals have none.

    family_name: Фамилия. given_name: Имя. patronymic: Отчество (последнее – при наличии).
    full_name: the whole name in one string, when the source does not split it.
    """

    family_name: Name | None = None
    given_name: Name | None = None
    patronymic: Name | None = None
    full_name: Label | None = None
    birth_date: Day | None = None


class ApplicantOrganisation(Request, frozen=True, kw_only=True):
    """The body or company on whose behalf the appeal is made.

    ogrn: ОГРН (13 digits) or ОГРНИП (15). inn: ИНН, 10 or 12 digits.
    """

    name: Title
    ogrn: Ogrn | None = None
    inn: Inn | None = None


class Identification(Request, frozen=True, kw_only=True):
    """How the applicant was identified before the appeal reached the sender.

    level: level of the account, when the method is login or esia.
    """

    method: IdentificationMethod
    level: IdentificationLevel | None = None


class Address(Request, frozen=True, kw_only=True):
    """A postal address or the place of the problem; any subset of fields may be known.

    raw: the address as the citizen wrote it, never rewritten. fias_guid: OBJECTGUID of ГАР/ФИАС,
    of the most precise object known. oktmo: ОКТМО, 8 or 11 digits, leading zeros kept. region:
    Субъект Российской Федерации. block: Корпус. building: Строение. latitude: WGS 84, degrees.
    longitude: WGS 84, degrees.
    """

    raw: Subject | None = None
    postal_code: Word | None = None
    fias_guid: Guid | None = None
    oktmo: Oktmo | None = None
    region: Label | None = None
    municipality: Label | None = None
    settlement: Label | None = None
    street: Label | None = None
    house: Word | None = None
    block: Word | None = None
    building: Word | None = None
    apartment: Word | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None


class Applicant(Request, frozen=True, kw_only=True):
    """One of the people or bodies behind an appeal, in the order of the letter.

    role: author unless told otherwise. anonymous: true when the source withholds or lacks the
    name. postal_address: where an answer on paper goes (59-ФЗ, ст. 7). social_status: Категория
    заявителя, in the sender's words. benefit: Льготный состав, in the sender's words.
    citizenship_group: РФ, ДГ or the sender's own word.
    """

    role: ApplicantRole = "author"
    person: Person | None = None
    organisation: ApplicantOrganisation | None = None
    anonymous: bool = False
    identification: Identification | None = None
    phone: Word | None = None
    email: Label | None = None
    postal_address: Address | None = None
    social_status: Label | None = None
    benefit: Label | None = None
    citizenship_group: Word | None = None


class Referral(Request, frozen=True, kw_only=True):
    """The covering letter (сопроводительное письмо) of a body that forwarded the appeal to you.

    date: date of the covering letter. received_date: when it reached you. purpose: Цель
    направления. control_date: the answer to that body is due on it.
    """

    from_organisation: Title
    number: Number
    date: Day
    received_date: Day | None = None
    purpose: Label | None = None
    control_date: Day | None = None


class Registration(Request, frozen=True, kw_only=True):
    """A registration number that one organisation gave to the appeal.

    organisation: who registered; the sender when absent. register: which of its registers
    (журнал, картотека).
    """

    organisation: Label | None = None
    register: Label | None = None
    number: Number
    date: Day


class Topic(Request, frozen=True, kw_only=True):
    """One classifier code of a question.

    system: the classifier: sstu (типовой общероссийский тематический классификатор) when absent.
    code: as a string with its leading zeros, four or five blocks for sstu. version: version of
    the classifier.
    """

    system: Word = "sstu"
    code: Code
    version: Word | None = None


class QuestionIn(Request, frozen=True, kw_only=True):
    """One question of the appeal: it is the question that is routed, answered and counted.

    external_id: the sender's id of the question. topics: several classifiers at once are allowed.
    """

    external_id: Id | None = None
    text: Text | None = None
    topics: Annotated[tuple[Topic, ...], Meta(max_length=limits.TOPICS_PER_QUESTION)] = ()


class AttachmentIn(Request, frozen=True, kw_only=True):
    """A file of the appeal or answer: its bytes, or the id that AttachFile returned.

    media_type: as declared; the gateway looks at the content itself. sha256: of the decoded
    bytes; checked when present. content: at most 5 MB decoded. attachment_id: instead of Content:
    a file sent before by AttachFile.
    """

    file_name: FileName
    media_type: Label | None = None
    sha256: Sha256 | None = None
    content: Content | None = None
    attachment_id: Id | None = None
    role: AttachmentRole | None = None


class Link(Request, frozen=True, kw_only=True):
    """A tie to another document, known by number and date."""

    kind: LinkKind
    number: Number
    date: Day | None = None


class ReplyTo(Request, frozen=True, kw_only=True):
    """Where the applicant asked the answer to be sent (59-ФЗ, ст. 10 ч. 4).

    address: absent when the channel needs none, as a cabinet.
    """

    channel: ReplyChannel
    address: Label | None = None


class Extra(Request, frozen=True, kw_only=True):
    """A field of the source that this contract has no place for; kept and given back verbatim."""

    name: Title
    value: Text


class AppealIn(Request, frozen=True, kw_only=True):
    """A citizen's appeal as a sender hands it over; only the sender's id is mandatory.

    external_id: the sender's id of the appeal: with Revision it is the key of idempotency.
    revision: version of the content, 1 when absent; a higher one amends. regime: Порядок
    рассмотрения. type: Вид. form: Форма. delivery_method: Способ доставки. received_at: when the
    sender received it. direct: true when it came straight from the applicant. text: without any
    question the whole text becomes the one question. concerned_count: how many citizens it
    concerns. repeat_kind: Повторность. test_message: true for a trial: it never leaves to a
    production system. problem_address: the place the appeal is about.
    """

    external_id: Id
    revision: Revision = 1
    regime: Regime | None = None
    type: AppealType | None = None
    form: AppealForm | None = None
    delivery_method: DeliveryMethod | None = None
    received_at: Instant | None = None
    direct: bool | None = None
    subject: Subject | None = None
    text: Text | None = None
    collective: bool = False
    concerned_count: Count | None = None
    repeat_kind: RepeatKind | None = None
    urgency: Word | None = None
    test_message: bool = False
    applicants: Annotated[tuple[Applicant, ...], Meta(max_length=limits.APPLICANTS_PER_APPEAL)] = ()
    problem_address: Address | None = None
    referral: Referral | None = None
    registrations: Annotated[
        tuple[Registration, ...], Meta(max_length=limits.REGISTRATIONS_PER_APPEAL)
    ] = ()
    questions: Annotated[tuple[QuestionIn, ...], Meta(max_length=limits.QUESTIONS_PER_APPEAL)] = ()
    attachments: Annotated[
        tuple[AttachmentIn, ...], Meta(max_length=limits.ATTACHMENTS_PER_APPEAL)
    ] = ()
    links: Annotated[tuple[Link, ...], Meta(max_length=limits.LINKS_PER_APPEAL)] = ()
    reply_to: ReplyTo | None = None
    extra: Annotated[tuple[Extra, ...], Meta(max_length=limits.EXTRAS_PER_ENTITY)] = ()


class AppealKey(Request, frozen=True, kw_only=True):
    """Names one appeal by one of three numbers; a registration number may need its organisation.

    receipt_number: from the Receipt. external_id: the caller's own id. organisation_id: who gave
    the registration number.
    """

    receipt_number: Id | None = None
    external_id: Id | None = None
    registration_number: Number | None = None
    organisation_id: Id | None = None


class Executor(Request, frozen=True, kw_only=True):
    """Who works on the question."""

    organisation: Label | None = None
    name: Label | None = None
    post: Label | None = None
    phone: Word | None = None
    email: Label | None = None


class Extension(Request, frozen=True, kw_only=True):
    """A prolonged term (59-ФЗ, ст. 12 ч. 2)."""

    ground: Title
    new_due_date: Day
    decided_on: Day | None = None
    decided_by: Label | None = None


class Transfer(Request, frozen=True, kw_only=True):
    """Forwarding to the competent body (59-ФЗ, ст. 8 ч. 3).

    to_organisation: its id from GetDirectory(Organisations), or its name. ground: part of article
    8, or of article 11. copy: true when a copy went and the question stays. keeps_control: true
    when the sender wants to be told the outcome.
    """

    to_organisation: Title
    date: Day | None = None
    number: Number | None = None
    ground: Label | None = None
    copy: bool = False
    keeps_control: bool = False


class Decline(Request, frozen=True, kw_only=True):
    """Left without an answer on the merits (59-ФЗ, ст. 11).

    text: what the applicant was told.
    """

    article: Code
    part: Word | None = None
    text: Text | None = None


class Outcome(Request, frozen=True, kw_only=True):
    """How the question was decided.

    actions_taken: Меры приняты; meaningful when supported.
    """

    result: OutcomeResult
    actions_taken: bool | None = None


class StatusReport(Request, frozen=True, kw_only=True):
    """Something happened to an appeal at the sender; facts that the event needs are beside it.

    message_key: the sender's id of this call: the key of idempotency. question_id: the question's
    id; with QuestionOrdinal absent too, all questions. question_ordinal: the question's place in
    the appeal, from 1. occurred_on: the day it happened, by the sender's calendar. registration:
    needed by Registered; of the receiver by ReceiverRegistered and ReceiverAnswered. executor:
    needed by Assigned and Reassigned. extension: needed by Extended. transfer: needed by
    Transferred. decline: needed by Declined. outcome: needed by Answered. reason: needed by
    RegistrationRefused, RefusedByReceiver, ReturnedToUs and Reopened. topic: needed by
    TopicAssigned and TopicChanged. peer_state: the state in the sender's own word, needed by
    PeerStateReported.
    """

    message_key: Id
    key: AppealKey
    question_id: Id | None = None
    question_ordinal: Ordinal | None = None
    event: EventName
    occurred_on: Day
    registration: Registration | None = None
    executor: Executor | None = None
    extension: Extension | None = None
    transfer: Transfer | None = None
    decline: Decline | None = None
    outcome: Outcome | None = None
    comment: Text | None = None
    reason: ReasonCode | None = None
    topic: Topic | None = None
    peer_state: Word | None = None


class AnswerIn(Request, frozen=True, kw_only=True):
    """An answer to one, several or all questions of an appeal.

    message_key: the sender's id of this call: the key of idempotency. question_ids: all questions
    when absent. number: outgoing number of the letter. date: date of the letter.
    deliver_to_applicant: true when the gateway is to post the letter, false or absent when the
    sender does.
    """

    message_key: Id
    key: AppealKey
    question_ids: Annotated[tuple[Id, ...], Meta(max_length=limits.QUESTIONS_PER_APPEAL)] = ()
    kind: AnswerKind
    number: Number | None = None
    date: Day
    text: Text | None = None
    outcome: Outcome | None = None
    signed_by: Label | None = None
    attachments: Annotated[
        tuple[AttachmentIn, ...], Meta(max_length=limits.ATTACHMENTS_PER_APPEAL)
    ] = ()
    deliver_to_applicant: bool = False
