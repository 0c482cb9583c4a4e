"""The passport of a container → parts of the model: letters, signers, addressees, files, stamps."""

from __future__ import annotations

import hashlib
import mimetypes
from typing import TYPE_CHECKING, Final, NamedTuple

from adapters.sed.codes import PEER
from gateway.adapter import File
from gateway.errors import Violation
from gateway.model.attachment import Attachment, AttachmentGroup, Signature, Stamp
from gateway.model.base import ExternalRef, Extra
from gateway.model.fold import number_key
from gateway.model.organisation import Officer, Organisation
from gateway.model.registration import Link, LinkKind, ReferralIn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.sed.edc.leaves import Leaves

ROOT: Final = "container"
REPEATED: Final = frozenset({
    "links/link", "authors/author", "author/sign", "addressees/addressee",
    "attachments/attachment", "attachment/signature",
})  # fmt: skip
STAMPS: Final = "#stamps"
SIGNATURES: Final = "#signatures"
"""Extras of the main document: where its stamps and signatures stood, with several signers."""
PART: Final = "part"
"""Kind of a file's reference that says what it is to the message besides a document."""
MEANT: Final = "file"
"""Kind of a file's reference that says its real name, where the passport writes another."""
_PDF_WITHIN: Final = 1024
"""Where `%PDF-` may begin, as readers allow."""
_MAGIC: Final = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"<?xml", "application/xml"),
)
_TYPES: Final = mimetypes.MimeTypes()
"""The table of the standard library alone: the machine's own would change what we decode to."""


class Members:
    """Files of a message by name, and which of them somebody named.

    folder: for violations, where the files lie.
    """

    def __init__(self, data: Mapping[str, bytes], wrong: list[Violation], folder: str) -> None:
        self._data = data
        self._wrong = wrong
        self._folder = folder
        self._alike: dict[str, list[str]] = {}
        for name in data:
            low = name.lower()
            stem = low.rpartition(".")[0]
            for told in {low, stem if "." not in stem else low}:
                self._alike.setdefault(told, []).append(name)
        self._known = {fault.path for fault in wrong}
        self.files: dict[str, File] = {}
        """By SHA-256: those that were taken."""
        self.named: dict[str, File] = {}
        """By name: a file that is named a thousand times is hashed once."""

    def take(self, name: str, path: str) -> File | None:
        """Return a file that the document names at this path; note it when there is none."""
        data = self._data.get(name)
        if data is None:
            if f"{self._folder}/{name}" in self._known:
                return None  # it is there, and why it was not taken is told
            message = "файл назван, но его нет · the file is named and is not there"
            self._wrong.append(Violation(path, "missing_file", message, name, f"in {self._folder}"))
            return None
        if name not in self.named:
            digest = hashlib.sha256(data).hexdigest()
            file = File(sha256=digest, media_type=media_type(data, name), name=name, data=data)
            self.named[name] = self.files.setdefault(digest, file)
        return self.named[name]

    def find(self, name: str) -> str:
        """Return the file that a name means: as it is, in other letters, or with an extension.

        A name that means nothing, or several files, comes back as it is.
        """
        if name in self._data or not name:
            return name
        alike = self._alike.get(name.lower(), ())
        return alike[0] if len(alike) == 1 else name

    def data(self, name: str) -> bytes:
        """Return the bytes of a file that is there."""
        return self._data[name]

    def rest(self) -> list[str]:
        """Return the names that nobody named, in the message's order."""
        return [name for name in self._data if name not in self.named]


class Passport(NamedTuple):
    """What a passport says, in parts of the model."""

    uid: str
    kind: str
    annotation: str
    letters: tuple[ReferralIn, ...]
    addressees: tuple[Officer, ...]
    links: tuple[Link, ...]
    main: Attachment
    enclosures: tuple[Attachment, ...]


class _Signed(NamedTuple):
    """What stands on the main document, each with its place in the passport."""

    stamps: list[tuple[str, Stamp]]
    signatures: list[tuple[str, Signature]]


def read(leaves: Leaves, members: Members, wrong: list[Violation]) -> Passport:
    """Return what the passport says; what is wrong with it is noted. Leaves left are extras."""
    signed = _Signed([], [])
    authors = range(leaves.count("container/authors/author"))
    letters = tuple(_letter(leaves, members, n, signed) for n in authors)
    addressees = range(leaves.count("container/addressees/addressee"))
    enclosures = range(leaves.count("container/attachments/attachment"))
    return Passport(
        uid=leaves.text("container/@uid"),
        kind=leaves.text("container/requisites/documentKind"),
        annotation=leaves.text("container/requisites/annotation"),
        letters=letters,
        addressees=tuple(_addressee(leaves, n) for n in addressees),
        links=tuple(_links(leaves)),
        main=_main(leaves, members, signed, wrong),
        enclosures=tuple(_enclosure(leaves, members, n) for n in enclosures),
    )


def _letter(leaves: Leaves, members: Members, n: int, signed: _Signed) -> ReferralIn:
    at = f"container/authors/author[{n}]"
    title = leaves.text(f"{at}/organization/title")
    number = leaves.text(f"{at}/registration/number")
    date = leaves.day(f"{at}/registration/date")
    stamp = f"{at}/registration/registrationStamp"
    if found := _stamp(leaves, members, stamp, "registration"):
        signed.stamps.append((stamp, found))
    signers = [_signer(leaves, members, f"{at}/sign[{m}]", signed)
               for m in range(leaves.count(f"{at}/sign"))]  # fmt: skip
    return ReferralIn(
        from_org=Organisation(full_name=title) if title else None,
        number=number,
        number_key=number_key(number),
        date=date,
        signed_by=tuple(signers),
        extras=leaves.extras(at),
    )


def _signer(leaves: Leaves, members: Members, at: str, signed: _Signed) -> Officer:
    person = _person(leaves, f"{at}/person")
    place = f"{at}/documentSignature"
    if name := leaves.text(f"{place}/@localName"):
        file = members.take(name, f"{place}/@localName")
        found = Signature(
            sha256=file.sha256 if file else "",
            declared_name=name,
            type=leaves.text(f"{place}/@type"),
            signer=person.name,
        )
        signed.signatures.append((place, found))
    stamp = f"{place}/signatureStamp"
    if on_page := _stamp(leaves, members, stamp, "signature"):
        signed.stamps.append((stamp, on_page))
    return person


def _person(leaves: Leaves, at: str, organisation: Organisation | None = None) -> Officer:
    return Officer(
        organisation=organisation,
        name=leaves.text(f"{at}/name"),
        post=leaves.text(f"{at}/post"),
        phone=leaves.text(f"{at}/phone"),
        email=leaves.text(f"{at}/email"),
    )


def _stamp(leaves: Leaves, members: Members, at: str, kind: str) -> Stamp | None:
    if not leaves.has(at):
        return None
    name = leaves.text(f"{at}/@localName")
    image = members.take(name, f"{at}/@localName") if name else None
    return Stamp(
        kind=kind,
        page=leaves.number(f"{at}/position/page"),
        x=leaves.decimal(f"{at}/position/topLeft/x"),
        y=leaves.decimal(f"{at}/position/topLeft/y"),
        width=leaves.decimal(f"{at}/position/dimension/w"),
        height=leaves.decimal(f"{at}/position/dimension/h"),
        image=name,
        image_sha256=image.sha256 if image else "",
    )


def _addressee(leaves: Leaves, n: int) -> Officer:
    at = f"container/addressees/addressee[{n}]"
    title = leaves.text(f"{at}/organization/title")
    body = Organisation(full_name=title) if title else None
    person = _person(leaves, f"{at}/person", body)
    return Officer(
        organisation=body,
        name=person.name,
        post=person.post,
        phone=person.phone,
        email=person.email,
        extras=leaves.extras(at),
    )


def _links(leaves: Leaves) -> list[Link]:
    """Letters in answer to which this one is sent; the element is known of one writer alone."""
    found = []
    for n in range(leaves.count("container/requisites/links/link")):
        at = f"container/requisites/links/link[{n}]"
        title = leaves.text(f"{at}/organization/title")
        found.append(
            Link(
                kind=LinkKind.ANSWER_TO,
                number=leaves.text(f"{at}/registration/number"),
                date=leaves.day(f"{at}/registration/date"),
                organisation=Organisation(full_name=title) if title else None,
                extras=leaves.extras(at),
            )
        )
    return found


def _main(leaves: Leaves, members: Members, signed: _Signed, wrong: list[Violation]) -> Attachment:
    at = "container/document"
    name = leaves.text(f"{at}/@localName")
    file = None
    if not name:
        message = "в паспорте не назван основной документ · the passport names no main document"
        wrong.append(Violation(f"{at}/@localName", "required", message, expected="*.pdf"))
    else:
        file = members.take(members.find(name), f"{at}/@localName")
    if file and not is_pdf(members_bytes(file)):
        message = "основной документ не PDF · the main document is no PDF"
        wrong.append(
            Violation(f"{at}/@localName", "media_type", message, file.media_type, "application/pdf")
        )
    return _attachment(
        file,
        name,
        AttachmentGroup.TEXT,
        refs=_meant(members, name),
        pages=leaves.number(f"{at}/pagesQuantity"),
        signatures=tuple(one for _, one in signed.signatures),
        stamps=tuple(one for _, one in signed.stamps),
        extras=(*_places(signed), *leaves.extras(at)),
    )


def _places(signed: _Signed) -> tuple[Extra, ...]:
    """Say where stamps and signatures stood, unless the one signer of the one author has them."""
    first = "container/authors/author[0]"
    usual = {f"{first}/registration/registrationStamp", f"{first}/sign[0]/documentSignature",
             f"{first}/sign[0]/documentSignature/signatureStamp"}  # fmt: skip
    found = []
    for path, marks in ((STAMPS, signed.stamps), (SIGNATURES, signed.signatures)):
        places = [place for place, _ in marks]
        if not usual.issuperset(places):
            found.append(Extra(peer=PEER, path=path, value=places))
    return tuple(found)


def _enclosure(leaves: Leaves, members: Members, n: int) -> Attachment:
    at = f"container/attachments/attachment[{n}]"
    name = leaves.text(f"{at}/@localName")
    signatures = []
    for m in range(leaves.count(f"{at}/signature")):
        path = f"{at}/signature[{m}]/@localName"
        if told := leaves.text(path):
            signed = members.take(told, path)
            digest = signed.sha256 if signed else ""
            signatures.append(Signature(sha256=digest, declared_name=told))
    return _attachment(
        members.take(members.find(name), f"{at}/@localName"),
        name,
        AttachmentGroup.ENCLOSURE,
        refs=_meant(members, name),
        order=leaves.number(f"{at}/order"),
        description=leaves.text(f"{at}/description"),
        signatures=tuple(signatures),
        extras=leaves.extras(at),
    )


def _meant(members: Members, name: str) -> tuple[ExternalRef, ...]:
    found = members.find(name)
    return () if found == name else (ExternalRef(peer=PEER, kind=MEANT, value=found),)


def file_name(file: Attachment) -> str:
    """Return what a file is called in its container, which may not be what the passport says."""
    return next(
        (r.value for r in file.refs if r.peer == PEER and r.kind == MEANT), file.declared_name
    )


def part(file: File, name: str, word: str, signatures: tuple[Signature, ...] = ()) -> Attachment:
    """A file that is no document of the letter but belongs to its message; word: what it is."""
    ref = ExternalRef(peer=PEER, kind=PART, value=word)
    return _attachment(file, name, AttachmentGroup.DATA, refs=(ref,), signatures=signatures)


def _attachment(
    file: File | None,
    name: str,
    group: AttachmentGroup,
    *,
    pages: int | None = None,
    order: int | None = None,
    description: str = "",
    signatures: tuple[Signature, ...] = (),
    stamps: tuple[Stamp, ...] = (),
    refs: tuple[ExternalRef, ...] = (),
    extras: tuple[Extra, ...] = (),
) -> Attachment:
    return Attachment(
        sha256=file.sha256 if file else "",
        size=file.size if file else None,
        media_type=file.media_type if file else "",
        declared_name=name,
        group=group,
        pages=pages,
        order=order,
        description=description,
        signatures=signatures,
        stamps=stamps,
        refs=refs,
        extras=extras,
    )


def members_bytes(file: File) -> bytes:
    """The bytes of a file that was read just now."""
    assert isinstance(file.data, bytes)
    return file.data


def is_pdf(data: bytes) -> bool:
    """Say whether the bytes begin as a PDF does."""
    return b"%PDF-" in data[:_PDF_WITHIN]


def media_type(data: bytes, name: str) -> str:
    """The media type by the first bytes, by the name where they tell nothing."""
    for magic, found in _MAGIC:
        if data.startswith(magic):
            return found
    if name.lower().endswith((".p7s", ".sig")):
        return "application/pkcs7-signature"
    return _TYPES.guess_type(name)[0] or "application/octet-stream"
