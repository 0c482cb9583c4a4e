"""The guard: a small process that owns `postgres` and outlives whoever started it.

Life and death hang on locks, because the kernel frees a lock however its holder dies:

- Every process that uses the server holds `life.lock` shared. The guard waits for it exclusively;
  when it gets it nobody is left, and it stops the server. An opener that comes in that moment waits
  for the same lock, finds no guard afterwards and starts the next one.
- The guard holds `guard.lock`, and so does every postgres process, which inherits the descriptor.
  When the lock is free, all of them are gone, and a new guard may start at once.
- The kernel sends SIGINT (a fast stop) to postgres when the guard dies, so a killed guard leaves no
  server behind. Processes that still use the server notice the free lock and start a new guard.
- A killed postgres is started again, after a pause that doubles up to a bound and starts anew when
  the server has lived for a while. Backends orphaned by the kill are waited for first: the guard is
  their subreaper, and PostgreSQL refuses to start while one of them is attached to its memory.

While nothing happens the guard sleeps in `poll` and in `flock` and uses no processor time.

Traps of stock launchers that end here: an orphan after SIGKILL of the owner, a lifetime counted in
pids, zombies, a start limit of 10 s, `postmaster.pid already exists` after a crash, a pid file
whose pid now belongs to another program, an environment that leaks into the server.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway import limits
from gateway.embedded import locks, server
from gateway.embedded.layout import Layout, ServerSpec, write_file

if TYPE_CHECKING:
    from types import FrameType

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36

_FIRST_PAUSE = 0.1
_FIRST_ATTEMPTS = 5
"""A server that has never been ready is given up after so many starts: its opener is waiting."""
_SETTLED_SECONDS = 60.0
"""A server that lived so long died of something new: the pauses start anew."""

_ORPHAN_SECONDS = 5.0

_libc = ctypes.CDLL(None, use_errno=True)


class Guard:
    """Keeps one server alive for as long as somebody uses it."""

    def __init__(self, layout: Layout, spec: ServerSpec, guard_lock: int) -> None:
        self._layout = layout
        self._spec = spec
        self._guard_lock = guard_lock
        self._hold: int | None = None
        self._unused = threading.Event()
        self._wake_read, self._wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._was_ready = False

    def run(self) -> int:
        """Serve until nobody uses the server; returns the exit status of the process."""
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self._listen()
        write_file(self._layout.guard_pid, str(os.getpid()).encode())
        self._reread_hold()
        threading.Thread(target=self._await_unused, daemon=True).start()
        self._say("starts")
        running = server.read_postmaster(self._layout.pgdata)
        if running is not None:
            self._say(f"stops a server that somebody else started (pid {running.pid})")
            server.stop_server(running.pid, self._layout.pgdata)
        status = self._keep()
        for path in (self._layout.guard_pid, self._layout.held):
            path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            if self._spec.socket_dir != str(self._layout.sockets):
                Path(self._spec.socket_dir).rmdir()
        self._say("ends")
        return status

    def _keep(self) -> int:
        """Start the server, and again when it dies."""
        pause, attempt = _FIRST_PAUSE, 0
        while True:
            attempt += 1
            born = time.monotonic()
            child = self._start()
            self._await_end(child)
            if child.poll() is None:
                self._stop(child)
                return 0
            self._reap()
            if self._unused.is_set():
                return 0
            self._say(f"postgres ended with status {child.returncode}")
            if not self._was_ready and attempt >= _FIRST_ATTEMPTS:
                return 1
            if time.monotonic() - born > _SETTLED_SECONDS:
                pause = _FIRST_PAUSE
            self._sleep(pause)
            if self._unused.is_set():
                return 0
            pause = min(pause * 2, limits.EMBEDDED_BACKOFF_SECONDS)

    def _start(self) -> subprocess.Popen[bytes]:
        """Start postgres so that it stops when the guard dies, whatever it dies of."""
        server.drop_stale_pid_files(self._layout.pgdata, Path(self._spec.socket_dir))
        guard = os.getpid()

        def stop_with_guard() -> None:
            _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGINT), 0, 0, 0)
            if os.getppid() != guard:
                os._exit(1)

        spec = self._spec
        switch: dict[str, Any] = {}
        if spec.uid is not None:
            switch = {"user": spec.uid, "group": spec.gid, "extra_groups": []}
        return subprocess.Popen(  # noqa: S603 - written by an opener into a directory of mode 0700
            [
                str(Path(spec.bin) / "postgres"),
                "-D",
                str(self._layout.pgdata),
                "-c",
                f"config_file={self._layout.conf}",
            ],
            cwd="/",
            env=server.environment(),
            stdin=subprocess.DEVNULL,
            pass_fds=(self._guard_lock,),
            start_new_session=True,
            umask=0o077,
            preexec_fn=stop_with_guard,  # noqa: PLW1509 - the other thread sleeps in flock
            **switch,
        )

    def _await_end(self, child: subprocess.Popen[bytes]) -> None:
        """Wait until the server has ended or nobody uses it any more."""
        starting = True
        while child.poll() is None and not self._unused.is_set():
            if starting:
                found = server.read_postmaster(self._layout.pgdata)
                if found is not None and found.ready:
                    starting, self._was_ready = False, True
            self._wait(0.02 if starting else None)

    def _stop(self, child: subprocess.Popen[bytes]) -> None:
        """Stop the server: fast, then at once, then by force."""
        for signum, patience in (
            (signal.SIGINT, limits.EMBEDDED_STOP_SECONDS),
            (signal.SIGQUIT, 10.0),
            (signal.SIGKILL, 10.0),
        ):
            child.send_signal(signum)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(patience)
                break
        self._reap()

    def _reap(self) -> None:
        """See the backends of a dead server off, as it would have done itself: SIGQUIT, SIGKILL.

        They leave by themselves, but one in the middle of a long query may take minutes.
        """
        deadline = time.monotonic() + _ORPHAN_SECONDS
        signum = signal.SIGQUIT
        with contextlib.suppress(ChildProcessError):
            while True:
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
                for orphan in _children():
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(orphan, signum)
                if time.monotonic() > deadline:
                    signum = signal.SIGKILL
                self._wait(0.05)

    def _await_unused(self) -> None:
        """Sleep until no process holds the life lock, then wake the main thread."""
        descriptor = locks.open_lock(self._layout.life_lock)
        locks.take(descriptor)
        self._unused.set()
        os.write(self._wake_write, b"\0")

    def _listen(self) -> None:
        """Turn the end of a child and the change of `hold` into bytes that wake the main thread.

        Stop signals are ignored: a service manager that signals the whole group would otherwise
        take the database away from processes that still finish their work.
        """

        def woken(_signum: int, _frame: FrameType | None) -> None:
            """The byte in the pipe is the message."""

        def reread(_signum: int, _frame: FrameType | None) -> None:
            self._reread_hold()

        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, woken)
        signal.signal(signal.SIGUSR1, reread)
        for ignored in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(ignored, signal.SIG_IGN)

    def _reread_hold(self) -> None:
        """Use the server ourselves from `gateway db start` until `gateway db stop`."""
        if not self._layout.hold.exists():
            self._layout.held.unlink(missing_ok=True)
            if self._hold is not None:
                os.close(self._hold)
                self._hold = None
            return
        if self._hold is None:
            self._hold = locks.open_lock(self._layout.life_lock)
            # Only when whoever wished it has died meanwhile is the lock ours alone already.
            if not locks.try_take(self._hold, shared=True):
                return
        write_file(self._layout.held, str(os.getpid()).encode())

    def _wait(self, seconds: float | None) -> None:
        """Sleep until something happened, or at most `seconds`."""
        poll = select.poll()
        poll.register(self._wake_read, select.POLLIN)
        if poll.poll(None if seconds is None else seconds * 1_000):
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake_read, 4_096)

    def _sleep(self, seconds: float) -> None:
        """Pause before the next start, cut short when nobody is left to start it for."""
        deadline = time.monotonic() + seconds
        while not self._unused.is_set() and (left := deadline - time.monotonic()) > 0:
            self._wait(left)

    def _say(self, what: str) -> None:
        sys.stderr.write(f"guard [{os.getpid()}] {what}\n")
        sys.stderr.flush()


def _children() -> list[int]:
    """Pids of the children of this process, those that it inherited included."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name in brackets may hold anything; the state and the parent follow it.
            words = entry.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            if words[1] == str(os.getpid()) and words[0] != "Z":
                found.append(int(entry.parent.name))
    return found


def main(arguments: list[str]) -> int:
    """Run the guard of a data directory: `python -m gateway.embedded.guard ROOT LOCK_FD`.

    An opener starts it with guard.lock taken on the inherited descriptor LOCK_FD. The process that
    was started returns at once; its child is the guard, and nobody has to wait for that one.
    """
    layout, guard_lock = Layout(Path(arguments[0])), int(arguments[1])
    spec = layout.read_spec()
    if spec is None:
        return 1
    if os.fork():
        return 0
    os.setsid()
    os.umask(0o077)
    os.chdir("/")
    os.set_inheritable(guard_lock, False)
    return Guard(layout, spec, guard_lock).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
