"""One PostgreSQL server on disk: make the cluster, read its pid file, find its socket directory.

Nothing here keeps a server alive (gateway.embedded.guard) or decides who uses it (…cluster).
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from gateway import limits
from gateway.embedded.layout import SOCKET_NAME, Layout, sync_directory, write_file
from gateway.errors import ConfigurationError

if TYPE_CHECKING:
    from gateway.embedded.account import Account
    from gateway.embedded.binaries import Binaries

SUPERUSER = "postgres"
OWNER = "gateway"
"""The role the gateway connects as; it owns the database of the same name and is no superuser."""

_BUILTIN_SINCE = 17

_LOG_TAIL = 1_500


class Secrets(msgspec.Struct, frozen=True, kw_only=True):
    """The passwords of the two roles; random, kept only in `secrets.json`."""

    postgres: str
    gateway: str


class Postmaster(NamedTuple):
    """What `postmaster.pid` says about the server that wrote it."""

    pid: int
    ready: bool


def environment() -> dict[str, str]:
    """The whole environment of initdb and postgres.

    Nothing of the caller's is passed on: with LANG=C an initdb makes a database in which lower()
    does not know Cyrillic, and a PGDATA or PGPORT of some other installation would confuse both.
    """
    return {"LC_ALL": "C", "PATH": "/usr/bin:/bin", "TZ": "UTC"}


def locale_flags(major: int) -> list[str]:
    """The flags of initdb that make Cyrillic work whatever the environment says.

    The builtin provider appeared in PostgreSQL 17; before it libc stands in. `--lc-ctype` is needed
    with both: without it pg_trgm silently yields no trigrams of Cyrillic words.
    """
    provider = (
        ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        if major >= _BUILTIN_SINCE
        else ["--locale-provider=libc"]
    )
    return [*provider, "--lc-ctype=C.UTF-8", "--lc-collate=C", "--encoding=UTF8"]


def load_secrets(layout: Layout) -> Secrets:
    """Read the passwords, making them before the cluster is made.

    Raises:
        ConfigurationError: the cluster exists, and its passwords are gone or cannot be read.
    """
    try:
        return msgspec.json.decode(layout.secrets.read_bytes(), type=Secrets)
    except (FileNotFoundError, PermissionError, msgspec.DecodeError) as error:
        if layout.pgdata.exists() or layout.secrets.exists():
            raise ConfigurationError(
                "the passwords of the embedded database cannot be read",
                where=str(layout.secrets),
                found=type(error).__name__,
                todo="bring the file back from the backup of the data directory",
            ) from error
    made = Secrets(postgres=secrets.token_urlsafe(24), gateway=secrets.token_urlsafe(24))
    write_file(layout.secrets, msgspec.json.encode(made))
    return made


def initialise(
    layout: Layout, binaries: Binaries, account: Account, *, durable: bool, lock: int
) -> None:
    """Make the cluster; a killed initdb leaves nothing that could be taken for one.

    It works in a directory of its own that is renamed when it is whole, and holds `lock`
    (open.lock), so that a second opener waits for it even when the first was killed.

    Raises:
        ConfigurationError: initdb failed; carries its last words.
    """
    for half in layout.root.glob("half-*"):
        shutil.rmtree(half, ignore_errors=True)
    half = Path(tempfile.mkdtemp(prefix="half-", dir=layout.root))
    half.chmod(0o711)
    target = half / "pgdata"
    target.mkdir(mode=0o700)
    password = half / "password"
    write_file(password, load_secrets(layout).postgres.encode())
    if account.switch:
        for each in (target, password):
            os.chown(each, account.uid, account.gid)
    command = [
        binaries.tool("initdb"),
        f"--pgdata={target}",
        *locale_flags(binaries.major),
        f"--username={SUPERUSER}",
        f"--pwfile={password}",
        "--auth=scram-sha-256",
        "--data-checksums",
        "--no-instructions",
        *([] if durable else ["--no-sync"]),
    ]
    done = subprocess.run(  # noqa: S603 - binaries found or named by the operator
        command,
        check=False,
        capture_output=True,
        text=True,
        errors="replace",
        cwd="/",
        env=environment(),
        pass_fds=(lock,),
        stdin=subprocess.DEVNULL,
        umask=0o077,
        **account.popen(),  # type: ignore[call-overload]
    )
    if done.returncode != 0:
        shutil.rmtree(half, ignore_errors=True)
        raise ConfigurationError(
            "PostgreSQL could not make its database",
            where=str(layout.pgdata),
            found=done.stderr.strip()[-200:],
            todo=f"mend it and start again: {done.stderr.strip()[-_LOG_TAIL:]}",
        )
    target.rename(layout.pgdata)
    sync_directory(layout.root)
    shutil.rmtree(half)


def require_major(layout: Layout, major: int) -> None:
    """Refuse binaries of another major version than the one that made the cluster.

    Raises:
        ConfigurationError: a new major version goes by dump and restore.
    """
    found = made_by(layout.pgdata)
    if found != major:
        raise ConfigurationError(
            "the database was made by another major version of PostgreSQL",
            where=str(layout.pgdata),
            found=str(found),
            expected=str(major),
            todo=f"set GATEWAY_PG_BIN to binaries of PostgreSQL {found}, or move the data with "
            "gateway backup and gateway restore",
        )


def made_by(pgdata: Path) -> int:
    """Major version of PostgreSQL that made the cluster, 0 when there is none to be read."""
    try:
        return int((pgdata / "PG_VERSION").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0


def read_postmaster(pgdata: Path) -> Postmaster | None:
    """Who serves this cluster now; None when nobody does.

    A pid file outlives a killed server and its pid may have been given to another process, so the
    process is believed only when it is a postgres that stands in this directory.
    """
    lines = _pid_file(pgdata)
    if not lines or not lines[0].isdigit() or not is_server(int(lines[0]), pgdata):
        return None
    return Postmaster(int(lines[0]), len(lines) > 7 and lines[7].strip() == "ready")


def drop_stale_pid_files(pgdata: Path, socket_dir: Path) -> None:
    """Remove the pid files of a server that is gone; call it only while holding guard.lock.

    PostgreSQL refuses to start when a process of the same account has the pid in such a file,
    whatever that process is, even a zombie. In a container, where pids are small and start anew and
    the first process may not reap, this happens. Both directories are ours alone.
    """
    if read_postmaster(pgdata) is None:
        (pgdata / "postmaster.pid").unlink(missing_ok=True)
        (socket_dir / f"{SOCKET_NAME}.lock").unlink(missing_ok=True)


def is_server(pid: int, pgdata: Path) -> bool:
    """Tell whether the process is a postgres of this cluster."""
    try:
        if Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip() != "postgres":
            return False
        return Path(f"/proc/{pid}/cwd").samefile(pgdata)
    except OSError:
        return False


def stop_server(pid: int, pgdata: Path) -> None:
    """Stop a server: fast, then at once (it recovers at the next start), then by force."""
    for signum, patience in (
        (signal.SIGINT, limits.EMBEDDED_STOP_SECONDS),
        (signal.SIGQUIT, 10.0),
        (signal.SIGKILL, 10.0),
    ):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signum)
        deadline = time.monotonic() + patience
        while is_server(pid, pgdata):
            if time.monotonic() > deadline:
                break
            time.sleep(0.02)
        else:
            return


def socket_directory(layout: Layout, account: Account) -> str:
    """A directory for the unix socket whose path fits and needs no quoting anywhere.

    The path of a socket has at most 107 bytes, PostgreSQL splits its setting and libpq its host
    at commas. Where the data directory does not suit, a short directory of the account's own is
    made, and used again after a restart so that processes that wait for the server find it.
    """
    suits = _fits(layout.sockets)
    previous = layout.read_spec()
    if suits:
        chosen = layout.sockets
    elif previous and previous.root == str(layout.root) and _fits(Path(previous.socket_dir)):
        chosen = Path(previous.socket_dir)
    else:
        chosen = _short_base(account) / f"gateway-{secrets.token_hex(6)}"
    with contextlib.suppress(FileExistsError):
        chosen.mkdir(mode=0o700)
        if account.switch:
            os.chown(chosen, account.uid, account.gid)
    found = chosen.lstat()
    private = stat.S_IMODE(found.st_mode) & 0o077 == 0
    if stat.S_ISDIR(found.st_mode) and found.st_uid == account.uid and private:
        return str(chosen)
    if suits:
        raise ConfigurationError(
            "the socket directory of the database is not private to its account",
            where=str(chosen),
            found=f"uid {found.st_uid}, mode {stat.S_IMODE(found.st_mode):04o}",
            expected=f"uid {account.uid}, mode 0700",
            todo="remove it; it is made again at the next start",
        )
    # Somebody else took the name in a public directory: a new one cannot be foreseen.
    chosen = Path(tempfile.mkdtemp(prefix="gateway-", dir=_short_base(account)))
    if account.switch:
        os.chown(chosen, account.uid, account.gid)
    return str(chosen)


def log_tail(layout: Layout) -> str:
    """The end of the server's log, for an error message."""
    try:
        with layout.log.open("rb") as file:
            file.seek(max(0, layout.log.stat().st_size - _LOG_TAIL))
            return file.read().decode("utf-8", "replace").strip()
    except OSError:
        return ""


def _fits(directory: Path) -> bool:
    text = str(directory)
    plain = text.isprintable() and not set(text) & set(",\"'\\@")
    return plain and len(os.fsencode(directory / SOCKET_NAME)) <= limits.SOCKET_PATH_BYTES


def _short_base(account: Account) -> Path:
    """/run when root may write there; not /run/user, which goes away when its user logs out."""
    if account.switch and os.access("/run", os.W_OK):
        return Path("/run")
    return Path("/tmp")  # noqa: S108 - a private directory with an unforeseeable name is made in it


def _pid_file(pgdata: Path) -> list[str]:
    try:
        return (pgdata / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
