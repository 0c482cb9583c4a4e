"""What a node takes at most: settings of the peer's row, because no official number is public.

The defaults are those of published exporters (README, sources); 10,000,000 characters and
50,000,000 bytes are theirs. Checked before anything is added, so that nothing is built to be
refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from adapters.sstu.codes import BASE64_LIMIT
from adapters.sstu.pages import Bounds
from gateway import limits
from gateway.options_read import number

if TYPE_CHECKING:
    from collections.abc import Mapping

PART_BYTES: Final = 50_000_000
_MERGED: Final = Bounds()


class Limits(NamedTuple):
    """The bounds of one node.

    attachment: characters that the base64 of a file must stay below. package: bytes of a zip.
    documents: of one zip, 0 for any number. merge: whether several files of an answer are made
    into one PDF, merged: how much of them.
    """

    attachment: int = BASE64_LIMIT
    package: int = PART_BYTES
    documents: int = limits.ZIP_MEMBERS
    merge: bool = True
    merged: Bounds = _MERGED

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> Limits:
        """Read the options of a peer; raise ConfigurationError naming the one that is wrong."""
        return cls(
            attachment=_count(table, "attachment_base64", BASE64_LIMIT),
            package=_count(table, "package_bytes", PART_BYTES),
            documents=_count(table, "package_documents", limits.ZIP_MEMBERS, least=0),
            merge=bool(table.get("merge", True)),
            merged=Bounds(
                pages=_count(table, "merge_pages", _MERGED.pages),
                pixels=_count(table, "merge_pixels", _MERGED.pixels),
                size=_count(table, "merge_bytes", _MERGED.size),
            ),
        )


def _count(table: Mapping[str, Any], key: str, default: int, *, least: int = 1) -> int:
    return int(number(table, key, default, least=least))
