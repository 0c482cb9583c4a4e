"""Writes refused calls to the `refusal` table, off the request path and bounded.

A flood of refusals must cost the flooder's patience, not our disk: of one address 60 a minute are
logged and written, of all together 6,000; at most 500 wait. The rest is counted.
"""

from __future__ import annotations

import queue
import threading
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
import structlog
from msgspec.structs import replace

from gateway.model.ids import uuid7

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from gateway.access.policy import Refused

log = structlog.get_logger(__name__)

WAITING = 500
PER_ADDRESS = 60
PER_MINUTE = 6_000
MINUTE = timedelta(minutes=1)
ADDRESS_CHARS = 64
"""An address of IPv6 with a zone; what stands there else came in a header."""
INSERT = """
INSERT INTO refusal (id, at, peer, address, path, code, reason, correlation)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""


class RefusalLog:
    """A bounded queue and the thread that empties it.

    count: is called for each refusal with whether it is logged and written. tell: is called with
    those that are; it neither blocks nor raises.
    """

    def __init__(
        self,
        url: str,
        clock: Callable[[], datetime],
        count: Callable[[bool], None] = lambda _told: None,
        tell: Callable[[Refused, datetime], None] = lambda _refused, _at: None,
    ) -> None:
        self._url = url
        self._clock = clock
        self._count = count
        self._tell = tell
        self._lock = threading.Lock()
        self._minute: datetime | None = None
        self._seen: Counter[str] = Counter()
        self._all = self._untold = 0
        self._queue: queue.Queue[tuple[datetime, Refused] | None] = queue.Queue(WAITING)
        self.dropped = 0
        self._thread = threading.Thread(target=self._run, name="refusals", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, then end."""
        self._queue.put(None)
        self._thread.join(5)

    def record(self, refused: Refused) -> None:
        """Take one refusal; never blocks, never raises."""
        now, address = self._clock(), refused.address[:ADDRESS_CHARS]
        told = self._is_told(address, now)
        self._count(told)
        if not told:
            return
        log.warning(
            "access.refused",
            reason=refused.reason,
            client=address,
            correlation=refused.correlation,
        )
        self._tell(refused, now)
        try:
            self._queue.put_nowait((now, replace(refused, address=address)))
        except queue.Full:
            self.dropped += 1

    def _is_told(self, address: str, now: datetime) -> bool:
        """Whether this one is within its address's share of the minute, and of everybody's."""
        with self._lock:
            if self._minute is None or not self._minute <= now < self._minute + MINUTE:
                untold, self._untold = self._untold, 0
                self._minute = now
                self._seen.clear()
                self._all = 0
                if untold:
                    log.warning("access.refused_untold", count=untold)
            told = self._seen[address] < PER_ADDRESS and self._all < PER_MINUTE
            if told:
                self._seen[address] += 1
                self._all += 1
            else:
                self._untold += 1
            return told

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            rows = [item]
            while len(rows) < WAITING:
                try:
                    following = self._queue.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    self._queue.put(None)
                    break
                rows.append(following)
            self._write(rows)

    def _write(self, rows: list[tuple[datetime, Refused]]) -> None:
        try:
            with psycopg.connect(self._url, connect_timeout=3) as connection:
                connection.cursor().executemany(
                    INSERT,
                    [
                        (
                            uuid7(), at, _text(r.peer), _text(r.address), _text(r.path), r.code,
                            r.reason, r.correlation,
                        )
                        for at, r in rows
                    ],
                )  # fmt: skip
        except psycopg.Error:
            self.dropped += len(rows)
            log.warning("access.refusals_not_written", count=len(rows))
        except Exception:  # nobody would miss a thread that ended
            self.dropped += len(rows)
            log.exception("access.refusals_defect", count=len(rows))


def _text(given: str) -> str:
    """What a stranger sent, without NUL: one row that cannot be written would cost the others."""
    return given.replace("\0", "\N{REPLACEMENT CHARACTER}")
