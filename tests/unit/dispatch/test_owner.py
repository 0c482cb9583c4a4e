"""A dead worker is known by its name, and only to those who can be sure."""

import os
import subprocess
import sys

from gateway.dispatch import owner

TELL = "from gateway.dispatch import owner; print(owner.name(), flush=True); input()"


def test_a_process_is_gone_when_it_has_ended_and_not_before():
    with subprocess.Popen(
        [sys.executable, "-c", TELL], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        name = process.stdout.readline().strip()
        assert f":{process.pid}:" in name
        assert not owner.is_gone(name)
        process.kill()
    assert owner.is_gone(name)
    assert not owner.is_gone(owner.name())


def test_a_number_that_a_later_process_bears_names_nobody_who_lives():
    host, pid, started, machine = owner.name().split(":")
    assert owner.is_gone(":".join((host, pid, str(int(started) - 1), machine)))


def test_of_another_machine_or_an_earlier_boot_nothing_is_known():
    host, _, started, _ = owner.name().split(":")
    for name in (
        f"{host}:999999999:{started}:00000000",
        f"{host}:999999999",
        f"{host}:{os.getpid()}:command",
        "worker-1",
        "",
        "a:b:c:d",
    ):
        assert not owner.is_gone(name)
