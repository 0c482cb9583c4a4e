"""A request that an app posts: a form of GeoReport v2 → an appeal.

Everything that is wrong is named at once. `api_key` is a credential, so nothing here keeps it: the
face takes it away before the form is stored, and what is left of it in a file is passed over.
"""

from __future__ import annotations

import re
from hashlib import sha256
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlsplit

import msgspec

from adapters.open311 import values
from adapters.open311.codes import ADDRESS_ID, DESCRIPTION_CHARS, LISTS, PEER
from adapters.open311.items import SYSTEM, WEB
from gateway import limits
from gateway.adapter import Inbound
from gateway.errors import MalformedError, TooLargeError, ValidationError, Violation
from gateway.model.address import Address
from gateway.model.appeal import Appeal, Regime
from gateway.model.attachment import Attachment, AttachmentGroup
from gateway.model.base import Code, Extra
from gateway.model.fold import fold_id
from gateway.model.person import Applicant, ContactKind, ContactPoint, Person
from gateway.model.question import Question

if TYPE_CHECKING:
    from adapters.open311.options import Options
    from adapters.open311.services import Attribute, Service, Services

API_KEY: Final = "api_key"
JURISDICTION: Final = "jurisdiction_id"
FORM_BYTES: Final = 256 * limits.KB
"""A description of 4,000 characters is 48 KB at most when each is three escaped bytes or four."""
FIELDS: Final = 400
"""Pairs of one form."""
PLURAL: Final = "media_url[]"
_ATTRIBUTE: Final = "attribute["
_SINGLE: Final = frozenset({
    "service_code", "description", "lat", "long", "address_string", "address_id", "first_name",
    "last_name", "email", "phone", JURISDICTION, "account_id", "device_id",
})  # fmt: skip
_REQUIRED: Final = "обязательно · required"
_KEY_CHARS: Final = 40
_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_encode: Final = msgspec.json.Encoder().encode


def pairs(body: bytes) -> list[tuple[str, str]]:
    """Return the pairs of a form in UTF-8, the key left out; MalformedError, TooLargeError."""
    if len(body) > FORM_BYTES:
        raise TooLargeError(
            "the form is too large", found=f"{len(body)} bytes", expected=f"at most {FORM_BYTES}"
        )
    if body.count(b"&") >= FIELDS:
        raise TooLargeError("the form has too many fields", expected=f"at most {FIELDS}")
    try:
        found = parse_qsl(body.decode().strip(), keep_blank_values=True, errors="strict")
    except ValueError as error:
        raise MalformedError(
            "форма не в UTF-8 · the form is not in UTF-8",
            found=str(error),
            todo="charset=utf-8 is the only one that GeoReport v2 has",
        ) from error
    return [(name, value) for name, value in found if name != API_KEY]


def key_of(found: list[tuple[str, str]]) -> str:
    """Return the key of a form without a number of its own: the same for the same answers.

    The order of fields does not count, that of several answers to one question does.
    """
    told = sorted(found, key=itemgetter(0))
    return f"form-{sha256(_encode(told)).hexdigest()[:_KEY_CHARS]}"


class _Form:
    """The fields of one form, by what they are."""

    def __init__(self, found: list[tuple[str, str]], wrong: list[Violation]) -> None:
        self.wrong = wrong
        self.single: dict[str, str] = {}
        self.photos: list[tuple[str, str]] = []
        self.attributes: dict[str, list[str]] = {}
        self.others: dict[str, list[str]] = {}
        for name, value in found:
            if name in _SINGLE:
                if name in self.single:
                    self.fault(name, "repeated", "указано дважды · told twice")
                self.single[name] = value
            elif name in ("media_url", PLURAL):
                self.photos.append((name, value))
            elif name.startswith(_ATTRIBUTE) and name.endswith("]"):
                self.attributes.setdefault(name[len(_ATTRIBUTE) : -1], []).append(value)
            else:
                self.others.setdefault(name, []).append(value)
        self.extras: list[Extra] = []

    def fault(
        self, name: str, code: str, message: str, found: str = "", expected: str = ""
    ) -> None:
        self.wrong.append(Violation(name, code, message, found[:200], expected))

    def text(self, name: str, limit: int = values.NAME_CHARS) -> str:
        """Take a text; an empty one is as good as none, and comes back as it came."""
        value = self.single.pop(name, None)
        if not value:
            if value is not None:
                self.extras.append(Extra(peer=PEER, path=f"/{name}", value=""))
            return ""
        found = values.text(value, name, limit, self.wrong)
        if found != value and found:
            self.extras.append(Extra(peer=PEER, path=f"/{name}", value=value))
        return found

    def degrees(self, name: str) -> float | None:
        """Take a latitude or a longitude, as it is spelt."""
        value = self.single.get(name)
        if not value:
            self.text(name)
            return None
        del self.single[name]
        found = values.degrees(value, name, name, self.wrong)
        if found is not None and values.written_degrees(found) != value:
            self.extras.append(Extra(peer=PEER, path=f"/{name}", value=value))
        return found

    def attribute(self, code: str) -> list[str]:
        """Return the answers to a question of the service, however they are spelt."""
        # `attribute[CODE][]` has `CODE][` between its outer brackets.
        told = self.attributes.get(code, []) + self.attributes.get(f"{code}][", [])
        return [value for value in told if value]

    def own(self, name: str) -> str:
        """Return the app's own number of the request, from a field or an attribute."""
        told = [v for v in self.others.get(name, []) if v] or self.attribute(name)
        if len(set(told)) > 1:
            self.fault(name, "repeated", "указано по-разному · told in two ways", ", ".join(told))
        if told and len(told[0]) > limits.ID_CHARS:
            self.fault(name, "length", "слишком длинно · too long", expected=str(limits.ID_CHARS))
        return values.text(told[0], name, limits.ID_CHARS, self.wrong) if told else ""

    def rest(self) -> tuple[Extra, ...]:
        """Return what the specification does not map, by name."""
        for name, value in self.single.items():
            self._keep(name, value)
        for name, told in self.others.items():
            self._keep(name, told[0] if len(told) == 1 else told)
        return tuple(sorted(self.extras, key=attrgetter("path")))

    def answers(self) -> tuple[Extra, ...]:
        """Return the answers to the service's own questions; several of one are a list."""
        kept = len(self.extras)
        for inner, told in sorted(self.attributes.items()):
            self._keep(f"{_ATTRIBUTE}{inner}]", told[0] if len(told) == 1 else told)
        found = tuple(self.extras[kept:])
        del self.extras[kept:]
        return found

    def _keep(self, name: str, value: Any) -> None:
        if values.storable(name, name, self.wrong) and values.storable(value, name, self.wrong):
            self.extras.append(Extra(peer=PEER, path=f"/{name}", value=value))


def decode_form(body: bytes, services: Services, options: Options) -> Inbound:
    """Return a posted form as a submission; raise ValidationError naming every fault.

    The external id: the app's own number of the request, else a digest of the form.
    """
    found = pairs(body)
    wrong: list[Violation] = []
    form = _Form(found, wrong)
    service = _service(form, services, options)
    text = form.text("description", limits.TEXT_CHARS)
    if len(text) > DESCRIPTION_CHARS:
        message = f"не длиннее {DESCRIPTION_CHARS} знаков · at most {DESCRIPTION_CHARS} characters"
        form.fault("description", "length", message, f"{len(text)}", str(DESCRIPTION_CHARS))
    if service is not None:
        for attribute in service.attribute:
            _check(form, attribute)
    place, applicants, photos = _place(form, options), _applicants(form), _photos(form, options)
    own = form.own(options.request_id)
    answers, rest = form.answers(), form.rest()
    if wrong:
        raise ValidationError("заявка не принята · the request is not taken", tuple(wrong))
    assert service is not None
    assert place is not None
    appeal = Appeal(
        regime=Regime(service.regime) if service.regime else options.regime,
        source_system=SYSTEM,
        # No description is asked for: without one, the service chosen is all that is said.
        subject="" if text.strip() else service.service_name,
        text=text,
        applicants=applicants,
        addresses=(place,),
        questions=(Question(text=text, topics=service.codes, extras=answers),),
        attachments=photos,
        extras=rest,
    )
    return Inbound(operation="submit", external_id=own or key_of(found), appeal=appeal)


def check_jurisdiction(told: str, options: Options) -> Violation | None:
    """Return what is wrong with a jurisdiction_id, which only a face of several has to be told."""
    known = options.jurisdictions
    if told and known and told not in known:
        message = "нет такой юрисдикции · no such jurisdiction"
        return Violation(JURISDICTION, "unknown", message, told[:200], ", ".join(known))
    if not told and len(known) > 1:
        return Violation(JURISDICTION, "required", _REQUIRED, "", ", ".join(known))
    return None


def _service(form: _Form, services: Services, options: Options) -> Service | None:
    wrong = check_jurisdiction(form.single.get(JURISDICTION, ""), options)
    if wrong is not None:
        form.wrong.append(wrong)
    code = form.text("service_code")
    if not code:
        form.fault("service_code", "required", _REQUIRED)
    elif code not in services:
        message = "нет такой услуги · no such service"
        form.fault("service_code", "unknown", message, code, "GET services")
    return services.get(code)


def _place(form: _Form, options: Options) -> Address | None:
    told = {name for name in ("lat", "long") if form.single.get(name)}
    for name, other in (("lat", "long"), ("long", "lat")):
        if name in told and other not in told:
            form.fault(other, "required", "lat и long идут вместе · lat and long go together")
    lat, lon = form.degrees("lat"), form.degrees("long")
    raw, code = form.text("address_string"), form.text("address_id")
    if not (told or raw or code):
        message = "не указано место · no place is told"
        form.fault("lat", "required", message, "", "lat & long | address_string | address_id")
        return None
    guid = fold_id(code) if options.address_id_is_fias else ""
    return Address(
        raw=raw,
        fias_guid=guid if _GUID.fullmatch(guid) else "",
        codes=(Code(system=ADDRESS_ID, value=code),) if code else (),
        lat=lat,
        lon=lon,
    )


def _applicants(form: _Form) -> tuple[Applicant, ...]:
    given, family = form.text("first_name"), form.text("last_name")
    reach = ((ContactKind.EMAIL, form.text("email")), (ContactKind.PHONE, form.text("phone")))
    contacts = tuple(ContactPoint(kind=kind, value=value) for kind, value in reach if value)
    if not (given or family or contacts):
        return ()
    person = Person(family=family, given=given) if given or family else None
    return (Applicant(person=person, contacts=contacts),)


def _photos(form: _Form, options: Options) -> tuple[Attachment, ...]:
    """Return the links to pictures. They are kept, never followed: a stranger chose them."""
    found = []
    if len(form.photos) > options.media_most:
        message = "слишком много фото · too many pictures"
        form.fault("media_url", "count", message, str(len(form.photos)), str(options.media_most))
        return ()
    for name, link in form.photos:
        if not link:
            form.extras.append(Extra(peer=PEER, path=f"/{name}", value=""))
            continue
        url = values.text(link, name, values.NAME_CHARS, form.wrong)
        _check_link(form, name, url, options)
        spelt = (Extra(peer=PEER, path=f"/{name}", value=link),) if name == PLURAL else ()
        found.append(Attachment(url=url, group=AttachmentGroup.PHOTO, extras=spelt))
    return tuple(found)


def _check_link(form: _Form, name: str, url: str, options: Options) -> None:
    try:
        parts = urlsplit(url.strip())
        host = parts.hostname or ""
        bare = parts.username is None and parts.password is None
    except ValueError:
        host, bare = "", False
    if not (url.lower().startswith(WEB) and host and bare):
        message = "не ссылка http(s) · not a link of http or https"
        form.fault(name, "url", message, url, "https://…")
    elif options.media_hosts and host not in options.media_hosts:
        message = "ссылки на этот узел не принимаются · links to this host are not taken"
        form.fault(name, "host", message, host, ", ".join(options.media_hosts))


def _check(form: _Form, attribute: Attribute) -> None:
    """Hold the answers to one question of the service against what the service says of it."""
    told, path = form.attribute(attribute.code), f"attribute[{attribute.code}]"
    if not attribute.variable:
        return
    if attribute.required and not told:
        form.fault(path, "required", _REQUIRED, "", attribute.description)
    if len(told) > 1 and attribute.datatype != "multivaluelist":
        form.fault(path, "repeated", "здесь один ответ · one answer is asked for", ", ".join(told))
    for value in told:
        code, expected = _fits(attribute, value)
        if code:
            form.fault(path, code, "ответ не подходит · the answer does not fit", value, expected)


def _fits(attribute: Attribute, value: str) -> tuple[str, str]:
    """Return what is wrong with one answer, and what was expected; empty when it fits."""
    ignored: list[Violation] = []
    match attribute.datatype:
        case datatype if datatype in LISTS:
            keys = [key for key, _ in attribute.values]
            return ("", "") if value in keys else ("enumeration", ", ".join(keys))
        case "number":
            try:
                fine = value.isascii() and float(value) - float(value) == 0
            except ValueError:
                fine = False
            return ("", "") if fine else ("number", "1.5")
        case "datetime":
            fine = values.moment(value, "", ignored) is not None
            return ("", "") if fine else ("date_time", "2026-01-31T09:00:00+03:00")
        case "string":
            fine = "\n" not in value and "\r" not in value
            return ("", "") if fine else ("line_break", "одна строка · one line")
    return "", ""
