"""Packages for a closed network: parts on disk, a bad appeal named and the rest packed."""

import zipfile
from datetime import UTC, datetime
from hashlib import sha256

from adapters.sstu.bounds import Limits
from adapters.sstu.decode import decode_package
from adapters.sstu.export import documents, pack
from gateway.adapter import EncodeContext, Wire
from gateway.errors import NotFoundError
from gateway.model.appeal import Appeal
from gateway.model.question import Question

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
NOISE = b"".join(sha256(bytes((n,))).digest() for n in range(40))


def wires(count, size=1_000):
    for n in range(count):
        body = sha256(str(n).encode()).digest() * (size // 32)
        yield str(n), Wire(media_type="application/json", body=body, name=f"{n}.json")


def packed(found, folder, **bounds):
    return list(pack(found, folder, now=NOW, bounds=Limits(**bounds)))


def test_a_part_never_passes_its_bytes_or_its_documents(tmp_path):
    done = packed(wires(20), tmp_path, package=1_000, documents=4)
    assert all(path.stat().st_size <= 1_000 for path in tmp_path.iterdir())
    parts = [one.part for one in done]
    assert parts == sorted(parts)
    assert max(parts.count(part) for part in parts) <= 4
    names = [n for path in sorted(tmp_path.iterdir()) for n in zipfile.ZipFile(path).namelist()]
    assert names == [one.name for one in done] == [f"{n}.json" for n in range(20)]


def test_what_is_told_of_a_document_is_what_lies_in_the_part(tmp_path):
    for one in packed(wires(5), tmp_path, documents=2):
        with zipfile.ZipFile(tmp_path / one.part) as archive:
            assert sha256(archive.read(one.name)).hexdigest() == one.sha256


def test_a_bad_appeal_is_named_with_all_its_faults_and_the_others_are_packed(tmp_path):
    bare = Appeal(questions=(Question(state="in_work"),))
    found = [
        *wires(1),
        *documents([("ОГ-2", bare, EncodeContext(now=NOW))]),
        ("ОГ-3", NotFoundError("the appeal is not in the store")),
        ("ОГ-4", Wire(media_type="application/json", body=NOISE, name="4.json")),
        ("ОГ-5", Wire(media_type="application/json", body=b"{}", name="0.json")),
        ("ОГ-6", Wire(media_type="application/json", body=b"{}", name="6.json")),
    ]
    done = {one.key: one for one in packed(found, tmp_path, package=700)}
    assert [key for key, one in done.items() if one.error] == ["ОГ-2", "ОГ-3", "ОГ-4", "ОГ-5"]
    assert any(r.startswith("/departmentId: ") for r in done["ОГ-2"].reasons)
    assert len(done["ОГ-2"].reasons) >= 5
    assert done["ОГ-5"].reasons == ["name: two documents of one name in a package (0.json)"]
    assert [path.name for path in tmp_path.iterdir()] == ["sstu001.zip"]


def test_nothing_to_pack_leaves_no_part(tmp_path):
    assert packed([], tmp_path) == []
    assert packed([("1", NotFoundError("gone"))], tmp_path)[0].part == ""
    assert list(tmp_path.iterdir()) == []


def test_a_broken_off_run_leaves_whole_parts_only(tmp_path):
    run = pack(wires(9), tmp_path, now=NOW, bounds=Limits(documents=2))
    for _ in range(6):
        next(run)
    run.close()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["sstu001.zip", "sstu002.zip"]
    for path in tmp_path.iterdir():
        assert len(decode_package(path.read_bytes()).rejected) == 2
