"""The table of clients and features: on the terminal, as JSON, and as a page of the docs."""

from __future__ import annotations

import json
import platform
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from tests.interop.rows import FEATURES, NOT_RUN, NOTES
from tests.interop.run import BUILD, pending
from tests.interop.stand import CHECKOUT

if TYPE_CHECKING:
    from tests.interop.run import Outcome

JSON: Final = BUILD.parent / "interop.json"
PAGE: Final = CHECKOUT / "docs/reference/interop.md"
HEAD: Final = """\
# SOAP clients that were run against the gateway

Made by `make interop INTEROP_ARGS=--write`. Each client reads or compiles the description that the
gateway serves, calls the real gateway with its embedded database, and prints what came of it; its
program lies in `tests/interop/<client>/`. A row that is missing or fails, fails the run.

`ok`: shown by the live client · `cannot`: the client itself has no such thing, why stands below ·
`pending`: the gateway does not do it yet · empty: not asked of this client.
"""


def terminal(outcomes: list[Outcome]) -> str:
    """The table with one line a feature, then every reason and every failure."""
    width = max(len(name) for name in FEATURES)
    heads = [outcome.peer.name for outcome in outcomes]
    lines = ["", "  ".join([" " * width, *(f"{head:8}" for head in heads)]).rstrip()]
    for name in FEATURES:
        cells = [outcome.cells.get(name) for outcome in outcomes]
        words = [f"{_word(cell.verdict) if cell else '·':8}" for cell in cells]
        lines.append("  ".join([f"{name:{width}}", *words]).rstrip())
    lines.append("")
    for outcome in outcomes:
        for name, cell in outcome.cells.items():
            if cell.verdict != "ok" or "PENDING" in cell.detail:
                lines.append(f"{outcome.peer.name} {name}: {cell.verdict}: {cell.detail}")
    lines += [f"{name}: not run here: {why}" for name, why in NOT_RUN.items()]
    return "\n".join(lines)


def document(outcomes: list[Outcome], seconds: float) -> dict[str, Any]:
    """Everything that was found, for a program."""
    counts: dict[str, int] = {}
    for outcome in outcomes:
        for cell in outcome.cells.values():
            counts[cell.verdict] = counts.get(cell.verdict, 0) + 1
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds),
        "counts": counts,
        "peers": {
            outcome.peer.name: {
                "version": outcome.version,
                "seconds": round(outcome.seconds, 1),
                "rows": {name: cell._asdict() for name, cell in outcome.cells.items()},
            }
            for outcome in outcomes
        },
        "not_run": NOT_RUN,
    }


def save(found: dict[str, Any]) -> None:
    """Write build/interop.json."""
    JSON.parent.mkdir(parents=True, exist_ok=True)
    JSON.write_text(json.dumps(found, ensure_ascii=False, indent=2) + "\n", "utf-8")


def page(outcomes: list[Outcome]) -> str:
    """The page of the docs."""
    titles = [outcome.peer.title for outcome in outcomes]
    lines = [HEAD, f"| | {' | '.join(titles)} |", f"|---|{'---|' * len(titles)}"]
    for name, title in FEATURES.items():
        cells = [outcome.cells.get(name) for outcome in outcomes]
        words = [_word(cell.verdict) if cell else "" for cell in cells]
        lines.append(f"| {title} | {' | '.join(words)} |")
    lines += ["", "## What was run", ""]
    lines += [f"- {outcome.version}" for outcome in outcomes if outcome.version]
    system = _system()
    day = datetime.now(UTC).date().isoformat()
    lines += ["", f"On {day}, {system}, Python {platform.python_version()}.", ""]
    lines += ["## What a user of each client has to know", ""]
    lines += [
        f"- {outcome.peer.title}: {' '.join(NOTES[outcome.peer.name])}" for outcome in outcomes
    ]
    lines += ["", "## What a client cannot do", ""]
    for outcome in outcomes:
        reasons = dict.fromkeys(
            cell.detail for cell in outcome.cells.values() if cell.verdict == "cannot"
        )
        lines += [f"- {outcome.peer.title}: {'; '.join(reasons)}."] if reasons else []
    waiting = [
        f"- {outcome.peer.title}, {FEATURES[name]}: {pending(outcome.peer, name)}."
        for outcome in outcomes
        for name, cell in outcome.cells.items()
        if cell.verdict == "pending"
    ]
    if waiting:
        lines += ["", "## What waits for the gateway", "", *waiting]
    lines += ["", "## Not run here", ""]
    lines += [f"- {name}: {why}." for name, why in NOT_RUN.items()]
    return "\n".join(lines) + "\n"


def _system() -> str:
    try:
        system = platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        system = platform.system()
    return f"{system}, {platform.machine()}"


def _word(verdict: str) -> str:
    return verdict.upper() if verdict in ("fail", "missing") else verdict
