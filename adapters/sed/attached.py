"""The files of a document: which of the folder's are meant, and what the card says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from adapters.sed.codes import GROUPS, PEER
from gateway.adapter import File
from gateway.model.attachment import Attachment, Signature
from gateway.model.base import ExternalRef, Extra
from gateway.model.filenames import cleaned

if TYPE_CHECKING:
    from adapters.sed.folder import Folder
    from adapters.sed.reader import Reader

FILES: Final = "#files"
"""Path of the extra that says what lay beside the card: name → digest."""
ENVELOPE: Final = "#envelope"
CARD_NAME: Final = "#card"
FOLDER: Final = "#folder"
"""Extra: the card lay in a folder, and nothing else did."""
OF_A_FOLDER: Final = frozenset({FILES, ENVELOPE, CARD_NAME, FOLDER})
UNLISTED: Final = "#unlisted"
MISSING: Final = "#missing"
_KINDS: Final = (
    (b"%PDF-", "application/pdf", "pdf"),
    (b"II*\0", "image/tiff", "tif"),
    (b"MM\0*", "image/tiff", "tif"),
    (b"\xff\xd8\xff", "image/jpeg", "jpg"),
    (b"\x89PNG\r\n", "image/png", "png"),
    (b"\xd0\xcf\x11\xe0", "application/msword", "doc"),
    (b"{\\rtf", "application/rtf", "rtf"),
    (b"PK\x03\x04", "application/zip", "zip"),
    (b"<?xml", "application/xml", "xml"),
)
_BY_NAME: Final = {
    "txt": "text/plain",
    "xml": "application/xml",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "p7s": "application/pkcs7-signature",
    "sig": "application/pkcs7-signature",
}


class Pair(NamedTuple):
    """A file of the card and the member of the folder that is meant, empty when it is not there."""

    place: str
    member: str
    sha256: str


def pairs(reader: Reader, folder: Folder) -> list[Pair]:
    """Return the files of the card in its order, each with its member; nothing is taken."""
    out = []
    for at in reader.places("files/file"):
        member = _member(reader.peek(f"{at}/@localName"), reader.peek(f"{at}/@type"), folder)
        out.append(Pair(at, member, folder.beside.get(member, "")))
    return out


def contents(folder: Folder) -> tuple[tuple[File, ...], tuple[Extra, ...]]:
    """Return what lies beside the card, and the extras by which it is put back.

    A card without any of them came alone.
    """
    files: dict[str, File] = {}
    for name, digest in folder.beside.items():
        data = folder.files[name]
        media_type, suffix = kind(name, data)
        shown = name if "." in name or not suffix else f"{name}.{suffix}"
        files.setdefault(
            digest,
            File(sha256=digest, media_type=media_type, name=cleaned(shown), data=data),
        )
    kept = []
    if folder.beside:
        kept.append(Extra(peer=PEER, path=FILES, value=dict(folder.beside)))
    if folder.text:
        kept.append(Extra(peer=PEER, path=ENVELOPE, value={folder.envelope: folder.text}))
    if not folder.bare and folder.card != "document.xml":
        kept.append(Extra(peer=PEER, path=CARD_NAME, value=folder.card))
    if not (kept or folder.bare):
        kept.append(Extra(peer=PEER, path=FOLDER, value=True))
    return tuple(files.values()), tuple(kept)


def attachments(reader: Reader, folder: Folder) -> tuple[Attachment, ...]:
    """Take the files of the card; what lies in the folder unlisted comes after them."""
    found = pairs(reader, folder)
    listed = [_attachment(reader, pair, folder) for pair in found]
    named = {pair.member for pair in found}
    signatures = {
        s.declared_name.lower() for one in listed for s in one.signatures if s.declared_name
    }
    rest = []
    for name in folder.beside:
        if name not in named and name.lower() not in signatures:
            extra = Extra(peer=PEER, path=UNLISTED, value=name)
            rest.append(_sized(folder, name, (extra,)))
    return (*listed, *rest)


def kind(name: str, data: bytes) -> tuple[str, str]:
    """Return the media type of a file by its first bytes, else by its name, and its extension."""
    suffix = name.rpartition(".")[2].lower() if "." in name else ""
    for start, media_type, extension in _KINDS:
        if data.startswith(start):
            return (
                _BY_NAME.get(suffix, media_type) if extension == "zip" else media_type
            ), extension
    return _BY_NAME.get(suffix, "application/octet-stream"), ""


def _sized(folder: Folder, name: str, extras: tuple[Extra, ...]) -> Attachment:
    data = folder.files[name]
    return Attachment(
        sha256=folder.beside[name],
        size=len(data),
        media_type=kind(name, data)[0],
        declared_name=name,
        extras=extras,
    )


def _attachment(reader: Reader, pair: Pair, folder: Folder) -> Attachment:
    at, data = pair.place, folder.files.get(pair.member)
    name = reader.text(f"{at}/@localName")
    word = reader.peek(f"{at}/group")
    group = GROUPS.get(word)
    if group:
        reader.text(f"{at}/group")
    number = reader.text(f"{at}/@localId")
    signatures = tuple(_signature(reader, s, folder) for s in reader.places(f"{at}/signedData"))
    extras = () if pair.member else (Extra(peer=PEER, path=MISSING, value=name),)
    return Attachment(
        sha256=pair.sha256,
        size=len(data) if data is not None else None,
        media_type=kind(pair.member, data)[0] if data is not None else "",
        declared_name=name,
        declared_type=reader.text(f"{at}/@type"),
        group=group,
        description=reader.text(f"{at}/description"),
        pages=reader.number(f"{at}/pages"),
        refs=(ExternalRef(peer=PEER, kind="localId", value=number),) if number else (),
        signatures=signatures,
        extras=(*reader.extras(at), *extras),
    )


def _signature(reader: Reader, at: str, folder: Folder) -> Signature:
    name = reader.text(f"{at}/@localName")
    pkcs7 = reader.peek(f"{at}/signerInfo/@signature") or name
    member = folder.folded.get(pkcs7.lower(), "")
    return Signature(
        sha256=folder.beside.get(member, ""),
        declared_name=name,
        signer=reader.text(f"{at}/signerInfo/signer/person"),
        at=reader.moment(f"{at}/signerInfo/digestTime"),
        extras=reader.extras(at),
    )


def _member(name: str, told: str, folder: Folder) -> str:
    """The member that a name means: as it is, without case, or with the extension it lacks."""
    low = name.lower()
    for candidate in (low, f"{low}.{told.lower()}"):
        if candidate in folder.folded:
            return folder.folded[candidate]
    if low and "." not in low:
        alike = [n for n in folder.folded if n.rpartition(".")[0] == low]
        if len(alike) == 1:
            return folder.folded[alike[0]]
    return ""
