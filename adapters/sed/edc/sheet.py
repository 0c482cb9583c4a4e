"""The passport of a container, written from the model and held against what a receiver needs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from adapters.sed.edc.build import add, build, put_back
from adapters.sed.edc.leaves import decimal
from adapters.sed.edc.passport import ROOT, SIGNATURES, STAMPS, is_pdf
from adapters.sed.edc.version import written
from gateway.errors import Violation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from adapters.sed.edc.version import Version
    from gateway.model.appeal import Appeal
    from gateway.model.attachment import Attachment, Stamp
    from gateway.model.base import Extra
    from gateway.model.organisation import Officer

NAME: Final = re.compile(r"[a-zA-Z0-9]{1,251}\.xml")
"""Приказ № 186/258 of 27.05.2015 on the name of the passport."""
ORDER: Final = {
    "container": ("requisites", "authors", "addressees", "document", "attachments"),
    "requisites": ("documentKind", "documentPlace", "classification", "annotation", "links"),
    "link": ("organization", "registration"),
    "organization": ("title", "address", "phone", "email"),
    "author": ("organization", "registration", "sign"),
    "registration": ("number", "date", "registrationStamp"),
    "sign": ("person", "documentSignature"),
    "person": ("post", "name", "phone", "email"),
    "documentSignature": ("signatureStamp",),
    "position": ("page", "topLeft", "dimension"),
    "topLeft": ("x", "y"),
    "dimension": ("w", "h"),
    "addressee": ("organization", "person"),
    "document": ("pagesQuantity", "enclosurePagesQuantity"),
    "attachment": ("order", "description", "signature"),
}
"""Order of child elements in the implementations that are known."""
_TYPED: Final = frozenset({"date", "page", "x", "y", "w", "h", "pagesQuantity", "order"})
_FIRST: Final = "container/authors/author[0]"
_PLACES: Final = {
    "registration": f"{_FIRST}/registration/registrationStamp",
    "signature": f"{_FIRST}/sign[0]/documentSignature/signatureStamp",
}
_SIDES: Final = (210.0, 297.0)
"""Of a page, mm; which one lies down is not looked at."""
_PNG: Final = b"\x89PNG\r\n\x1a\n"


def leaves(
    appeal: Appeal,
    main: Attachment,
    enclosures: tuple[Attachment, ...],
    version: Version,
    *,
    verbatim: bool = False,
) -> dict[str, str]:
    """Return the leaves of a passport; an empty element is never among them.

    appeal: the document, its `referrals` the authors. main: the PDF, with stamps and signatures.
    verbatim: as it came, odd spellings too; otherwise they are not repeated.
    """
    uid = next((ref.value for ref in appeal.refs if ref.kind == "uid"), "")
    out = {
        "container/@uid": uid,
        "container/@version": version.passport,
        "container/requisites/documentKind": appeal.document_kind.value
        if appeal.document_kind
        else "",
        "container/requisites/annotation": appeal.subject or appeal.text,
    }
    out |= dict((*_links(appeal), *_authors(appeal), *_addressees(appeal), *_document(main)))
    for n, file in enumerate(enclosures):
        out |= dict(_enclosure(file, f"container/attachments/attachment[{n}]"))
    for extras in _extras(appeal, main, enclosures):
        if verbatim:
            put_back(out, extras, ROOT)
        else:
            add(out, extras, ROOT, _TYPED)
    return {path: value for path, value in out.items() if value.strip()}


def write(told: Mapping[str, str], version: Version) -> bytes:
    """Return the document of the leaves, in the encoding of the version."""
    return written(build(told, version.container, "c", ORDER), told, version)


def check(
    told: Mapping[str, str], main: Attachment | None, files: Mapping[str, bytes]
) -> Iterator[Violation]:
    """Yield what a receiver would refuse; files: bytes by SHA-256."""
    for path, message in (
        ("container/@uid", "нет идентификатора документа · the document has no uid"),
        ("container/requisites/documentKind", "нет вида документа · no kind of document"),
        ("container/requisites/annotation", "нет краткого содержания · no annotation"),
        (f"{_FIRST}/organization/title", "не указан автор · the author is not named"),
        (f"{_FIRST}/registration/number", "документ не зарегистрирован · no registration number"),
        (f"{_FIRST}/registration/date", "нет даты регистрации · no registration date"),
        ("container/addressees/addressee[0]/organization/title", "нет адресата · no addressee"),
    ):
        if path not in told:
            yield Violation(path, "required", message)
    if main is None:
        message = "нет основного документа в PDF · there is no PDF that could be the main document"
        yield Violation("container/document/@localName", "required", message, expected="*.pdf")
        return
    if not is_pdf(files.get(main.sha256, b"")):
        message = "основной документ не PDF · the main document is no PDF"
        yield Violation(
            "container/document/@localName",
            "media_type",
            message,
            main.media_type,
            "application/pdf",
        )
    for place, stamp in placed(main):
        yield from _stamp_faults(place, stamp, main, files)


def placed(main: Attachment) -> list[tuple[str, Stamp]]:
    """Return the stamps of the main document with their places in the passport."""
    places = _value(main.extras, STAMPS)
    if len(places) == len(main.stamps):
        return list(zip(places, main.stamps, strict=True))
    return [(_PLACES.get(stamp.kind, _PLACES["registration"]), stamp) for stamp in main.stamps]


def _stamp_faults(
    at: str, stamp: Stamp, main: Attachment, files: Mapping[str, bytes]
) -> Iterator[Violation]:
    x, y, w, h = stamp.x, stamp.y, stamp.width, stamp.height
    if not stamp.page or (main.pages is not None and stamp.page > main.pages):
        message = "штамп на странице, которой нет · the stamp is on a page that is not there"
        found, last = str(stamp.page), "" if main.pages is None else str(main.pages)
        yield Violation(f"{at}/position/page", "range", message, found, f"1…{last}")
    if x is None or y is None or w is None or h is None or min(x, y) < 0 or min(w, h) <= 0:
        message = "место штампа указано не полностью · the place of the stamp is not told"
        yield Violation(
            f"{at}/position", "required", message, f"{x} {y} {w} {h}", "x, y ≥ 0; w, h > 0"
        )
    elif min(x + w, y + h) > _SIDES[0] or max(x + w, y + h) > _SIDES[1]:
        message = "штамп выходит за страницу · the stamp leaves the page"
        found = f"{x + w:g} × {y + h:g}"
        yield Violation(f"{at}/position", "range", message, found, "210 × 297")
    if not files.get(stamp.image_sha256, b"").startswith(_PNG):
        message = "картинка штампа не PNG · the picture of the stamp is no PNG"
        yield Violation(f"{at}/@localName", "media_type", message, stamp.image, "image/png")


def _links(appeal: Appeal) -> Iterator[tuple[str, str]]:
    for n, link in enumerate(appeal.links):
        at = f"container/requisites/links/link[{n}]"
        yield f"{at}/organization/title", link.organisation.full_name if link.organisation else ""
        yield f"{at}/registration/number", link.number
        yield f"{at}/registration/date", link.date.isoformat() if link.date else ""


def _authors(appeal: Appeal) -> Iterator[tuple[str, str]]:
    for n, letter in enumerate(appeal.referrals):
        at = f"container/authors/author[{n}]"
        yield f"{at}/organization/title", letter.from_org.full_name if letter.from_org else ""
        yield f"{at}/registration/number", letter.number
        yield f"{at}/registration/date", letter.date.isoformat() if letter.date else ""
        for m, signer in enumerate(letter.signed_by):
            yield from _person(signer, f"{at}/sign[{m}]/person")


def _addressees(appeal: Appeal) -> Iterator[tuple[str, str]]:
    for n, one in enumerate(appeal.addressees):
        at = f"container/addressees/addressee[{n}]"
        yield f"{at}/organization/title", one.organisation.full_name if one.organisation else ""
        yield from _person(one, f"{at}/person")


def _person(officer: Officer, at: str) -> Iterator[tuple[str, str]]:
    yield f"{at}/post", officer.post
    yield f"{at}/name", officer.name
    yield f"{at}/phone", officer.phone
    yield f"{at}/email", officer.email


def _document(main: Attachment) -> Iterator[tuple[str, str]]:
    yield "container/document/@localName", main.declared_name
    yield "container/document/pagesQuantity", "" if main.pages is None else str(main.pages)
    for at, stamp in placed(main):
        yield f"{at}/@localName", stamp.image
        yield f"{at}/position/page", "" if stamp.page is None else str(stamp.page)
        for name, number in (
            ("topLeft/x", stamp.x), ("topLeft/y", stamp.y),
            ("dimension/w", stamp.width), ("dimension/h", stamp.height),
        ):  # fmt: skip
            yield f"{at}/position/{name}", "" if number is None else decimal(number)
    places = _value(main.extras, SIGNATURES)
    if len(places) != len(main.signatures):
        places = [f"{_FIRST}/sign[{n}]/documentSignature" for n in range(len(main.signatures))]
    for at, one in zip(places, main.signatures, strict=True):
        yield f"{at}/@localName", one.declared_name
        yield f"{at}/@type", one.type


def _enclosure(file: Attachment, at: str) -> Iterator[tuple[str, str]]:
    yield f"{at}/@localName", file.declared_name
    yield f"{at}/order", "" if file.order is None else str(file.order)
    yield f"{at}/description", file.description
    for m, one in enumerate(file.signatures):
        yield f"{at}/signature[{m}]/@localName", one.declared_name


def _extras(
    appeal: Appeal, main: Attachment, enclosures: tuple[Attachment, ...]
) -> Iterator[Iterable[Extra]]:
    """Yield what was kept, each at the place that its owner has now."""
    yield appeal.extras
    yield main.extras
    for at, owners in (
        ("container/requisites/links/link", [one.extras for one in appeal.links]),
        ("container/authors/author", [one.extras for one in appeal.referrals]),
        ("container/addressees/addressee", [one.extras for one in appeal.addressees]),
        ("container/attachments/attachment", [one.extras for one in enclosures]),
    ):
        for n, extras in enumerate(owners):
            yield [
                replace(extra, path=f"{at}[{n}]{extra.path[len(at) :].partition(']')[2]}")
                for extra in extras
                if extra.path.startswith(f"{at}[")
            ]


def _value(extras: tuple[Extra, ...], path: str) -> list[str]:
    found: object = next((extra.value for extra in extras if extra.path == path), None)
    return [str(one) for one in found] if isinstance(found, list | tuple) else []
