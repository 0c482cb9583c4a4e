"""Ours in `bench-dispatch`: the dispatcher of `gateway work`, as the worker puts it together.

`python -m bench.sender URL THREADS DIRECTORY`: each line on standard input starts one run over
everything that is due; the answer is a line of (settled, seconds) in JSON.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from pathlib import Path

import msgspec

from gateway import logs, registry
from gateway.app import now
from gateway.destinations import Destinations
from gateway.dispatch import Dispatcher
from gateway.settings import Settings
from gateway.snapshots import StoredSnapshots
from gateway.store.blobs import BlobDirectory
from gateway.store.pool import Pool


def made(url: str, threads: int, directory: Path) -> Dispatcher:
    """Return a dispatcher over the peers of the database."""
    settings = Settings(data_dir=directory, dispatch_workers=threads)
    pool = Pool(url, size=6)
    pool.open()
    destinations = Destinations(pool, registry.load(settings.adapters), settings, now)
    snapshots = StoredSnapshots(pool, BlobDirectory(settings.blobs), destinations.options, now)
    return Dispatcher(
        url, destinations, snapshots, owner=f"bench:{os.getpid()}", now=now, threads=threads
    )


if __name__ == "__main__":
    logs.configure("warning", "json")
    dispatcher = made(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
    gc.collect()
    gc.freeze()
    for _ in sys.stdin:
        begun = time.perf_counter()
        settled = dispatcher.run_once()
        seconds = time.perf_counter() - begun
        print(msgspec.json.encode((settled, seconds)).decode(), flush=True)
