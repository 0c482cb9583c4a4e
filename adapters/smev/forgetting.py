"""What is remembered of the exchange, and for how long.

An appeal is answered in 30 days, or 60 when extended, or later where it is reopened: what an answer
finds its way by is kept for 400 days. What tells a repeat of ours is kept for 30: a number of that
age is stale for СМЭВ, and a delivery was settled long before. Whose an appeal is has to be known as
long as the appeal itself is kept: five years.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import structlog

from adapters.smev import ids, owners

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.lent import Memory

log = structlog.get_logger(__name__)

DAYS: Final = {
    owners.OWNER: 1_830,
    "appeal": 400,
    "received": 400,
    ids.NUMBER: 400,
    ids.SENT: 30,
    "status": 30,
    "untrusted": 30,
}
"""Kind → days since it was last changed. `number` is by which a late answer to a request of ours
finds its appeal."""
_EVERY: Final = timedelta(days=1)


class Daily:
    """Forgets what is too old, once a day of a process: seven deletions by an index."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._last: datetime | None = None

    def forget(self, now: datetime) -> None:
        """Forget, unless that was done less than a day ago."""
        if self._last is not None and now - self._last < _EVERY:
            return
        gone = {
            kind: count
            for kind, days in DAYS.items()
            if (count := self._memory.forget(kind, now - timedelta(days=days)))
        }
        self._last = now
        if gone:
            log.info("smev.forgotten", **gone)
