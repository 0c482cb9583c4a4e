"""Which file of a document is the main one, and what all of them are called in a container."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from adapters.sed.codes import PEER
from adapters.sed.edc import zipped
from adapters.sed.edc.passport import PART, file_name, is_pdf, media_type
from adapters.sed.edc.version import CONTAINER, PASSPORT
from gateway.archives import MAGIC
from gateway.errors import Violation
from gateway.model.attachment import Attachment, AttachmentGroup
from gateway.model.filenames import cleaned
from gateway.model.fold import FORBIDDEN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_NAME_CHARS: Final = 120


def has_main(attachments: Iterable[Attachment], files: Mapping[str, bytes]) -> bool:
    """Whether there is a PDF that can be the main document; one whose bytes are not here is one."""
    main, _ = sorted_out(attachments, files)
    if main is None:
        return False
    data = files.get(main.sha256)
    return data is None or is_pdf(data)


def sorted_out(
    attachments: Iterable[Attachment], files: Mapping[str, bytes]
) -> tuple[Attachment | None, tuple[Attachment, ...]]:
    """Return the main document, a PDF, and the rest as enclosures, each with a name of its own.

    What lay beside a container, and the container itself, were the message's and stay behind.
    """
    known: set[str] = {PASSPORT}
    given = [one for one in attachments if _part(one) != "container"]
    texts = sorted(given, key=lambda one: one.group is not AttachmentGroup.TEXT)
    main = next(
        (one for one in texts if one.group is AttachmentGroup.TEXT or _pdf(one, files)), None
    )
    rest = [one for one in given if one is not main]
    named = _named(main, known) if main else None
    out = []
    for one in rest:
        if _part(one) == "passport":
            described = replace(one, description="Паспорт полученного контейнера")
            out.append(replace(_named(described, known), declared_name=_free("source.xml", known)))
        else:
            out.append(_named(one, known))
    free = max((one.order for one in out if one.order is not None), default=-1) + 1
    for n, one in enumerate(out):
        if one.order is None:
            out[n], free = replace(one, order=free), free + 1
    return named, tuple(out)


def _pdf(file: Attachment, files: Mapping[str, bytes]) -> bool:
    return is_pdf(files.get(file.sha256, b"")) or file.media_type == "application/pdf"


def _part(file: Attachment) -> str:
    return next((r.value for r in file.refs if r.peer == PEER and r.kind == PART), "")


def _named(file: Attachment, known: set[str]) -> Attachment:
    """Return a file whose name, and those of its signatures and stamps, nobody else has."""
    name = _free(file_name(file) or file.sha256[:16], known)
    signatures = tuple(
        replace(one, declared_name=_free(one.declared_name or f"{name}.p7s", known), extras=())
        for one in file.signatures
        if one.sha256
    )
    shared: dict[str, str] = {}
    stamps = []
    for stamp in file.stamps:
        if stamp.image_sha256 not in shared:
            shared[stamp.image_sha256] = _free(stamp.image or "stamp.png", known)
        stamps.append(replace(stamp, image=shared[stamp.image_sha256]))
    return replace(
        file, declared_name=name, signatures=signatures, stamps=tuple(stamps),
        extras=tuple(e for e in file.extras if e.path.startswith(("#", "container/"))),
    )  # fmt: skip


def _free(name: str, known: set[str]) -> str:
    stem, dot, suffix = cleaned(FORBIDDEN.sub("_", name)).rpartition(".")
    stem, suffix = (stem, f"{dot}{suffix[:16]}") if stem else (suffix, "")
    found, n = f"{stem[:_NAME_CHARS]}{suffix}", 1
    while found.lower() in known:
        n += 1
        found = f"{stem[:_NAME_CHARS]}-{n}{suffix}"
    known.add(found.lower())
    return found


def members_of(
    attachments: Iterable[Attachment], files: Mapping[str, bytes], wrong: list[Violation]
) -> dict[str, bytes]:
    """Return the files of the container by name; note those whose bytes are not there."""
    told: dict[str, str] = {}
    for file in attachments:
        told[file.declared_name] = file.sha256
        told |= {one.declared_name: one.sha256 for one in file.signatures}
        told |= {stamp.image: stamp.image_sha256 for stamp in file.stamps}
    out = {}
    for name, digest in told.items():
        if digest in files:
            out[name] = files[digest]
        else:
            message = "файла нет · the bytes of the file are not there"
            wrong.append(Violation(f"{CONTAINER}/{name}", "missing_file", message, digest[:16]))
    for name, data in out.items():
        if data.startswith(MAGIC) and not zipped.is_office(data):
            message = "архив в контейнере · a package within the container"
            wrong.append(
                Violation(f"{CONTAINER}/{name}", "unsupported", message, media_type(data, name))
            )
    return out
