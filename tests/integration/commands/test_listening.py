"""`gateway serve` and `gateway run` where they cannot listen: one line that says what to do."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from gateway.store import schema

CHECKOUT = Path(__file__).resolve().parents[3]


@pytest.fixture
def told(pg_url, tmp_path):
    """Run a command that is to fail at its start, and return the last line that it says."""
    with psycopg.connect(pg_url, autocommit=True) as db:
        db.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
        db.execute("INSERT INTO alembic_version VALUES (%s)", (schema.head(),))

    def run(command: str, host: str, port: int) -> str:
        ran = subprocess.run(
            [sys.executable, "-m", "gateway", command],
            cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False,
            env={
                "PATH": os.defpath, "GATEWAY_DATABASE_URL": pg_url,
                "GATEWAY_DATA_DIR": str(tmp_path), "GATEWAY_HOST": host,
                "GATEWAY_PORT": str(port),
            },
        )  # fmt: skip
        assert (ran.returncode, ran.stdout) == (2, ""), ran.stderr
        assert "Traceback" not in ran.stderr
        return ran.stderr.splitlines()[-1]

    return run


@pytest.mark.parametrize("command", ["serve", "run"])
def test_a_port_that_is_taken_is_named_with_what_to_do(told, command):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        line = told(command, "127.0.0.1", port)
    assert "another program listens there already" in line
    assert f"127.0.0.1:{port}" in line
    assert "GATEWAY_PORT" in line
    assert "set another port" in line


def test_an_address_of_another_machine_is_named(told):
    line = told("serve", "192.0.2.1", 0)
    assert "cannot listen there" in line
    assert "192.0.2.1:0" in line
