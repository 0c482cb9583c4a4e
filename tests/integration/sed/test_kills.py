"""Killed at any moment: nothing in `out/` is half, nothing is lost, nothing has two uids."""

import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from simulators.sed import messages, rules
from simulators.seed.appeals import Source

ROOT = Path(__file__).parents[3]
CASES = ROOT / "tests" / "contract" / "sed"
MESSAGES = 30
KILLS = 8
WORK = """
import sys, datetime as dt
from adapters.sed.adapter import Sed
from adapters.sed.folder import pack
from gateway.adapter import EncodeContext, Landed, Verdict
from gateway.model.appeal import Appeal
from gateway.model.ids import receipt_of
directory = sys.argv[1]
sed = Sed({"directory": directory, "settle_seconds": 0, "batch": 3,
           "uid": "99999999-9999-4999-8999-999999999999", "organization": "Инспекция (тест)",
           "addressee": "Администрация (тест)"})
now = dt.datetime(2026, 4, 1, tzinfo=dt.UTC)
for number in range(int(sys.argv[2])):
    appeal = Appeal(receipt_number=receipt_of(number), text="Текст " * 50)
    key = f"delivery-{number}"
    wire = sed.encode(appeal, None, EncodeContext(now=now, key=key))
    if sed.settle(wire, key) is None:
        sed.deliver(wire, key)
    batch = sed.receive("")
    sed.acknowledge(tuple(
        Verdict(token=t.token, items=(Landed(),), now=now) for t in batch.messages
    ))
while batch.messages:
    batch = sed.receive("")
    sed.acknowledge(tuple(
        Verdict(token=t.token, items=(Landed(),), now=now) for t in batch.messages
    ))
print("done")
"""
REPLIES = """
import sys, datetime as dt
from adapters.sed.adapter import Sed
from gateway.adapter import Landed, Verdict
from gateway.errors import GatewayError
sed = Sed({"directory": sys.argv[1], "settle_seconds": 0, "batch": 2,
           "uid": "99999999-9999-4999-8999-999999999999", "organization": "Инспекция (тест)"})
now = dt.datetime(2026, 4, 1, tzinfo=dt.UTC)
def judged(taken):
    try:
        sed.decode(taken.wire)
    except GatewayError as error:
        return Verdict(token=taken.token, items=(Landed(error=error),), now=now)
    return Verdict(token=taken.token, items=(Landed(),), now=now)
cursor, more = "", True
while more:
    batch = sed.receive(cursor)
    sed.acknowledge(tuple(map(judged, batch.messages)))
    cursor, more = batch.cursor, batch.more
print("done")
"""


def drop(directory, draw):
    """Lay messages into `in/`; return their uids."""
    uids = []
    source = Source(1, messages.clock(messages.ZONE).date())
    for number in range(MESSAGES):
        mid = messages.new_uid(draw)
        files = messages.document(
            source.appeal("epgu"), mid, messages.new_uid(draw), f"ОГ-{number}"
        )
        folder = directory / "in" / mid
        folder.mkdir(parents=True)
        for name, data in files.items():
            (folder / name).write_bytes(data)
        uids.append(mid)
    return uids


def folders(place):
    return [p for p in place.iterdir() if p.is_dir() and not p.name.startswith(".")]


def drop_refused(directory, draw):
    """Lay refused containers, refused and good documents of SEV into `in/`; return their uids."""
    uids = []
    for number in range(MESSAGES):
        case = ("e27-pdf-missing", "sev-resource-missing", "sev-docinfo")[number % 3]
        mid = messages.new_uid(draw)
        folder = directory / "in" / mid
        folder.mkdir(parents=True)
        for path in (CASES / case / "wire").iterdir():
            data = path.read_bytes()
            if path.name == "document.xml":
                data = re.sub(rb'(header xdms:type="[^"]*" xdms:uid=|MessageID=)"[^"]*"',
                              rb'\1"%s"' % mid.encode(), data)  # fmt: skip
                assert mid.encode() in data
            (folder / path.name).write_bytes(data)
        uids.append(mid)
    return uids


def test_killed_at_any_moment_every_sender_is_told_once_in_his_own_form(tmp_path):
    draw = random.Random(27)
    directory = tmp_path / "exchange"
    uids = drop_refused(directory, draw)
    (directory / "out").mkdir()
    command = [sys.executable, "-c", REPLIES, str(directory)]
    for _ in range(KILLS):
        kill(command, directory, draw)
    assert subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout == b"done\n"

    moved = [p.name for name in ("done", "error") for p in folders(directory / name)]
    assert sorted(moved) == sorted(uids)
    subjects = Counter(
        (p / "envelope.ini").read_bytes().decode("cp1251").splitlines()[1].split(" (")[0]
        for p in folders(directory / "out")
    )
    third = MESSAGES // 3
    assert subjects == {
        "ТЕМА=Квитанция": third, "ТЕМА=Уведомление": third, "ТЕМА=Failure": third,
        "ТЕМА=Reception": third,
    }  # fmt: skip


def kill(command, directory, draw):
    """Start it, and kill it a moment after something new appeared."""
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    there = len(folders(directory / "out"))
    end = time.monotonic() + 20
    while len(folders(directory / "out")) == there and child.poll() is None:
        assert time.monotonic() < end
        time.sleep(0.005)
    time.sleep(draw.uniform(0.0, 0.1))
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()


def test_killed_at_any_moment_nothing_is_half_or_lost(tmp_path):
    draw = random.Random(26)
    directory = tmp_path / "exchange"
    uids = drop(directory, draw)
    (directory / "out").mkdir()
    command = [sys.executable, "-c", WORK, str(directory), str(MESSAGES)]
    for _ in range(KILLS):
        kill(command, directory, draw)
        for folder in folders(directory / "out"):
            files = {path.name: path.read_bytes() for path in folder.iterdir()}
            assert rules.refusals(files) == []
    assert subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout == b"done\n"

    assert sorted(p.name for p in folders(directory / "done")) == sorted(uids)
    assert folders(directory / "in") == []
    cards = [(p / "document.xml").read_bytes().decode("cp1251") for p in folders(directory / "out")]
    receipts = [card for card in cards if 'type="Квитанция"' in card]
    assert len(cards) - len(receipts) == MESSAGES
    assert len(receipts) == MESSAGES
    assert all(sum(uid in card for card in receipts) == 1 for uid in uids)
