"""A case file without its signature passes for none that has one, and what it says is held to."""

from __future__ import annotations

import json

import pytest

from gateway import casefile, sealing
from gateway.casefile import package as pack
from gateway.settings import Settings
from tests.integration.evidence.test_casefile import made, offline

__all__ = ["made"]


def again(target, tmp_path, change=lambda _members: None, **about):
    """Make the file anew as anybody can: other members, a new manifest, no signature."""
    members = pack.members_of(target)
    manifest = json.loads(members[pack.MANIFEST])
    for name in (pack.MANIFEST, pack.SIGNATURE, pack.DIGEST):
        members.pop(name)
    change(members)
    del manifest["members"], manifest["v"]
    out = tmp_path / "forged.zip"
    out.write_bytes(pack.pack(members, {**manifest, **about}, None))
    return out


def changed(name, **told):
    def change(members):
        rows = [{**row, **told} for row in json.loads(members[name])]
        members[name] = pack.canonical(rows)

    return change


def withhold(members):
    for row in json.loads(members["contents.json"]):
        members.pop(f"contents/{row['id']}.bin")
    changed("contents.json", state="withheld", salt=None)(members)


def test_an_unsigned_file_is_signed_by_nobody_though_its_seals_are(made, tmp_path):
    house, _, target = made
    trusted = [word for path in house.settings.trusted_authorities
               for word in ("--authority", path)]  # fmt: skip
    assert "Подписал · Signed by" in offline(target, *trusted)
    forged = again(target, tmp_path)
    said = offline(forged)
    assert "Signed by" not in said
    assert "Sealed by" in said
    assert "Цело, но не подписано" in said
    assert "manifest.p7s is missing" in offline(forged, *trusted, code=1)


@pytest.mark.parametrize(
    ("change", "about", "named"),
    [
        (changed("proofs.json", sealed_at="2100-01-01T00:00:00Z"), {}, "was signed at"),
        (changed("proofs.json", sealed_at="2020-01-01T00:00:00Z"), {}, "before the day was over"),
        (changed("events.json", recorded_at="2020-01-01T00:00:00Z"), {}, "not in that day"),
        (withhold, {}, "is withheld in a file that is said to be full"),
        (lambda m: m.update({"readme.txt": b"x"}), {}, "readme.txt belongs to nothing"),
        (lambda m: m.update({"seals/2020-01-01.json": b"{}"}), {}, "belongs to nothing"),
        (lambda _: None, {"appeal_id": "x" * 36}, "names no appeal"),
        (lambda _: None, {"made_at": "never"}, "cannot be read"),
        (lambda m: m.update({"seals/" + "f" * 60 + ".p7s": b"x"}), {}, "belongs to nothing"),
    ],
    ids=[
        "seal-dated-later", "seal-dated-earlier", "event-of-another-day", "content-left-out",
        "a-letter-beside", "a-seal-beside", "no-such-appeal", "no-time", "a-name-beside",
    ],
)  # fmt: skip
def test_what_a_file_made_anew_says_is_held_to(made, tmp_path, change, about, named):
    forged = again(made[2], tmp_path, change, **about)
    signing = sealing.opened(Settings(revocation_required=False))
    assert named in "\n".join(casefile.verify(forged, signing, trusted=False).faults)
