"""One request as another server of GeoReport v2 lists it → an appeal.

The specification's fields have their places in the model (README.md); the rest, and every spelling
that the model would not give back, are extras under the field's name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from adapters.open311 import values
from adapters.open311.codes import (
    ADDRESS_ID,
    EXPECTED,
    PEER,
    REQUEST_ID,
    SERVICE,
    SOURCE,
    TOKEN,
)
from gateway import limits
from gateway.adapter import Inbound
from gateway.errors import GatewayError, Violation
from gateway.model.address import Address
from gateway.model.answer import Outcome
from gateway.model.appeal import Appeal, Regime
from gateway.model.attachment import Attachment, AttachmentGroup
from gateway.model.base import Code, ExternalRef, Extra
from gateway.model.deadline import Deadline
from gateway.model.fold import clean_text
from gateway.model.organisation import Organisation
from gateway.model.question import PeerState, Question, Topic

if TYPE_CHECKING:
    from datetime import datetime

SYSTEM: Final = Code(system=SOURCE, value=PEER)
WEB: Final = ("http://", "https://")
_NOTICE: Final = "service_notice"
_ABSENT: Final = object()


class Reading:
    """One item while it is read. xml: every value of it is text. at: where it stands."""

    __slots__ = ("at", "extras", "obj", "wrong", "xml")

    def __init__(self, obj: dict[str, Any], *, xml: bool, at: str, wrong: list[Violation]) -> None:
        self.obj = obj
        self.xml = xml
        self.at = f"{at}/"
        self.wrong = wrong
        self.extras: list[Extra] = []

    def text(self, name: str, limit: int = values.NAME_CHARS) -> str:
        """Take a text; a number is one too, as the specification's own examples write ids."""
        value = self.obj.pop(name, _ABSENT)
        if isinstance(value, str) and value:
            try:
                found = clean_text(value, name, limit)
            except GatewayError as error:
                values.note(error, f"{self.at}{name}", self.wrong)
                return ""
            if found != value:
                self.keep(name, value)
            return found
        if value is _ABSENT:
            return ""
        self.keep(name, value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)[: limits.ID_CHARS]
        if value:
            self.fault(name, "type", "не текст · not a text", value)
        return ""

    def degrees(self, name: str) -> float | None:
        """Take a latitude or a longitude."""
        value = self.obj.pop(name, _ABSENT)
        if value is _ABSENT:
            return None
        if value is None or value == "":
            self.keep(name, value)
            return None
        found = values.degrees(value, name, f"{self.at}{name}", self.wrong)
        if found is not None:
            same = values.written_degrees(found) if self.xml else found
            if same != value:
                self.keep(name, value)
        return found

    def moment(self, name: str) -> datetime | None:
        """Take an instant."""
        value = self.obj.pop(name, _ABSENT)
        if value is _ABSENT:
            return None
        if value is None or value == "":
            self.keep(name, value)
            return None
        found = values.moment(value, f"{self.at}{name}", self.wrong)
        if (
            found is not None
            and not values.is_plain(value)
            and values.written_moment(found) != value
        ):
            self.keep(name, value)
        return found

    def photos(self) -> tuple[Attachment, ...]:
        """Take the link to a picture, or the list of them that some servers give."""
        value = self.obj.get("media_url")
        if not value:
            return ()
        links: list[Any] = value if isinstance(value, list) else [value]
        if not 0 < len(links) <= limits.ATTACHMENTS_PER_APPEAL or not all(map(_is_web, links)):
            return ()  # which leaves it to be an extra
        del self.obj["media_url"]
        if isinstance(value, list) and len(value) == 1:
            self.keep("media_url", value)
        return tuple(
            Attachment(
                url=values.text(link, f"{self.at}media_url", values.NAME_CHARS, self.wrong),
                group=AttachmentGroup.PHOTO,
            )
            for link in links
        )

    def keep(self, name: str, value: Any) -> None:
        """Keep a value as it is spelt."""
        if value is None or value == "" or values.storable(value, f"{self.at}{name}", self.wrong):
            self.extras.append(Extra(peer=PEER, path=f"/{name}", value=value))

    def rest(self) -> None:
        """Keep what the specification does not know."""
        for name, value in self.obj.items():
            if values.storable(name, self.at, self.wrong):
                self.keep(name, value)
        if len(self.extras) > limits.EXTRAS_PER_ENTITY:
            self.fault("", "count", "слишком много полей · too many fields", len(self.extras))

    def fault(self, name: str, code: str, message: str, found: Any = "") -> None:
        """Note that something is wrong with a field."""
        self.wrong.append(Violation(f"{self.at}{name}", code, message, str(found)[:200]))


def item(
    obj: dict[str, Any], *, xml: bool, at: str, wrong: list[Violation], raw: bytes, regime: Regime
) -> Inbound:
    """Return a request as a submission; its number, or else its token, is the external id.

    obj: the item's fields, emptied as it is read. at: its place in the document. raw: a document
    that holds this item alone.
    """
    it = Reading(obj, xml=xml, at=at, wrong=wrong)
    number, token = it.text(REQUEST_ID, limits.ID_CHARS), it.text(TOKEN, limits.ID_CHARS)
    if not number and not token:
        message = "у заявки нет номера · the request has no number"
        wrong.append(Violation(f"{at}/{REQUEST_ID}", "required", message))
    description = it.text("description", limits.TEXT_CHARS)
    received = it.moment("requested_datetime")
    due = it.moment("expected_datetime")
    place = _place(it)
    question = _question(it, description)
    photos = it.photos()
    if _NOTICE in obj:
        notice = Reading({}, xml=xml, at=at, wrong=wrong)
        notice.keep(_NOTICE, obj.pop(_NOTICE))
        if notice.extras:
            question = _with(question, notice.extras[0])
    if obj:
        it.rest()
    refs = ((REQUEST_ID, number), (TOKEN, token))
    appeal = Appeal(
        regime=regime,
        source_system=SYSTEM,
        received_at=received,
        text=description,
        refs=tuple(ExternalRef(peer=PEER, kind=k, value=v) for k, v in refs if v),
        addresses=(place,) if place is not None else (),
        questions=(question,),
        attachments=photos,
        deadlines=(Deadline(rule=EXPECTED, due_at=due),) if due is not None else (),
        extras=tuple(it.extras),
    )
    return Inbound(operation="submit", external_id=number or token, appeal=appeal, raw=raw)


def _is_web(link: Any) -> bool:
    return isinstance(link, str) and link.startswith(WEB)


def _place(it: Reading) -> Address | None:
    lat, lon = it.degrees("lat"), it.degrees("long")
    raw, code, index = it.text("address"), it.text("address_id"), it.text("zipcode")
    if lat is None and lon is None and not (raw or code or index):
        return None
    return Address(
        raw=raw,
        postal_code=index,
        codes=(Code(system=ADDRESS_ID, value=code),) if code else (),
        lat=lat,
        lon=lon,
    )


def _question(it: Reading, description: str) -> Question:
    code, name = it.text("service_code"), it.text("service_name")
    status, updated = it.text("status"), it.moment("updated_datetime")
    notes, agency = it.text("status_notes", limits.TEXT_CHARS), it.text("agency_responsible")
    topic = Topic(code=Code(system=SERVICE, value=code), name_as_given=name)
    state = PeerState(peer=PEER, code=status, at=updated)
    return Question(
        text=description,
        topics=(topic,) if code or name else (),
        owner_org=Organisation(full_name=agency) if agency else None,
        peer_states=(state,) if status or updated is not None else (),
        outcome=Outcome(decision_label=notes) if notes else None,
    )


def _with(question: Question, extra: Extra) -> Question:
    return Question(
        text=question.text,
        topics=question.topics,
        owner_org=question.owner_org,
        peer_states=question.peer_states,
        outcome=question.outcome,
        extras=(extra,),
    )
