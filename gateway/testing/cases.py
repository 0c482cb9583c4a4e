"""Golden cases: found, walked, counted. A case is a folder; adding one needs no Python.

An in-case holds `wire.<suffix>` (or a directory `wire/`, which is packed to a stored zip) and
`canonical.json`, the decoded items; `rejected.json`, `error.json` where something is wrong;
`restored.<suffix>` where the document written back is spelt otherwise than it came.

An out-case holds `appeal.json`, `event.json`, `files/`, `context.json`, and `wire_out.<suffix>` (or
`wire_out/`), or `encode_error.json`. `options.json` goes over the manifest's, `headers.json` stands
beside a wire. Every case has a `note.md` that says what it pins.
"""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID

import msgspec

from gateway.adapter import Decoded, EncodeContext, Inbound, Wire
from gateway.errors import GatewayError
from gateway.model.appeal import Appeal
from gateway.model.base import Extra
from gateway.model.events import Event, EventType, canonical_body, event_of_body
from gateway.testing.leaves import Leaves, count, leaves

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

NOW: Final = datetime(2026, 4, 1, 9, tzinfo=UTC)
AN_HOUR: Final = timedelta(hours=1)
"""The instant of encoding in every case."""
MEDIA: Final = {
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "xml": "application/xml",
    "form": "application/x-www-form-urlencoded",
    "csv": "text/csv",
    "zip": "application/zip",
    "eml": "message/rfc822",
}
_APPEAL: Final = "00000000-0000-7000-8000-000000000001"
_PACKED_AT: Final = (1980, 1, 1, 0, 0, 0)


class Case(NamedTuple):
    """One golden case on disk."""

    adapter: str
    folder: Path

    @property
    def name(self) -> str:
        """`adapter/case`."""
        return f"{self.adapter}/{self.folder.name}"

    @property
    def comes_in(self) -> bool:
        """Whether it is of what a peer sends us."""
        return (self.folder / "wire").is_dir() or any(self.folder.glob("wire.*"))

    @property
    def goes_out(self) -> bool:
        """Whether it is of what we send a peer."""
        return (self.folder / "appeal.json").exists()

    def read(self, name: str) -> Any:
        """Return a JSON file of the case, None when it is not there."""
        path = self.folder / name
        return json.loads(path.read_text("utf-8")) if path.exists() else None

    def wire(self, stem: str = "wire") -> Wire | None:
        """Return the document of this stem, None when there is none."""
        directory = self.folder / stem
        if directory.is_dir():
            return Wire(media_type=MEDIA["zip"], body=packed(directory), name=f"{stem}.zip")
        path = next(iter(self.folder.glob(f"{stem}.*")), None)
        if path is None:
            return None
        return Wire(
            media_type=MEDIA.get(path.suffix[1:], "application/octet-stream"),
            body=path.read_bytes(),
            name=path.name,
            headers=self.read("headers.json") or {},
        )


class Walked(NamedTuple):
    """What a case came to. wrong: how it differs from what is pinned, empty when it does not.

    mapped, extras, lost, invented: leaves of the document, where it is decoded and written back.
    """

    wrong: tuple[str, ...]
    mapped: int = 0
    extras: int = 0
    lost: int = 0
    invented: int = 0


def found(root: Path, adapter: str) -> list[Case]:
    """Return the cases of an adapter by name."""
    return [
        case
        for folder in sorted((root / adapter).glob("*/"))
        if (case := Case(adapter, folder)).comes_in or case.goes_out
    ]


def packed(directory: Path) -> bytes:
    """Return the files of a directory as a stored zip, names sorted, the same bytes every time."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(p for p in directory.rglob("*") if p.is_file()):
            name = path.relative_to(directory).as_posix()
            archive.writestr(zipfile.ZipInfo(name, _PACKED_AT), path.read_bytes())
    return out.getvalue()


def walk(case: Case, make: Any, options: Mapping[str, Any]) -> Walked:
    """Walk one case with the adapter that `make` builds from options."""
    given = {**options, **(case.read("options.json") or {})}
    adapter = make(given)
    inward = _walk_in(case, adapter) if case.comes_in else Walked(())
    wrong = inward.wrong
    if case.goes_out:
        wrong += tuple(_walk_out(case, adapter, given))
    note = case.folder / "note.md"
    if not note.exists() or not note.read_text("utf-8").strip():
        wrong += ("no note.md says what the case pins",)
    return inward._replace(wrong=wrong)


def canonical(decoded: Decoded) -> list[Any]:
    """Return the decoded items as plain JSON, without the bytes of files and of the message."""
    out = []
    for item in decoded.items:
        tree = msgspec.to_builtins(msgspec.structs.replace(item, raw=b""))
        tree["files"] = [
            {key: value for key, value in file.items() if key != "data"} for file in tree["files"]
        ]
        if tree["expectation"]:
            tree["expectation"].pop("raw", None)
        out.append({k: v for k, v in tree.items() if v not in (None, "", [], ())})
    plain: list[Any] = json.loads(json.dumps(out))
    return plain


def places(violations: Any) -> list[dict[str, str]]:
    """Return path and code of violations, which a case pins; the words may be mended."""
    return [{"path": v.path, "code": v.code} for v in violations]


def pretty(tree: Any) -> str:
    """Return JSON as it lies in a repository."""
    return json.dumps(tree, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def extras_of(node: Any, peer: str) -> Iterator[Extra]:
    """Yield every extra of `peer` anywhere below a value."""
    if isinstance(node, Extra):
        if node.peer == peer:
            yield node
    elif isinstance(node, tuple):
        for item in node:
            yield from extras_of(item, peer)
    elif isinstance(node, msgspec.Struct):
        for name in node.__struct_fields__:
            yield from extras_of(getattr(node, name), peer)


def event_of(case: Case) -> Event | None:
    """Return the event of an out-case, as it would lie in the store."""
    told = case.read("event.json")
    if told is None:
        return None
    kind = EventType(told.pop("type"))
    appeal_id = UUID(told.pop("appeal_id", _APPEAL))
    seq = told.pop("seq", 2)
    body = {
        "v": 1,
        "recorded_at": NOW.isoformat(),
        "occurred_at": NOW.isoformat(),
        "actor": {"kind": "system"},
        "payload": {},
        **told,
    }
    event = event_of_body(appeal_id, seq, kind, body)
    canonical_body(event)
    return event


def appeal_of(case: Case) -> Appeal:
    """Return the appeal of an out-case."""
    appeal: Appeal = msgspec.convert(case.read("appeal.json"), Appeal)
    return appeal


def context_of(case: Case, options: Mapping[str, Any]) -> EncodeContext:
    """Return what the encoder is given in an out-case; options: the peer's, with defaults."""
    told = case.read("context.json") or {}
    data = [path.read_bytes() for path in sorted((case.folder / "files").glob("*"))]
    return EncodeContext(
        now=NOW,
        key=told.pop("key", "00000000-0000-7000-8000-0000000000aa"),
        files={sha256(one).hexdigest(): one for one in data},
        options=options,
        **told,
    )


def measure(adapter: Any, wire: Wire) -> Leaves:
    """Return the leaves of a wire: by the adapter's own word, or by the suffix of its name."""
    own = getattr(adapter, "leaves", None)
    if own is not None:
        told = own(wire)
        if told is not None:
            return dict(told)
    return leaves(wire.body, wire.name.rpartition(".")[2])


def _walk_in(case: Case, adapter: Any) -> Walked:
    wire = case.wire()
    assert wire
    expected = case.read("error.json")
    try:
        decoded = adapter.decode(wire)
    except GatewayError as error:
        met = {"error": error.code, "violations": places(getattr(error, "violations", ()))}
        return Walked(() if met == expected else (f"refused with {met}, not {expected}",))
    if expected:
        return Walked((f"taken, but {expected} was pinned",))
    wrong = []
    if adapter.decode(wire) != decoded:
        wrong.append("decodes otherwise the second time")
    if canonical(decoded) != case.read("canonical.json"):
        wrong.append(f"decodes to {pretty(canonical(decoded))}")
    rejected = [{"where": r.where, "violations": places(r.violations)} for r in decoded.rejected]
    if rejected != (case.read("rejected.json") or []):
        wrong.append(f"rejects {pretty(rejected)}")
    counts = _restored(case, adapter, wire, decoded) if decoded.items else Walked(())
    return counts._replace(wrong=(*wrong, *counts.wrong))


def _restored(case: Case, adapter: Any, wire: Wire, decoded: Decoded) -> Walked:
    """Write the items back and count what of each is mapped, kept as extra, lost, invented."""
    total = Walked(())
    for number, item in enumerate(decoded.items):
        alone = len(decoded.items) + len(decoded.rejected) == 1
        before = wire if alone else msgspec.structs.replace(wire, body=item.raw, name=_one(wire))
        if not alone and not item.raw:
            return Walked((f"item {number} of several does not keep its own bytes (Inbound.raw)",))
        meant = (case.wire("restored") if alone else None) or before
        total = _added(total, _compared(adapter, meant, item, case.adapter))
    return total


def _one(wire: Wire) -> str:
    """Return the name of one item of a message: a line of NDJSON is JSON."""
    return wire.name.replace(".ndjson", ".json")


def _compared(adapter: Any, meant: Wire, item: Inbound, peer: str) -> Walked:
    again = adapter.restore(item)
    before, after = measure(adapter, meant), measure(adapter, again)
    lost = [path for path, value in before.items() if path not in after or after[path] != value]
    invented = [path for path in after if path not in before]
    extras = sum(count(extra.value) for extra in extras_of(item, peer))
    wrong: tuple[str, ...] = ()
    if lost or invented:
        wrong = (f"does not come back: lost {lost[:5]}, invented {invented[:5]}",)
    mapped = max(0, len(before) - extras - len(lost))
    return Walked(wrong, mapped, min(extras, len(before)), len(lost), len(invented))


def _added(one: Walked, other: Walked) -> Walked:
    return Walked(
        one.wrong + other.wrong,
        *(a + b for a, b in zip(one[1:], other[1:], strict=True)),
    )


def _walk_out(case: Case, adapter: Any, options: Mapping[str, Any]) -> Iterator[str]:
    refused = case.read("encode_error.json")
    context = context_of(case, options)
    try:
        wire = adapter.encode(appeal_of(case), event_of(case), context)
    except GatewayError as error:
        met = places(getattr(error, "violations", ())) or [{"path": "", "code": error.code}]
        if met != refused:
            yield f"refuses to encode with {met} ({error}), not {refused}"
        return
    if refused:
        yield f"encoded, but {refused} was pinned"
    event = event_of(case)
    later = msgspec.structs.replace(context, now=NOW + AN_HOUR) if event else context
    if adapter.encode(appeal_of(case), event, later) != wire:
        yield "encodes otherwise the second time: an attempt made again must be the same bytes"
    meant = case.wire("wire_out")
    if meant is None:
        yield f"no wire_out: {wire.body[:2000]!r}"
        return
    suffix = meant.name.rpartition(".")[2]
    if leaves(wire.body, suffix) != leaves(meant.body, suffix):
        yield f"encodes to {wire.body[:4000].decode('utf-8', 'replace')}"
