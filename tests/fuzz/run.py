"""Sends cases to the application in process, and keeps what failed."""

from __future__ import annotations

import asyncio
import json
import time
import traceback
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from bench.soap_memory import Credentials, application, at_hand
from tests.fuzz import corpus, mutate, trees
from tests.fuzz.judge import Answer, WrongError, judge

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.fuzz.corpus import Case

KEY = "gw_0123456789_" + "k" * 43
SECRET = b"secret"
NOW = datetime(2026, 11, 22, 8, 1, tzinfo=UTC)
"""The instant of every case, so that it is judged tomorrow as it is today."""
KEPT = 50
"""Failing inputs that are written down; all are counted."""


class Found(msgspec.Struct, kw_only=True):
    """What one run saw. kinds: of answers. wrong: reasons. slowest: seconds and index."""

    cases: int = 0
    kinds: dict[str, int] = {}
    wrong: dict[str, int] = {}
    slowest: tuple[float, int] = (0.0, -1)
    seconds: float = 0.0


class Log:
    """Takes what the gateway logs; what tells of a defect is remembered for the case at hand."""

    def __init__(self) -> None:
        self.defects: list[str] = []
        structlog.configure(processors=[self])

    def __call__(self, _logger: object, method: str, event: dict[str, Any]) -> Any:
        """Look at one event, and write nothing."""
        if method in ("error", "critical", "exception") or ".defect" in str(event.get("event")):
            told = "".join(traceback.format_exc(limit=-4)).strip()
            self.defects.append(f"{event.get('event')}: {told}")
        raise structlog.DropEvent

    def take(self) -> list[str]:
        """Return what was remembered and forget it."""
        defects, self.defects = self.defects, []
        return defects


def house(blobs: Path) -> Any:
    """Return the application, with a caller who shows a key and one who proves itself inside."""
    known = (
        Credentials(key=KEY, secret=SECRET),
        Credentials(peer="inside", require="digest", secret=SECRET),
    )
    return application(at_hand(blobs), *known, clock=lambda: NOW)


def made(seed: int, index: int) -> Case:
    """Return the case of an index, always the same one."""
    random = Random(f"{seed}/{index}")
    case = corpus.case(random, KEY, trees.mutate)
    mutate.mutate(random, case)
    return case


async def ask(app: Any, case: Case) -> Answer:
    """Hand a case over as the server does and return the answer."""
    pieces = _pieces(case)
    answer = Answer()
    parts = []

    async def receive() -> dict[str, Any]:
        piece = next(pieces, None)
        return {"type": "http.disconnect"} if piece is None else piece

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {
                name.decode("latin-1"): value.decode("latin-1")
                for name, value in message.get("headers", ())
            }
        else:
            parts.append(message.get("body", b""))
            answer.whole = not message.get("more_body", False)

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": case.method,
        "scheme": "http",
        "path": case.path,
        "raw_path": case.path.encode(),
        "query_string": case.query.encode("latin-1"),
        "client": ("127.0.0.1", 40_000),
        "server": ("127.0.0.1", 80),
        "headers": [
            (name.encode("latin-1"), value.encode("latin-1"))
            for name, value in case.headers.items()
        ],
    }
    await app(scope, receive, send)
    answer.body = b"".join(parts)
    return answer


def _pieces(case: Case) -> Iterable[dict[str, Any]]:
    body, sizes, at, number = case.body, case.chunks, 0, 0
    while True:
        size = max(sizes[number % len(sizes)], len(body) // 200)
        piece, at, number = body[at : at + size], at + size, number + 1
        last = at >= len(body)
        if last and case.cut:
            return
        yield {"type": "http.request", "body": piece, "more_body": not last}
        if last:
            return


def run(seed: int, indexes: Iterable[int], blobs: Path, kept: Path, told: Any) -> Found:
    """Send every case; told: called now and then with how many are done."""
    return asyncio.run(_run(seed, indexes, blobs, kept, told))


def child(
    seed: int, indexes: Iterable[int], blobs: Path, kept: Path, queue: Any, number: int
) -> None:
    """Send every case in a process of its own and put what was found into a queue."""
    blobs.mkdir()
    queue.put((number, run(seed, indexes, blobs, kept, lambda done: queue.put((number, done)))))


async def _run(seed: int, indexes: Iterable[int], blobs: Path, kept: Path, told: Any) -> Found:
    log = Log()
    app = house(blobs)
    kinds: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    found, begun = Found(), time.monotonic()
    for index in indexes:
        case = made(seed, index)
        started = time.process_time()
        try:
            answer = await ask(app, case)
            kinds[judge(answer, method=case.method, cut=case.cut)] += 1
            defects = log.take()
            reason = defects[0] if defects else ""
        except WrongError as error:
            reason = " | ".join((str(error), *log.take()))
        except Exception:  # noqa: BLE001 - whatever it is, it is what we look for
            reason = " | ".join((f"raised: {traceback.format_exc(limit=-4)}", *log.take()))
        spent = time.process_time() - started
        found.slowest = max(found.slowest, (round(spent, 4), index))
        found.cases += 1
        if reason:
            wrong[_short(reason)] += 1
            if wrong.total() <= KEPT:
                keep(kept, seed, index, case, reason)
        if found.cases % 500 == 0:
            told(found.cases)
    found.kinds, found.wrong = dict(kinds), dict(wrong)
    found.seconds = time.monotonic() - begun
    return found


def _short(reason: str) -> str:
    """Return a reason without what differs from case to case."""
    return reason[-600:]


def keep(kept: Path, seed: int, index: int, case: Case, reason: str) -> None:
    """Write a failing input with its seed and what is wrong with the answer."""
    kept.mkdir(parents=True, exist_ok=True)
    name = f"{seed}-{index}"
    head = msgspec.structs.asdict(case)
    head.pop("body")
    about = {"seed": seed, "index": index, "reason": reason, **head}
    (kept / f"{name}.json").write_text(json.dumps(about, ensure_ascii=False, indent=1))
    (kept / f"{name}.body").write_bytes(case.body)
