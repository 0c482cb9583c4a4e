"""One of several committers: submits the same appeals as the others, all at once, in its own order.

`python crowd.py URL BLOBS SEED SUBMISSIONS APPEALS`; begins when a line comes, then prints one JSON
object: external id → the receipt numbers it was given.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from datetime import UTC, datetime
from pathlib import Path

from gateway import ingest
from gateway.adapter import Inbound
from gateway.model.appeal import Appeal
from gateway.store.blobs import BlobDirectory
from gateway.store.committer import Committer

url, blobs, seed, submissions, appeals = sys.argv[1:]
directory = BlobDirectory(Path(blobs))
committer = Committer(url)
committer.start()
names = [f"crowd-{n % int(appeals)}" for n in range(int(submissions))]
random.Random(seed).shuffle(names)


def entry(name: str):
    arrival = ingest.Arrival(
        peer="portal", wire="rest", correlation=seed, now=datetime.now(UTC), body=name.encode()
    )
    appeal = Appeal(text=f"Обращение {name}")
    return ingest.entry(
        arrival, Inbound(operation="submit", external_id=name, appeal=appeal), directory
    )


async def main() -> dict[str, list[str]]:
    entries = [entry(name) for name in names]
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    found = await asyncio.gather(*map(committer.submit, entries))
    given: dict[str, list[str]] = {}
    for name, accepted in zip(names, found, strict=True):
        given.setdefault(name, []).append(accepted.receipt_number)
    return given


sys.stdout.write(json.dumps(asyncio.run(main())) + "\n")
committer.stop()
