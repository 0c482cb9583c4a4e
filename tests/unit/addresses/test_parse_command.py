"""`gateway fias parse`: an address a line in, a JSON object a line out."""

import json
import subprocess
import sys

import pytest

from gateway import limits
from gateway.addresses.flat import FIELDS


def run(*words: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "gateway", "fias", "parse", *words],
        input=given,
        capture_output=True,
        check=False,
    )


def rows(done: subprocess.CompletedProcess[bytes]) -> list[dict]:
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_lines_come_out_as_objects_in_order_and_a_bad_one_says_why():
    long = "ул. Мира, 5 ".encode() * limits.ADDRESS_TEXT
    given = b"\r\n".join(
        [b"\xef\xbb\xbf" + "г. Воронеж, ул. Мира, д. 5".encode(), b"", long, b"\xff\xfe",
         "Воронеж Ленина 5 кв 3".encode()]
    )  # fmt: skip
    first, too_long, not_utf8, last = rows(run("-", given=given))
    assert tuple(first) == FIELDS
    assert first["address"] == "г. Воронеж, ул. Мира, д. 5"
    assert (first["settlement"], first["street"], first["house"]) == ("Воронеж", "Мира", "5")
    assert "too long" in too_long["error"]
    assert "do: give the address alone" in too_long["error"]
    assert "iconv" in not_utf8["error"]
    assert (last["street"], last["apartment"]) == ("Ленина", "3")


def test_a_file_is_read_and_each_word_is_explained(tmp_path):
    (tmp_path / "a.txt").write_text("ул. Мира, д. 5\n", "utf-8")
    (row,) = rows(run(str(tmp_path / "a.txt"), "--explain"))
    assert [token["why"] for token in row["tokens"]] == [
        "тип: улица", "название улицы", "тип: дом", "номер дома",
    ]  # fmt: skip


@pytest.mark.parametrize("given", [b"", b"\n\r\n", b"\xef\xbb\xbf"])
def test_nothing_in_is_nothing_out(given):
    assert rows(run(given=given)) == []


def test_a_file_that_is_not_there_is_named():
    done = run("/nowhere/a.txt")
    assert done.returncode == 2
    assert b"/nowhere/a.txt" in done.stderr
