"""A correspondent of СМЭВ with a ledger on disk: what a careful client has to do, and no more.

A number is made and written down before the first send. A send that failed is sent again with the
same number until СМЭВ has it; «already sent» says that it has. What is taken is checked, written
down once and only then acknowledged; a number that stands in the ledger is acknowledged again.
"""

from __future__ import annotations

import sqlite3
import threading
import time
import uuid
from collections import Counter
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from gateway import xmldsig
from gateway.errors import GatewayError
from simulators.smev.caller import Caller, Refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gateway.signing import Signing
    from simulators.smev.caller import Got
    from simulators.smev.keys import Signer

T = TypeVar("T")
_TIMEOUT: Final = 20.0
_PAUSE: Final = 0.02
_AGAIN: Final = frozenset({"", "SMEVFailure", "DestinationOverflow"})
"""Faults after which the same is sent again; without a name: an answer that is no message."""
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS sent (message TEXT PRIMARY KEY, number INTEGER);
CREATE TABLE IF NOT EXISTS seen (message TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS done (message TEXT, number INTEGER);
"""


class Taken(NamedTuple):
    """A message that was taken. fresh: for the first time."""

    number: int
    reply_to: str
    fresh: bool


class Talker(Caller):
    """One line to the stand; for one thread."""

    def __init__(self, url: str, signer: Signer, signing: Signing) -> None:
        host, _, path = url.removeprefix("http://").partition("/")
        self._path = f"/{path}"
        self._line = HTTPConnection(host, timeout=_TIMEOUT)
        self.signing = signing
        super().__init__(signer, self._post)

    def close(self) -> None:
        """Hang up."""
        self._line.close()

    def _post(self, headers: dict[str, str], body: bytes) -> tuple[str, bytes]:
        try:
            self._line.request("POST", self._path, body, headers)
            answer = self._line.getresponse()
            return answer.headers.get("Content-Type", ""), answer.read()
        except (OSError, HTTPException):
            self._line.close()
            raise


class Office:
    """One correspondent. talker: makes a line for a thread."""

    def __init__(self, name: str, path: Path, talker: Callable[[], Talker]) -> None:
        self.name = name
        self.talker = talker
        self.calls = 0
        self.taken = 0
        self.refusals: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._ledger = sqlite3.connect(path, check_same_thread=False)
        self._ledger.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;" + _SCHEMA)

    def send(self, talker: Talker, content: str, to: str = "") -> None:
        """Send a request, or an answer to a return address, until it is known to be there."""
        message = str(uuid.uuid1())
        with self._lock, self._ledger:
            self._ledger.execute("INSERT INTO sent VALUES (?, ?)", (message, 0))

        def once() -> str:
            if to:
                return talker.respond(to, content, message_id=message)
            return talker.request(content, message_id=message)

        while (found := self._try(once, "MessageIsAlreadySent")) is None:
            time.sleep(_PAUSE)
        assert found in (message, "MessageIsAlreadySent")

    def take(self, talker: Talker, form: str) -> Taken | None:
        """Take the next message, write it down, acknowledge it; None for none."""
        got = self._try(lambda: talker.get(form) or "")
        if not got or isinstance(got, str):
            time.sleep(_PAUSE)
            return None
        _check(talker, got, form)
        number = int(got.content.get("number", "-1")) if got.content is not None else -1
        fresh = self.keep(got.id, number)
        # What is acknowledged already and was given once more: the stand may know it as drained.
        while self._try(lambda: talker.ack(got.id) or "acked", "TargetMessageIsNotFound") is None:
            time.sleep(_PAUSE)
        return Taken(number, got.reply_to, fresh)

    def close(self) -> None:
        """Close the ledger."""
        self._ledger.close()

    def keep(self, message: str, number: int) -> bool:
        """Write down that a message was taken; False when it had been before."""
        with self._lock, self._ledger:
            made = self._ledger.execute("INSERT OR IGNORE INTO seen VALUES (?)", (message,))
            if not made.rowcount:
                return False
            self._ledger.execute("INSERT INTO done VALUES (?, ?)", (message, number))
            self.taken += 1
        return True

    def _try(self, call: Callable[[], T], *fine: str) -> T | str | None:
        """Call once; return its result or the fault that is fine, None to try again."""
        with self._lock:
            self.calls += 1
        try:
            return call()
        except Refused as refused:
            with self._lock:
                self.refusals[refused.detail or "no detail"] += 1
            if refused.detail in fine:
                return refused.detail
            if refused.detail not in _AGAIN:
                raise
        except (OSError, HTTPException, GatewayError) as error:
            with self._lock:
                self.refusals[type(error).__name__] += 1
        return None


def _check(talker: Talker, got: Got, form: str) -> None:
    """Check СМЭВ's own signature over what was taken; raise TrustError."""
    place = got.message.getparent()
    assert place is not None
    signature = place.find(talker.names.t("SMEVSignature"))
    assert form in str(got.message.tag)
    xmldsig.verify(
        signature[0] if signature is not None else None, got.message, talker.signing.backend
    )
