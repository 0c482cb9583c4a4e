"""Whatever bytes of an archive change, it is read as before or refused as damaged."""

import random
import zipfile

import pytest

from adapters.fias.drift import Drift
from adapters.fias.members import Delivery
from gateway.errors import GatewayError, MalformedError

GUID = "00000000-0000-0000-0000-000000000000"
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


def whole(path, method):
    with zipfile.ZipFile(path, "w", method) as made:
        made.writestr("version.txt", "2026.09.08")
        made.writestr(f"36/AS_HOUSES_20260908_{GUID}.XML", b"<HOUSE ID='1'/>" * 300)
    return path.read_bytes()


def read(path):
    """Read all of a delivery; return the error that refused it."""
    try:
        with Delivery(path, Drift()) as delivery:
            for member in delivery.members:
                for _ in delivery.pieces(member):
                    pass
    except GatewayError as error:
        return error
    return None


@pytest.mark.parametrize("method", METHODS)
def test_an_archive_with_changed_bytes_is_read_or_refused(tmp_path, method):
    path = tmp_path / "gar_xml.zip"
    body = whole(path, method)
    chance = random.Random(method)
    refused = 0
    for _ in range(400):
        changed = bytearray(body)
        for _ in range(chance.randint(1, 3)):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        path.write_bytes(changed)
        error = read(path)
        refused += error is not None
        assert error is None or error.todo, error
    assert refused > 100


def test_a_version_that_is_damaged_is_refused(tmp_path):
    path = tmp_path / "gar_xml.zip"
    path.write_bytes(whole(path, zipfile.ZIP_STORED).replace(b"2026.09.08", b"2026.09.09", 1))
    error = read(path)
    assert isinstance(error, MalformedError)
    assert "version.txt" in error.where


def test_a_member_without_a_name_is_refused(tmp_path):
    path = tmp_path / "gar_xml.zip"
    whole(path, zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"version.txt", b"\0ersion.txt"))
    assert isinstance(read(path), MalformedError)
