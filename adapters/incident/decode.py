"""A message of the feed → appeal: one in JSON, or many, one a line (NDJSON).

How urgent it is follows from the page's audience and from the topics that the feed named, by the
site's table; nothing is guessed from the text. A link and an address of a photograph are kept as
they are: nothing is fetched.
"""

from __future__ import annotations

import hashlib
import mimetypes
from typing import TYPE_CHECKING, Final

from adapters.incident.codes import ID, PEER, SOCIAL, SOURCE, TOPICS, Tables
from adapters.incident.fields import Taker, parse
from gateway import limits
from gateway.adapter import Decoded, File, Inbound, Rejected, Wire
from gateway.errors import (
    GatewayError,
    MalformedError,
    TooLargeError,
    ValidationError,
    violations_of,
)
from gateway.jsonfields import called
from gateway.model.address import Address
from gateway.model.appeal import Appeal, Form, Regime
from gateway.model.attachment import Attachment, AttachmentGroup
from gateway.model.base import Code, ExternalRef
from gateway.model.filenames import cleaned
from gateway.model.later import SocialSource
from gateway.model.person import Applicant, ContactKind, ContactPoint, Person
from gateway.model.question import Question, Topic

if TYPE_CHECKING:
    from gateway.jsonfields import Fields

_MAGIC: Final = (
    (b"\x89PNG\r\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
)
_TYPES: Final = mimetypes.MimeTypes()
"""The table of the standard library alone: the machine's own would change what we decode to."""
_TAGS: Final = 100


def decode(wire: Wire, tables: Tables) -> Decoded:
    """Return the messages; one bad line never costs the others.

    Raises MalformedError, TooLargeError or ValidationError when nothing can be read.
    """
    if "ndjson" in wire.media_type or wire.name.endswith(".ndjson"):
        return _lines(wire.body, tables)
    return Decoded(items=(decode_item(wire.body, tables),))


def decode_item(body: bytes, tables: Tables, raw: bytes = b"") -> Inbound:
    """Return one message; raise ValidationError that names every place."""
    if len(body) > limits.REST_BODY_BYTES:
        raise TooLargeError(
            "the message is too large",
            found=f"{len(body)} bytes",
            expected=f"at most {limits.REST_BODY_BYTES} bytes",
        )
    take, obj = Taker(), parse(body)
    named = called(obj.get("id"))
    item = _item(obj, take, tables, raw)
    if take.wrong:
        refusal = ValidationError("the message breaks the profile", tuple(take.wrong))
        refusal.about = named
        raise refusal
    return item


def _lines(body: bytes, tables: Tables) -> Decoded:
    """Return the messages of NDJSON; `where` of what cannot be read is the number of its line."""
    if len(body) > limits.ZIP_MEMBER_BYTES:
        most = f"at most {limits.ZIP_MEMBER_BYTES} bytes"
        raise TooLargeError("too many messages", found=f"{len(body)} bytes", expected=most)
    if body.count(b"\n") > limits.LIST_ROWS:
        raise TooLargeError("too many messages", expected=f"at most {limits.LIST_ROWS} lines")
    items: list[Inbound] = []
    rejected: list[Rejected] = []
    for number, line in enumerate(body.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        text = line.strip(b" \t\r")
        if not text:
            continue
        try:
            items.append(decode_item(text, tables, text))
        except GatewayError as error:
            rejected.append(Rejected(where=str(number), violations=violations_of(error), raw=text))
    if not (items or rejected):
        raise MalformedError("no message", expected="one JSON object a line")
    return Decoded(items=tuple(items), rejected=tuple(rejected))


def _item(obj: Fields, take: Taker, tables: Tables, raw: bytes) -> Inbound:
    item_id = take.text(obj, "id", "", limits.ID_CHARS, required=True)
    version = take.count(obj, "version", "", 1)
    if version is None and not any(fault.path == "/version" for fault in take.wrong):
        take.fault("/version", "required", "the version of the message, from 1")
    topics = take.words(obj, "topics", limits.TOPICS_PER_QUESTION)
    text = take.text(obj, "text", "", limits.TEXT_CHARS)
    photos, files = _photos(obj, take)
    if not text and not photos:
        take.fault("/text", "required", "neither a text nor a photograph")
    post_url = take.text(obj, "post_url")
    author = _author(obj, take, post_url)
    source = _source(obj, take, post_url, author)
    named = tuple(
        Topic(code=Code(system=TOPICS, value=topic, label=tables.labels.get(topic, "")))
        for topic in topics
    )
    appeal = Appeal(
        regime=Regime.INCIDENT,
        form=Form.ELECTRONIC,
        delivery_method=SOCIAL,
        source_system=SOURCE,
        received_at=take.moment(obj, "published_at"),
        text=text,
        urgency=tables.urgency(source.audience, topics),
        priority=tables.track(topics),
        revision=version or 1,
        refs=(ExternalRef(peer=PEER, kind=ID, value=item_id),),
        applicants=(author,),
        addresses=_place(obj, take),
        questions=(Question(text=text, topics=named),),
        attachments=photos,
        social_source=source,
        extras=take.extras(obj),
    )
    return Inbound(
        operation="submit",
        external_id=item_id,
        revision=version or 1,
        appeal=appeal,
        files=files,
        raw=raw,
    )


def _source(obj: Fields, take: Taker, post_url: str, author: Applicant) -> SocialSource:
    page = take.part(obj, "page") or {}
    return SocialSource(
        network=take.text(obj, "network", "", limits.ID_CHARS, required=True),
        page=take.text(page, "name", "/page"),
        page_url=take.text(page, "url", "/page"),
        audience=take.count(page, "subscribers", "/page"),
        post_url=post_url,
        comment_id=take.text(obj, "comment_id", "", limits.ID_CHARS),
        author_handle=author.person.nickname if author.person else "",
        tags=take.words(obj, "tags", _TAGS),
        extras=take.extras(page, "/page"),
    )


def _author(obj: Fields, take: Taker, post_url: str) -> Applicant:
    author = take.part(obj, "author") or {}
    person = Person(
        nickname=take.text(author, "handle", "/author"),
        full_name_as_given=take.text(author, "name", "/author"),
        profile_url=take.text(author, "url", "/author"),
    )
    there = ContactPoint(kind=ContactKind.SOCIAL, value=post_url, reply_here=True)
    return Applicant(
        person=person if person != Person() else None,
        anonymous=not (person.nickname or person.full_name_as_given),
        contacts=(there,) if post_url else (),
        extras=take.extras(author, "/author"),
    )


def _place(obj: Fields, take: Taker) -> tuple[Address, ...]:
    """The place of the problem, as the feed found it."""
    place = take.part(obj, "location")
    if not place:
        return ()
    path = "/location"
    return (
        Address(
            raw=take.text(place, "address", path),
            fias_guid=take.text(place, "fias_guid", path, limits.ID_CHARS),
            oktmo=take.text(place, "oktmo", path, limits.ID_CHARS),
            lat=take.degrees(place, "lat", path, 90.0),
            lon=take.degrees(place, "lon", path, 180.0),
            extras=take.extras(place, path),
        ),
    )


def _photos(obj: Fields, take: Taker) -> tuple[tuple[Attachment, ...], tuple[File, ...]]:
    found: list[Attachment] = []
    files: list[File] = []
    for order, entry in enumerate(take.parts(obj, "photos", "", limits.ATTACHMENTS_PER_APPEAL), 1):
        path = f"/photos/{order - 1}"
        data = take.content(entry, "content", path)
        url = take.text(entry, "url", path)
        if data is None and not url and not any(f.path == f"{path}/content" for f in take.wrong):
            take.fault(path, "required", "a photograph has a content or an address")
        named = take.text(entry, "name", path, limits.ID_CHARS)
        name = cleaned(named)
        if named and name != named:
            entry["name"] = named
        file = None
        if data is not None:
            file = File(
                sha256=hashlib.sha256(data).hexdigest(),
                media_type=media_type(data, name),
                name=name,
                data=data,
            )
            files.append(file)
        found.append(
            Attachment(
                sha256=file.sha256 if file else "",
                size=None if data is None else len(data),
                media_type=file.media_type if file else "",
                declared_name=name if named else "",
                declared_type=take.text(entry, "mediaType", path, limits.ID_CHARS),
                url=url,
                group=AttachmentGroup.PHOTO,
                order=order,
                extras=take.extras(entry, path),
            )
        )
    return tuple(found), tuple(files)


def media_type(data: bytes, name: str) -> str:
    """Return the media type by the first bytes, by the name where they tell nothing."""
    for magic, found in _MAGIC:
        if data.startswith(magic):
            return found
    return _TYPES.guess_type(name)[0] or "application/octet-stream"
