"""A watcher killed in the middle of a file loses nothing and doubles nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from .conftest import table

ROOT = Path(__file__).parents[3]
ROWS = 8_000
BAD_EVERY = 10


def row(n):
    oktmo = "4000000" if n % BAD_EVERY == 0 else "04000000"
    return f"К-{n};01.02.2026;Жалоба;Иванов Иван;{oktmo};Нет света в подъезде {n}"


def started(drop):
    return subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("victim.py")), drop.url, str(drop.root)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
    )


def test_a_watcher_killed_in_the_middle_of_a_file_loses_and_doubles_nothing(drop):
    drop.put("register.csv", table(*map(row, range(ROWS))))
    killed_at = []
    for landed in (300, 2_500, 5_000):
        victim = started(drop)
        try:
            while drop.count("appeal") < landed:
                assert victim.poll() is None
                time.sleep(0.02)
        finally:
            victim.send_signal(signal.SIGKILL)
            victim.wait()
        killed_at.append(drop.count("appeal"))
        assert drop.names("in") == drop.names("done") == []
        assert any(name.endswith("register.csv") for name in drop.names("work"))
        assert not any(name.endswith(".csv") for name in drop.names("out"))
    assert killed_at[-1] < ROWS * (BAD_EVERY - 1) // BAD_EVERY, "killed too late to prove a thing"

    (report,) = drop.look().files

    good = ROWS - ROWS // BAD_EVERY
    assert (report.landed, report.rejected) == (good, ROWS // BAD_EVERY)
    assert drop.count("appeal") == good
    assert drop.count("message", "stage = 'accepted'") == good
    assert drop.count("message", "stage = 'undecodable'") == ROWS // BAD_EVERY
    assert drop.count("message", "operation = 'file'") == 1
    acks = drop.answers("register.csv.ack.csv")
    assert {a["external_id"]: a["receipt_number"] for a in acks} == dict(
        drop.rows("SELECT external_id, receipt_number FROM appeal")
    )
    assert len(drop.answers("register.csv.err.csv")) == ROWS // BAD_EVERY
    assert drop.names("done") == ["register.csv"]
    assert drop.names("work") == []
    assert drop.names("out") == ["register.csv.ack.csv", "register.csv.err.csv"]


def test_a_file_that_kills_every_watcher_is_put_aside_for_a_person(drop):
    drop.put("bomb.csv", table(row(1)))
    from import_export.inbox import Directories

    directories = Directories(drop.inbox.path)
    claim = directories.claim(drop.inbox.path / "in" / "bomb.csv")
    for _ in range(5):
        claim.begin_try()
    (report,) = drop.look().files
    assert (report.place, report.error) == ("error", "internal")
    assert drop.answers("bomb.csv.err.csv")[0]["code"] == "internal"
