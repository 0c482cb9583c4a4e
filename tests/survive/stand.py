"""A whole gateway on a directory of its own: `gateway run`, its children, its database, two peers.

The stand does what a service manager does, and no more: it starts `gateway run` again when it has
ended. Everything else must come back by itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import psycopg

from gateway.embedded import open_cluster
from simulators import process as simulators
from tests.survive.say import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from simulators.process import Running

CHECKOUT = Path(__file__).resolve().parents[2]
SENDER = "portal"
REPEATED = "repeated"
"""Takes repeats under the same key without a second effect; cannot be asked."""
ASKED = "asked"
"""A repeat would be a second effect; tells what became of a key."""
PEERS = (REPEATED, ASKED)
TIMEOUT = 4.0
ROUTING = f"""
[[rule]]
id = "all"
executor = "gzhi"
destinations = ["{REPEATED}", "{ASKED}"]
reason = "Всё"
"""
RESTART_SECONDS = 0.5
WAIT_SECONDS = 120.0


OPEN = """
SELECT (SELECT count(*) FROM work)
     + (SELECT count(*) FROM delivery
        WHERE kind = 'push' AND state NOT IN ('acknowledged', 'skipped'))
"""


class Store:
    """The database of a stand that runs."""

    def __init__(self, url: str) -> None:
        self.url = url

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Return all rows."""
        with psycopg.connect(self.url, autocommit=True, connect_timeout=5) as db:
            return db.execute(statement.encode()).fetchall()

    def quiet(self) -> bool:
        """Whether everything was worked on and delivered."""
        try:
            return self.rows(OPEN) == [(0,)]
        except psycopg.OperationalError:
            return False


class Stand:
    """One installation in a temporary directory."""

    def __init__(self, root: Path, **env: str) -> None:
        self.root = root
        self.data = root / "data"
        self.journals = {code: root / f"{code}.jsonl" for code in PEERS}
        self.peers: dict[str, Running] = {}
        self.key = ""
        self.address = ""
        self.restarts = 0
        self._log: IO[bytes] = (root / "gateway.log").open("ab")
        self._run: subprocess.Popen[bytes] | None = None
        self._ended = 0.0
        routing = root / "routing.toml"
        routing.write_text(ROUTING)
        self.secret = root / "secret"
        self.secret.write_text("a secret of the survival run")
        self.env = {
            "PATH": os.defpath,
            "GATEWAY_DATA_DIR": str(self.data),
            "GATEWAY_PORT": "0",
            "GATEWAY_LOG_LEVEL": "warning",
            "GATEWAY_ORGANISATION": "gzhi",
            "GATEWAY_REGISTER_CHANNELS": "*",
            "GATEWAY_ROUTING_FILE": str(routing),
            "GATEWAY_DISPATCH_WORKERS": "16",
            "GATEWAY_POLL_SECONDS": "0.2",
            **({"GATEWAY_PG_ALLOW_NOBODY": "true"} if os.geteuid() == 0 else {}),
            **env,
        }

    def start(self, *, peers: bool = True) -> None:
        """Start the peers and the gateway; make the peers known to it."""
        if peers:
            for code in PEERS:
                self.peers[code] = simulators.start(
                    "webhook", "--journal", str(self.journals[code])
                )
        self._start()
        self.env["GATEWAY_PORT"] = self.address.rpartition(":")[2]
        self.key = json.loads(self.gateway("peer", "add", SENDER, "--json"))["key"]
        for code, peer in self.peers.items():
            options: dict[str, Any] = {
                "url": f"{peer.address}/{code}",
                "secret_file": str(self.secret),
                "allow_private": ["127.0.0.1"],
                "events": ["Registered"],
                "idempotent": code == REPEATED,
                "timeout": TIMEOUT,
                "settle_after": 1,
                "max_in_flight": 256,
            }
            if code == ASKED:
                options["ask_url"] = f"{peer.address}/_received/{{key}}"
            pairs = [f"--option={name}={json.dumps(value)}" for name, value in options.items()]
            self.gateway(
                "peer", "add", code, "--adapter=webhook", "--no-key", "--callback-host=127.0.0.1",
                *pairs,
            )  # fmt: skip

    def gateway(self, *arguments: str) -> str:
        """Run a command of the installation and return what it printed; 1 means "found some"."""
        done = subprocess.run(
            [sys.executable, "-m", "gateway", *arguments],
            cwd=CHECKOUT, env=self.env, stdout=subprocess.PIPE, stderr=self._log, text=True,
            check=False,
        )  # fmt: skip
        if done.returncode not in {0, 1}:
            raise RuntimeError(f"gateway {arguments[0]}: {done.returncode}: {done.stdout}")
        return done.stdout

    def _start(self) -> None:
        self._run = subprocess.Popen(
            [sys.executable, "-m", "gateway", "run"],
            cwd=CHECKOUT, env=self.env, stdout=subprocess.PIPE, stderr=self._log,
        )  # fmt: skip
        assert self._run.stdout is not None
        line = self._run.stdout.readline().decode().strip()
        self.address = line or self.address

    @contextlib.contextmanager
    def store(self) -> Iterator[Store]:
        """Lend a look into the database; it stays up meanwhile, so never while killing."""
        allow_nobody = "GATEWAY_PG_ALLOW_NOBODY" in self.env
        with open_cluster(self.data, allow_nobody=allow_nobody) as cluster:
            yield Store(cluster.url)

    def tend(self) -> None:
        """Start `gateway run` again when it has ended, as a service manager would."""
        if self._run is None or self._run.poll() is None:
            return
        if self._run.stdout:
            self._run.stdout.close()
        time.sleep(RESTART_SECONDS)
        self.restarts += 1
        self._start()

    def wait(self, condition: Callable[[], Any], what: str, seconds: float = WAIT_SECONDS) -> float:
        """Wait, tending, until the condition holds; return how many seconds it took."""
        begun = time.monotonic()
        while not condition():
            self.tend()
            if time.monotonic() - begun > seconds:
                raise RuntimeError(
                    f"not within {seconds:.0f} s: {what}; see {self.root}/gateway.log"
                )
            time.sleep(0.005)
        return time.monotonic() - begun

    def pids(self) -> dict[str, list[int]]:
        """Return the processes that are there: run, serve, work, guard, postgres."""
        assert self._run is not None
        found: dict[str, list[int]] = {name: [] for name in ("run", "serve", "work")}
        mark = f"GATEWAY_DATA_DIR={self.data}\0".encode()
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                words = (entry / "cmdline").read_bytes().split(b"\0")
                if (
                    words[1:3] != [b"-m", b"gateway"]
                    or mark not in (entry / "environ").read_bytes()
                ):
                    continue
                name = words[3].decode()
                if name in found:
                    found[name].append(int(entry.name))
        found["guard"] = _pid(self.data, "guard.pid")
        found["postgres"] = _pid(self.data, "postmaster.pid")
        return found

    def stop(self) -> None:
        """Stop everything in order; kill what does not go."""
        for peer in self.peers.values():
            peer.stop()
        if self._run is not None and self._run.poll() is None:
            self._run.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._run.wait(60)
        for pids in self.pids().values():
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        if self._run is not None:
            self._run.wait()
            if self._run.stdout:
                self._run.stdout.close()
        self._log.close()


def _pid(data: Path, name: str) -> list[int]:
    """The pid in a pid file somewhere below, when that process lives."""
    for path in data.rglob(name):
        with contextlib.suppress(OSError, ValueError, IndexError):
            pid = int(path.read_text().split()[0])
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            if b"postgres" in command or b"guard" in command:
                return [pid]
    return []


@contextlib.contextmanager
def place(*, keep: bool = False) -> Iterator[Path]:
    """Lend a directory that goes away afterwards unless something went wrong."""
    root = Path(tempfile.mkdtemp(prefix="gateway-survive-"))
    root.chmod(0o711)
    try:
        yield root
    except BaseException:
        keep = True
        raise
    finally:
        if keep:
            say(f"kept for a look: {root}")
        else:
            shutil.rmtree(root, ignore_errors=True)


@contextlib.contextmanager
def standing(*, keep: bool = False, peers: bool = True, **env: str) -> Iterator[Stand]:
    """Lend a running stand."""
    with place(keep=keep) as root:
        stand = Stand(root, **env)
        try:
            stand.start(peers=peers)
            yield stand
        finally:
            stand.stop()
