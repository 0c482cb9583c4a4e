"""A citizen's own appeals: taken by the road of every message, and shown to nobody else.

The cabinet is a peer of the house, code `cabinet`, whose row the operator adds; its appeals are
stored, triaged and sent as those of any other. Who the author is stands in the session, by the word
of the provider, and never in what the browser sends. Whose appeal it is stands in a table of its
own, so that the tie can be cut (152-ФЗ).
"""

from __future__ import annotations

import asyncio
import base64
import hmac
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec.structs import replace

from gateway import roles
from gateway.errors import (
    ConfigurationError,
    ConflictError,
    InputError,
    NotFoundError,
    ValidationError,
    Violation,
)
from gateway.limits import ATTACHMENT_INLINE_BYTES, INLINE_DECODE_BYTES
from gateway.model.person import ContactKind, Identification, IdentificationMethod
from gateway.rest import decode
from gateway.rest.routes import ROUTES
from gateway.store import readings, sessions
from gateway.wires import canonical
from gateway.wires import contract as c

if TYPE_CHECKING:
    from gateway.access.people import Caller, People, Person
    from gateway.adapter import Inbound
    from gateway.cabinet.request import Upload
    from gateway.identity import Identity
    from gateway.wires.edge import Edge
    from gateway.wires.service import Context

PEER: Final = "cabinet"
WIRE: Final = "rest"
"""What is archived is a document of REST, so that it is decoded again like any other."""
SHOWN: Final = 200
"""Appeals of one citizen that are listed, the newest."""
FILES: Final = 10
GROUND: Final = "собственное обращение · own appeal"
TEXT_CHARS: Final = 20_000
SUBJECT_CHARS: Final = 500
_ROUTE: Final = next(route for route in ROUTES if route.operation is c.SubmitAppeal)
_ENCODE: Final = msgspec.json.Encoder().encode


class Draft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a citizen writes; nothing of it says who he is.

    key: made by the page or the program, by which a repeat is known. files: name, type, base64.
    """

    key: str
    text: str
    subject: str = ""
    address: str = ""
    files: tuple[Enclosed, ...] = ()


class Enclosed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file of a draft."""

    name: str
    content: bytes
    media_type: str = msgspec.field(default="", name="mediaType")


class Appeals:
    """Takes and shows appeals of citizens; each reading stands in the register before it is shown.

    That of the author too: who saw an appeal may be asked by anybody whose data is in it.
    """

    def __init__(self, edge: Edge, people: People) -> None:
        self._edge = edge
        self._people = people

    async def submit(self, person: Person, draft: Draft, caller: Caller) -> str:
        """Store an appeal and return its id for its citizen; a repeat gives the first one's.

        Raise ValidationError, TooLargeError, BusyError, TrustError.
        """
        _check(draft)
        await self._allow(person, "appeal.submit_own", caller)
        assert person.identity is not None
        own = _own_id(person, draft.key)
        body = _document(own, draft, person.identity)
        context = await self._context(body, caller)
        inbound = await self._decoded(body, person.identity)
        await asyncio.to_thread(self._bind, person, own)
        try:
            await self._edge.service.accept(inbound, context)
        except ConflictError:
            return own  # sent twice and changed in between: the first one stands, and is shown
        except InputError as error:
            await self._edge.service.keep(context, error, "SubmitAppeal")
            raise
        return own

    async def listed(self, person: Person, caller: Caller) -> list[c.StatusItem]:
        """Return where the citizen's appeals stand, the newest first."""
        await self._allow(person, "appeal.read_own", caller)
        ids = await asyncio.to_thread(self._ids, person)
        found: list[c.StatusItem] = []
        for start in range(0, len(ids), 50):
            keys = tuple(c.AppealKey(external_id=own) for own in ids[start : start + 50])
            answer = await self._ask(c.GetStatus(keys=keys), caller)
            found += [item for item in answer.items if item.found]
        return found

    async def one(self, person: Person, own: str, caller: Caller) -> c.AppealOut:
        """Return one appeal with its answers; raise NotFoundError for another's and for none."""
        await self._require_own(person, own, caller)
        asked = c.GetAppeal(key=c.AppealKey(external_id=own), include_text=True)
        answer = await self._ask(asked, caller)
        found: c.AppealOut = answer.appeal
        await asyncio.to_thread(self._record, person, found.receipt_number, caller)
        return found

    async def file(
        self, person: Person, own: str, digest: str, caller: Caller
    ) -> c.GetAttachmentResponse:
        """Return a file of an appeal or of its answers."""
        seen = await self.one(person, own, caller)
        files = [*seen.attachments, *(f for answer in seen.answers for f in answer.attachments)]
        if digest not in {file.attachment_id for file in files}:
            raise _nothing()
        found: c.GetAttachmentResponse = await self._ask(
            c.GetAttachment(attachment_id=digest), caller
        )
        return found

    async def _require_own(self, person: Person, own: str, caller: Caller) -> None:
        """Raise NotFoundError unless it is the citizen's own."""
        owner = await asyncio.to_thread(self._owner, person, own)
        await self._allow(person, "appeal.read_own", caller, owner)

    async def _allow(
        self, person: Person, action: str, caller: Caller, owner: str | None = None
    ) -> None:
        resource = roles.Resource(owner=person.principal.id if owner is None else owner)
        if owner == "":
            await asyncio.to_thread(
                self._people.refuse, "not_allowed", f"{action}: another's or none",
                person.principal.login, caller, kind="not_allowed",
            )  # fmt: skip
            raise _nothing()
        await asyncio.to_thread(self._people.allow, person, action, resource, caller)

    def _ids(self, person: Person) -> list[str]:
        with self._people.pool.connection() as db:
            return list(sessions.owned(db, person.session.subject, SHOWN))

    def _owner(self, person: Person, own: str) -> str:
        if person.session.subject is None or "\0" in own:
            return ""
        with self._people.pool.connection() as db:
            owns = sessions.owns(db, person.session.subject, own)
        return person.principal.id if owns else ""

    def _record(self, person: Person, number: str, caller: Caller) -> None:
        with self._people.pool.connection() as db:
            readings.record(
                db, at=self._people.now(), who=person.principal.login, role=roles.CITIZEN,
                what="cabinet", subject=number, ground=GROUND, address=caller.address,
                correlation=caller.correlation,
            )  # fmt: skip

    def _bind(self, person: Person, own: str) -> None:
        """Say whose it is before it is there: a crash leaves a tie to nothing, not an orphan."""
        with self._people.pool.connection() as db:
            db.execute(sessions.OWN, (person.session.subject, own, self._people.now()))

    async def _context(self, body: bytes, caller: Caller) -> Context:
        peer = await asyncio.to_thread(self._edge.gate.peer, PEER)
        if peer is None:
            raise ConfigurationError(
                f"нет системы {PEER}: кабинет обращений не принимает · the peer {PEER} is missing",
                todo=f"`gateway peer add {PEER} --name Кабинет --no-key`",
            )
        return self._edge.context(peer, WIRE, caller.correlation, body, decode.JSON, caller.address)

    async def _ask(self, request: c.Request, caller: Caller) -> Any:
        return await self._edge.service.call(request, await self._context(b"", caller))

    async def _decoded(self, body: bytes, identity: Identity) -> Inbound:
        if len(body) <= INLINE_DECODE_BYTES:
            return _inbound(body, identity)
        return await asyncio.to_thread(_inbound, body, identity)


def state_of(item: c.StatusItem | c.AppealOut) -> str:
    """Return the state of an appeal as the contract names it."""
    return item.state or "received"


def _inbound(body: bytes, identity: Identity) -> Inbound:
    """Return an appeal as every wire decodes it, with how and when its author was identified."""
    call = decode.Call(body, {"content-type": decode.JSON}, {}, "")
    request = decode.request(_ROUTE, call)
    assert isinstance(request, c.SubmitAppeal)
    found = canonical.submission(request.appeal)
    assert found.appeal is not None
    proof = Identification(
        method=IdentificationMethod.ESIA if identity.provider == "esia"
        else IdentificationMethod.LOGIN,
        level=identity.level, at=identity.at, evidence_ref=identity.evidence,
    )  # fmt: skip
    author = replace(found.appeal.applicants[0], identification=proof)
    return replace(found, appeal=replace(found.appeal, applicants=(author,)))


def _document(own: str, draft: Draft, identity: Identity) -> bytes:
    """Return the appeal as JSON of the contract."""
    person, contacts = identity.person, {one.kind: one.value for one in identity.contacts}
    named = {
        "familyName": person.family,
        "givenName": person.given,
        "patronymic": person.patronymic,
        "fullName": person.full_name_as_given,
        "birthDate": person.birth_date,
    }
    applicant = {
        "person": _told(named),
        "identification": {
            "method": "esia" if identity.provider == "esia" else "login",
            "level": identity.level.value,
        },
        "phone": contacts.get(ContactKind.PHONE, ""),
        "email": contacts.get(ContactKind.EMAIL, ""),
        "postalAddress": _told({"raw": contacts.get(ContactKind.POSTAL, "")}),
    }
    files = [
        _told(
            {
                "fileName": file.name,
                "mediaType": file.media_type,
                "content": base64.b64encode(file.content).decode(),
            }
        )
        | ({} if file.content else {"content": ""})
        for file in draft.files
    ]
    whole = {
        "externalId": own,
        "form": "electronic",
        "direct": True,
        "subject": draft.subject,
        "text": draft.text,
        "problemAddress": _told({"raw": draft.address}),
        "applicants": [_told(applicant)],
        "attachments": files,
    }
    return _ENCODE(_told(whole))


def _told(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}


def _own_id(person: Person, key: str) -> str:
    """Return the id of an appeal: of this citizen and of this form, and of no other's."""
    mark = bytes(person.session.subject)
    return hmac.new(mark, key.encode("utf-8", "replace"), sha256).hexdigest()[:32]


def enclosed(files: tuple[Upload, ...]) -> tuple[Enclosed, ...]:
    """Return the files of a form as those of a draft."""
    return tuple(Enclosed(name=f.name, content=f.content, media_type=f.media_type) for f in files)


def _check(draft: Draft) -> None:
    wrong = []
    if not draft.text.strip():
        wrong.append(Violation("text", "required", "напишите, что случилось · write what it is"))
    if len(draft.text) > TEXT_CHARS:
        wrong.append(Violation("text", "too_long", f"не больше · at most {TEXT_CHARS}"))
    wrong += [
        Violation(name, "too_long", f"не больше · at most {SUBJECT_CHARS}")
        for name in ("subject", "address")
        if len(getattr(draft, name)) > SUBJECT_CHARS
    ]
    wrong += [
        Violation(
            f"files/{number}", "too_large", "файл больше 5 МБ · the file is larger than 5 MB",
            found=f"{len(file.content)}", expected=f"≤ {ATTACHMENT_INLINE_BYTES}",
        )
        for number, file in enumerate(draft.files, 1)
        if len(file.content) > ATTACHMENT_INLINE_BYTES
    ]  # fmt: skip
    if len(draft.files) > FILES:
        wrong.append(Violation("files", "too_many", f"не больше · at most {FILES}"))
    if not 16 <= len(draft.key) <= 100:
        wrong.append(Violation("key", "length", "16 … 100"))
    if wrong:
        raise ValidationError("обращение не принято · the appeal is not taken", tuple(wrong))


def _nothing() -> NotFoundError:
    return NotFoundError("такого обращения у вас нет · no such appeal of yours")
