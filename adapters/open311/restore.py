"""An item back in the format it came in: what was mapped, then what was kept beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import msgspec

from adapters.open311 import values, writing
from adapters.open311.codes import NAMESPACE, PEER
from adapters.open311.decode import FORM, ROOT, VERBATIM
from adapters.open311.form import PLURAL
from gateway import xml
from gateway.adapter import Inbound, Wire
from gateway.errors import ValidationError
from gateway.model.person import Applicant, ContactKind, Person

if TYPE_CHECKING:
    from gateway.model.address import Address
    from gateway.model.appeal import Appeal
    from gateway.model.question import Question

_encode: Final = msgspec.json.Encoder().encode


def restore(item: Inbound) -> Wire:
    """Return the item as a document of its own; `raw` tells which format it came in."""
    appeal = item.appeal
    if appeal is None:
        raise ValidationError("the item is no request")
    if not item.raw:
        return Wire(media_type=FORM, body=urlencode(_pairs(appeal)).encode(), name="wire.form")
    in_xml = not item.raw.lstrip().startswith((b"{", b"["))
    obj = _fields(appeal, in_xml=in_xml)
    if not in_xml:
        bare = item.raw.lstrip().startswith(b"{")
        body = _encode(obj if bare else [obj])
        return Wire(media_type=writing.MEDIA[writing.JSON], body=body, name="wire.json")
    inner = "".join(_element(name, value) for name, value in obj.items())
    root = str(xml.parse(item.raw).root.tag)
    xmlns = f' xmlns="{NAMESPACE}"' if NAMESPACE in root else ""
    if root.endswith(ROOT):
        text = f"<{ROOT}{xmlns}><request>{inner}</request></{ROOT}>"
    else:
        text = f"<request{xmlns}>{inner}</request>"
    return Wire(media_type=writing.MEDIA[writing.XML], body=text.encode(), name="wire.xml")


def _fields(appeal: Appeal, *, in_xml: bool) -> dict[str, Any]:
    refs = {ref.kind: ref.value for ref in appeal.refs if ref.peer == PEER}
    due = next((term.due_at for term in appeal.deadlines), None)
    links = [photo.url for photo in appeal.attachments]
    found: dict[str, Any] = {
        **refs,
        "description": appeal.text,
        "requested_datetime": appeal.received_at and values.written_moment(appeal.received_at),
        "expected_datetime": due and values.written_moment(due),
        "media_url": links if len(links) > 1 else "".join(links),
        **(_asked(appeal.questions[0]) if appeal.questions else {}),
        **(_place(appeal.addresses[0], in_xml=in_xml) if appeal.addresses else {}),
    }
    obj = {name: value for name, value in found.items() if value not in (None, "", [])}
    kept = (*appeal.extras, *(extra for q in appeal.questions for extra in q.extras))
    for extra in kept:
        if extra.peer == PEER:
            obj[extra.path.removeprefix("/")] = extra.value
    return obj


def _asked(question: Question) -> dict[str, Any]:
    topic = next(iter(question.topics), None)
    state = next((s for s in question.peer_states if s.peer == PEER), None)
    return {
        "service_code": topic.code.value if topic else "",
        "service_name": topic.name_as_given if topic else "",
        "status": state.code if state else "",
        "updated_datetime": values.written_moment(state.at) if state and state.at else "",
        "status_notes": question.outcome.decision_label if question.outcome else "",
        "agency_responsible": question.owner_org.full_name if question.owner_org else "",
    }


def _place(place: Address, *, in_xml: bool) -> dict[str, Any]:
    lat, lon = place.lat, place.lon
    return {
        "address": place.raw,
        "address_id": place.codes[0].value if place.codes else "",
        "zipcode": place.postal_code,
        "lat": values.written_degrees(lat) if in_xml and lat is not None else lat,
        "long": values.written_degrees(lon) if in_xml and lon is not None else lon,
    }


def _element(name: str, value: Any) -> str:
    if isinstance(value, dict):
        if VERBATIM in value:
            return str(value[VERBATIM])
        inner = "".join(_element(child, below) for child, below in value.items())
        return f"<{name}>{inner}</{name}>"
    return f"<{name}>{xml.escape(str(value))}</{name}>" if value else f"<{name}/>"


def _pairs(appeal: Appeal) -> list[tuple[str, str]]:
    """Return the fields of a form; a spelling that was kept stands in for the mapped one."""
    applicant = next(iter(appeal.applicants), Applicant())
    person = applicant.person or Person()
    reach = {contact.kind: contact.value for contact in applicant.contacts}
    question = appeal.questions[0]
    found: dict[str, Any] = {
        "service_code": question.topics[0].code.value,
        "description": appeal.text,
        "first_name": person.given,
        "last_name": person.family,
        "email": reach.get(ContactKind.EMAIL, ""),
        "phone": reach.get(ContactKind.PHONE, ""),
    }
    if appeal.addresses:
        place = _place(appeal.addresses[0], in_xml=True)
        found["address_string"] = place.pop("address")
        found |= {name: value for name, value in place.items() if value is not None}
    told = {name: [value] for name, value in found.items() if value}
    for photo in appeal.attachments:
        own = next((extra for extra in photo.extras if extra.path == f"/{PLURAL}"), None)
        name, link = (PLURAL, own.value) if own is not None else ("media_url", photo.url)
        told.setdefault(name, []).append(link)
    for extra in (*appeal.extras, *question.extras):
        name = extra.path.removeprefix("/")
        values_ = extra.value if isinstance(extra.value, list) else [extra.value]
        told[name] = told.get(name, []) + values_ if name in ("media_url", PLURAL) else values_
    return [(name, value) for name, several in told.items() for value in several]
