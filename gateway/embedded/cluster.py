"""Open the embedded PostgreSQL, from any number of processes, and let go of it.

The first opener makes the cluster and starts its guard, the others find it running; who dies, dies
without ceremony (gateway.embedded.guard). Each open Cluster also watches the guard from a thread
that sleeps in `flock`, and starts a new one should it be killed.
"""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

import msgspec

import gateway
from gateway import limits
from gateway.embedded import account as accounts
from gateway.embedded import binaries, conf, control, locks, provision, server
from gateway.embedded.layout import Layout, ServerSpec, write_file
from gateway.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

_log = logging.getLogger("gateway.embedded")

_POLL_SECONDS = 0.02


class _Request(msgspec.Struct, frozen=True, kw_only=True):
    """What an opener asked for; its watcher asks for the same again."""

    layout: Layout
    pg_bin: Path | None
    user: str | None
    allow_nobody: bool
    durable: bool
    options: dict[str, str]


class _Server(msgspec.Struct, frozen=True, kw_only=True):
    """A server that answers."""

    secrets: server.Secrets
    socket_dir: str
    version: str


class Cluster:
    """An open embedded PostgreSQL; the server lives at least until `close`."""

    def __init__(self, request: _Request, found: _Server, life: int) -> None:
        self.data_dir = request.layout.root
        self.version = found.version
        """Version of the server, for example "18.6"."""
        self._found = found
        self._life = life
        self._closed = threading.Event()
        self._request = request
        threading.Thread(target=self._watch, name="embedded-postgres", daemon=True).start()

    @property
    def url(self) -> str:
        """URL of the database `gateway` for its owner, with password and socket directory."""
        return self.url_for(provision.DATABASE)

    def url_for(self, dbname: str) -> str:
        """URL of another database of the cluster, for the gateway's own role."""
        return provision.url(self._found.secrets, self._found.socket_dir, dbname)

    def admin_url_for(self, dbname: str) -> str:
        """URL for the superuser: to make databases, to dump and to restore."""
        return provision.url(self._found.secrets, self._found.socket_dir, dbname, superuser=True)

    def close(self) -> None:
        """Let go of the server; it stops when nobody else uses it. May be called again."""
        if not self._closed.is_set():
            self._closed.set()
            os.close(self._life)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _watch(self) -> None:
        """Sleep until the guard and its server are gone, and start them again."""
        pause = 0.1
        while not self._closed.is_set():
            try:
                locks.await_free(self._request.layout.guard_lock)
                if not self._closed.is_set():
                    _log.warning("the guard of the embedded PostgreSQL is gone; starting another")
                    _find_or_start(self._request)
                    pause = 0.1
            except FileNotFoundError:
                _log.error("the data directory of the embedded PostgreSQL is gone")
                return
            except Exception:  # noqa: BLE001 - nobody else brings the database back
                _log.exception("the embedded PostgreSQL does not start; trying again")
                self._closed.wait(pause)
                pause = min(pause * 2, limits.EMBEDDED_BACKOFF_SECONDS)


def open_cluster(
    data_dir: Path,
    *,
    pg_bin: Path | None = None,
    user: str | None = None,
    allow_nobody: bool = False,
    durable: bool = True,
    options: Mapping[str, str] | None = None,
) -> Cluster:
    """Open the embedded PostgreSQL of a directory, making and starting it when needed.

    Args:
        data_dir: a directory for the database alone, on a local disk; created when missing.
        pg_bin: directory of PostgreSQL binaries; None finds them (gateway.embedded.binaries).
        user: unix account of the server when the caller is root; None otherwise.
        allow_nobody: root without `user` may take `nobody`: demonstrations and tests only.
        durable: False switches fsync off: tests only, a crash of the machine ruins the cluster.
        options: settings of PostgreSQL, used by whoever starts the server.

    Raises:
        ConfigurationError: says what stands in the way and what to do.
    """
    request = _Request(
        layout=Layout(data_dir),
        pg_bin=pg_bin,
        user=user,
        allow_nobody=allow_nobody,
        durable=durable,
        options=conf.checked_options(options or {}),
    )
    request.layout.prepare()
    life = locks.open_lock(request.layout.life_lock)
    try:
        # Waits for a guard that is just stopping its server, and keeps the next one from it.
        locks.take(life, shared=True)
        found = _find_or_start(request)
    except BaseException:
        os.close(life)
        raise
    return Cluster(request, found, life)


def _find_or_start(request: _Request) -> _Server:
    """Return the server that answers, starting it first when nobody has.

    Raises:
        ConfigurationError: it does not start, with the end of its log; or it runs without fsync
            and the caller wants its data kept.
    """
    layout = request.layout
    started = False
    orphaned_since: float | None = None
    deadline = time.monotonic() + limits.EMBEDDED_START_SECONDS
    with locks.exclusive(layout.open_lock) as opening:
        while time.monotonic() < deadline:
            # Taking the lock is the proof that there is no guard; the new one inherits it.
            with locks.opened(layout.guard_lock) as guard_lock:
                if locks.try_take(guard_lock):
                    if started:
                        break
                    _start_guard(request, opening=opening, guard_lock=guard_lock)
                    started = True
            found = server.read_postmaster(layout.pgdata)
            if found is not None and found.ready:
                answer = _ask(request)
                if answer is not None:
                    return answer
            orphaned_since = _stop_orphan(layout, found, orphaned_since)
            time.sleep(_POLL_SECONDS)
    raise ConfigurationError(
        "the embedded PostgreSQL does not start",
        where=str(layout.log),
        todo=f"mend what its log says and start again: {server.log_tail(layout)}",
    )


def _start_guard(request: _Request, *, opening: int, guard_lock: int) -> None:
    """Make the cluster when it is missing, write what the guard needs, and start it."""
    layout = request.layout
    account = accounts.resolve(
        request.user, allow_nobody=request.allow_nobody, pgdata=layout.pgdata
    )
    accounts.require_enter(account, layout.root)
    found = binaries.find(request.pg_bin, account, layout.binaries)
    if not layout.pgdata.exists():
        server.initialise(layout, found, account, durable=request.durable, lock=opening)
    server.require_major(layout, found.major)
    spec = ServerSpec(
        root=str(layout.root),
        bin=str(found.directory),
        major=found.major,
        socket_dir=server.socket_directory(layout, account),
        uid=account.uid if account.switch else None,
        gid=account.gid if account.switch else None,
        durable=request.durable,
        options=request.options,
    )
    write_file(layout.spec, msgspec.json.encode(spec))
    write_file(layout.conf, conf.render(layout, spec), 0o644)
    if not layout.local_conf.exists():
        write_file(layout.local_conf, conf.LOCAL, 0o644)
    if layout.log.exists() and layout.log.stat().st_size > limits.EMBEDDED_LOG_BYTES:
        layout.log.replace(layout.log.with_suffix(".log.1"))
    log = os.open(
        layout.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
    )
    try:
        subprocess.run(  # noqa: S603 - this interpreter and this package
            [sys.executable, "-m", "gateway.embedded.guard", str(layout.root), str(guard_lock)],
            check=True,
            cwd="/",
            env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin", "PYTHONPATH": _import_path()},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(guard_lock,),
            start_new_session=True,
        )
    finally:
        os.close(log)


def _import_path() -> str:
    """Where this process imports from, so that the guard finds the same, installed or not."""
    checkout = str(Path(gateway.__file__).parent.parent)
    return os.pathsep.join([checkout, *(each for each in sys.path if Path(each).is_absolute())])


def _ask(request: _Request) -> _Server | None:
    """Talk to the server; None while it does not answer."""
    import psycopg

    layout = request.layout
    spec = layout.read_spec()
    if spec is None:
        return None
    if request.durable and not spec.durable:
        raise ConfigurationError(
            "the database is running in test mode (without fsync)",
            where=str(layout.root),
            todo="stop the tests, or choose another data directory",
        )
    secrets = server.load_secrets(layout)
    with contextlib.suppress(psycopg.OperationalError):
        version = provision.provision(secrets, spec.socket_dir)
        return _Server(secrets=secrets, socket_dir=spec.socket_dir, version=version)
    return None


def _stop_orphan(
    layout: Layout, found: server.Postmaster | None, since: float | None
) -> float | None:
    """Stop a server whose guard was killed and that has not noticed within ten seconds."""
    if found is None or control.guard_pid(layout) is not None:
        return None
    if since is None:
        return time.monotonic()
    if time.monotonic() - since > 10:
        server.stop_server(found.pid, layout.pgdata)
    return since


def start_cluster(
    data_dir: Path,
    *,
    pg_bin: Path | None = None,
    user: str | None = None,
    allow_nobody: bool = False,
    options: Mapping[str, str] | None = None,
) -> control.ClusterStatus:
    """Start the server and keep it up without users until `stop_cluster` (`gateway db start`).

    Raises:
        ConfigurationError: as open_cluster.
    """
    with open_cluster(
        data_dir, pg_bin=pg_bin, user=user, allow_nobody=allow_nobody, options=options
    ):
        control.hold_cluster(data_dir)
        return control.cluster_status(data_dir)
