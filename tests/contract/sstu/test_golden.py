"""Golden cases of ССТУ: what each document, list and table decodes to, and that it comes back."""

import json
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from adapters.sstu import analytics, review_csv
from adapters.sstu.decode import decode
from adapters.sstu.encode import encode
from gateway import registry
from gateway.adapter import EncodeContext, Wire
from gateway.errors import GatewayError, ValidationError
from gateway.testing.cases import canonical, found, walk

ROOT = Path(__file__).parent
CASES = sorted(path.parent for path in ROOT.glob("*/wire.*") if path.parent.name[0] in "sau")
ZONE = ZoneInfo("Europe/Moscow")
NOW = msgspec.convert("2026-04-01T12:00:00+03:00", type=__import__("datetime").datetime)


def read(case: Path, name: str):
    path = case / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def wire_of(case: Path) -> Wire:
    path = next(case.glob("wire.*"))
    return Wire(media_type="", body=path.read_bytes(), name=path.name)


def places(violations) -> list[dict[str, str]]:
    return [{"path": v.path, "code": v.code} for v in violations]


def test_there_are_enough_cases():
    names = [case.name for case in CASES]
    assert len(names) == len({name[:3] for name in names})
    for letter, least in (("s", 12), ("a", 3), ("u", 3)):
        assert sum(name.startswith(letter) for name in names) >= least
    assert all((case / "note.md").read_text(encoding="utf-8").strip() for case in CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_decodes_to_the_canonical_form(case):
    expected_error = read(case, "error")
    if expected_error:
        with pytest.raises(GatewayError) as caught:
            decode(wire_of(case), ZONE)
        assert caught.value.code == expected_error["error"]
        assert places(getattr(caught.value, "violations", ())) == expected_error["violations"]
        return
    decoded = decode(wire_of(case), ZONE)
    assert canonical(decoded) == read(case, "canonical")
    rejected = [{"where": r.where, "violations": places(r.violations)} for r in decoded.rejected]
    assert rejected == (read(case, "rejected") or [])


@pytest.mark.parametrize(
    "case",
    [c for c in CASES if c.name.startswith("s") and not (c / "error.json").exists()],
    ids=lambda case: case.name,
)
def test_a_document_comes_back_or_every_broken_rule_is_named(case):
    (item,) = decode(wire_of(case), ZONE).items
    ctx = EncodeContext(
        now=NOW,
        files={file.sha256: file.data for file in item.files},
        options=read(case, "options") or {},
    )
    refused = read(case, "encode_error")
    if refused:
        with pytest.raises(ValidationError) as caught:
            encode(item.appeal, ctx)
        assert places(caught.value.violations) == refused
        return
    wire = encode(item.appeal, ctx)
    assert json.loads(wire.body) == (read(case, "wire_out") or read(case, "wire"))
    assert encode(item.appeal, ctx) == wire


@pytest.mark.parametrize("case", found(ROOT.parent, "sstu"), ids=lambda case: case.name)
def test_nothing_is_lost_or_invented(case):
    adapter = registry.load(["sstu"])["sstu"]
    walked = walk(case, adapter.make, adapter.manifest.options)
    assert not walked.wrong, "\n".join(walked.wrong)
    assert walked.lost == walked.invented == 0


@pytest.mark.parametrize(
    "case", [c for c in CASES if c.name.startswith("a")], ids=lambda case: case.name
)
def test_a_list_comes_back_as_it_stood(case):
    decoded = decode(wire_of(case), ZONE)
    rows = [item.expectation for item in decoded.items]
    back = json.loads(analytics.encode(rows))
    assert back == [row for row in read(case, "wire") if row in back]
    assert len(back) == len(decoded.items)


@pytest.mark.parametrize(
    "case",
    [c for c in CASES if c.name.startswith("u") and not (c / "error.json").exists()],
    ids=lambda case: case.name,
)
def test_an_overview_comes_back_byte_for_byte(case):
    wire = wire_of(case)
    decoded = decode(wire, ZONE)
    lines = wire.body.splitlines(keepends=True)
    good = [
        n for n in range(1, len(lines) + 1) if str(n) not in {r.where for r in decoded.rejected}
    ]
    expected = b"".join(lines[n - 1] for n in good)
    assert review_csv.encode([item.appeal for item in decoded.items]).body == expected
