"""What a partner who may write into our folders plants there, and what it does not get him."""

from __future__ import annotations

import os

import pytest

from gateway.errors import BusyError
from import_export.acks import Answers, Style, whole_file
from import_export.inbox import Directories

from .conftest import table

GOOD = "А26-1;01.02.2026;Жалоба;Иванов Иван;04000000;Нет света во дворе"


@pytest.mark.parametrize("kind", ["link", "pipe", "directory"])
def test_what_is_no_plain_file_when_it_is_read_is_refused(drop, tmp_path, kind):
    """It was a file when we looked and something else when it was claimed."""
    directories = Directories(drop.inbox.path)
    drop.put("r.csv", table(GOOD))
    claim = directories.claim(directories.incoming / "r.csv")
    claim.path.unlink()
    if kind == "link":
        claim.path.symlink_to(tmp_path / "nowhere")
    elif kind == "pipe":
        os.mkfifo(claim.path)
    else:
        claim.path.mkdir()
    (report,) = drop.look().files
    assert (report.place, report.error) == ("error", "malformed")
    assert drop.answers("r.csv.err.csv")[0]["rule"] == "not_plain"


def test_an_answer_is_never_written_through_a_link_of_the_partner(drop, tmp_path):
    ours = tmp_path / "gateway.toml"
    ours.write_text("ours", "utf-8")
    out = drop.inbox.path / "out"
    out.mkdir()
    with Answers(out, "r.csv", xml=False, style=Style()) as answers:
        answers.refuse(1, whole_file(BusyError("later"))[0][1])
        (first,) = out.iterdir()
    assert list(out.iterdir()) == [], "nothing is left of what was not finished"
    for name in (first.name, ".r.csv.ack.csv.tmp", ".r.csv.err.csv.tmp", "r.csv.err.csv"):
        (out / name).symlink_to(ours)
    with Answers(out, "r.csv", xml=False, style=Style()) as answers:
        answers.refuse(1, whole_file(BusyError("later"))[0][1])
        answers.finish()
    assert ours.read_text("utf-8") == "ours"
    assert not (out / "r.csv.err.csv").is_symlink()
    drop.put("r.csv", table(GOOD))
    assert drop.look().files[0].accepted == 1
    assert ours.read_text("utf-8") == "ours"
