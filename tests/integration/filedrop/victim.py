"""A file drop in a process of its own, to be killed: `victim.py DATABASE_URL ROOT`."""

from __future__ import annotations

import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

from gateway.settings import FileInbox
from gateway.store.blobs import BlobDirectory
from gateway.store.committer import Committer
from import_export.filedrop import FileDrop


def main() -> None:
    """Watch the inbox until the end."""
    url, root = sys.argv[1], Path(sys.argv[2])
    inbox = FileInbox(path=root / "box", peer="sed", profile="legacy-cp1251", settle_seconds=0.0)
    committer = Committer(url)
    committer.start()
    drop = FileDrop(
        [inbox], committer, BlobDirectory(root / "blobs"), url=url,
        clock=lambda: datetime.now(UTC), poll_seconds=0.05,
    )  # fmt: skip
    drop.run(threading.Event())


if __name__ == "__main__":
    main()
