"""The limit of accept: the same rows in batches of 200 from one process, with no HTTP before it.

`python -m bench.limit URL SECONDS PREFIX` prints rows and seconds as JSON. Entries are decoded and
built beforehand and not timed; what is timed is `write_batch` and the commit, as the committer
does them.
"""

from __future__ import annotations

import gc
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import msgspec
import psycopg

from bench.load import BODY
from bench.stand import SENDER
from gateway import ingest
from gateway.model.ids import uuid7
from gateway.store import arrays
from gateway.store.accept import write_batch
from gateway.wires import binding, canonical
from gateway.wires import contract as c
from gateway.xml import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.store.blobs import BlobDirectory
    from gateway.store.entries import Entry

BATCH: Final = 200
PREPARED: Final = 20
"""Batches that are made ready before each stretch that is timed."""


class Written(msgspec.Struct, frozen=True):
    """What the limit wrote, and in which time."""

    appeals: int
    seconds: float

    @property
    def rate(self) -> float:
        """Appeals a second."""
        return self.appeals / self.seconds


class Document:
    """The bench's document, decoded once, and its copies under other keys."""

    def __init__(self) -> None:
        self.bytes = BODY.read_bytes()
        body = parse(self.bytes).root.find("{*}Body")
        assert body is not None
        request = binding.read(c.SubmitAppeal, body[0])
        self.appeal = request.appeal
        self._id = self.appeal.external_id.encode()

    def entry(self, key: str, blobs: BlobDirectory) -> Entry:
        """Return the rows of one submission under a key, exactly as the SOAP wire makes them."""
        arrival = ingest.Arrival(
            peer=SENDER,
            wire="soap11",
            correlation=uuid7().hex,
            now=datetime.now(UTC),
            body=self.bytes.replace(self._id, key.encode()),
            media_type="text/xml; charset=utf-8",
        )
        appeal = msgspec.structs.replace(self.appeal, external_id=key)
        return ingest.entry(arrival, canonical.submission(appeal), blobs)


def batches(document: Document, prefix: str) -> Iterator[list[Entry]]:
    """Yield batches of unique submissions for ever; small ones need no blob directory."""
    number = 0
    while True:
        keys = [f"{prefix}{number + n:08d}" for n in range(BATCH)]
        number += BATCH
        yield [document.entry(key, None) for key in keys]  # type: ignore[arg-type]


def write(url: str, seconds: float, prefix: str) -> Written:
    """Write batches until their own time adds up to so many seconds."""
    made = batches(Document(), prefix)
    appeals, spent = 0, 0.0
    with psycopg.connect(
        url, autocommit=True, cursor_factory=psycopg.RawCursor, prepare_threshold=1
    ) as connection:
        arrays.register(connection)
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)
        while spent < seconds:
            ready = [next(made) for _ in range(PREPARED)]
            begun = time.perf_counter()
            for batch in ready:
                with connection.transaction():
                    write_batch(connection, batch)
            spent += time.perf_counter() - begun
            appeals += sum(map(len, ready))
    return Written(appeals, spent)


if __name__ == "__main__":
    print(msgspec.json.encode(write(sys.argv[1], float(sys.argv[2]), sys.argv[3])).decode())
