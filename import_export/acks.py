"""What a partner gets back for a file: an acknowledgement and an error file, each whole or none.

`<name>.ack.csv` for a table, `<name>.ack.xml` for a bundle (a `SubmitAppealsResponse` of the SOAP
contract), `<name>.err.csv` for both. Each is written under a hidden name, made durable, and then
renamed: a partner never sees half of one. No link that he planted in the folder is followed.
"""

from __future__ import annotations

import os
import secrets
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple, Self

from gateway import ns
from gateway.errors import GatewayError, ValidationError, Violation
from gateway.wires import binding
from gateway.wires import contract as c
from import_export.csvout import csv_line
from import_export.inbox import short, sync
from import_export.reasons import Problem, problems_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from gateway.store.entries import Accepted
    from import_export.lines import Line

ACK_COLUMNS: Final = (
    "row", "external_id", "revision", "receipt_number", "result", "accepted_at", "content_sha256",
)  # fmt: skip
ERR_COLUMNS: Final = (
    "row", "column", "code", "rule", "found", "expected", "reason_ru", "reason_en", "line",
)  # fmt: skip


class Result(NamedTuple):
    """What became of one line: `accepted`, `amended`, `repeat`, `conflict` or `rejected`."""

    line: Line
    word: str
    accepted: Accepted | None = None
    error: GatewayError | None = None
    problems: tuple[tuple[int, Problem], ...] = ()

    @property
    def external_id(self) -> str:
        """The partner's own number, empty when it could not be read."""
        return self.line.inbound.external_id if self.line.inbound else ""


class Style(NamedTuple):
    """How the partner's own tables look."""

    encoding: str = "utf-8"
    delimiter: str = ";"
    quote: str = '"'


class _Staged:
    """A file under a hidden name, until it is finished."""

    def __init__(self, target: Path) -> None:
        self.target = target
        # The partner may write here too: a name that he knows could be a link to a file of ours.
        self._temporary = target.with_name(short(f".{target.name}.{secrets.token_hex(8)}.tmp"))
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        self.file: IO[bytes] = os.fdopen(os.open(self._temporary, flags, 0o644), "wb")

    def finish(self) -> None:
        """Make it durable, then visible."""
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()
        self._temporary.replace(self.target)
        sync(self.target.parent)

    def drop(self) -> None:
        """Throw it away."""
        self.file.close()
        self._temporary.unlink(missing_ok=True)


class Answers:
    """The two files that answer one dropped file.

    name: of the dropped file. Use as a context: what is not finished by `finish` is thrown away.
    """

    def __init__(self, out: Path, name: str, *, xml: bool, style: Style) -> None:
        self._style = style
        self._xml = xml
        self._out, self._name = out, name
        self._ack: _Staged | None = None
        self._err: _Staged | None = None
        self.acked = 0
        self.wrong = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for staged in (self._ack, self._err):
            if staged is not None:
                staged.drop()

    def add(self, result: Result) -> None:
        """Write what became of one line."""
        for row, problem in result.problems:
            self.refuse(row, problem)
        if self._xml:
            self._write_ack(binding.write(_item(result), "SubmitResult") + b"\n")
        elif result.accepted is not None or result.word == "conflict":
            self._write_ack(self._encoded(_ack_cells(result)))

    def refuse(self, row: int, problem: Problem) -> None:
        """Write one line of the error file; row 0 is the file as a whole."""
        if self._err is None:
            self._err = _Staged(self.err_path)
            self._err.file.write(self._bom + self._encoded(ERR_COLUMNS))
        self._err.file.write(
            self._encoded(
                (row, problem.column, problem.code, problem.rule, problem.found, problem.expected,
                 problem.ru, problem.en, problem.line or "")
            )
        )  # fmt: skip
        self.wrong += 1

    def finish(self) -> None:
        """Show both files, the error file first; remove those of an earlier file of this name."""
        if self._err is not None:
            self._err.finish()
        else:
            self.err_path.unlink(missing_ok=True)
        if self._ack is not None:
            if self._xml:
                self._ack.file.write(b"</Items></SubmitAppealsResponse>\n")
            self._ack.finish()
        else:
            self.ack_path.unlink(missing_ok=True)
        self._ack = self._err = None

    @property
    def ack_path(self) -> Path:
        """Where the acknowledgement appears."""
        return self._out / short(f"{self._name}.ack.{'xml' if self._xml else 'csv'}")

    @property
    def err_path(self) -> Path:
        """Where the error file appears."""
        return self._out / short(f"{self._name}.err.csv")

    def _write_ack(self, data: bytes) -> None:
        if self._ack is None:
            self._ack = _Staged(self.ack_path)
            self._ack.file.write(_XML_HEAD if self._xml else self._ack_head())
        self._ack.file.write(data)
        self.acked += 1

    def _ack_head(self) -> bytes:
        return self._bom + self._encoded(ACK_COLUMNS)

    @property
    def _bom(self) -> bytes:
        return b"\xef\xbb\xbf" if self._style.encoding == "utf-8" else b""

    def _encoded(self, cells: Iterable[Any]) -> bytes:
        text = csv_line(cells, self._style.delimiter, self._style.quote)
        return text.encode(self._style.encoding, "backslashreplace")


_XML_HEAD: Final = (
    f'<?xml version="1.0" encoding="utf-8"?>\n<SubmitAppealsResponse xmlns="{ns.APPEALS}"><Items>\n'
).encode()


def _ack_cells(result: Result) -> tuple[Any, ...]:
    accepted = result.accepted
    if accepted is None:
        number = getattr(result.error, "receipt_number", "")
        revision = result.line.inbound.revision if result.line.inbound else ""
        return (result.line.row, result.external_id, revision, number, result.word, "", "")
    return (
        result.line.row,
        accepted.external_id,
        accepted.revision,
        accepted.receipt_number,
        result.word,
        accepted.accepted_at,
        accepted.content_sha256.hex(),
    )


def _item(result: Result) -> c.SubmitResult:
    """Return the result as the SOAP contract says it; its Index counts from 0."""
    accepted = result.accepted
    if accepted is not None:
        return c.SubmitResult(
            index=result.line.row - 1,
            external_id=accepted.external_id,
            receipt=c.Receipt(
                receipt_number=accepted.receipt_number,
                external_id=accepted.external_id,
                revision=accepted.revision,
                accepted_at=accepted.accepted_at,
                content_sha256=accepted.content_sha256.hex(),
            ),
        )
    error = result.error or ValidationError("the item was refused")
    return c.SubmitResult(
        index=result.line.row - 1,
        external_id=result.external_id,
        error=c.ItemError(
            code=error.code,
            message=error.message,
            retry=error.retry,
            errors=tuple(
                c.FieldError(
                    path=p.column,
                    line=p.line or None,
                    code=p.rule,
                    found=p.found or None,
                    expected=p.expected or None,
                    message=p.en,
                )
                for _, p in result.problems[:20]
            ),
            receipt_number=getattr(error, "receipt_number", "") or None,
        ),
    )


def conflict_problems(row: int, error: GatewayError) -> tuple[tuple[int, Problem], ...]:
    """Return the problems of an error that the store gave for a line."""
    if getattr(error, "receipt_number", ""):
        receipt = str(getattr(error, "receipt_number", ""))
        found = problems_of(error)[0]
        return (
            (
                row,
                Problem(
                    code=found.code, rule=found.rule, ru=found.ru, en=found.en,
                    found=receipt, expected="revision + 1",
                ),
            ),
        )  # fmt: skip
    return tuple((row, found) for found in problems_of(error))


def whole_file(error: GatewayError) -> tuple[tuple[int, Problem], ...]:
    """Return the problems of a file as a whole: row 0, or 1 when the header is at fault."""
    violations: tuple[Violation, ...] = getattr(error, "violations", ())
    row = 1 if any(violation.line == 1 for violation in violations) else 0
    return tuple((row, found) for found in problems_of(error))
