"""Names of bodies by our ids, for `agency_responsible`; read from the directory, kept a while."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from gateway.wires import contract as c

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from gateway.wires.edge import Edge
    from gateway.wires.service import Context

FRESH: Final = timedelta(minutes=5)
MISSED: Final = timedelta(seconds=10)
"""After which the directory is read anew for a body that was not in it."""
_PAGES: Final = 40
"""Of five hundred bodies each."""


class Bodies:
    """The directory as it was last read. Used on the event loop only."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self._names: dict[str, str] = {}
        self._read_at: datetime | None = None

    async def names(self, wanted: Collection[str], context: Context) -> Mapping[str, str]:
        """Return names by id; a body that is not in the directory has none."""
        age = context.now - self._read_at if self._read_at is not None else None
        missed = not self._names.keys() >= set(wanted)
        if wanted and (age is None or age > (MISSED if missed else FRESH)):
            self._names, self._read_at = await self._read(context), context.now
        return self._names

    async def _read(self, context: Context) -> dict[str, str]:
        names: dict[str, str] = {}
        cursor = None
        for _ in range(_PAGES):
            page = await self._edge.service.call(
                c.GetDirectory(name="Organisations", cursor=cursor), context
            )
            assert isinstance(page, c.GetDirectoryResponse)
            names |= {item.code: item.title for item in page.items}
            cursor = page.next_cursor
            if cursor is None:
                break
        return names
