"""`python -m bench.channels_sstu`: packages for a closed network of ССТУ, against their bare cost.

sstu-export: appeals with an answer of 50 KB each → documents, every rule checked → zip parts on
disk. The peer is base64, JSON and deflate of the same bytes in one loop, which checks nothing and
writes nothing. The memory is the highest of a process of its own that only exports. The pairs are
of a small count; beside them the whole count goes once through both, which takes minutes, and is
held to the same bounds.
"""

from __future__ import annotations

import base64
import random
import resource
import subprocess
import sys
import tempfile
import time
import zlib
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
from msgspec.structs import replace

from adapters.sstu.bounds import Limits
from adapters.sstu.encode import encode
from adapters.sstu.export import documents, pack
from bench.command import Plan, command, say
from bench.figures import Figure, Void, figure
from gateway.adapter import EncodeContext
from gateway.model.answer import Answer, Outcome, Result
from gateway.model.appeal import Appeal, Regime
from gateway.model.attachment import Attachment, AttachmentRole
from gateway.model.base import Code
from gateway.model.organisation import Organisation, OrganisationId
from gateway.model.person import Applicant, Person
from gateway.model.question import Question, Topic
from gateway.model.registration import Registration

if TYPE_CHECKING:
    from collections.abc import Iterator

COUNT: Final = 2_000
FULL: Final = 100_000
ATTACHMENT: Final = 50 * 1024
BLOBS: Final = 64
TARGET: Final = 2.0
MEMORY_MB: Final = 200.0
_NOW: Final = datetime(2026, 11, 1, tzinfo=UTC)
_BODY: Final = Organisation(
    ids=(OrganisationId(system="sstu", value="1f6b0a52-9d3e-4c7a-8f21-0a5b6c7d8e91"),)
)


def blobs() -> dict[str, bytes]:
    """Files of answers by digest; nothing in them repeats, as in a PDF."""
    chance = random.Random(7)
    made = [chance.randbytes(ATTACHMENT) for _ in range(BLOBS)]
    return {sha256(data).hexdigest(): data for data in made}


def appeals(files: dict[str, bytes], count: int) -> Iterator[tuple[str, Appeal, EncodeContext]]:
    """Answered appeals of one body, each with one file."""
    context = EncodeContext(now=_NOW, files=files)
    digests = list(files)
    question = Question(
        topics=(Topic(code=Code(system="sstu", value="0005.0005.0056.1147")),),
        state="answered",
        owner_org=_BODY,
        incoming_date=date(2026, 10, 2),
        outcome=Outcome(result=Result.EXPLAINED),
    )
    author = Applicant(person=Person(full_name_as_given="Берёзкина Анна Львовна"))
    whole = Appeal(regime=Regime.FZ59, applicants=(author,), questions=(question,))
    for n in range(count):
        registered = Registration(organisation=_BODY, number=f"ОГ-{n}", date=date(2026, 10, 3))
        letter = Attachment(
            sha256=digests[n % BLOBS], declared_name="Ответ.pdf", role=AttachmentRole.ANSWER
        )
        answer = Answer(date=date(2026, 10, 20), attachments=(letter,))
        yield str(n), replace(whole, registrations=(registered,), answers=(answer,)), context


class Spent(NamedTuple):
    """Seconds by the clock and of the processor."""

    wall: float
    cpu: float

    @classmethod
    def since(cls, begun: Spent) -> Spent:
        """What was spent since an earlier `now`."""
        now = cls.now()
        return cls(now.wall - begun.wall, now.cpu - begun.cpu)

    @classmethod
    def now(cls) -> Spent:
        """Where both clocks stand."""
        return cls(time.perf_counter(), time.process_time())


def ours(files: dict[str, bytes], count: int, folder: Path) -> Spent:
    """Export; return what it took."""
    begun = Spent.now()
    packed = 0
    for one in pack(documents(appeals(files, count)), folder, now=_NOW, bounds=Limits()):
        packed += one.error is None
    spent = Spent.since(begun)
    if packed != count:
        message = f"{packed} of {count} appeals were packed"
        raise Void(message)
    return spent


def bare(files: dict[str, bytes], count: int) -> Spent:
    """Base64, JSON and deflate of the same documents; return what it took."""
    (_, first, context), *_ = appeals(files, 1)
    document = msgspec.json.decode(encode(first, context).body)
    attachment = document["questions"][0]["attachment"]
    data = list(files.values())
    begun = Spent.now()
    for n in range(count):
        document["number"] = f"ОГ-{n}"
        attachment["content"] = base64.b64encode(data[n % BLOBS]).decode("ascii")
        zlib.compress(msgspec.json.encode(document))
    return Spent.since(begun)


class Alone(NamedTuple):
    """A process of its own that exported: its seconds, and the megabytes that it took at most."""

    seconds: float
    megabytes: float


def exported(count: int) -> Alone:
    """Export in a process of its own, with Python and the product in it; raise Void past memory."""
    told = subprocess.run(
        [sys.executable, "-m", "bench.channels_sstu", "--alone", str(count)],
        check=True,
        capture_output=True,
        text=True,
    )
    found = Alone(*map(float, told.stdout.split()))
    say(f"{count} appeals: {found.seconds:.0f} s, peak memory {found.megabytes:.0f} MB")
    if found.megabytes >= MEMORY_MB:
        message = f"{found.megabytes:.0f} MB of memory, {MEMORY_MB:.0f} are allowed"
        raise Void(message)
    return found


def alone(count: int) -> None:
    """Export, then print seconds and the highest resident size in megabytes."""
    with tempfile.TemporaryDirectory(prefix="gateway-bench-") as folder:
        spent = ours(blobs(), count, Path(folder))
    print(spent.wall, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def whole(files: dict[str, bytes]) -> dict[str, float]:
    """Export the whole count once, beside its bare cost; raise Void for what is past a bound."""
    mine, plain = exported(FULL), bare(files, FULL).wall
    ratio = mine.seconds / plain
    if ratio > TARGET:
        message = f"{FULL} appeals took {ratio:.2f} of the bare cost, {TARGET} are allowed"
        raise Void(message)
    return {
        "count": FULL,
        "seconds": round(mine.seconds),
        "bare_seconds": round(plain),
        "ratio": round(ratio, 3),
        "peak_mb": round(mine.megabytes),
    }


def measure(plan: Plan) -> list[Figure]:
    """Return the figure of the export; ratio: our seconds by the bare ones."""
    files, count = blobs(), COUNT
    samples: list[tuple[float, float | None, float | None]] = []
    cpu: list[float] = []
    for n in range(plan.pairs + 1):
        with tempfile.TemporaryDirectory(prefix="gateway-bench-") as folder:
            mine, plain = ours(files, count, Path(folder)), bare(files, count)
        say(f"{count} appeals: ours {mine.wall:.2f} s, bare {plain.wall:.2f} s")
        if n:
            samples.append((mine.wall, plain.wall, None))
            cpu.append(mine.cpu / plain.cpu)
    few = exported(count)
    return [
        figure(
            "sstu-export",
            f"seconds for {count} appeals with 50 KB each, lower is better",
            samples,
            judged="peer",
            target=TARGET,
            run=plan.run,
            at_most=True,
            detail={
                "count": count,
                "cpu_ratio": round(median(cpu), 3),
                "peak_mb": round(few.megabytes),
                "memory_limit_mb": MEMORY_MB,
                **({} if plan.quick else {"whole": whole(files)}),
            },
        )
    ]


if __name__ == "__main__":
    if "--alone" in sys.argv:
        alone(int(sys.argv[-1]))
    else:
        sys.exit(command([("sstu-export", "seconds", TARGET, measure)]))
