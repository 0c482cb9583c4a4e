"""A private RabbitMQ of a test or a stand: own node, ports and cookie, all below one directory.

Nothing of the machine's own broker is used but the program. Processes are ended by their ids.
"""

from __future__ import annotations

import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE: Final = "rabbitmq-server"
"""Of Debian and its kin."""
_PLACES: Final = "/usr/lib/rabbitmq/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"
"""Debian's wrapper in /usr/sbin changes to an account of its own, so the program comes first."""
_PORTS: Final = (16_000, 32_000)
_START_SECONDS: Final = 90.0
_STOP_SECONDS: Final = 30.0


class MissingError(RuntimeError):
    """RabbitMQ is not installed."""


def program(name: str = "rabbitmq-server") -> str:
    """Return the path of a program of RabbitMQ; raise MissingError."""
    path = shutil.which(name, path=_PLACES)
    if path is None:
        message = f"needs the package {PACKAGE}"
        raise MissingError(message)
    return path


def free_port() -> int:
    """Return a port of the loopback that nobody listens on now.

    Below those that the system gives to whoever connects: a client that waits for a node to come
    back would else be given the node's own port one day, and speak to itself.
    """
    while True:
        port = random.randrange(*_PORTS)
        with socket.socket() as bound:
            try:
                bound.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class Broker:
    """One node. directory: its own place. more: lines of rabbitmq.conf, for TLS and the like."""

    def __init__(self, directory: Path, *, port: int = 0, more: str = "") -> None:
        self._server = program()
        self.directory = directory.resolve()
        self.port = port or free_port()
        self._epmd_port, self._dist_port = free_port(), free_port()
        self._more = more
        self._epmd: subprocess.Popen[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._prepare()

    @property
    def address(self) -> str:
        """Where it listens, as the option `broker` wants it."""
        return f"amqp://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, or start again with everything that was durable; raise RuntimeError."""
        place = self.directory
        if self._epmd is None:
            self._epmd = subprocess.Popen(  # noqa: S603 - a fixed program, no shell
                [
                    program("epmd"),
                    "-port",
                    str(self._epmd_port),
                    "-address",
                    "127.0.0.1",
                ],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=self._environment(),
            )
        with (place / "output.log").open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603
                [self._server], stdout=output, stderr=output, cwd=place, env=self._environment()
            )
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end:
            if self._process.poll() is not None:
                break
            with socket.socket() as trial:
                if trial.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        self.stop()
        tail = (place / "output.log").read_text("utf-8", "replace")[-2000:]
        message = f"RabbitMQ did not start: {tail}"
        raise RuntimeError(message)

    def halt(self) -> None:
        """Stop in order; what is durable stays for the next `start`."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the node at once, as a power cut would."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Let the node say nothing more, its connections stay open."""
        os.kill(self._node(), signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused node go on."""
        os.kill(self._node(), signal.SIGCONT)

    def stop(self) -> None:
        """Stop the node and its name service; nothing of it runs any more."""
        self._end(signal.SIGTERM)
        if self._epmd is not None:
            self._epmd.terminate()
            self._epmd.wait(_STOP_SECONDS)
            self._epmd = None

    def ctl(self, *arguments: str) -> str:
        """Run rabbitmqctl against this node; return what it said."""
        done = subprocess.run(  # noqa: S603
            [program("rabbitmqctl"), "--quiet", *arguments],
            env=self._environment(),
            capture_output=True,
            check=True,
            timeout=60,
            cwd=self.directory,
        )
        return done.stdout.decode()

    def _prepare(self) -> None:
        for name in ("home", "mnesia", "log"):
            (self.directory / name).mkdir(parents=True, exist_ok=True)
        cookie = self.directory / "home" / ".erlang.cookie"
        if not cookie.exists():
            cookie.write_text(secrets.token_hex(10).upper())
            cookie.chmod(0o400)
        (self.directory / "enabled_plugins").write_text("[].\n")
        (self.directory / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self.port}\nlog.file = false\nlog.console = true\n"
            f"log.console.level = warning\ndisk_free_limit.absolute = 50MB\n{self._more}"
        )

    def _environment(self) -> dict[str, str]:
        place = self.directory
        return {
            "PATH": os.environ.get("PATH", _PLACES),
            "LANG": "C.UTF-8",
            "HOME": str(place / "home"),
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"appeals{self.port}@localhost",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_DIST_PORT": str(self._dist_port),
            "RABBITMQ_MNESIA_BASE": str(place / "mnesia"),
            "RABBITMQ_LOG_BASE": str(place / "log"),
            "RABBITMQ_CONFIG_FILE": str(place / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(place / "advanced.config"),
            "RABBITMQ_CONF_ENV_FILE": str(place / "rabbitmq-env.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(place / "enabled_plugins"),
            "RABBITMQ_PID_FILE": str(place / "node.pid"),
        }

    def _node(self) -> int:
        return int((self.directory / "node.pid").read_text())

    def _end(self, how: signal.Signals) -> None:
        """End the node, and wait for the script that started it."""
        if self._process is None:
            return
        if self._process.poll() is None:
            try:
                os.kill(self._node(), how)
            except (OSError, ValueError):
                self._process.send_signal(how)
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None
        (self.directory / "node.pid").unlink(missing_ok=True)
