"""A message being made: its values, its files, and what is wrong with it."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Final

from adapters.sed.codes import FILE_TYPES, GROUPS, is_uid
from gateway.errors import Violation
from gateway.model.address import AddressRole
from gateway.model.attachment import AttachmentGroup

if TYPE_CHECKING:
    from adapters.sed.settings import Settings
    from gateway.adapter import EncodeContext
    from gateway.model.appeal import Appeal
    from gateway.model.attachment import Attachment
    from gateway.model.organisation import Officer
    from gateway.model.person import Applicant

_NAME_CHARS: Final = 511
_NUMBER_CHARS: Final = 31
_FILE_CHARS: Final = 100
_UNSAFE: Final = re.compile(r"[^\w.() -]+")
_GROUP_WORDS: Final = {group: word for word, group in GROUPS.items()} | {
    AttachmentGroup.PHOTO: "Данные"
}
_SUFFIXES: Final = {
    "application/pdf": "pdf", "image/tiff": "tif", "application/msword": "doc",
    "text/plain": "txt", "application/xml": "xml", "image/jpeg": "jpg", "image/png": "png",
}  # fmt: skip
_TYPES: Final = {
    "pdf": "pdf",
    "tif": "tif",
    "tiff": "tif",
    "doc": "doc",
    "txt": "txt",
    "xml": "xml",
}


class Out:
    """What is gathered; `wrong` names every fault."""

    def __init__(self, ctx: EncodeContext, settings: Settings) -> None:
        self.ctx = ctx
        self.settings = settings
        self.values: dict[str, str] = {}
        self.files: dict[str, bytes] = {}
        self.wrong: list[Violation] = []

    def put(self, place: str, value: str) -> None:
        """Put a value, unless it is empty: empty elements are not written."""
        if value:
            self.values[place] = value

    def need(self, place: str, value: str, words: str) -> None:
        """Put a value that the format cannot do without."""
        if value.strip():
            self.values[place] = value
        else:
            self.wrong.append(Violation(place, "required", f"нужно: {words}"))

    def name(self, place: str, value: str) -> None:
        """Put a name of at most 511 characters, on one line."""
        self.put(place, self.short(value, _NAME_CHARS))

    def number(self, place: str, value: str) -> None:
        """Put a number of a document: 1 to 31 characters, never cut."""
        number = " ".join(value.split())
        if not number:
            self.wrong.append(Violation(place, "required", "нужно: номер документа"))
        elif len(number) > _NUMBER_CHARS:
            message = f"номер длиннее {_NUMBER_CHARS} знаков · a number is not cut"
            self.wrong.append(Violation(place, "max_length", message, number, str(_NUMBER_CHARS)))
        else:
            self.values[place] = number

    def officer(self, place: str, officer: Officer) -> None:
        """Put somebody in office; a body at least."""
        body = officer.organisation
        self.name(f"{place}/organization", (body.full_name or body.short_name) if body else "")
        self.name(f"{place}/person", officer.name)
        self.name(f"{place}/post", officer.post)
        if not any(v.startswith(f"{place}/") for v in self.values):
            self.name(f"{place}/organization", self.settings.addressee)

    def day(self, moment: dt.date) -> dt.date:
        """Return the day of an instant in the zone of the exchange; a day as it is."""
        if isinstance(moment, dt.datetime):
            return moment.astimezone(self.settings.zone).date()
        return moment

    def check(self) -> None:
        """Hold what was put against what the schema says of uids."""
        for place, value in self.values.items():
            named = place.endswith("@uid") or place == "notification/@mid"
            if named and not is_uid(value):
                message = "не идентификатор · not a GUID"
                self.wrong.append(Violation(place, "pattern", message, value))

    @staticmethod
    def is_uid(value: str) -> bool:
        """Whether a value is a GUID as the schema wants it."""
        return is_uid(value)

    @staticmethod
    def short(value: str, most: int) -> str:
        """Return a text on one line, cut at its end when it is too long."""
        line = " ".join(value.split())
        return line if len(line) <= most else f"{line[: most - 1]}…"

    @staticmethod
    def cut(value: str, most: int) -> str:
        """Return a text cut at its end when it is too long; its lines stay."""
        text = value.strip()
        return text if len(text) <= most else f"{text[: most - 1]}…"


def correspondents(out: Out, appeal: Appeal) -> None:
    """Put those who turned to the body."""
    for n, one in enumerate(appeal.applicants):
        at = "document/correspondents/correspondent" + (f"[{n}]" if n else "")
        if one.organisation:
            body = one.organisation
            out.name(f"{at}/organization", body.full_name or body.short_name)
        name = _full_name(one) or ("Аноним" if one.anonymous else "")
        out.name(f"{at}/person", name)
        out.put(f"{at}/contactInfo", out.short(_contact(one), _NAME_CHARS))
        if not any(v.startswith(f"{at}/") for v in out.values):
            out.put(f"{at}/comment", "не назван")


def _full_name(one: Applicant) -> str:
    person = one.person
    if person is None:
        return ""
    parts = (person.family, person.given, person.patronymic)
    return person.full_name_as_given or " ".join(filter(None, parts))


def _contact(one: Applicant) -> str:
    """The postal address, then how else they can be reached."""
    postal = [a.raw for a in one.addresses if a.role is AddressRole.APPLICANT_POSTAL and a.raw]
    postal = postal or [a.raw for a in one.addresses if a.raw]
    return "; ".join((*postal[:1], *(c.value for c in one.contacts)))


def put_files(out: Out, files: tuple[Attachment, ...], *, text: str, stem: str) -> None:
    """Put the files, after the text itself: the annotation holds 4000 characters of it.

    A file whose bytes are not at hand is named as missing, nothing is sent without it.
    """
    number = 0
    if text.strip():
        _put_file(
            out, number, f"{stem}.txt", b"\xef\xbb\xbf" + text.encode(), "Текст документа", ""
        )
        number += 1
    for file in files:
        data = out.ctx.files.get(file.sha256)
        if data is None:
            if file.sha256:
                message = "файла нет · the bytes of the file are not at hand"
                place = f"files/file[{number}]/@localName"
                out.wrong.append(Violation(place, "missing_file", message, file.declared_name))
            continue
        group = _GROUP_WORDS.get(file.group, "") if file.group else ""
        name = _file_name(out, file, number)
        _put_file(out, number, name, data, group or "Текст приложения", file.description)
        if file.pages is not None:
            out.put(_file_at(number) + "/pages", str(file.pages))
        number += 1
    out.values.setdefault("files", "")
    if number:
        del out.values["files"]


def _file_at(number: int) -> str:
    return f"files/file[{number}]" if number else "files/file"


def _put_file(out: Out, number: int, name: str, data: bytes, group: str, about: str) -> None:
    at = _file_at(number)
    out.files[name] = data
    out.put(f"{at}/@localName", name)
    out.put(f"{at}/@localId", str(number))
    kind = _TYPES.get(name.rpartition(".")[2].lower(), "")
    if kind in FILE_TYPES:
        out.put(f"{at}/@type", kind)
    out.put(f"{at}/group", group)
    out.put(f"{at}/description", out.short(about, _NAME_CHARS))


def _file_name(out: Out, file: Attachment, number: int) -> str:
    """A name that any file system takes, with an extension, different from all others."""
    given = _UNSAFE.sub("_", file.declared_name).strip(" ._")
    stem, dot, suffix = given.rpartition(".")
    if not dot or not suffix.isalnum() or len(suffix) > 8:
        stem, suffix = given, _SUFFIXES.get(file.media_type, "bin")
    stem = stem.encode("cp1251", "ignore").decode("cp1251")[:_FILE_CHARS] or f"file{number}"
    taken = {name.lower() for name in (*out.files, "document.xml", "envelope.ini")}
    name = f"{stem}.{suffix}"
    return name if name.lower() not in taken else f"{stem}-{number}.{suffix}"
