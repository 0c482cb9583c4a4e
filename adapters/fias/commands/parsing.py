"""`gateway fias`: take addresses apart without any registry."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import msgspec
import typer

from gateway import limits
from gateway.addresses.flat import flat
from gateway.addresses.parse import parse
from gateway.errors import GatewayError, MalformedError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

Explain = Annotated[
    bool, typer.Option("--explain", help="Пояснить каждое слово · Explain every word")
]

_BOM = b"\xef\xbb\xbf"
_LINE = limits.ADDRESS_TEXT * 8
"""Bytes of a line that is still read as one address, to say that it is too long."""


def add(group: typer.Typer, opened: Callable[[], AbstractContextManager[Any]]) -> None:  # noqa: ARG001 - it takes no database
    """Add the commands; `opened` lends the database while one runs."""

    @group.command("parse")
    def parse_lines(
        file: Annotated[
            str, typer.Argument(help="Файл UTF-8, адрес в строке; - стандартный ввод · - is stdin")
        ] = "-",
        *,
        explain: Explain = False,
    ) -> None:
        """Разобрать адреса на части: строка JSON на адрес, без базы · Addresses into parts."""
        out = sys.stdout.buffer
        with read_from(file) as source:
            for line in lines(source):
                out.write(msgspec.json.encode(answer(line, explain=explain)) + b"\n")
        out.flush()


@contextmanager
def read_from(file: str) -> Iterator[BinaryIO]:
    """Lend the file, or the standard input."""
    if file == "-":
        yield sys.stdin.buffer
        return
    try:
        source = Path(file).open("rb")  # noqa: SIM115 - closed below
    except OSError as error:
        raise NotFoundError(
            "The file cannot be read",
            found=f"{file}: {error.strerror}",
            todo="name a file with an address a line, or - for the standard input",
        ) from error
    with source:
        yield source


def lines(source: BinaryIO) -> Iterator[bytes]:
    """Yield lines without their ends and without the mark at the beginning of the file; not empty.

    A line longer than any address is yielded cut: past the limit it is refused all the same.
    """
    first = True
    while line := source.readline(_LINE):
        whole = line
        while not whole.endswith(b"\n") and len(whole) == _LINE:
            whole = source.readline(_LINE)
        if first:
            line = line.removeprefix(_BOM)
            first = False
        line = line.rstrip(b"\r\n")
        if line.strip():
            yield line


def answer(line: bytes, *, explain: bool = False) -> dict[str, Any]:
    """Return the object for a line: the fields of an address, or `address` and `error`."""
    try:
        text = text_of(line)
        parsed = parse(text)
    except GatewayError as error:
        shown = line[:400].decode("utf-8", "replace")[:200]
        return {"address": shown, "error": str(error)}
    row: dict[str, Any] = {**flat(parsed), "address": text}
    if explain:
        row["tokens"] = [
            {"text": token.text, "start": token.start, "role": token.role, "why": token.why}
            for token in parsed.tokens
        ]
    return row


def text_of(line: bytes) -> str:
    """Return a line as text."""
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError(
            "The line is not UTF-8",
            where=f"byte {error.start}",
            expected="UTF-8",
            todo="save the file as UTF-8: iconv -f windows-1251 -t utf-8",
        ) from error
