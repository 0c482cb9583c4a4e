"""Appeals as content of messages, by our own profile (xsd/smev/appeals-profile-1.0.xsd)."""

from __future__ import annotations

from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.xml import escape
from simulators.seed.appeals import Source
from simulators.smev.names import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

    from simulators.seed.appeals import Appeal, Author, Place

NAMESPACE: Final = "urn://appeals-gateway/smev/appeal/1.0"
FILE: Final = "appeals-profile-1.0.xsd"
REQUESTS: Final = ("SubmitAppeal", "AmendAppeal", "WithdrawAppeal", "SubmitStatus", "SubmitAnswer")
RESPONSES: Final = ("Receipt", "Status", "Answer", "Refusal")
KINDS: Final = {
    Kind(NAMESPACE, request): tuple(Kind(NAMESPACE, one) for one in RESPONSES)
    for request in REQUESTS
}
_RESULTS: Final = ("supported", "supported", "explained", "not_supported")


class Submitted(NamedTuple):
    """An appeal to be sent: its number, its content, its files by ContentId."""

    external_id: str
    content: str
    files: dict[str, bytes]


def submissions(seed: int, today: date, count: int, *, files: bool) -> Iterator[Submitted]:
    """Make appeals by a seed. files: whether they may have attachments."""
    source = Source(seed, today)
    for _ in range(count):
        yield _submission(source.appeal("soap11" if files else "sed"), seed)


def receipt(number: str, now: datetime) -> str:
    """Return a Receipt."""
    inside = _element("ReceiptNumber", number) + _element("AcceptedAt", now.isoformat())
    return _root("Receipt", inside)


def registered(external_id: str, number: str, today: date) -> str:
    """Return a Status: the appeal is registered under a number."""
    told = _element("Number", number) + _element("Date", today.isoformat())
    return _status(external_id, "Registered", today, f"<Registration>{told}</Registration>")


def taken(external_id: str, today: date) -> str:
    """Return a Status: the appeal is worked on."""
    return _status(external_id, "TakenToWork", today, "")


def answer(external_id: str, number: str, today: date) -> str:
    """Return an Answer with an outcome that follows from the appeal's number."""
    result = Random(external_id).choice(_RESULTS)
    outcome = _element("Result", result)
    if result == "supported":
        outcome += _element("ActionsTaken", "true")
    inside = (
        _element("MessageKey", f"{external_id}/answer") + _key(external_id)
        + _element("Kind", "final") + _element("Number", f"{number}/О")
        + _element("Date", today.isoformat())
        + _element("Text", "Обращение рассмотрено, меры приняты в пределах полномочий.")
        + f"<Outcome>{outcome}</Outcome>" + _element("SignedBy", "Ответчиков О. О.")
    )  # fmt: skip
    return _root("Answer", f"<Answer>{inside}</Answer>")


def refusal(today: date) -> str:
    """Return a Refusal."""
    inside = _element("Code", "NOT_COMPETENT")
    inside += _element("Description", "Вопрос не относится к ведению органа.")
    return _root("Refusal", inside + _element("OccurredOn", today.isoformat()))


def _submission(appeal: Appeal, seed: int) -> Submitted:
    external_id = f"{appeal.external_id}-{seed}"
    at = appeal.received_at.isoformat()
    questions = "".join(
        "<QuestionIn>" + _element("Text", one.text) + _topic(one.code) + "</QuestionIn>"
        for one in appeal.questions
    )
    named = [(f"file{place}", file) for place, file in enumerate(appeal.files, 1)]
    attached = "".join(
        "<AttachmentIn>" + _element("FileName", file.name) + _element("MediaType", file.media_type)
        + _element("Sha256", sha256(file.data).hexdigest()) + _element("ContentId", name)
        + _element("Role", "appeal") + "</AttachmentIn>"
        for name, file in named
    )  # fmt: skip
    inside = (
        _element("ExternalId", external_id) + _element("Regime", appeal.regime)
        + _element("Type", appeal.type) + _element("Form", "electronic")
        + _element("DeliveryMethod", "smev") + _element("ReceivedAt", at)
        + (_element("Subject", appeal.subject) if appeal.subject else "")
        + _element("Text", appeal.text) + _collective(appeal)
        + f"<Applicants>{_applicant(appeal.author)}</Applicants>"
        + f"<ProblemAddress>{_address(appeal.place)}</ProblemAddress>"
        + f"<Questions>{questions}</Questions>"
        + (f"<Attachments>{attached}</Attachments>" if attached else "")
    )  # fmt: skip
    content = _root("SubmitAppeal", f"<Appeal>{inside}</Appeal>")
    return Submitted(external_id, content, {name: file.data for name, file in named})


def _collective(appeal: Appeal) -> str:
    if not appeal.collective:
        return ""
    concerned = (
        "" if appeal.concerned is None else _element("ConcernedCount", str(appeal.concerned))
    )
    return _element("Collective", "true") + concerned


def _applicant(author: Author) -> str:
    if author.anonymous:
        return "<Applicant><Anonymous>true</Anonymous></Applicant>"
    names = {
        "FamilyName": author.family, "GivenName": author.given, "Patronymic": author.patronymic,
    }  # fmt: skip
    told = "".join(_element(name, value) for name, value in names.items() if value)
    out = f"<Person>{told}</Person>" if told else ""
    if author.company:
        out += f"<Organisation>{_element('Name', author.company)}</Organisation>"
    contacts = {"Phone": author.phone, "Email": author.email}
    out += "".join(_element(name, value) for name, value in contacts.items() if value)
    if author.postal:
        out += f"<PostalAddress>{_element('Raw', author.postal)}</PostalAddress>"
    return f"<Applicant>{out}</Applicant>"


def _address(place: Place) -> str:
    parts = {
        "Raw": place.raw, "Oktmo": place.oktmo, "Region": place.region,
        "Settlement": place.settlement, "Street": place.street, "House": place.house,
        "Apartment": place.apartment,
    }  # fmt: skip
    return "".join(_element(name, value) for name, value in parts.items() if value)


def _topic(code: str) -> str:
    return f"<Topics><Topic>{_element('Code', code)}</Topic></Topics>" if code else ""


def _status(external_id: str, event: str, today: date, facts: str) -> str:
    inside = (
        _element("MessageKey", f"{external_id}/{event}") + _key(external_id)
        + _element("Event", event) + _element("OccurredOn", today.isoformat()) + facts
    )  # fmt: skip
    return _root("Status", f"<Report>{inside}</Report>")


def _key(external_id: str) -> str:
    return f"<Key>{_element('ExternalId', external_id)}</Key>"


def _root(name: str, inside: str) -> str:
    return f'<{name} xmlns="{NAMESPACE}">{inside}</{name}>'


def _element(name: str, text: str) -> str:
    return f"<{name}>{escape(text)}</{name}>"
