"""What the SOAP benches send, and how a call is repeated and timed.

Time in process is processor time: what else the machine does then weighs on both sides little.
"""

from __future__ import annotations

import gc
import time
from typing import TYPE_CHECKING, Final

import msgspec

from bench.load import BODY
from gateway import ns

if TYPE_CHECKING:
    from collections.abc import Callable

NO_RECEIPT: Final = "P0000000000"
NO_DIGEST: Final = "0" * 64
WARM_CALLS: Final = 200
ROUND: Final = 50
"""Calls between two looks at the clock."""
_HEADER: Final = (
    f'<s:Header><a:Action xmlns:a="{ns.WSA}" s:mustUnderstand="1">{ns.APPEALS}/SubmitAppeal'
    f'</a:Action><a:MessageID xmlns:a="{ns.WSA}">urn:uuid:6b29fc40-ca47-4067-b31d-00dd010662da'
    f'</a:MessageID><a:To xmlns:a="{ns.WSA}">http://localhost/soap/appeals.svc</a:To>'
    f'<a:ReplyTo xmlns:a="{ns.WSA}"><a:Address>{ns.WSA}/anonymous</a:Address></a:ReplyTo>'
    "</s:Header>"
).encode()


class Calls(msgspec.Struct, frozen=True):
    """How often something was done, and the processor time that took."""

    calls: int
    seconds: float

    @property
    def rate(self) -> float:
        """Calls a second of processor time."""
        return self.calls / self.seconds


def addressed() -> bytes:
    """Return the 2 KB submission of the benches with the headers of WS-Addressing."""
    return BODY.read_bytes().replace(b"<s:Body>", _HEADER + b"<s:Body>", 1)


def repeat(once: Callable[[], object], seconds: float) -> Calls:
    """Do it over and over for so much processor time, after a warm-up."""
    for _ in range(WARM_CALLS):
        once()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    calls, begun = 0, time.process_time()
    while (spent := time.process_time() - begun) < seconds:
        for _ in range(ROUND):
            once()
        calls += ROUND
    return Calls(calls, spent)
