"""The file storage of СМЭВ: what was uploaded, and who may fetch which file, until when.

The wire is `ftp.py`. A file is uploaded under its uuid, as `{uuid}` or as `{uuid}/{name}`.
"""

from __future__ import annotations

import secrets
import threading
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_USER: Final = "smev-"


class Pass(NamedTuple):
    """What opens one file once: for the FSAttachmentsList of one delivery."""

    uuid: str
    user: str
    password: str
    name: str
    message: str


class Storage:
    """Files in a folder, flat, by uuid. Thread-safe.

    upload: user and password of those who put files. A pass ends with the first whole download,
    or when its message is acknowledged.
    """

    def __init__(self, folder: Path, upload: tuple[str, str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.upload = upload
        self.facts: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._names: dict[str, str] = {}
        self._passes: dict[str, Pass] = {}

    def put(self, path: str, data: bytes) -> bool:
        """Keep an uploaded file; False for a path that names none."""
        uuid, _, name = path.strip("/").partition("/")
        if not uuid or "/" in name or uuid in {".", ".."}:
            return False
        with self._lock:
            (self.folder / _flat(uuid)).write_bytes(data)
            self._names[uuid] = name or uuid
            self.facts["uploaded"] += 1
        return True

    def path(self, uuid: str) -> Path | None:
        """Return where a file lies, None when it was not uploaded."""
        with self._lock:
            return self.folder / _flat(uuid) if uuid in self._names else None

    def name(self, uuid: str) -> str:
        """Return under which name a file was uploaded."""
        with self._lock:
            return self._names.get(uuid, uuid)

    def let(self, uuid: str, name: str, message: str) -> Pass:
        """Return new credentials for one file."""
        made = Pass(uuid, _USER + secrets.token_hex(6), secrets.token_urlsafe(12), name, message)
        with self._lock:
            self._passes[made.user] = made
        return made

    def known(self, user: str, password: str) -> Pass | None:
        """Return what these credentials open, None for nothing."""
        with self._lock:
            found = self._passes.get(user)
        return found if found and secrets.compare_digest(found.password, password) else None

    def fetched(self, one: Pass) -> None:
        """End a pass: the file was fetched whole."""
        with self._lock:
            self._passes.pop(one.user, None)
            self.facts["fetched"] += 1

    def end(self, messages: Iterable[str]) -> None:
        """End all passes of messages."""
        gone = set(messages)
        with self._lock:
            for user in [u for u, one in self._passes.items() if one.message in gone]:
                del self._passes[user]


def _flat(uuid: str) -> str:
    return uuid.encode().hex()
