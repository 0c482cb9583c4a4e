"""Packages as they come from real zip tools, hostile ones, and those we write."""

import io
import json
import zipfile
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from adapters.sstu import package
from adapters.sstu.decode import decode
from gateway import limits
from gateway.adapter import Wire
from gateway.errors import GatewayError, MalformedError, TooLargeError, ValidationError

ZONE = ZoneInfo("Europe/Moscow")
NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)


def document(number="ОГ-1"):
    return json.dumps({
        "departmentId": "1f6b0a52-9d3e-4c7a-8f21-0a5b6c7d8e91", "isDirect": True,
        "format": "Other", "number": number, "name": "Берёзкина Анна",
        "questions": [{"code": "0005.0005.0056.1147", "status": "NotReceived"}],
    }, ensure_ascii=False).encode()  # fmt: skip


def archive(*members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, body in members:
            zipped.writestr(name, body)
    return out.getvalue()


def unpack(body):
    return decode(Wire(media_type="application/zip", body=body), ZONE)


def why(decoded):
    return {r.where: [v.code for v in r.violations] for r in decoded.rejected}


def test_one_bad_document_does_not_cost_the_others():
    decoded = unpack(archive(
        ("1.json", document("1")), ("2.json", b"{"), ("3.json", b'{"number": 3}'),
        ("папка/", b""), ("папка/4.json", document("4")), ("readme.txt", b"?"),
    ))  # fmt: skip
    assert [i.appeal.registrations[0].number for i in decoded.items] == ["1", "4"]
    assert why(decoded) == {
        "2.json": ["malformed"], "3.json": ["type", "required"], "readme.txt": ["unsupported"],
    }  # fmt: skip


def test_a_directory_of_many_names_is_refused_before_it_is_read(monkeypatch):
    many = archive(*((f"{n}.json", b"") for n in range(50)))
    end, size = many[-22:], (limits.ZIP_DIRECTORY_BYTES + 1).to_bytes(8, "little")
    longer = b"PK\x06\x06" + bytes(36) + size + bytes(8) + b"PK\x06\x07" + bytes(16)
    monkeypatch.setattr(zipfile, "ZipFile", lambda *_: pytest.fail("it was read"))
    for body in (many[:-22] + end[:12] + size[:4] + end[16:], many[:-22] + longer + end):
        with pytest.raises(TooLargeError, match="directory"):
            package.read(body)
    monkeypatch.setattr(limits, "ZIP_DIRECTORY_BYTES", 1_000)
    for body in (many, many[:-2] + b"\x03\x00abc"):
        with pytest.raises(TooLargeError, match="directory"):
            package.read(body)


def test_a_package_with_a_comment_is_read():
    body = archive(("1.json", document("1")))
    assert len(unpack(body[:-2] + b"\x10\x00reports of March").items) == 1


def test_an_encrypted_member_is_refused_alone():
    body = bytearray(archive(("1.json", document()), ("2.json", document("2"))))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        body[body.index(mark) + offset] |= 1
    decoded = unpack(bytes(body))
    assert len(decoded.items) == 1
    assert why(decoded) == {"1.json": ["unsupported"]}


@pytest.mark.parametrize("name", ["../1.json", "/etc/1.json", "a/../../1.json", "C:\\1.json"])
def test_a_name_that_leads_out_of_the_package_is_refused(name):
    assert list(why(unpack(archive((name, document())))).values()) == [["malformed"]]


def test_a_package_within_a_package_is_refused():
    inner = archive(("1.json", document()))
    assert why(unpack(archive(("2.json", inner)))) == {"2.json": ["unsupported"]}


def test_a_bomb_is_refused_before_it_is_unpacked():
    decoded = unpack(archive(("1.json", b" " * 10_000_000), ("2.json", document())))
    assert why(decoded) == {"1.json": ["too_large"]}
    assert len(decoded.items) == 1


def test_a_document_of_too_many_values_is_refused_before_they_are_made():
    values = document().rstrip(b"}") + b',"x":[' + b"[]," * limits.JSON_VALUES + b"[]]}"
    with pytest.raises(TooLargeError, match="too many values"):
        unpack(values)
    decoded = unpack(archive(("1.json", values + b" "), ("2.json", document())))
    assert why(decoded) == {"1.json": ["too_large"]}
    assert len(decoded.items) == 1


def test_a_document_alone_may_be_as_large_as_one_of_a_package(monkeypatch):
    monkeypatch.setattr(limits, "ZIP_MEMBER_BYTES", len(document()))
    assert len(unpack(document()).items) == 1
    with pytest.raises(TooLargeError):
        unpack(document() + b" ")


def test_a_list_of_too_many_rows_is_refused():
    with pytest.raises(TooLargeError, match="rows"):
        unpack(b"[" + b"0," * limits.LIST_ROWS + b"0]")


def test_too_many_members_are_refused_whole():
    body = archive(*((f"{n}.json", b"") for n in range(limits.ZIP_MEMBERS + 1)))
    with pytest.raises(TooLargeError):
        unpack(body)


def test_a_broken_member_is_named_and_a_broken_package_is_refused():
    body = bytearray(archive(("1.json", document()), ("2.json", document("2"))))
    body[body.index(b"1.json") + 20] ^= 0xFF
    decoded = unpack(bytes(body))
    assert why(decoded) == {"1.json": ["malformed"]}
    with pytest.raises(MalformedError):
        unpack(bytes(body[:-30]))


def test_a_member_without_a_name_is_refused_alone():
    body = archive(("1.json", document()), ("2.json", document("2"))).replace(
        b"1.json", b"\x00.json"
    )
    decoded = unpack(body)
    assert len(decoded.items) == 1
    assert list(why(decoded).values()) == [["malformed"]]


def test_names_of_old_russian_zip_tools_are_readable():
    raw = "ответы/обращение.json".encode("cp866")
    body = archive(("x" * len(raw), b"{")).replace(b"x" * len(raw), raw)
    assert list(why(unpack(body))) == ["ответы/обращение.json"]


def documents(*sizes):
    return [
        Wire(media_type="application/json", body=bytes(range(256)) * size, name=f"{n}.json")
        for n, size in enumerate(sizes)
    ]


def write(wires, limit):
    return list(package.write(wires, now=NOW, stem="template", part_bytes=limit))


@pytest.mark.parametrize("limit", [1_000, 1_500, 2_000, 5_000, 50_000])
def test_no_part_is_larger_than_the_limit_and_nothing_is_lost(limit):
    wires = documents(*[1, 2, 3, 1, 4, 9, 1, 1, 30, 2, 5, 1])
    parts = write(wires, limit)
    assert [p.name for p in parts] == [f"template{n:03}.zip" for n in range(1, len(parts) + 1)]
    assert all(len(p.body) <= limit for p in parts)
    read = {member.name: member.data() for part in parts for member in package.read(part.body)}
    assert read == {w.name: w.body for w in wires}


def test_a_part_is_filled_before_the_next_is_begun():
    parts = write(documents(*[1] * 100), 5_000)
    assert min(len(p.body) for p in parts[:-1]) > 4_000


def test_a_document_larger_than_a_part_is_refused_not_cut():
    with pytest.raises(ValidationError):
        write(documents(1, 40), 300)


def test_no_documents_make_no_package():
    assert write([], 1_000) == []


def test_two_documents_of_one_name_are_refused():
    with pytest.raises(GatewayError):
        write([documents(1)[0], documents(1)[0]], 5_000)


def test_the_same_documents_make_the_same_bytes():
    assert write(documents(1, 2), 5_000) == write(documents(1, 2), 5_000)
