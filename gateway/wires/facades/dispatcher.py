# ruff: noqa: N802, N805, N815 - spyne's form: the contract's own names, a desk where self would be
"""`/soap/dispatcher.svc`: a citizen's app and a dispatcher's office submit requests and ask.

What a source shows is the form: full name, phone, city, street, house, text, one to three photos; a
number comes back; the state is asked by number, in the app or by phone. The rest is ours.

**A repeat without an id.** Such apps send no id of their own, and repeat when no answer came.
`clientId` is there for those that have one. Without it the content is the key, the photographs by
their bytes: two shots are never the same, so what is the same byte for byte is the same request
sent again. It is so within a window of one to two days: a request under the key of the day before
is looked for first, so that no midnight parts a request from its repeat, and a picture taken from
the gallery next week makes a new request, which the old one's closing does not swallow. Two nodes
whose clocks differ may part them at midnight of UTC within that difference.

**Whose state is told.** By number alone to the peer that submitted it; with a phone to anybody,
when the phone is the applicant's. Misses look alike, take the same time, and are rationed; what a
peer's own appeals answer is not, however many misses came from its address.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from gateway import limits
from gateway.adapter import Stored
from gateway.errors import BusyError, NotFoundError, TooLargeError, ValidationError, Violation
from gateway.soap.facade import (
    ByteArray,
    ComplexModel,
    Date,
    DateTime,
    Facade,
    Service,
    Unicode,
    content,
    items,
    many,
    may,
    must,
    rpc,
)
from gateway.soap.splitter import Part
from gateway.wires import contract as c
from gateway.wires.directories import STATES
from gateway.wires.facades import standing
from gateway.wires.facades.base import Desk, FacadeEndpoint, Parts
from gateway.wires.facades.misses import Misses, Rate
from gateway.wires.files import require_name

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence
    from datetime import date

    from gateway.wires.endpoint import Endpoint

NAMESPACE: Final = "urn:gov:appeals:facade:dispatcher:v1"
PHOTOS: Final = 3
MISS_SECONDS: Final = 0.1
"""A miss, and a question that there is no ration left for, is answered no sooner."""
OF_PEER: Final = Rate(60, 2.0)
OF_ADDRESS: Final = Rate(20, 5.0)
OF_NUMBER: Final = Rate(5, 60.0)
"""Misses of a peer, of an address, and of one number that a peer asks for: guesses of its phone."""
_Bucket: TypeAlias = "tuple[Hashable, Rate]"
_WORDS: Final = r"\S+( \S+)*"
_PICTURES: Final = {
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"GIF8": "image/gif",
}
_NAMES: Final = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/heic": "heic",
}


class Photo(ComplexModel):
    """A photograph: JPEG, PNG, GIF, WebP or HEIC, at most 5 MB, by MTOM too.

    An envelope has at most 12 MB, so that three of 4 MB in base64 exceed it: use MTOM then.
    """

    __namespace__ = NAMESPACE
    content = must(ByteArray)
    fileName = may(Unicode, min_len=1, max_len=255, pattern=r"[^/\\\t\n\r]+")


class Request(ComplexModel):
    """What a citizen asks for."""

    __namespace__ = NAMESPACE
    fullName = must(Unicode, min_len=1, max_len=500)
    phone = must(Unicode, max_len=30, pattern=r"\+?([() \-]*[0-9]){5,15}[() \-]*")
    city = must(Unicode, min_len=1, max_len=500)
    street = must(Unicode, min_len=1, max_len=500)
    house = must(Unicode, min_len=1, max_len=64)
    text = must(Unicode, min_len=1, max_len=limits.TEXT_CHARS)
    photos = must(many(Photo))
    clientId = may(Unicode, min_len=1, max_len=100, pattern=_WORDS)


class RequestStatus(ComplexModel):
    """Where a request stands. state: of GetDirectory(States); new ones may come."""

    __namespace__ = NAMESPACE
    number = must(Unicode)
    state = must(Unicode)
    stateText = must(Unicode)
    acceptedAt = must(DateTime)
    changedAt = must(DateTime)
    dueDate = may(Date)
    registrationNumber = may(Unicode)


class DispatcherService(Service):
    """Requests of citizens to a dispatcher's office."""

    @rpc(must(Request), _returns=must(Unicode))
    async def SubmitRequest(desk: Desk, request: Request) -> str:
        """Takes a request and returns its number; a repeat gets the same one."""
        photos = _photos(items(request.photos))
        told = _fields(request)
        if request.clientId:
            return await _submitted(desk, request.clientId, told, photos)
        digest, today = _digest(told, photos), desk.context.now.date()
        before = await _held(desk, _content_key(digest, today - timedelta(days=1)))
        if before:
            desk.context.repeat = True
            return before
        return await _submitted(desk, _content_key(digest, today), told, photos)

    @rpc(
        must(Unicode, min_len=1, max_len=64),
        may(Unicode, max_len=30),
        _returns=must(RequestStatus),
    )
    async def GetRequestStatus(desk: Desk, number: str, phone: str | None) -> RequestStatus:
        """Says where a request stands: by its number, and by its phone too when it is another's."""
        found = await _standing(desk, number, phone or "")
        return RequestStatus(
            number=found.number,
            state=found.state,
            stateText=STATES.get(found.state, found.state),
            acceptedAt=found.accepted_at,
            changedAt=found.changed_at,
            dueDate=found.due,
            registrationNumber=found.registration or None,
        )


FACADE: Final = Facade(DispatcherService, name="dispatcher", namespace=NAMESPACE)


def endpoint(parts: Parts) -> Endpoint:
    """Return the façade for the SOAP wire; the misses are counted from now on."""
    return FacadeEndpoint(FACADE, parts, own=Misses())


async def _submitted(
    desk: Desk, external_id: str, told: dict[str, str], photos: Sequence[c.AttachmentIn]
) -> str:
    response = await desk.ask(
        c.SubmitAppeal(
            appeal=c.AppealIn(
                external_id=external_id,
                regime="incident",
                form="electronic",
                delivery_method="api",
                direct=True,
                text=told["text"],
                applicants=(
                    c.Applicant(person=c.Person(full_name=told["full_name"]), phone=told["phone"]),
                ),
                problem_address=c.Address(
                    raw=f"{told['city']}, {told['street']}, {told['house']}",
                    settlement=told["city"],
                    street=told["street"],
                    house=told["house"],
                ),
                attachments=tuple(photos),
            )
        ),
        c.SubmitAppealResponse,
    )
    return response.receipt.receipt_number


def _fields(request: Request) -> dict[str, str]:
    """Return what was typed, without space around it."""
    return {
        "full_name": request.fullName.strip(),
        "phone": request.phone.strip(),
        "city": request.city.strip(),
        "street": request.street.strip(),
        "house": request.house.strip(),
        "text": request.text,
    }


def _photos(given: Sequence[Photo]) -> list[c.AttachmentIn]:
    if not 1 <= len(given) <= PHOTOS:
        text, where = "a request has one to three photographs", "/SubmitRequest/request/photos"
        raise ValidationError(text, (Violation(where, "count", text, str(len(given)), "1 to 3"),))
    return [_photo(photo, place) for place, photo in enumerate(given, 1)]


def _photo(photo: Photo, place: int) -> c.AttachmentIn:
    """Return a photograph as a file of the appeal; refuse what is too large or no picture."""
    path, held = f"/SubmitRequest/request/photos/Photo[{place}]", content(photo.content)
    where = f"{path}/content"
    size = held.size if isinstance(held, Part) else len(held)
    if size > limits.ATTACHMENT_INLINE_BYTES:
        raise TooLargeError(
            "a photograph is too large",
            found=f"{size} bytes",
            expected=f"at most {limits.ATTACHMENT_INLINE_BYTES} bytes",
            where=where,
        )
    media_type = _media_type(held)
    if not media_type:
        text = "the bytes are no photograph"
        raise ValidationError(text, (Violation(where, "media_type", text, "", ", ".join(_NAMES)),))
    name = f"photo-{place}.{_NAMES[media_type]}" if photo.fileName is None else photo.fileName
    require_name(path, name, "fileName")
    return c.AttachmentIn(file_name=name, media_type=media_type, content=held, role="appeal")


def _media_type(held: bytes | Part) -> str:
    """Return what a picture is by its first bytes, empty for anything else.

    One that lies in the store and comes again from there, in a replay, is what its part says it is:
    its bytes were looked at when they came.
    """
    if isinstance(held, Part) and isinstance(held.data, Stored) and not held.data.start:
        told = held.media_type.lower()
        return told if told in _NAMES else ""
    data = held.data if isinstance(held, Part) else held
    if isinstance(data, Stored):
        data = data.start
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data[4:8] == b"ftyp" and data[8:12] in (b"heic", b"heix", b"hevc", b"mif1", b"msf1"):
        return "image/heic"
    return next((name for start, name in _PICTURES.items() if data.startswith(start)), "")


def _digest(told: dict[str, str], photos: Sequence[c.AttachmentIn]) -> str:
    """Return what names a content: what is sent again is the same, letter by letter.

    Words spelled otherwise would be a conflict under one key, so they make another key.
    """
    held = (_held_in(photo) for photo in photos)
    pictures = (p.sha256 if isinstance(p, Part) else sha256(p).hexdigest() for p in held)
    return sha256("\0".join((*told.values(), *pictures)).encode()).hexdigest()


def _held_in(photo: c.AttachmentIn) -> bytes | Part:
    """Return what a file holds; of a package a `Part` stands where bytes would."""
    held: Any = photo.content
    return held if isinstance(held, Part) else bytes(held)


def _content_key(digest: str, day: date) -> str:
    return f"content-{day:%Y%m%d}-{digest}"


async def _held(desk: Desk, external_id: str) -> str:
    """Return the number of the caller's own appeal of that id, empty when there is none."""
    key = c.AppealKey(external_id=external_id)
    response = await desk.ask(c.GetStatus(keys=(key,)), c.GetStatusResponse)
    return response.items[0].receipt_number or ""


async def _standing(desk: Desk, number: str, phone: str) -> standing.Standing:
    """Return where a request stands; raise NotFoundError, always the same, or BusyError."""
    misses: Misses = desk.own
    peer, clock = desk.context.caller.peer, asyncio.get_running_loop().time
    guess, buckets = _rationed(desk, standing.numbered(number), phone)
    taken: list[_Bucket] = []

    def take(wanted: Sequence[_Bucket]) -> None:
        misses.take(wanted)
        taken.extend(wanted)

    begun, missed = clock(), False
    try:
        # A phone may be guessed of the peer's own numbers too, by whoever uses its app.
        take(guess)
        found = await asyncio.to_thread(
            standing.find, desk.pool, peer, number, phone, partial(take, buckets)
        )
        missed = found is None
    except BusyError:
        await asyncio.sleep(MISS_SECONDS - (clock() - begun))
        raise
    finally:
        if not missed:  # or the store is away, which is no guess
            misses.give_back(taken)
    if found is None:
        await asyncio.sleep(MISS_SECONDS - (clock() - begun))
        raise NotFoundError(
            "нет такой заявки, или телефон не её · no such request, or not its phone",
            todo="check the number and the phone",
        )
    return found


def _rationed(desk: Desk, number: str, phone: str) -> tuple[list[_Bucket], list[_Bucket]]:
    """Return the buckets of a phone that may be guessed, and those of a number that may be.

    What can be no number has no bucket of its own.
    """
    peer = desk.context.caller.peer
    guess: list[_Bucket] = [(("number", peer, number), OF_NUMBER)] if number else []
    buckets: list[_Bucket] = [(("peer", peer), OF_PEER)]
    if desk.address:
        buckets.append((("address", desk.address), OF_ADDRESS))
    return (guess, buckets) if phone else ([], buckets + guess)
