"""Runs the collection against the node over HTTP and judges each answer."""

from __future__ import annotations

import re
import subprocess
import sys
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from tests.w3c import binding, encodings, own, part1, reading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.w3c.case import Answer, Case, Request


_SERIES: Final = ("T", "TH", "SBR", "XMLP", "G")
_ID: Final = re.compile(r"([A-Z]+)-?([0-9]*)")


def _order(case: Case) -> tuple[int, int]:
    found = _ID.match(case.id)
    assert found is not None
    return _SERIES.index(found[1]), int(found[2])


CASES: Final = tuple(
    sorted((*part1.CASES, *encodings.CASES, *binding.CASES, *own.CASES), key=_order)
)
"""Every test, in the collection's order; ours last."""
_SECONDS: Final = 20


class Outcome(NamedTuple):
    """One test that was run.

    got: one answer for each request. broken: where a fault among them breaks the grammar of faults;
    faults: how many there were.
    """

    case: Case
    got: tuple[Answer, ...]
    broken: tuple[str, ...]
    faults: int

    @property
    def met(self) -> bool:
        """Whether every answer is what the collection expects."""
        pairs = zip(self.case.expected, self.got, strict=True)
        return all(expected.matches(got) for expected, got in pairs)

    @property
    def message_met(self) -> bool:
        """Whether every message is what the collection expects, whatever HTTP says beside it."""
        bare = [msgspec.structs.replace(each, status=None) for each in self.case.expected]
        return all(each.matches(got) for each, got in zip(bare, self.got, strict=True))

    @property
    def as_stated(self) -> bool:
        """Whether the answers are those that the table states, expected or not."""
        if not self.case.differs:
            return self.met
        ours = self.case.ours
        return not self.met and ours is not None and all(map(ours.matches, self.got))

    @property
    def verdict(self) -> str:
        """One of: as expected, deviation, not offered; UNEXPLAINED fails the test."""
        if not self.as_stated:
            return "UNEXPLAINED"
        return self.case.differs or "as expected"


@contextmanager
def node() -> Iterator[int]:
    """Serve the node in a process of its own; gives its port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.w3c.node"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(_SECONDS)
        process.stdout.close()


def run() -> tuple[Outcome, ...]:
    """Run every test."""
    with node() as port:
        return tuple(_run(case, port) for case in CASES)


def _run(case: Case, port: int) -> Outcome:
    got, broken, faults = [], [], 0
    for request in case.requests:
        status, media, data = _send(request, port)
        answer = reading.read(status, media, data)
        got.append(answer)
        if answer.fault and answer.version == "1.2":
            faults += 1
            broken += reading.problems(data)
    return Outcome(case, tuple(got), tuple(broken), faults)


def _send(request: Request, port: int) -> tuple[int, str, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
    headers = {"Content-Type": request.media} if request.media else {}
    try:
        connection.request(
            request.method, request.path, request.data, {**headers, **request.headers}
        )
        answer = connection.getresponse()
        return answer.status, answer.getheader("Content-Type", ""), answer.read()
    finally:
        connection.close()
