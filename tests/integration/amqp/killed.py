"""A gateway's poller that is killed after the commit and before the acknowledgement.

`python -m tests.integration.amqp.killed DATABASE BLOBS BROKER NAME`
"""

import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from adapters.amqp.adapter import Amqp
from gateway.store.blobs import BlobDirectory
from gateway.store.committer import Committer
from gateway.store.pool import Pool
from tests.integration.amqp.poller import poller


class Killed(Amqp):
    def acknowledge(self, verdicts):
        os.kill(os.getpid(), signal.SIGKILL)


def main():
    url, blobs, broker, name = sys.argv[1:]
    committer, pool = Committer(url), Pool(url)
    committer.start()
    pool.open()
    poller(
        Killed, pool, committer, BlobDirectory(Path(blobs)), broker, name,
        owner="killed", now=lambda: datetime.now(UTC),
    ).run_once("bus")  # fmt: skip


if __name__ == "__main__":
    main()
