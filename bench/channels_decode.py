"""decode-<channel>: a message of 3 KB to the model, against its bare parse to plain objects.

The message is the golden case of the channel that says most, its longest text made longer until
the message has 3 KB. The bare parse is `msgspec.json.decode`, `lxml.etree.fromstring`, the standard
library's `parse_qsl` or `email`: what turns the same bytes into objects that mean nothing. Each
side is timed in turns of some milliseconds on the processor's clock.
"""

from __future__ import annotations

import email
import email.policy
import io
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlencode

import msgspec
from lxml import etree
from msgspec.structs import replace

from bench.figures import Figure, Void, figure
from gateway import registry
from gateway.errors import GatewayError
from gateway.testing.cases import Case, found
from gateway.testing.leaves import leaves

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.command import Plan
    from gateway.adapter import Wire

CASES: Final = Path(__file__).parent.parent / "tests" / "contract"
BYTES: Final = 3_072
TARGET: Final = 15.0
TURN: Final = 0.004
"""Seconds of a turn: long enough for the clock, short enough that neighbours weigh on both."""
TURNS: Final = 100
FILLER: Final = "Во дворе третью неделю не горят фонари, вечером пройти к подъезду нельзя. "


def _text(element: Any) -> str:
    return (element.text or "").strip()


PARSED: Final[dict[str, Callable[[bytes], Any]]] = {
    "json": msgspec.json.decode,
    "xml": etree.fromstring,
    "form": lambda body: parse_qsl(body.decode(), keep_blank_values=True),
    "eml": lambda body: email.message_from_bytes(body, policy=email.policy.default).get_body(),
}


def channels() -> list[str]:
    """Return the adapters that decode something."""
    return [n for n in ("amqp", "asdou", "edds", "incident", "open311", "pos", "sadko", "sed",
                        "sstu") if (CASES / n).is_dir()]  # fmt: skip


def measure(plan: Plan, name: str) -> list[Figure]:
    """Return the figure of one channel: our seconds by those of the bare parse."""
    adapter = registry.load([name])[name]
    made = adapter.make(adapter.manifest.options)
    wire, case = message(name, made)
    bare = PARSED[wire.name.rpartition(".")[2]]
    samples: list[tuple[float, float | None, float | None]] = []
    for n in range(plan.pairs + 1):
        pair = _pair(lambda: made.decode(wire), lambda: bare(wire.body))
        samples += [(pair[0], pair[1], None)] * bool(n)
    return [
        figure(
            f"decode-{name}",
            f"µs for a message of {len(wire.body)} bytes, lower is better",
            samples,
            judged="peer",
            target=TARGET,
            run=plan.run,
            at_most=True,
            detail={"case": case, "bytes": len(wire.body)},
        )
    ]


def message(name: str, made: Any) -> tuple[Wire, str]:
    """Return the message that is decoded, and the case that it was made from."""
    best: tuple[int, Wire, str] | None = None
    for case in found(CASES, name):
        wire = _good(case, made)
        if wire is not None and (best is None or best[0] < _size(wire)):
            best = (_size(wire), wire, case.name)
    if best is None:
        raise Void(f"{name} has no case that comes in")
    padded = replace(best[1], body=_padded(best[1]))
    if not made.decode(padded).items:
        raise Void(f"{best[2]} decodes to nothing once it is longer")
    return padded, best[2]


def _good(case: Case, made: Any) -> Wire | None:
    """Return the wire of a case of one item without mistakes; of a folder its only card."""
    wire = case.wire() if case.comes_in else None
    if wire is None or (case.folder / "options.json").exists():
        return None
    if wire.name.endswith(".zip"):
        wire = _card(wire)
    if wire is None or len(wire.body) > BYTES or wire.name.rpartition(".")[2] not in PARSED:
        return None
    try:
        decoded = made.decode(wire)
        PARSED[wire.name.rpartition(".")[2]](wire.body)
    except (GatewayError, etree.XMLSyntaxError, ValueError):
        return None
    return wire if len(decoded.items) == 1 and not decoded.rejected else None


def _card(wire: Wire) -> Wire | None:
    with zipfile.ZipFile(io.BytesIO(wire.body)) as archive:
        names = [name for name in archive.namelist() if name.endswith(".xml")]
        if len(names) != 1:
            return None
        body = archive.read(names[0])
    return replace(wire, body=body, name=names[0], media_type="application/xml")


def _size(wire: Wire) -> int:
    return len(leaves(wire.body, wire.name.rpartition(".")[2]))


def _padded(wire: Wire) -> bytes:
    """Return the body with its longest text made longer."""
    match wire.name.rpartition(".")[2]:
        case "json":
            tree = msgspec.json.decode(wire.body)
            holder, key = _longest(tree)
            while len(msgspec.json.encode(tree)) < BYTES:
                holder[key] += FILLER
            return msgspec.json.encode(tree)
        case "xml":
            root = etree.fromstring(wire.body)
            element = max(root.iter(), key=lambda e: (" " in _text(e), len(_text(e))))
            encoding = root.getroottree().docinfo.encoding or "utf-8"
            while len(etree.tostring(root, encoding=encoding, xml_declaration=True)) < BYTES:
                element.text = f"{element.text} {FILLER}"
            return etree.tostring(root, encoding=encoding, xml_declaration=True)
        case "form":
            fields = dict(parse_qsl(wire.body.decode().strip(), keep_blank_values=True))
            name = max(fields, key=lambda n: len(fields[n]))
            while len(urlencode(fields)) < BYTES:
                fields[name] += FILLER
            return urlencode(fields).encode()
        case "eml":
            return wire.body
    raise Void(f"nobody knows how to lengthen {wire.name}")


def _longest(tree: Any) -> tuple[Any, Any]:
    """Return holder and key of the longest text with a blank in it."""
    best: tuple[int, Any, Any] = (-1, None, None)
    stack = [tree]
    while stack:
        node = stack.pop()
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            if isinstance(value, dict | list):
                stack.append(value)
            elif isinstance(value, str) and " " in value and len(value) > best[0]:
                best = (len(value), node, key)
    if best[1] is None:
        raise Void("the message holds no text")
    return best[1], best[2]


def _pair(ours: Callable[[], Any], bare: Callable[[], Any]) -> tuple[float, float]:
    """Return microseconds of one call of each, measured in turns."""
    spent, calls = [0.0, 0.0], [0, 0]
    for _ in range(TURNS):
        for side, work in enumerate((ours, bare)):
            begun = time.process_time()
            while (now := time.process_time()) - begun < TURN:
                work()
                calls[side] += 1
            spent[side] += now - begun
    return (1e6 * spent[0] / calls[0], 1e6 * spent[1] / calls[1])
