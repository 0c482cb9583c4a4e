"""An item that came in a container → the files of its message folder, as they came.

The files of the container are given back byte for byte, the passport among them; the message is
written again from what it said. The zip itself has another packing and order, unless a signature
over the whole of it made the reader keep it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adapters.sed.codes import IDS, PEER
from adapters.sed.edc import zipped
from adapters.sed.edc.build import build, put_back
from adapters.sed.edc.decode import BODY, CARD, FILE, LISTING, VERSIONS
from adapters.sed.edc.leaves import local
from adapters.sed.edc.passport import PART, file_name
from adapters.sed.edc.version import CONTAINER, KIND, V27, Version, written
from gateway.errors import InternalError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gateway.adapter import Inbound
    from gateway.model.appeal import Appeal
    from gateway.model.attachment import Attachment
    from gateway.model.base import Extra

ORDER: Final = {
    "communication": ("header", "container", "deliveryIndex"),
    "header": ("source", "operator", "comment"),
    "source": ("organization", "comment"),
    "container": ("body", "signature"),
    "destination": ("organization", "destination", "comment"),
}


def restore(item: Inbound) -> dict[str, bytes]:
    """Return the files of the message folder by name, without its envelope."""
    files = bytes_of(item)
    if item.report is not None:
        return _report(item.report.extras, files)
    if item.appeal is None:
        raise InternalError("no item of a container", where=item.operation)
    appeal = item.appeal
    version = version_for(appeal)
    folder: dict[str, dict[str, bytes]] = {"zip": {}, "folder": {}, "container": {}}
    for place, name, digest in _named(appeal.attachments):
        folder[place][name] = files[digest]
    leaves = message_of(appeal, version)
    put_back(leaves, appeal.extras, "communication")
    return _folder(leaves, version, _value(appeal.extras, FILE), folder)


def bytes_of(item: Inbound) -> dict[str, bytes]:
    """Return the files of an item by SHA-256; raise UnsupportedError when they lie elsewhere."""
    found = {file.sha256: file.data for file in item.files if isinstance(file.data, bytes)}
    if away := [file.name for file in item.files if file.sha256 not in found]:
        raise UnsupportedError(
            "файлы сообщения не в памяти · the files of the message are not at hand",
            found=", ".join(away),
        )
    return found


def _report(extras: Iterable[Extra], files: Mapping[str, bytes]) -> dict[str, bytes]:
    kept = tuple(extras)
    leaves: dict[str, str] = dict(next(extra.value for extra in kept if extra.path == CARD))
    listed = next(extra.value for extra in kept if extra.path == LISTING)
    folder = {
        place: {name: files[digest] for name, digest in names.items()}
        for place, names in listed.items()
    }
    name = leaves.get("communication/@version", "")
    version = next((each for each in VERSIONS.values() if each.name == name), V27)
    return _folder(leaves, version, _value(kept, FILE), folder)


def _folder(
    leaves: dict[str, str],
    version: Version,
    file: str,
    folder: Mapping[str, Mapping[str, bytes]],
) -> dict[str, bytes]:
    body = leaves[BODY].strip()
    text = build(leaves, version.message, "xdms", ORDER)
    whole = folder.get("container", {}).get(body)
    return {
        **folder["folder"],
        file or version.file: written(text, leaves, version),
        body: zipped.write(folder["zip"]) if whole is None else whole,
    }


def _named(attachments: Iterable[Attachment]) -> Iterator[tuple[str, str, str]]:
    """Yield where each file lies, its name and its digest."""
    for file in attachments:
        word = next((ref.value for ref in file.refs if ref.peer == PEER and ref.kind == PART), "")
        place = {"beside": "folder", "container": "container"}.get(word, "zip")
        if file.sha256:
            yield place, file_name(file), file.sha256
        for one in file.signatures:
            if one.sha256:
                yield "folder" if place != "zip" else place, one.declared_name, one.sha256
        for stamp in file.stamps:
            if stamp.image_sha256:
                yield place, stamp.image, stamp.image_sha256


def message_of(appeal: Appeal, version: Version) -> dict[str, str]:
    """Return the leaves of a message as its appeal tells them."""
    first = appeal.referrals[0].from_org if appeal.referrals else None
    mid = next((r.value for r in appeal.refs if r.peer == PEER and r.kind == "mid"), "")
    leaves = {
        "communication/@version": version.name,
        "communication/header/@type": KIND,
        "communication/header/@uid": mid,
        "communication/header/@created": (
            local(appeal.sent_at, appeal.sent_at.tzinfo) if appeal.sent_at else ""
        ),
        "communication/header/source/@uid": first.id_in(IDS) if first else "",
        "communication/header/source/organization": first.full_name if first else "",
        BODY: CONTAINER,
    }
    return {path: value for path, value in leaves.items() if value}


def version_for(appeal: Appeal) -> Version:
    """Return the version in which an appeal came; the confirmed one for any other."""
    source = appeal.source_system.value if appeal.source_system else ""
    return next((each for each in VERSIONS.values() if each.source == source), V27)


def _value(extras: Iterable[Extra], path: str) -> str:
    return next((str(e.value) for e in extras if e.peer == PEER and e.path == path), "")
