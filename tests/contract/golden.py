"""Golden cases: find them, walk one, count what of it is mapped, kept as extra, or lost.

A case is a folder `<format>/<case>` with `wire.<suffix>`, `canonical.json` and `note.md`; adding
one needs no Python. `python -m tests.contract.report --write` writes missing canonical.json files,
which are then read and corrected by hand.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from lxml import etree

from gateway.model.digest import canonical_json
from tests.contract.mappings import gisgkh
from tests.contract.mappings.format import Format

ROOT = Path(__file__).parent / "formats"
FORMATS: dict[str, Format] = {"gisgkh": gisgkh.FORMAT}
"""Formats without an adapter, whose pairs prove the model alone."""


class Case(NamedTuple):
    """One golden case on disk."""

    format: str
    folder: Path

    @property
    def name(self) -> str:
        """`format/case`."""
        return f"{self.format}/{self.folder.name}"

    @property
    def wire(self) -> Path:
        """The document as a peer sends it."""
        return next(self.folder.glob("wire.*"))

    @property
    def canonical(self) -> Path:
        """What the model makes of it."""
        return self.folder / "canonical.json"


class Outcome(NamedTuple):
    """One round trip. Counts are leaves of the document; invented: leaves it did not have."""

    case: str
    canonical: bytes
    same: bool
    mapped: int
    extras: int
    lost: int
    invented: int


def cases() -> list[Case]:
    """Return every case of the fixture formats, sorted by name."""
    return [
        Case(name, folder)
        for name in sorted(FORMATS)
        for folder in sorted((ROOT / name).iterdir())
        if folder.is_dir()
    ]


def round_trip(name: str, body: bytes, suffix: str, label: str = "") -> Outcome:
    """Decode a document, encode what came of it, and compare."""
    form = FORMATS[name]
    appeal, files = form.decode(body, suffix)
    again = form.encode(appeal, files, suffix)
    before, after = form.leaves(body, suffix), form.leaves(again, suffix)
    kept = {extra["path"] for extra in _extras(json.loads(canonical_json(appeal)))}
    extras = sum(path in kept for path in before)
    lost = sum(path not in after or after[path] != value for path, value in before.items())
    return Outcome(
        label,
        canonical_json(appeal),
        same_document(body, again, suffix),
        len(before) - extras - lost,
        extras,
        lost,
        len(after.keys() - before.keys()),
    )


def run(case: Case) -> Outcome:
    """Walk one case."""
    return round_trip(
        case.format, case.wire.read_bytes(), case.wire.suffix.removeprefix("."), case.name
    )


def expected(case: Case) -> bytes:
    """Return the canonical JSON of the case in the one spelling that is compared."""
    return canonical_json(json.loads(case.canonical.read_text()))


def pretty(canonical: bytes) -> str:
    """Return canonical JSON as it lies in a repository: indented, sorted, Cyrillic unescaped."""
    return json.dumps(json.loads(canonical), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def same_document(one: bytes, other: bytes, suffix: str) -> bool:
    """Say whether two documents mean the same: prefixes, spaces and order of keys aside."""
    if suffix == "xml":
        first, second = (_infoset(body) for body in (one, other))
        return first == second
    return bool(json.loads(one) == json.loads(other))


def _infoset(body: bytes) -> tuple[Any, ...]:
    parser = etree.XMLParser(remove_blank_text=True, resolve_entities=False, no_network=True)
    root = etree.fromstring(body, parser)

    def walk(element: Any) -> tuple[Any, ...]:
        return (
            element.tag,
            tuple(sorted(element.attrib.items())),
            element.text or "",
            tuple(walk(child) for child in element),
        )

    return (str(root.getroottree().docinfo.encoding).lower(), walk(root))


def _extras(node: Any) -> list[Any]:
    """Return every extra in a canonical tree."""
    if isinstance(node, list):
        return [extra for item in node for extra in _extras(item)]
    if isinstance(node, dict):
        found = list(node.get("extras", ()))
        return found + [extra for key, item in node.items() if key != "extras"
                        for extra in _extras(item)]  # fmt: skip
    return []
