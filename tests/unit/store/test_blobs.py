"""A file that comes in pieces is there whole under its digest, or nothing of it is there."""

import errno
import io
import os
import signal
import subprocess
import sys
from hashlib import sha256

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway import limits
from gateway.errors import BusyError, InternalError, NotFoundError, TooLargeError
from gateway.store import blobs as store
from gateway.store.blobs import BlobDirectory


def files(root):
    return [path for path in root.rglob("*") if path.is_file()]


@pytest.fixture
def blobs(tmp_path):
    return BlobDirectory(tmp_path / "blobs")


@pytest.fixture(params=["unnamed", "named"])
def either(request, blobs, monkeypatch):
    """File systems with and without files that have no name."""
    if request.param == "named":

        def refuse(folder):
            raise OSError(errno.EOPNOTSUPP, "no such files here")

        monkeypatch.setattr(store, "_unnamed", refuse)
    return blobs


@given(pieces=st.lists(st.binary(max_size=50), max_size=6))
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pieces_become_one_file_under_the_digest_of_them_all(either, pieces):
    data = b"".join(pieces)
    with either.writing() as file:
        for piece in pieces:
            file.write(piece)
        assert file.size == len(data)
        digest = file.finish()
    assert digest == sha256(data).digest()
    assert either.get(digest) == data
    assert either.path(digest) in files(either.root)


def test_the_same_bytes_twice_are_one_file_and_young_again(either):
    for _ in range(2):
        with either.writing() as file:
            file.write(b"scan")
            digest = file.finish()
        age = either.path(digest).stat().st_mtime
        os.utime(either.path(digest), (1, 1))
    assert age > 1
    assert files(either.root) == [either.path(digest)]


def test_two_writers_of_the_same_bytes_do_not_hinder_each_other(either):
    with either.writing() as first, either.writing() as second:
        first.write(b"scan")
        second.write(b"scan")
        assert first.finish() == second.finish()
    assert len(files(either.root)) == 1


def test_of_what_was_given_up_nothing_is_left(either):
    with either.writing() as file:
        file.write(b"half")
    assert files(either.root) == []


def test_of_a_writer_that_was_killed_nothing_is_left(blobs):
    code = (
        "import sys, os, signal; from pathlib import Path\n"
        "from gateway.store.blobs import BlobDirectory\n"
        "file = BlobDirectory(Path(sys.argv[1])).writing(); file.write(b'half' * 1000)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(blobs.root)], check=False)
    assert done.returncode == -signal.SIGKILL
    left = [path.name for path in files(blobs.root)]
    # Where files must have a name, the collector knows it (gateway.store.blob_collector).
    assert all(name.startswith(".incoming.") for name in left)
    try:
        os.close(store._unnamed(blobs.root))
    except OSError:
        return
    assert left == []


def test_a_file_comes_back_in_pieces(blobs, monkeypatch):
    monkeypatch.setattr(store, "COPY_BYTES", 4)
    for data in (b"", b"scan", b"scanned", b"scanned page"):
        assert b"".join(blobs.blocks(blobs.put(data))) == data


def test_a_changed_file_is_never_given_out_whole(blobs, monkeypatch):
    monkeypatch.setattr(store, "COPY_BYTES", 4)
    digest = blobs.put(b"scanned page")
    blobs.path(digest).write_bytes(b"scanned pagE")
    given_out = []
    with pytest.raises(InternalError):
        given_out.extend(blobs.blocks(digest))
    assert b"".join(given_out) == b"scanned "


def test_a_file_that_is_not_there_is_not_found(blobs):
    with pytest.raises(NotFoundError):
        next(blobs.blocks(bytes(32)))


def test_a_directory_short_of_space_says_come_again(blobs):
    blobs.require_room(0)
    with pytest.raises(BusyError) as caught:
        blobs.require_room(1 << 60)
    assert caught.value.retry_after > 1
    assert limits.FREE_BYTES > 0


def test_a_stream_past_its_limit_leaves_nothing(blobs):
    assert blobs.put_stream(io.BytesIO(b"12345"), 5) == sha256(b"12345").digest()
    with pytest.raises(TooLargeError):
        blobs.put_stream(io.BytesIO(b"123456"), 5)
    assert len(files(blobs.root)) == 1


@pytest.mark.parametrize("how", ["at once", "in pieces"])
def test_a_long_file_is_made_durable_by_the_megabyte(blobs, monkeypatch, how):
    sizes, sync = [], os.fdatasync
    monkeypatch.setattr(
        os, "fdatasync", lambda file: (sizes.append(os.fstat(file).st_size), sync(file))
    )
    data = os.urandom(3 * limits.MB + 5)
    digest = blobs.put(data) if how == "at once" else blobs.put_stream(io.BytesIO(data), len(data))
    assert blobs.get(digest) == data
    assert sizes[:3] == [limits.MB, 2 * limits.MB, 3 * limits.MB]
