"""A delivery is a whole zip, or it is refused before anybody reads it."""

import struct
import zipfile

import pytest

from adapters.fias.whole import require_whole
from gateway import limits
from gateway.errors import MalformedError, TooLargeError


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "gar_xml.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name in ("36/AS_HOUSES.XML", "version.txt"):
            made.writestr(name, b"<HOUSES/>" * 5_000)
    return path


def test_a_whole_one_has_members(archive):
    assert require_whole(archive, sums=True) == 2


@pytest.mark.parametrize("cut", [1, 30, 300])
def test_one_that_is_cut_short_is_refused(archive, cut):
    archive.write_bytes(archive.read_bytes()[:-cut])
    with pytest.raises(MalformedError, match="cut short"):
        require_whole(archive, sums=False)


def test_a_member_that_was_damaged_is_seen_by_its_sum(archive):
    data = bytearray(archive.read_bytes())
    data[60] ^= 0xFF
    archive.write_bytes(data)
    assert require_whole(archive, sums=False) == 2
    with pytest.raises(MalformedError, match="damaged"):
        require_whole(archive, sums=True)


def test_an_encrypted_one_and_an_empty_one_are_refused(archive, tmp_path):
    empty = tmp_path / "empty.zip"
    with zipfile.ZipFile(empty, "w"):
        pass
    with pytest.raises(MalformedError, match="empty"):
        require_whole(empty, sums=True)
    data = archive.read_bytes().replace(
        b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01"
    )
    archive.write_bytes(data)
    with pytest.raises(MalformedError):
        require_whole(archive, sums=True)


def test_a_directory_too_large_for_memory_is_not_read(archive):
    data = bytearray(archive.read_bytes())
    at = data.rfind(b"PK\x05\x06")
    struct.pack_into("<I", data, at + 12, limits.FIAS_ZIP_TAIL_BYTES + 1)
    archive.write_bytes(data)
    with pytest.raises(TooLargeError):
        require_whole(archive, sums=False)


def test_too_many_members_are_refused(tmp_path, monkeypatch, archive):
    monkeypatch.setattr(limits, "FIAS_ZIP_MEMBERS", 1)
    with pytest.raises(TooLargeError):
        require_whole(archive, sums=False)


def test_a_large_directory_of_a_file_past_4_gb_is_not_read_either(archive):
    data = bytearray(archive.read_bytes())
    at = data.rfind(b"PK\x05\x06")
    record = b"PK\x06\x06" + struct.pack("<Q", 44) + bytes(28) + struct.pack("<QQ", 2**40, 0)
    locator = b"PK\x06\x07" + struct.pack("<IQI", 0, at, 1)
    end = bytearray(data[at:])
    struct.pack_into("<I", end, 12, 0xFFFF_FFFF)
    archive.write_bytes(bytes(data[:at]) + record + locator + bytes(end))
    with pytest.raises(TooLargeError):
        require_whole(archive, sums=False)
