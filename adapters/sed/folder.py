"""A message as it lies in a directory: a card, its files, an envelope; on the wire a stored zip.

Inside the gateway a folder travels as a zip of plain files: names sorted, one fixed time, nothing
packed, so that equal folders are equal bytes. A bare card is a message without files.
"""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from gateway import limits
from gateway.adapter import Wire
from gateway.archives import BROKEN, MAGIC, member_name, opened, refuse_packing
from gateway.errors import GatewayError, MalformedError, TooLargeError
from gateway.model.filenames import flaw
from gateway.model.fold import clean_text

if TYPE_CHECKING:
    from collections.abc import Mapping

MEDIA_TYPE: Final = "application/zip"
CARD: Final = "document.xml"
ENVELOPE: Final = "envelope.ini"
NAME_BYTES: Final = 255
"""Of a file's name, as most file systems have it."""
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_CHUNK: Final = 256 * limits.KB
_SMALL: Final = 64 * limits.KB
"""So little may be packed as tight as it likes."""
_LINE: Final = re.compile(r"\s*(\d+)\s*=\s*(.+?)\s*")


@dataclass(frozen=True)
class Folder:
    """One message. name: of the folder, empty when not told. bare: the card came alone."""

    name: str
    files: dict[str, bytes]
    card: str
    envelope: str = ""
    bare: bool = False

    @property
    def body(self) -> bytes:
        """The bytes of the card."""
        return self.files[self.card]

    @cached_property
    def text(self) -> str:
        """The text of the envelope when it can be written back as it was; empty otherwise."""
        if not self.envelope:
            return ""
        body = self.files[self.envelope]
        text = envelope_text(body)
        try:
            return text if clean_text(text).encode("cp1251") == body else ""
        except (UnicodeEncodeError, GatewayError):
            return ""

    @cached_property
    def beside(self) -> dict[str, str]:
        """What is neither the card nor an envelope kept as text: name to SHA-256, in hex."""
        aside = {self.card, self.envelope if self.text else ""}
        return {
            name: sha256(data).hexdigest() for name, data in self.files.items() if name not in aside
        }

    @cached_property
    def folded(self) -> dict[str, str]:
        """The names of `beside` without case."""
        return {name.lower(): name for name in self.beside}


def pack(name: str, files: Mapping[str, bytes]) -> Wire:
    """Return a folder as a wire."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for member in sorted(files):
            archive.writestr(zipfile.ZipInfo(member, _EPOCH), files[member])
    return Wire(media_type=MEDIA_TYPE, body=out.getvalue(), name=f"{name}.zip")


def as_wire(name: str, body: bytes) -> Wire:
    """Return a packed folder, or a bare card, as a wire."""
    if body.startswith(MAGIC):
        return Wire(media_type=MEDIA_TYPE, body=body, name=f"{name}.zip")
    return Wire(media_type="application/xml", body=body, name=f"{name}.xml")


def unpack(wire: Wire) -> Folder:
    """Return the folder of a wire; raise MalformedError, TooLargeError or UnsupportedError."""
    name = wire.name.removesuffix(".zip")
    if not wire.body.startswith(MAGIC):
        return Folder(name, {CARD: wire.body}, CARD, bare=True)
    return of_files(name, _members(wire.body))


def of_files(name: str, files: dict[str, bytes]) -> Folder:
    """Return a folder of files; raise MalformedError when none, or no one, of them is a card.

    The card is what `[ФАЙЛЫ]` of the envelope names first and is XML, else `document.xml` or
    `message.xml`, else the only XML.
    """
    envelope = next((n for n in files if n.lower() == ENVELOPE), "")
    cards = {n.lower(): n for n in files if n.lower().endswith(".xml")}
    listed = [n.lower() for n in listed_in(files[envelope])] if envelope else []
    for candidate in (*listed, CARD, "message.xml", *(cards if len(cards) == 1 else ())):
        if candidate in cards:
            return Folder(name, files, cards[candidate], envelope)
    raise MalformedError(
        "в папке нет карточки · the folder holds no card",
        found=", ".join(sorted(files))[:200],
        expected=f"{CARD}, или файл из [ФАЙЛЫ] {ENVELOPE}",
    )


def envelope_text(body: bytes) -> str:
    """Return the text of an envelope: windows-1251, or UTF-8 where somebody wrote that."""
    if body.startswith(b"\xef\xbb\xbf"):
        return body[3:].decode("utf-8", "replace")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("cp1251", "replace")


def listed_in(envelope: bytes) -> tuple[str, ...]:
    """Return the names that `[ФАЙЛЫ]` of an envelope lists."""
    names: list[str] = []
    inside = False
    for line in envelope_text(envelope[: limits.MB]).splitlines():
        if line.lstrip().startswith("["):
            inside = line.strip().upper() == "[ФАЙЛЫ]"
        elif inside and (found := _LINE.fullmatch(line)):
            names.append(found[2])
    return tuple(names)


def envelope(subject: str, addressee: str, names: tuple[str, ...]) -> bytes:
    """Return an envelope in windows-1251, as the postal client of МЭДО expects it."""
    lines = [
        "[ПИСЬМО КП ПС СЗИ]",
        f"ТЕМА={' '.join(subject.split())}",
        "ШИФРОВАНИЕ=0",
        "АВТООТПРАВКА=1",
        "ЭЦП=1",
        "ДОСТАВЛЕНО=1",
        "ПРОЧТЕНО=1",
        "[АДРЕСАТЫ]",
        f"0={addressee}",
        "[ФАЙЛЫ]",
        *(f"{number}={name}" for number, name in enumerate(names)),
    ]
    return "".join(f"{line}\r\n" for line in lines).encode("cp1251", "replace")


def _members(body: bytes) -> dict[str, bytes]:
    archive, infos = opened(body)
    infos = [info for info in infos if not info.filename.endswith("/")]
    names = [member_name(info) for info in infos]
    head = names[0].partition("/")[0] + "/" if names else ""
    if names and all(name.startswith(head) for name in names):
        names = [name[len(head) :] for name in names]
    left = limits.ZIP_TOTAL_BYTES
    found: dict[str, bytes] = {}
    for info, name in zip(infos, names, strict=True):
        _refuse_unwanted(info, name)
        if name.lower() in {known.lower() for known in found}:
            raise MalformedError("two files of one name in the folder", where=name[:200])
        found[name] = _data(archive, info, left, name)
        left -= len(found[name])
    return found


def _refuse_unwanted(info: zipfile.ZipInfo, name: str) -> None:
    where = name[:200]
    if why := flaw(name) or ("longer than a file system takes" if _long(name) else ""):
        raise MalformedError(f"the name of a file: {why}", found=name[:200], where=where)
    refuse_packing(info, where)


def _long(name: str) -> bool:
    return len(name.encode("utf-8", "replace")) > NAME_BYTES


def _data(archive: zipfile.ZipFile, info: zipfile.ZipInfo, left: int, where: str) -> bytes:
    most = min(limits.ZIP_MEMBER_BYTES, left, max(info.compress_size * limits.ZIP_RATIO, _SMALL))
    out = bytearray()
    try:
        with archive.open(info) as stream:
            while chunk := stream.read(_CHUNK):
                out += chunk
                if len(out) > most:
                    raise TooLargeError(
                        "a file of the folder is too large unpacked",
                        expected=f"{most} bytes",
                        where=where[:200],
                    )
    except BROKEN as e:
        raise MalformedError(
            "a file of the folder cannot be unpacked", found=str(e), where=where[:200]
        ) from e
    return bytes(out)
