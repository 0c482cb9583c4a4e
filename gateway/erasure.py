"""Takes personal content away: by retention, and on request; the chain stays verifiable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import structlog

from gateway.errors import BusyError, ConflictError, StateError
from gateway.model.base import NIL
from gateway.store import erasing
from gateway.store.erasing import Planned, Why

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from psycopg import Connection

    from gateway.settings import Settings
    from gateway.store.blobs import BlobDirectory

log = structlog.get_logger(__name__)

RETENTION: Final = Why("gateway", "retention", "keep_content_days")


def due(
    connection: Connection[Any],
    blobs: BlobDirectory,
    settings: Settings,
    now: datetime,
    *,
    commit: bool,
) -> Iterator[Planned]:
    """Erase, or only count, every appeal that was kept long enough; each is its own transaction.

    One that is being worked on is passed over until the next time.
    """
    if not settings.keep_content_days:
        return
    after = NIL
    while ids := erasing.due(connection, settings.keep_content_days, now, after):
        for appeal_id in ids:
            try:
                yield erasing.erase(connection, blobs, appeal_id, RETENTION, now, commit=commit)
            except (BusyError, ConflictError, StateError) as error:
                log.info("erasure.later", appeal=str(appeal_id), reason=error.code)
        after = ids[-1]
