"""The stage: a directory, the gateway with its embedded database, simulated peers, all stopped.

Everything is a process of its own, started here and stopped here by its id, also after Ctrl-C.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from simulators.process import ROOT, Running, start

START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 25.0
COMMAND_SECONDS: Final = 60.0


class Failed(Exception):
    """A step did not go as it must; the text says which and how."""


class Inbox(NamedTuple):
    """A watched directory of the file drop."""

    peer: str
    profile: str = ""
    codec: str = ""


class Stage:
    """Use as a context; `keep` leaves the directory for a person to look at."""

    def __init__(self, *, keep: bool = False) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="appeals-demo-"))
        self.root.chmod(0o755)  # as root the database runs as `nobody` and must pass through
        self.keep = keep
        self.address = ""
        self.failed = False
        self._gateway: subprocess.Popen[bytes] | None = None
        self._simulators: list[Running] = []
        self._environment = _environment(self.root)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not leave anything running
        self.stop()
        if self.keep or self.failed or (kind is not None and kind is not KeyboardInterrupt):
            return
        shutil.rmtree(self.root, ignore_errors=True)

    def path(self, name: str) -> Path:
        """Return a path below the directory."""
        return self.root / name

    def simulator(self, name: str, *arguments: str) -> Running:
        """Start a simulator with its journal `<name>.jsonl`."""
        journal = str(self.path(f"{name}.jsonl"))
        running = start(name, "--journal", journal, *arguments)
        self._simulators.append(running)
        return running

    def configure(self, settings: dict[str, Any], inboxes: list[Inbox]) -> None:
        """Write gateway.toml; a value that is a table has its tables by name."""
        tables = {name: value for name, value in settings.items() if isinstance(value, dict)}
        lines = [f"{n} = {_toml(value)}" for n, value in settings.items() if n not in tables]
        for inbox in inboxes:
            lines += ["[[inboxes]]", f"path = {_toml(str(self.inbox(inbox.peer)))}"]
            lines += [f"{name} = {_toml(value)}" for name, value in inbox._asdict().items()]
            lines += ["settle_seconds = 0.3"]
            (self.inbox(inbox.peer) / "in").mkdir(parents=True, exist_ok=True)
        for name, table in tables.items():
            for key, inner in table.items():
                lines += [f"[{name}.{key}]", *(f"{n} = {_toml(v)}" for n, v in inner.items())]
        self.path("gateway.toml").write_text("\n".join(lines) + "\n", "utf-8")

    def inbox(self, peer: str) -> Path:
        """Return the directory of a peer's inbox."""
        return self.path("inbox") / peer

    def start_gateway(self) -> None:
        """Start `gateway run` and wait until it says its address and is ready."""
        log = self.path("gateway.log").open("ab")
        self._gateway = subprocess.Popen(
            [sys.executable, "-m", "gateway", "run"],
            stdout=subprocess.PIPE,
            stderr=log,
            env=self._environment,
            cwd=self.root,
            start_new_session=True,  # Ctrl-C is ours to pass on, in order
        )
        log.close()
        assert self._gateway.stdout
        line = self._gateway.stdout.readline().decode().strip()
        if not line.startswith("http"):
            raise Failed(f"gateway run не началась · did not start: {self.last_log()}")
        self.address = line

    @property
    def alive(self) -> bool:
        """Whether `gateway run` is there."""
        return self._gateway is not None and self._gateway.poll() is None

    def command(self, *arguments: str, ok: tuple[int, ...] = (0,), told: bool = True) -> Any:
        """Run `gateway … --json` and return its document; raise Failed for another exit code.

        told: whether the command has a document to print.
        """
        done = subprocess.run(  # noqa: S603 - our own program, no shell
            [sys.executable, "-m", "gateway", *arguments, *(["--json"] if told else [])],
            capture_output=True,
            env=self._environment,
            cwd=self.root,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        if done.returncode not in ok:
            said = (done.stderr or done.stdout).decode(errors="replace").strip()[-800:]
            raise Failed(f"gateway {' '.join(arguments)}: {done.returncode}: {said}")
        text = done.stdout.decode().strip()
        return json.loads(text) if text and told else None

    def worker(self) -> int:
        """Return the process id of the running `gateway work`."""
        for line in reversed(self._log_text().splitlines()):
            if '"supervisor.started"' in line and (told := json.loads(line))["child"] == "work":
                return int(told["pid"])
        raise Failed("в журнале нет процесса work · the log names no worker")

    def kill_worker(self) -> int:
        """SIGKILL the worker and return its process id; the supervisor starts another."""
        pid = self.worker()
        os.kill(pid, signal.SIGKILL)
        return pid

    def last_log(self) -> str:
        """Return the last lines of the gateway's log."""
        return "\n".join(self._log_text().splitlines()[-5:])

    def stop(self) -> None:
        """Stop everything that was started, each by its own id."""
        if self._gateway is not None:
            _stop(self._gateway)
            self._gateway = None
        for simulator in self._simulators:
            simulator.stop()
        self._simulators = []

    def _log_text(self) -> str:
        return self.path("gateway.log").read_text("utf-8", errors="replace")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()


def _environment(root: Path) -> dict[str, str]:
    """Return our environment without settings of another gateway."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GATEWAY_")}
    return kept | {
        "GATEWAY_CONFIG": str(root / "gateway.toml"),
        "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", "")))),
        "NO_COLOR": "1",
    }


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name} = {_toml(inner)}' for name, inner in value.items())}}}"
    return str(value) if isinstance(value, (int, float)) else json.dumps(value, ensure_ascii=False)


def until(seconds: float, check: Any, what: str, pause: float = 0.2) -> Any:
    """Return the first true answer of `check`, or raise Failed when the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        answer = check()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise Failed(f"за {seconds:.0f} с не дождались · waited in vain: {what}")
        time.sleep(pause)
