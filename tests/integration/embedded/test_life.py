"""How long the server lives, and who may die without taking it along or leaving it behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from gateway.embedded import start_cluster, stop_cluster, wait_stopped
from gateway.embedded.layout import Layout
from gateway.embedded.server import environment

from .conftest import answer, eventually, execute, processes, query


def test_many_processes_on_a_fresh_directory_get_one_server(fresh):
    openers = [fresh.opener() for _ in range(6)]
    starts = {query(each.urls()["url"], "SELECT pg_postmaster_start_time()") for each in openers}
    assert len(starts) == 1
    assert sorted(fresh.status().users) == sorted(each.pid for each in openers)


def test_the_server_stays_for_the_last_user_and_goes_with_it(site):
    first, second = site.opener(), site.opener()
    url = first.urls()["url"]
    second.urls()
    first.end()
    assert query(url, "SELECT 1") == 1
    second.end()
    site.gone()


def test_a_killed_opener_leaves_nothing_behind(site):
    opener = site.opener()
    opener.urls()
    assert processes(site.data_dir)
    opener.kill()
    site.gone()
    with site.open() as cluster:
        assert query(cluster.url, "SELECT 1") == 1


def test_a_child_of_a_killed_opener_does_not_keep_the_server(site):
    with site.open():
        child = subprocess.Popen(
            [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
        )
    site.gone()
    child.communicate()


def test_opening_leaves_no_child_process_and_no_zombie(site):
    def children():
        return Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()

    before = children()
    with site.open():
        assert children() == before
    site.gone()
    assert children() == before


def test_a_killed_server_comes_back_by_itself_with_what_was_committed(site):
    with site.open(durable=True) as cluster:
        execute(cluster.url, "DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT 42 AS number")
        killed = site.status().server_pid
        os.kill(killed, signal.SIGKILL)
        assert eventually(lambda: answer(cluster.url, "SELECT number FROM kept")) == 42
        assert site.status().server_pid != killed


def test_a_server_killed_again_and_again_comes_back_each_time(site):
    with site.open() as cluster:
        for _ in range(4):
            os.kill(eventually(lambda: site.status().server_pid), signal.SIGKILL)
            eventually(lambda: site.status().ready)
            eventually(lambda: answer(cluster.url, "SELECT 1"))


def test_a_busy_backend_of_a_killed_server_does_not_stand_in_the_way(site):
    with site.open() as cluster:
        busy = psycopg.connect(cluster.url)
        with contextlib.closing(busy):
            backend = busy.info.backend_pid
            busy.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 100000000000)")
            os.kill(site.status().server_pid, signal.SIGKILL)
            eventually(lambda: answer(cluster.url, "SELECT 1"))
            assert backend not in processes(site.data_dir)


def test_a_killed_guard_takes_its_server_along_and_a_user_starts_both_anew(site):
    with site.open(durable=True) as cluster:
        execute(cluster.url, "DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT 42 AS number")
        before = site.status()
        os.kill(before.guard_pid, signal.SIGKILL)
        eventually(lambda: site.status().guard_pid not in {None, before.guard_pid})
        assert eventually(lambda: answer(cluster.url, "SELECT number FROM kept")) == 42
        assert site.status().server_pid != before.server_pid
        assert before.server_pid not in processes(site.data_dir)


def test_guard_and_opener_killed_together_leave_nothing_behind(site):
    opener = site.opener()
    opener.urls()
    guard = site.status().guard_pid
    opener.process.send_signal(signal.SIGSTOP)
    os.kill(guard, signal.SIGKILL)
    opener.kill()
    site.gone()


def test_everything_killed_at_once_is_recovered_by_the_next_opener(copied):
    opener = copied.opener(durable=True)
    url = opener.urls()["url"]
    execute(url, "DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT 42 AS number")
    opener.process.send_signal(signal.SIGSTOP)
    for pid in [copied.status().guard_pid, *processes(copied.data_dir)]:
        if Path(f"/proc/{pid}").exists():
            os.kill(pid, signal.SIGKILL)
    opener.kill()
    with copied.open() as cluster:
        assert query(cluster.url, "SELECT number FROM kept") == 42


def test_a_stale_pid_file_whose_pid_belongs_to_somebody_else_now(copied):
    """In a container pids start anew: the old number is some other program of the account."""
    with copied.open():
        account = Layout(copied.data_dir).pgdata.stat()
    copied.gone()
    switch = {"user": account.st_uid, "group": account.st_gid} if os.geteuid() == 0 else {}
    other = subprocess.Popen(["/bin/sleep", "600"], **switch)
    try:
        pid_file = Layout(copied.data_dir).pgdata / "postmaster.pid"
        pid_file.write_text(f"{other.pid}\n{pid_file.parent}\n1\n5432\n/nowhere\n\n0 0\nready   \n")
        os.chown(pid_file, account.st_uid, account.st_gid)
        assert not copied.status().running
        with copied.open() as cluster:
            assert query(cluster.url, "SELECT 1") == 1
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_server_that_somebody_started_by_hand_is_taken_over(site):
    with site.open():
        spec = Layout(site.data_dir).read_spec()
    assert wait_stopped(site.data_dir)
    layout = Layout(site.data_dir)
    Path(spec.socket_dir).mkdir(mode=0o700, exist_ok=True)
    switch = {"user": spec.uid, "group": spec.gid} if spec.uid is not None else {}
    with layout.log.open("ab") as log:
        by_hand = subprocess.Popen(
            [f"{spec.bin}/postgres", "-D", layout.pgdata, "-c", f"config_file={layout.conf}"],
            env=environment(),
            stdout=log,
            stderr=log,
            **switch,
        )
    eventually(lambda: site.status().ready)
    with site.open() as cluster:
        assert by_hand.wait() == 0
        assert query(cluster.url, "SELECT 1") == 1
        assert site.status().server_pid != by_hand.pid


def test_a_held_server_stays_without_users_until_it_is_stopped(site):
    status = start_cluster(site.data_dir, pg_bin=site.pg_bin, allow_nobody=True)
    assert (status.held, status.ready) == (True, True)
    eventually(lambda: site.status().users == ())
    with site.open(durable=True):
        assert site.status().server_pid == status.server_pid
    assert site.status().ready
    stopped = stop_cluster(site.data_dir)
    assert (stopped.held, stopped.running, stopped.guard_pid) == (False, False, None)
    assert processes(site.data_dir) == []


def test_the_wish_to_hold_outlives_a_killed_guard(site):
    start_cluster(site.data_dir, pg_bin=site.pg_bin, allow_nobody=True)
    os.kill(site.status().guard_pid, signal.SIGKILL)
    site.gone()
    with site.open(durable=True):
        pass
    assert site.status().ready
    assert not stop_cluster(site.data_dir).running


def test_stop_does_not_take_the_server_from_its_users(site):
    start_cluster(site.data_dir, pg_bin=site.pg_bin, allow_nobody=True)
    with site.open(durable=True) as cluster:
        status = stop_cluster(site.data_dir)
        assert (status.running, status.held, status.users) == (True, False, (os.getpid(),))
        assert query(cluster.url, "SELECT 1") == 1
    site.gone()


def test_stop_signals_for_everybody_leave_users_time_to_finish(site):
    """A service manager signals the whole group; the guard waits for the users all the same."""
    with site.open() as cluster:
        guard = site.status().guard_pid
        for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            os.kill(guard, signum)
        assert query(cluster.url, "SELECT 1") == 1
        assert site.status().guard_pid == guard


def test_opening_and_closing_at_once_from_many_processes_never_fails(site):
    """An opener that comes while the guard is stopping its server waits and starts the next."""
    code = (
        "import sys, json\nfrom pathlib import Path\nfrom gateway.embedded import open_cluster\n"
        "import psycopg\n"
        "options = json.loads(sys.argv[1])\n"
        "pg_bin = options['pg_bin'] and Path(options['pg_bin'])\n"
        "for _ in range(5):\n"
        "    with open_cluster(Path(options['data_dir']), pg_bin=pg_bin, allow_nobody=True,"
        " durable=False) as c:\n"
        "        psycopg.connect(c.url).close()\n"
    )
    import json

    options = json.dumps(
        {"data_dir": str(site.data_dir), "pg_bin": str(site.pg_bin) if site.pg_bin else None}
    )
    crowd = [
        subprocess.Popen([sys.executable, "-c", code, options], cwd=Path(__file__).parents[3])
        for _ in range(3)
    ]
    assert [each.wait() for each in crowd] == [0, 0, 0]
    site.gone()


def test_an_idle_guard_does_nothing(site):
    with site.open():
        guard = site.status().guard_pid

        def switches():
            lines = Path(f"/proc/{guard}/status").read_text().splitlines()
            return [line for line in lines if "ctxt_switches" in line]

        def settled():
            before = switches()
            time.sleep(0.5)
            return switches() == before

        eventually(settled)


@pytest.mark.parametrize("times", [1, 2])
def test_close_may_be_called_again(site, times):
    cluster = site.open()
    for _ in range(times):
        cluster.close()
    site.gone()
