"""A case file is verified by itself, and whatever is altered in it is found and named."""

from __future__ import annotations

import io
import json
import tracemalloc
import zipfile
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from gateway import casefile, sealing
from gateway.casefile import package as pack
from gateway.store import seals
from tests.integration.commands.conftest import _app

SECRET = "Секретнейшее"


@pytest.fixture
def made(sealing_house, monkeypatch, tmp_path):
    """The house, a sealed day in it, and the case file of one appeal."""
    house, far = sealing_house, datetime.now(UTC) + timedelta(days=30)
    monkeypatch.setattr(seals.horizon, "of", lambda *_: far)
    receipts = [house.submit(f"e-{n}", text=f"{SECRET} {n}").receipt_number for n in range(3)]
    house.triage()
    with house.connection() as db:
        now = datetime.now(UTC) + timedelta(days=2)
        list(sealing.seal_days(db, house.settings, ZoneInfo("Europe/Moscow"), now))
    target = tmp_path / "case.zip"
    house.run("evidence", receipts[0], "--export", str(target), "--ground", "иск № 5")
    return house, receipts, target


def faults(path) -> str:
    return "\n".join(casefile.verify(path, sealing.opened(alone()), trusted=False).faults)


def alone():
    from gateway.settings import Settings

    return Settings(revocation_required=False)


def offline(path, *arguments, code=0):
    """Run `gateway verify FILE` where there is neither a database nor a setting."""
    environ = {"GATEWAY_DATABASE_URL": "postgresql://nowhere.invalid/none"}
    result = CliRunner().invoke(_app("verify"), ["verify", str(path), *arguments], env=environ)
    assert result.exit_code == code, (result.output, result.exception)
    return result.output


def test_a_whole_file_verifies_without_the_gateway(made):
    house, _, target = made
    said = offline(target)
    assert "Цело" in said
    assert "seals: 1" in said
    root = house.settings.trusted_authorities
    offline(target, *(word for path in root for word in ("--authority", path)))
    assert "not believed" in offline(target, "--authority", other_root(), code=1)


def other_root() -> str:
    from pathlib import Path
    from tempfile import mkdtemp

    from tests import gost_kit

    return str(gost_kit.authority(Path(mkdtemp()), "other", "/CN=Другой").holder.cert)


def test_every_byte_is_covered(made, tmp_path):
    _, _, target = made
    data = target.read_bytes()
    altered = tmp_path / "altered.zip"
    for at in range(len(data)):
        altered.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        assert casefile.verify(altered, None, trusted=False).faults, at
    for size in (0, 10, len(data) // 2, len(data) - 1):
        altered.write_bytes(data[:size])
        assert faults(altered)
    altered.write_bytes(data + b"x")
    assert faults(altered)


def again(target, change, tmp_path):
    """Alter members and make zip and manifest anew, as somebody without the key would."""
    members = pack.members_of(target)
    manifest = json.loads(members.pop(pack.MANIFEST))
    cms, _ = members.pop(pack.SIGNATURE), members.pop(pack.DIGEST)
    change(members)
    del manifest["members"], manifest["v"]
    made = tmp_path / "forged.zip"
    made.write_bytes(pack.pack(members, manifest, lambda _: cms))
    return faults(made)


def swap_events(members):
    members["events/1.json"], members["events/2.json"] = (
        members["events/2.json"],
        members["events/1.json"],
    )


def salted(members):
    listed = json.loads(members["contents.json"])
    listed[0]["salt"] = "00" * 16
    members["contents.json"] = pack.canonical(listed)


def first(members, folder):
    return next(name for name in members if name.startswith(folder))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (swap_events, "event 1 was changed"),
        (salted, "its bytes or its salt"),
        (lambda m: m.pop("events/2.json"), "event 2"),
        (lambda m: m.update({"events/1.json": m["events/1.json"] + b" "}), "event 1 was changed"),
        (lambda m: m.update({first(m, "contents/"): b"x"}), "content"),
        (lambda m: m.update({first(m, "messages/"): b"x"}), "was altered"),
        (lambda m: m.update({"files/" + "0" * 64: b"x"}), "belongs to nothing"),
        (lambda m: m.pop("messages.json"), "messages.json is missing"),
        (lambda m: m.update({first(m, "seals/"): b"{}"}), "not a seal"),
        (lambda m: m.update({"events.json": b"[[[["}), "events.json was altered"),
    ],
)
def test_a_forged_file_is_found_though_its_manifest_was_made_anew(made, tmp_path, change, named):
    _, _, target = made
    said = again(target, change, tmp_path)
    assert named in said
    assert "manifest.p7s: the signature is not believed" in said


def test_events_of_another_appeal_do_not_pass(made, tmp_path):
    house, receipts, target = made
    other = tmp_path / "other.zip"
    house.run("evidence", receipts[1], "--export", str(other), "--ground", "иск № 5")
    theirs = pack.members_of(other)

    def change(members):
        for name in theirs:
            if name.startswith("events"):
                members[name] = theirs[name]

    assert "prev differs" in again(target, change, tmp_path)


@pytest.mark.parametrize("level", ["problem_only", "reference_only"])
def test_without_personal_data_it_still_verifies(made, tmp_path, level):
    house, receipts, _ = made
    target = tmp_path / "short.zip"
    house.run("evidence", receipts[0], "--export", str(target), "--level", level)
    assert SECRET.encode() not in target.read_bytes()
    assert "withheld: 1" in offline(target)


def test_after_an_erasure_a_new_file_says_erased(made, tmp_path):
    house, receipts, _ = made
    house.json("erase", receipts[0], "--ground", "x", "--commit")
    target = tmp_path / "late.zip"
    house.run("evidence", receipts[0], "--export", str(target), "--ground", "x")
    assert "erased: 1" in offline(target)
    house.json("seal", "verify")


def test_an_export_in_full_needs_a_ground_and_is_recorded(made, tmp_path):
    house, receipts, _ = made
    house.run("evidence", receipts[0], "--export", str(tmp_path / "x.zip"), code=2)
    assert not (tmp_path / "x.zip").exists()
    assert house.rows("SELECT what, ground FROM reading") == [("evidence --export", "иск № 5")]


def test_bombs_and_paths_are_refused(tmp_path):
    for name, compression in (("../x", 0), ("/etc/x", 0), ("events/1.json", zipfile.ZIP_DEFLATED)):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", compression) as archive:
            archive.writestr(name, b"\0" * 10_000_000)
        path = tmp_path / "bomb.zip"
        path.write_bytes(stream.getvalue())
        tracemalloc.start()
        assert faults(path)
        assert tracemalloc.get_traced_memory()[1] < path.stat().st_size + 2_000_000
        tracemalloc.stop()
        assert list(tmp_path.iterdir()) == [path], "nothing is unpacked"


def test_the_digest_of_a_manifest_is_its_own(made):
    members = pack.members_of(made[2])
    assert members[pack.DIGEST].decode() == sha256(members[pack.MANIFEST]).hexdigest()
