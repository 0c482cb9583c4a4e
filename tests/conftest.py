"""Fixtures shared by all tests: one PostgreSQL a session, one fresh database a test."""

from __future__ import annotations

import importlib.util
import itertools
import os
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from gateway.embedded import Cluster

TEMPLATE = "template_gateway"

ROOM = 4 * 1024**3
"""Free memory file system, in bytes, below which tests use the disk: a container may have 64 MB."""

_numbers = itertools.count(1)

# For one more Python, after the first has run every property in full (`.ci/run interpreters`).
settings.register_profile("again", settings.get_profile("ci"), max_examples=20)


def place_for_databases() -> Path:
    """A new directory, in memory when there is room for it: making a cluster writes 40 MB.

    Its mode lets the server's account walk through; pytest's own directories are closed to others.
    """
    memory = Path("/dev/shm")
    roomy = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > ROOM
    directory = Path(tempfile.mkdtemp(prefix="gateway-test-", dir=memory if roomy else None))
    directory.chmod(0o711)
    return directory


@pytest.fixture(scope="session")
def pg_dir() -> Iterator[Path]:
    """The directory of the session's cluster."""
    directory = place_for_databases()
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def pg_cluster(pg_dir: Path) -> Iterator[Cluster]:
    """One PostgreSQL for the session (under xdist for the worker), without fsync."""
    from gateway.embedded import open_cluster, wait_stopped

    data_dir = pg_dir / "postgres"
    with open_cluster(data_dir, allow_nobody=True, durable=False) as cluster:
        yield cluster
    wait_stopped(data_dir)


def make_template(url: str) -> None:
    """Fill the template database: the schema of the gateway, as far as it exists."""
    if importlib.util.find_spec("gateway.store") is None:
        return
    if importlib.util.find_spec("gateway.store.schema") is None:
        return
    from gateway.store import schema

    schema.create_all(url, datetime.now(UTC))


@pytest.fixture(scope="session")
def pg_admin(pg_cluster: Cluster) -> Iterator[psycopg.Connection]:
    """The connection that makes and drops the databases of tests."""
    with _admin(pg_cluster, "postgres") as admin:
        yield admin


@pytest.fixture(scope="session")
def pg_template(pg_cluster: Cluster, pg_admin: psycopg.Connection) -> str:
    """Name of the database that each test's own is cloned from."""
    pg_admin.execute(f"CREATE DATABASE {TEMPLATE} OWNER gateway".encode())
    with _admin(pg_cluster, TEMPLATE) as admin:
        admin.execute("CREATE EXTENSION pg_trgm")
    make_template(pg_cluster.url_for(TEMPLATE))
    return TEMPLATE


@pytest.fixture
def pg_url(pg_cluster: Cluster, pg_admin: psycopg.Connection, pg_template: str) -> Iterator[str]:
    """URL of a fresh database with the gateway's schema, owned by the connecting role.

    By copying files, because nothing waits for a disk here; page by page is half as long again.
    """
    name = f"test_{next(_numbers)}"
    copied = f"TEMPLATE {pg_template} STRATEGY FILE_COPY"
    pg_admin.execute(f"CREATE DATABASE {name} OWNER gateway {copied}".encode())
    yield pg_cluster.url_for(name)
    pg_admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def _admin(cluster: Cluster, dbname: str) -> psycopg.Connection:
    import psycopg

    return psycopg.connect(cluster.admin_url_for(dbname), autocommit=True)
