"""The table of terms: read from TOML, checked, never written in code."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final, Literal

import msgspec

from gateway.errors import ConfigurationError
from gateway.model.events import EventType

DEFAULT: Final = Path(__file__).parent.parent / "policy" / "terms.toml"

End = Literal["preceding", "next", "same"]


class Term(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename=None):
    """One term; the fields are explained at the head of gateway/policy/terms.toml."""

    id: str
    title: str
    article: str
    mark: Literal["confirmed", "practice"]
    regimes: tuple[str, ...]
    subject: Literal["appeal", "question", "notice"]
    opens_on: tuple[EventType, ...]
    closes_on: tuple[EventType, ...]
    start: Literal["received", "registered", "event", "decided"]
    unit: Literal["calendar_day", "working_day", "hour", "working_hour"]
    count: int
    kind: Literal["duty", "window"] = "duty"
    day_after_start: bool = True
    internal_end: End = "preceding"
    legal_end: End = "next"
    when: frozenset[str] = frozenset()
    unless: frozenset[str] = frozenset()
    parts: tuple[str, ...] = ()
    grounds: tuple[str, ...] = ()
    letters: tuple[str, ...] = ()
    copies_close: bool = False
    extension_days: int | None = None


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    term: list[Term]


def read_terms(path: Path = DEFAULT) -> tuple[Term, ...]:
    """Read a table of terms; raise ConfigurationError naming file, term and key that are wrong."""
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            "the terms cannot be read", where=str(path), found=str(error)
        ) from error
    listed = raw.get("term")
    names = [
        str(t.get("id", f"#{n}")) if isinstance(t, dict) else f"#{n}"
        for n, t in enumerate(listed if isinstance(listed, list) else [], 1)
    ]
    terms = []
    for name, entry in zip(names, listed or [], strict=False):
        try:
            terms.append(msgspec.convert(entry, Term))
        except msgspec.ValidationError as error:
            raise ConfigurationError(
                "a term is wrong", where=f"{path}: {name}", found=str(error)
            ) from error
    if not terms or set(raw) != {"term"}:
        raise ConfigurationError(
            "a table of terms holds [[term]] and nothing else", where=str(path)
        )
    for term in terms:
        _check(term, path)
    doubles = sorted({n for n in names if names.count(n) > 1})
    if doubles:
        raise ConfigurationError("a term stands twice", where=str(path), found=doubles[0])
    return tuple(terms)


def _check(term: Term, path: Path) -> None:
    where = f"{path}: {term.id}"
    if term.count < 0:
        raise ConfigurationError("a count is not negative", where=where, found=str(term.count))
    if not term.day_after_start and term.count == 0:
        raise ConfigurationError("a term of no days at all", where=where, found="count = 0")
    if term.letters and EventType.LETTER_SENT not in term.closes_on:
        raise ConfigurationError("letters close nothing without LetterSent", where=where)
    if term.parts and term.opens_on != (EventType.DECLINED,):
        raise ConfigurationError("parts go with Declined only", where=where)
    if term.grounds and term.opens_on != (EventType.TRANSFERRED,):
        raise ConfigurationError("grounds go with Transferred only", where=where)
    if term.subject == "appeal" and term.start not in {"received", "event"}:
        raise ConfigurationError(
            "an appeal as a whole is received, questions are registered",
            where=where,
            found=term.start,
        )


def extension_days(terms: tuple[Term, ...], regime: str) -> int | None:
    """Return how far an answer's term may be moved in a regime, None where no term says so."""
    found = [
        t.extension_days for t in terms if regime in t.regimes and t.extension_days is not None
    ]
    return max(found, default=None)
