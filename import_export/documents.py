"""Reads a file in the format of an adapter: a document, or a package of documents.

An inbox that names an adapter as its `codec` takes what that adapter's `decode` takes; for ССТУ one
JSON document or a zip package of them. What cannot be read is named by its member and harms itself
only. The whole file is in memory while it is read, so its size is
looked at before: the inbox says in `document_bytes` how much it may be.
"""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING, Final

import msgspec

from gateway import limits
from gateway.adapter import Wire
from gateway.errors import ValidationError
from gateway.model.digest import canonical_json
from import_export.lines import Line
from import_export.reasons import Problem, problems_of, refuse, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.adapter import Codec

_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_BROKEN: Final = "the document cannot be read"


class Documents:
    """A file of an adapter's format, decoded; iterate for its lines, numbered from 1.

    Raises GatewayError when nothing of the file can be read.
    """

    def __init__(
        self, source: IO[bytes], codec: Codec, name: str, most: int = limits.DOCUMENT_FILE_BYTES
    ) -> None:
        size = source.seek(0, os.SEEK_END)
        if size > most:
            raise unreadable("file_large", f"{size} B", f"{most} B")
        source.seek(0)
        body = source.read(most)
        if not body.strip():
            raise unreadable("empty")
        self.media_type = "application/zip" if body.startswith(_ZIP) else "application/json"
        self._body = body
        self._decoded = codec.decode(Wire(media_type=self.media_type, body=body, name=name))
        if not (self._decoded.items or self._decoded.rejected):
            raise refuse("no_documents")

    def __iter__(self) -> Iterator[Line]:
        """Yield a line for each document that was read, then for each that was not.

        What is archived of a document within a package is its canonical JSON; the package itself is
        kept as it came.
        """
        items = self._decoded.items
        alone = len(items) + len(self._decoded.rejected) == 1
        for row, item in enumerate(items, 1):
            raw = self._body if alone else canonical_json(msgspec.structs.replace(item, files=()))
            yield Line(row=row, last=row, raw=raw, inbound=item)
        for row, refused in enumerate(self._decoded.rejected, len(items) + 1):
            raw = refused.raw or refused.where.encode()
            found = problems_of(ValidationError(_BROKEN, refused.violations))
            named = tuple((row, _named(problem, refused.where)) for problem in found)
            yield Line(row=row, last=row, raw=raw, problems=named)


def _named(problem: Problem, member: str) -> Problem:
    """Return the problem with the member in front of its path."""
    path = problem.column
    column = path if path.startswith(member) else f"{member}{path}"
    return msgspec.structs.replace(problem, column=column)
