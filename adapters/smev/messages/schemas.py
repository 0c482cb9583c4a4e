"""The schemas of СМЭВ3 as we wrote them (xsd/smev), compiled; what a message has against them.

Names, types and how often an element stands are those of the operator's schemas; a test holds both
against each other on some thousands of messages. Outbound messages have to fit; what comes in is
only noted (the stands send what their own schemas forbid, see PROFILE.md).
"""

from __future__ import annotations

import re
import threading
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from lxml import etree

from gateway import contracts
from gateway.errors import ValidationError, Violation

if TYPE_CHECKING:
    from lxml.etree import _Element

    from adapters.smev.messages.types import Version

_VALUE: Final = re.compile(r"(: |The value )'(?!\{).*'(?= (?:is not|has a|does not))", re.DOTALL)
_NAMED: Final = re.compile(r"Element '(?:\{[^}']*\})?([^']{1,200})'")
_LONG: Final = 300
MOST: Final = 20
"""Violations that are told of one message."""


class _PerThread(threading.local):
    """libxml2 keeps the errors of a check in the schema: each thread compiles its own."""

    def __init__(self) -> None:
        self.compiled: dict[str, etree.XMLSchema] = {}


_LOCAL = _PerThread()


def schema(version: Version) -> etree.XMLSchema:
    """Return the compiled schemas of a version: messages, details of faults, routing."""
    found = _LOCAL.compiled.get(version)
    if found is None:
        folder = contracts.folder("xsd", f"smev/{version}")
        found = _compiled(folder / f"smev-{version}.xsd")
        _LOCAL.compiled[version] = found
    return found


def profile() -> etree.XMLSchema:
    """Return the compiled schema of the payload that appeals travel as."""
    found = _LOCAL.compiled.get("profile")
    if found is None:
        found = _compiled(contracts.folder("xsd", "smev") / "appeals-profile-1.0.xsd")
        _LOCAL.compiled["profile"] = found
    return found


def violations(compiled: etree.XMLSchema, element: _Element) -> tuple[Violation, ...]:
    """Return what an element has against a schema, at most `MOST`; empty when it fits."""
    if compiled.validate(element):
        return ()
    log: Any = compiled.error_log
    return tuple(
        Violation(
            _place(entry.path or "", entry.message),
            "schema",
            _untold(entry.message),
            line=entry.line,
        )
        for entry in islice(log, MOST)
    )


def _place(path: str, message: str) -> str:
    """Return a place by the name of its element where libxml2 only counts (`/*/*[5]`)."""
    named = _NAMED.match(message)
    return f"//{named[1]}" if "*" in path and named else path


def _untold(message: str) -> str:
    """Return what libxml2 says without the value that it says it of: it may be about a person."""
    return _VALUE.sub(r"\1'…'", message)[:_LONG]


def require(version: Version, element: _Element) -> None:
    """Raise ValidationError naming every place where a message of ours does not fit its schema."""
    found = violations(schema(version), element)
    if found:
        raise ValidationError("the message does not fit the schema of СМЭВ", found)


def _compiled(path: object) -> etree.XMLSchema:
    parser = etree.XMLParser(no_network=True, resolve_entities=False)
    return etree.XMLSchema(etree.parse(str(path), parser))
