"""What a bench stands on: a durable embedded PostgreSQL, its databases, and processes of ours.

The data lies in a directory of its own below BENCH_DIR, or /var/tmp, which is on a disk where /tmp
may be in memory; it is removed at the end.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import psycopg

from bench.figures import Void
from bench.machine import counted
from gateway import server
from gateway.embedded import Cluster, open_cluster, wait_stopped
from gateway.model.peer import Peer
from gateway.store import arrays, peers, schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT: Final = Path(__file__).parents[1]
ROWS: Final[Mapping[str, int]] = {
    "ledger": 1, "message": 1, "appeal": 1, "question": 2, "event": 1, "content": 1, "work": 1,
}  # fmt: skip
"""Rows that one accepted submission of the bench's document makes, by table."""
SENDER: Final = "bench"
START_SECONDS: Final = 60.0


class Database(NamedTuple):
    """One database with the schema of the gateway and one peer in it. key: that peer's."""

    name: str
    url: str
    admin_url: str
    key: str

    def connect(self) -> psycopg.Connection[Any]:
        """Open a connection as the house opens its own."""
        connection = psycopg.connect(self.url, autocommit=True, cursor_factory=psycopg.RawCursor)
        arrays.register(connection)
        return connection

    def prepare(self) -> None:
        """Empty the tables of the traffic and write a checkpoint, before every measurement."""
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute(f"TRUNCATE {', '.join(ROWS)}".encode())
            connection.execute("CHECKPOINT")

    def require_rows(self, answers: int) -> None:
        """Raise Void unless the rows are exactly those of so many answers."""
        with psycopg.connect(self.admin_url) as connection:
            found = counted(connection, ROWS)
        expected = {table: count * answers for table, count in ROWS.items()}
        if found != expected:
            raise Void(f"{self.name}: {answers} answers, but rows {found}, expected {expected}")


class Stand:
    """A cluster and its databases."""

    def __init__(self, directory: Path, cluster: Cluster) -> None:
        self.directory = directory
        self.cluster = cluster

    def database(self, name: str) -> Database:
        """Make a database with the schema and a peer that has a key."""
        with psycopg.connect(self.cluster.admin_url_for("postgres"), autocommit=True) as admin:
            admin.execute(f'CREATE DATABASE "{name}" OWNER gateway'.encode())
        admin_url = self.cluster.admin_url_for(name)
        with psycopg.connect(admin_url, autocommit=True) as admin:
            admin.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        url, now = self.cluster.url_for(name), datetime.now(UTC)
        schema.upgrade(url, now)
        with psycopg.connect(url, cursor_factory=psycopg.RawCursor) as connection:
            peers.add(connection, Peer(code=SENDER), now)
            key = peers.new_key(connection, SENDER, now)
        return Database(name, url, admin_url, key)


@contextmanager
def stand(options: Mapping[str, str] | None = None) -> Iterator[Stand]:
    """Start a durable PostgreSQL, with these settings of its own, until the end of the block."""
    base = Path(os.environ.get("BENCH_DIR", "/var/tmp"))
    directory = Path(tempfile.mkdtemp(prefix="gateway-bench-", dir=base))
    directory.chmod(0o755)
    try:
        with open_cluster(
            directory / "pg", allow_nobody=True, durable=True, options=options
        ) as cluster:
            yield Stand(directory, cluster)
        wait_stopped(directory / "pg")
    finally:
        shutil.rmtree(directory, ignore_errors=True)


class Served(NamedTuple):
    """A listening server: its port and its processes."""

    port: int
    pids: Sequence[int]


@contextmanager
def gateway_serve(database: Database, directory: Path, processes: int) -> Iterator[Served]:
    """Run so many `gateway serve` on one socket, as `gateway run` does."""
    environment = {
        "GATEWAY_DATABASE_URL": database.url,
        "GATEWAY_DATA_DIR": str(directory / "var"),
        "GATEWAY_LOG_LEVEL": "warning",
    }
    command = [sys.executable, "-m", "gateway", "serve", "--fd", "FD"]
    with sharing(command, environment, directory, processes) as served:
        yield served


@contextmanager
def sharing(
    command: Sequence[str], environment: Mapping[str, str], directory: Path, processes: int
) -> Iterator[Served]:
    """Run so many servers of ours on one socket, whose number stands for FD in the command."""
    bound = server.listen("127.0.0.1", 0)
    bound.set_inheritable(True)
    port = bound.getsockname()[1]
    words = [str(bound.fileno()) if word == "FD" else word for word in command]
    with _running(
        [words] * processes,
        {**_plain(), "PYTHONPATH": str(ROOT), **environment},
        directory,
        pass_fds=(bound.fileno(),),
    ) as children:
        bound.close()
        ready(port, "/readyz", children)
        yield Served(port, [child.pid for child in children])


@contextmanager
def started(command: Sequence[str], environment: Mapping[str, str], port: int) -> Iterator[Served]:
    """Run somebody else's server until the end of the block; it must answer on the port."""
    with _running([command], {**_plain(), **environment}, ROOT) as children:
        ready(port, "/", children)
        yield Served(port, [child.pid for child in children])


def free_port() -> int:
    """Return a port that nobody listens on."""
    bound = server.listen("127.0.0.1", 0)
    port: int = bound.getsockname()[1]
    bound.close()
    return port


@contextmanager
def _running(
    commands: Sequence[Sequence[str]],
    environment: Mapping[str, str],
    directory: Path,
    *,
    pass_fds: tuple[int, ...] = (),
) -> Iterator[list[subprocess.Popen[bytes]]]:
    children: list[subprocess.Popen[bytes]] = []
    try:
        for command in commands:
            child = subprocess.Popen(
                command, env=dict(environment), cwd=directory, pass_fds=pass_fds,
                stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
            children.append(child)
        yield children
    finally:
        for child in children:
            child.send_signal(signal.SIGTERM)
        for child in children:
            try:
                child.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()


def ready(port: int, path: str, children: Sequence[subprocess.Popen[bytes]]) -> None:
    """Wait until a server answers; raise Void when it ends or takes longer than a minute."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if any(child.poll() is not None for child in children):
            break
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5):
                return
        except urllib.error.HTTPError as error:
            if error.code < 500 or path == "/":
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise Void(f"the server on port {port} did not start")


def _plain() -> dict[str, str]:
    """The environment of a process under measurement: nothing of the caller's but the path."""
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8", "HOME": "/"}
