"""What the README shows is what happens: its calls are taken from its text and carried out.

Numbers and instants differ from run to run; digests, columns, rules and words must not.
"""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from simulators.demo.stage import Inbox, Stage
from tests.integration.house import eventually

ROOT = Path(__file__).resolve().parents[2]
READMES = ("README.md", "README.ru.md")
PORT = "http://127.0.0.1:8080"

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="needs the package curl")


class Shown:
    """The fenced blocks of a README."""

    def __init__(self, name: str) -> None:
        text = (ROOT / name).read_text("utf-8")
        self.blocks = re.findall(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)

    def of(self, kind: str, holding: str) -> str:
        """Return the one block of a kind that holds a text."""
        (found,) = (body for name, body in self.blocks if name == kind and holding in body)
        return found

    def command(self, holding: str) -> tuple[str, str]:
        """Return a command of a console block, its lines joined, and what it prints."""
        block = self.of("console", holding)
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE):
            if holding in part:
                lines = part.splitlines()
                last = next(n for n, line in enumerate(lines) if not line.endswith("\\"))
                return "\n".join(lines[: last + 1]), "\n".join(lines[last + 1 :])
        raise LookupError(holding)


@pytest.fixture(scope="module")
def stage():
    with Stage() as stage:
        stage.configure(
            {"data_dir": str(stage.path("var")), "pg_allow_nobody": True, "port": 0},
            [Inbox("portal", profile="appeals-default")],
        )
        stage.start_gateway()
        yield stage


@pytest.fixture(scope="module")
def key(stage):
    return stage.command("peer", "add", "portal", "--name", "Портал")["key"]


@pytest.fixture(params=READMES)
def shown(request):
    return Shown(request.param)


def carried_out(command: str, stage: Stage, key: str) -> str:
    """Run a call as it is pasted into a shell in the checkout."""
    ran = subprocess.run(
        ["/bin/sh", "-c", command.replace(PORT, stage.address)],
        env={"PATH": "/usr/bin:/bin", "KEY": key},
        cwd=ROOT, capture_output=True, timeout=60, check=True,
    )  # fmt: skip
    return ran.stdout.decode()


def shortened(digest: str, shown: str) -> bool:
    """Whether a digest is the one that is shown with its middle left out."""
    begin, end = shown.split("…")
    return digest.startswith(begin) and digest.endswith(end)


def test_the_soap_call_gets_the_receipt_that_is_shown(shown, stage, key):
    command, _ = shown.command("soap/appeals.svc")
    answer = carried_out(command, stage, key)
    told = shown.of("xml", "SubmitAppealResponse")
    names = re.compile(r"<(\w+)[ >]")
    assert names.findall(told) == [n for n in names.findall(answer) if n != "xml"]
    assert (digest := re.search(r"<ContentSha256>(.*?)</", answer))
    assert (example := re.search(r"<ContentSha256>(.*?)</", told))
    assert shortened(digest[1], example[1])


def test_the_zeep_call_prints_a_receipt_number(shown, stage, key):
    code = shown.of("python", "zeep").replace(PORT, stage.address)
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", f"KEY = {key!r}\n{code}"],
        capture_output=True, timeout=60, check=True, cwd=ROOT,
    )  # fmt: skip
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{11}\n", ran.stdout.decode())


def test_the_rest_call_gets_the_receipt_that_is_shown_and_then_the_conflict(shown, stage, key):
    command, told = shown.command("/api/v1/appeals")
    answer, example = json.loads(carried_out(command, stage, key)), json.loads(told)
    assert list(answer) == list(example)
    assert shortened(answer["contentSha256"], example["contentSha256"])

    other = command.replace("Не горит фонарь", "Не горят фонари")
    conflict = json.loads(carried_out(other, stage, key))
    example = json.loads(shown.of("json", "error:conflict"))
    assert conflict.keys() >= example.keys()
    for name in ("type", "status", "code", "retry", "existingRevision"):
        assert conflict[name] == example[name]
    assert conflict["receiptNumber"] == answer["receiptNumber"]
    assert conflict["title"].startswith(example["title"].removesuffix("…"))


def test_the_dropped_file_gets_the_answers_that_are_shown(shown, stage, key):
    assert key  # the inbox is of this peer
    name = f"{len(list(stage.inbox('portal').glob('done/*')))}.csv"
    _, rows = shown.command("cat register.csv")
    part = stage.inbox("portal") / "in" / f"{name}.part"
    part.write_text(rows + "\n", "utf-8")
    part.rename(part.with_suffix(""))
    out = stage.inbox("portal") / "out"
    eventually((stage.inbox("portal") / "done" / name).exists, 60)

    for kind, holding in (("ack", "register.csv.ack"), ("err", "register.csv.err")):
        with (out / f"{name}.{kind}.csv").open(encoding="utf-8-sig", newline="") as file:
            answer = list(csv.reader(file, delimiter=";"))
        _, told = shown.command(holding)
        example = list(csv.reader(told.splitlines(), delimiter=";"))
        assert answer[0] == example[0]
        assert len(answer) == len(example)
        if kind == "ack":
            assert answer[1][:3] == example[1][:3]
            assert shortened(answer[1][-1], example[1][-1])
        else:
            english = example[0].index("reason_en")
            assert answer[1].pop(english).startswith(example[1].pop(english).removesuffix(" …"))
            assert answer[1] == example[1]
