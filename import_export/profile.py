"""Profiles: what a partner's table looks like, as TOML that a non-programmer can read and mend.

A profile is data. Everything in it is checked when it is loaded, against the model too, so that a
misspelt field is an operator's error at once and never a partner's error at night.
"""

from __future__ import annotations

import codecs
import re
import tomllib
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from gateway import limits
from gateway.errors import ConfigurationError
from import_export import convert
from import_export.fields import Field, default_conversion, parse

PROFILES: Final = Path(__file__).parent / "profiles"
ENCODINGS: Final = ("auto", "utf-8", "cp1251", "cp866", "koi8-r")

Conversion = Literal[
    "text", "line", "number", "day", "moment", "bool", "int", "decimal", "digits", "oktmo", "guid",
    "word", "code",
]  # fmt: skip
Revision = int | str


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the file reads as a table."""

    encoding: str = "auto"
    """auto (UTF-8, else cp1251 or cp866 by the frequency of Cyrillic letters), or a fixed one."""
    delimiter: str = ";"
    """One character, or "tab"."""
    quote: str = '"'
    """Character around cells that hold the delimiter or a line break; doubled within."""
    skip_rows: int = 0
    """Rows above the header: titles, print dates."""
    max_rows: int = limits.TABLE_ROWS
    """Rows past it are refused."""
    max_bytes: int = limits.FILE_BYTES
    """A larger file is refused as a whole."""
    final_newline: bool = False
    """True: a last row without line end counts as cut off."""
    marker: str = ""
    """Ending of a companion file that says the file is whole: .ok, .md5 or .sha256; empty: none."""
    unknown_columns: Literal["extra", "ignore", "refuse"] = "extra"
    """What becomes of columns that the profile does not name: kept as extras of the appeal."""
    guarded: bool = False
    """True: an apostrophe before =, +, - or @ is taken away, as our own tables put it there."""
    questions: Literal["columns", "rows"] = "columns"
    """rows: neighbouring rows with the same key are the questions of one appeal."""
    empty: tuple[str, ...] = ()
    """Words that mean an empty cell, as "-" or "NULL"."""
    days: tuple[str, ...] = ("%Y-%m-%d",)
    """Date formats, strptime style."""
    moments: tuple[str, ...] = ("iso",)
    """Formats of instants; "iso" is ISO 8601."""
    zone: str = "Europe/Moscow"
    """Zone of instants that are written without an offset."""
    yes: tuple[str, ...] = ("да", "true", "1", "yes", "y", "д")
    no: tuple[str, ...] = ("нет", "false", "0", "no", "n", "н")


class Key(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What names an appeal within the partner's system: the external id."""

    columns: tuple[str, ...]
    """Columns whose cells, joined by `separator`, are the external id."""
    separator: str = "/"
    revision: Revision = 1
    """A number; a column's name; or "content": a row whose content differs from what we hold is
    the next revision (for partners who drop the whole register daily)."""


class Column(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One column: its name in the header, its place in the model, its conversion."""

    name: str
    also: tuple[str, ...] = ()
    """Other spellings of the name in headers; case, ё and look-alike letters never count."""
    field: str = ""
    """Path in the model; empty: the column is only a part of the key."""
    convert: Conversion | Literal[""] = ""
    """Empty: by the type of the field."""
    required: bool = False
    """True: the header must hold it, and no cell may be empty."""
    system: str = ""
    """Of a code: the code list."""
    version: str = ""
    split: str = ""
    """Of a field with [*]: what divides several values in one cell."""
    lengths: tuple[int, ...] = ()
    """Of digits: allowed lengths."""
    pad: bool = False
    """Of ОКТМО: restore one eaten leading zero."""
    words: dict[str, str] = {}
    """Partner's word → value of the model."""
    days: tuple[str, ...] = ()
    moments: tuple[str, ...] = ()
    note: str = ""
    """For people who fill the table in."""


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, dict=True):
    """A whole profile; use `load`, which also checks it."""

    name: str
    title: str = ""
    table: Table = Table()
    key: Key
    defaults: dict[str, Any] = {}
    """Field path → value for what the table never says."""
    columns: tuple[Column, ...] = msgspec.field(name="column")

    @cached_property
    def delimiter(self) -> str:
        """The delimiter as a character."""
        return "\t" if self.table.delimiter == "tab" else self.table.delimiter

    @cached_property
    def zone(self) -> ZoneInfo:
        """The zone of instants without offset."""
        return ZoneInfo(self.table.zone)

    @cached_property
    def empty(self) -> frozenset[str]:
        """Folded words that mean an empty cell."""
        return frozenset(convert.fold_word(word) for word in self.table.empty)

    @cached_property
    def booleans(self) -> dict[str, bool]:
        """Folded word → yes or no."""
        return {convert.fold_word(word): True for word in self.table.yes} | {
            convert.fold_word(word): False for word in self.table.no
        }

    @cached_property
    def fields(self) -> dict[str, Field]:
        """Column name → field, for columns that have one."""
        return {
            column.name: parse(column.field, f"{self.name}: {column.name}")
            for column in self.columns
            if column.field
        }

    @cached_property
    def default_fields(self) -> tuple[tuple[Field, Any], ...]:
        """Field and value of everything that the table never says."""
        return tuple(
            (parse(path, f"{self.name}: defaults"), value) for path, value in self.defaults.items()
        )

    @cached_property
    def by_header(self) -> dict[str, Column]:
        """Folded spelling in a header → column."""
        return {
            convert.fold_word(spelling): column
            for column in self.columns
            for spelling in (column.name, *column.also)
        }

    @property
    def revision_column(self) -> str:
        """Name of the column with the revision, empty when it comes from elsewhere."""
        revision = self.key.revision
        return revision if isinstance(revision, str) and revision != "content" else ""

    @property
    def revision_by_content(self) -> bool:
        """Whether changed content of a known appeal makes its next revision."""
        return self.key.revision == "content"

    def kind(self, column: Column) -> str:
        """Return the conversion of a column that has a field."""
        return column.convert or default_conversion(self.fields[column.name])

    def words(self, column: Column) -> dict[str, str]:
        """Return folded word → value for a column of words."""
        kind = self.fields[column.name].type
        values = [str(item.value) for item in kind] if _is_enum(kind) else []
        return {convert.fold_word(value): value for value in values} | {
            convert.fold_word(word): value for word, value in column.words.items()
        }


def load(name: str) -> Profile:
    """Return a profile by its name in import_export/profiles, or by the path of a TOML file.

    Raises ConfigurationError that names the line to change.
    """
    path = _path(name)
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise ConfigurationError(
            "нет такого профиля · there is no such profile",
            found=name,
            expected=", ".join(sorted(p.stem for p in PROFILES.glob("*.toml"))),
            todo="name a shipped profile or the path of a TOML file",
        ) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(
            f"профиль не TOML в UTF-8 · the profile is not TOML in UTF-8: {error}", where=path.name
        ) from error
    return build(document, path.name)


def build(document: dict[str, Any], where: str = "profile") -> Profile:
    """Return a checked profile from a TOML document."""
    try:
        profile = msgspec.convert(document, Profile)
    except msgspec.ValidationError as error:
        raise ConfigurationError(
            f"профиль не подходит · the profile does not fit: {error}", where=where
        ) from error
    _check_table(profile, where)
    _check_columns(profile, where)
    return profile


def _path(name: str) -> Path:
    if re.fullmatch(r"[\w.-]+", name) and not name.endswith(".toml"):
        return PROFILES / f"{name}.toml"
    return Path(name)


def _check_table(profile: Profile, where: str) -> None:
    table = profile.table
    if table.encoding not in ENCODINGS:
        raise _wrong(where, "encoding", table.encoding, ", ".join(ENCODINGS))
    codecs.lookup("utf-8" if table.encoding == "auto" else table.encoding)
    for name, value in (("delimiter", profile.delimiter), ("quote", table.quote)):
        if len(value) != 1 or not value.isascii() or value in "\r\n\0":
            raise _wrong(where, name, value, "one ASCII character")
    if profile.delimiter == table.quote:
        raise _wrong(where, "quote", table.quote, "another character than the delimiter")
    if table.marker not in ("", ".ok", ".md5", ".sha256"):
        raise _wrong(where, "marker", table.marker, ".ok, .md5, .sha256")
    try:
        _ = profile.zone
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise _wrong(where, "zone", table.zone, "Europe/Moscow") from error


def _check_columns(profile: Profile, where: str) -> None:
    names = [column.name for column in profile.columns]
    spellings = [s for column in profile.columns for s in {*column.also, column.name}]
    folded = [convert.fold_word(spelling) for spelling in spellings]
    if len(set(folded)) != len(folded):
        twice = next(s for s, f in zip(spellings, folded, strict=True) if folded.count(f) > 1)
        raise _wrong(where, "column", twice, "every spelling once; case and ё do not count")
    for name in (*profile.key.columns, *filter(None, [profile.revision_column])):
        if name not in names:
            raise _wrong(where, "key", name, ", ".join(names))
    if not profile.key.columns:
        raise _wrong(where, "key.columns", "", "at least one column")
    if isinstance(profile.key.revision, int) and profile.key.revision < 1:
        raise _wrong(where, "key.revision", str(profile.key.revision), "1, 2, …")
    for column in profile.columns:
        if column.field:
            _check_column(profile, column, where)
    _ = profile.default_fields


def _check_column(profile: Profile, column: Column, where: str) -> None:
    field = profile.fields[column.name]
    kind = profile.kind(column)
    if kind == "code" and not column.system:
        raise _wrong(where, f"{column.name}: system", "", "the code list, as sstu")
    if field.each and not column.split:
        raise _wrong(where, f"{column.name}: split", "", "what divides the values, as a comma")
    if field.per_row and profile.table.questions != "rows":
        raise _wrong(where, f"{column.name}: field", column.field, 'questions = "rows", or [0]')
    if kind == "word" and _is_enum(field.type):
        values = {str(item.value) for item in field.type}
        strange = set(column.words.values()) - values
        if strange:
            raise _wrong(where, f"{column.name}: words", strange.pop(), ", ".join(sorted(values)))


def _is_enum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Enum)


def _wrong(where: str, name: str, found: str, expected: str) -> ConfigurationError:
    return ConfigurationError(
        "профиль не подходит · the profile does not fit",
        found=found,
        expected=expected,
        where=f"{where}: {name}",
    )
