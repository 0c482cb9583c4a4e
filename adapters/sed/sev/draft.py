"""A message of SEV being made: its leaves, its files, and what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adapters.sed.sev.restore import write
from adapters.sed.sev.words import FILE, VERSION, organisation_out
from gateway.errors import ValidationError, Violation
from gateway.model.attachment import AttachmentGroup
from gateway.model.filenames import cleaned
from gateway.model.fold import FORBIDDEN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gateway.model.attachment import Attachment
    from gateway.model.organisation import Organisation

_EDMS: Final = "Appeals gateway"


class Draft:
    """What is gathered; `wrong` names every fault."""

    def __init__(self) -> None:
        self.leaves: dict[str, str] = {}
        self.data: dict[str, bytes] = {}
        self.wrong: list[Violation] = []

    def files(self) -> dict[str, bytes]:
        """Return what was made; raise ValidationError when something is missing."""
        if self.wrong:
            message = "сообщение СЭВ не будет принято · the message of SEV would not be taken"
            raise ValidationError(message, tuple(dict.fromkeys(self.wrong)))
        return {**self.data, FILE: write(self.leaves)}

    def put(self, path: str, value: str) -> None:
        """Put a value, unless it is empty."""
        if value.strip():
            self.leaves[path] = value

    def some(self, pairs: Iterator[tuple[str, str]]) -> None:
        """Put several values."""
        for path, value in pairs:
            self.put(path, value)

    def need(self, path: str, what: str) -> None:
        """Note what is missing, if it is."""
        if path not in self.leaves:
            self.wrong.append(Violation(path, "required", f"нужно: {what}"))

    def header(
        self, root: str, kind: str, *, mid: str, return_id: str, time: str, we: Organisation,
        system: str,
    ) -> None:  # fmt: skip
        """Put the header but for its recipient. we: the sender; system: our uid."""
        at = f"{root}/Header"
        for name, value in (
            ("MessageID", mid), ("Version", VERSION), ("MessageType", kind),
            ("ReturnID", return_id or mid), ("ResourceID", "0"), ("Time", time),
        ):  # fmt: skip
            self.put(f"{at}/@{name}", value)
        self.some(organisation_out(f"{at}/Sender/Contact/Organization", we))
        self.need(f"{at}/Sender/Contact/Organization/ShortName", "options.organization")
        self.put(f"{at}/Sender/EDMS/@UID", system)
        self.need(f"{at}/Sender/EDMS/@UID", "options.uid")
        self.put(f"{at}/Sender/EDMS", _EDMS)
        self.leaves[f"{at}/ResourceList"] = ""

    def attach(
        self, at: str, attachments: Iterable[Attachment], files: Mapping[str, bytes]
    ) -> None:
        """Put the files of a document, the text first. files: bytes by SHA-256."""
        root = at.partition("/")[0]
        ordered = sorted(attachments, key=lambda one: one.group is not AttachmentGroup.TEXT)
        for n, file in enumerate(ordered):
            place = f"{at}/File[{n}]"
            name = self._resource(root, file.declared_name, file.sha256, files)
            if name is None:
                text = "файла нет · the bytes of the file are not there"
                self.wrong.append(Violation(place, "missing_file", text, file.declared_name))
                continue
            stem, _, suffix = file.declared_name.rpartition(".")
            for path, value in (
                ("@UID", file.sha256[:32]), ("@ResourceID", name),
                ("@Size", str(len(files[file.sha256]))),
                ("Description", file.description or file.declared_name or name),
                ("Extension", suffix if stem else "bin"),
            ):  # fmt: skip
                self.put(f"{place}/{path}", value)
            for k, one in enumerate(s for s in file.signatures if s.sha256 in files):
                told = self._resource(root, one.declared_name or "signature.p7s", one.sha256, files)
                self.put(f"{place}/EDS[{k}]/@ResourceID", told or "")

    def _resource(
        self, root: str, name: str, digest: str, files: Mapping[str, bytes]
    ) -> str | None:
        """Put a file into the list of resources; return its identifier, None without its bytes."""
        if digest not in files:
            return None
        number = len(self.data) + 1
        stem, dot, suffix = cleaned(FORBIDDEN.sub("_", name or digest[:16])).rpartition(".")
        free = f"{stem or suffix}{dot}{suffix if stem else ''}"
        if free in self.data or free.lower() == FILE:
            free = f"{number}-{free}"
        self.data[free] = files[digest]
        at = f"{root}/Header/ResourceList/Resource[{number - 1}]"
        self.leaves.pop(f"{root}/Header/ResourceList", None)
        self.put(f"{at}/@UID", str(number))
        self.put(f"{at}/@UniqueName", free)
        return str(number)
