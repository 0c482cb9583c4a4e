"""A delivery comes whole or not at all, and a broken one goes on where it broke."""

import os
import re
from hashlib import sha256

import pytest

from gateway import limits
from gateway.errors import (
    ConfigurationError,
    MalformedError,
    PeerRefused,
    PeerUnavailable,
    TooLargeError,
    UnsupportedError,
)
from simulators.faults import Fault

DAY = "2026.09.08"
NAME = "20260908_gar_xml.zip"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "kept"


def fetch(site, folder, **more):
    return site.downloads(folder, **more).fetch(site.url(DAY), NAME)


def lies(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_delivery_is_fetched_with_its_sum_beside_it(site, folder):
    data = site.release(DAY)
    told = []
    found = fetch(site, folder, told=lambda there, all_: told.append((there, all_)))
    assert found.path.read_bytes() == data
    assert (found.size, found.sha256, found.resumed) == (len(data), sha256(data).hexdigest(), 0)
    assert (folder / f"{NAME}.sha256").read_text() == f"{found.sha256}  {NAME}\n"
    assert lies(folder) == [NAME, f"{NAME}.sha256"]
    assert told[-1] == (len(data), len(data))


def test_a_broken_connection_is_taken_up_where_it_broke(site, folder):
    data = site.release(DAY)
    site.fail(kind="break", at=100_000)
    site.fail(kind="break", at=50_000)
    assert fetch(site, folder).path.read_bytes() == data
    starts = [int(re.fullmatch(r"bytes=(\d+)-", r)[1]) if r else 0 for r in site.ranges]
    assert starts == [0, 100_000, 150_000]


def test_what_an_earlier_run_left_is_taken_up(site, folder):
    data = site.release(DAY)
    site.fail(kind="break", at=100_000, times=1)
    site.fail(kind="break", at=0, times=0)
    with pytest.raises(PeerUnavailable):
        fetch(site, folder)
    assert lies(folder) == [f"{NAME}.part", f"{NAME}.part.json"]
    site.service.command({"clear_files": True})
    found = fetch(site, folder)
    assert (found.resumed, found.sha256) == (100_000, sha256(data).hexdigest())
    assert site.ranges[-1] == "bytes=100000-"


def test_a_server_that_knows_no_range_starts_again(site, folder):
    data = site.release(DAY)
    site.fail(kind="break", at=100_000)
    site.fail(kind="ignore_range", times=0)
    found = fetch(site, folder)
    assert found.path.read_bytes() == data
    assert found.resumed == 0


def test_a_server_that_gives_all_for_a_range_starts_again(site, folder):
    data = site.release(DAY)
    site.fail(kind="break", at=100_000)
    site.fail(kind="whole")
    found = fetch(site, folder)
    assert found.path.read_bytes() == data
    assert site.ranges == ["", "bytes=100000-"]


def test_a_file_that_was_changed_there_starts_again(site, folder):
    site.release(DAY)
    site.fail(kind="break", at=100_000)
    site.fail(kind="break", at=0, times=0)
    with pytest.raises(PeerUnavailable):
        fetch(site, folder)
    site.service.command({"clear_files": True})
    os.utime(site.folder / DAY / "gar_xml.zip", (1, 1))
    found = fetch(site, folder)
    assert found.resumed == 0
    assert found.path.read_bytes() == (site.folder / DAY / "gar_xml.zip").read_bytes()


def test_another_length_than_announced_is_no_whole_file(site, folder):
    site.release(DAY)
    site.fail(kind="length", times=0)
    with pytest.raises(PeerUnavailable):
        fetch(site, folder)
    assert NAME not in lies(folder)


def test_a_damaged_file_is_refused_and_fetched_anew_the_next_time(site, folder):
    data = site.release(DAY)
    site.fail(kind="corrupt", at=1_000)
    with pytest.raises(MalformedError) as caught:
        fetch(site, folder)
    assert "download" in caught.value.todo
    assert lies(folder) == []
    assert fetch(site, folder).sha256 == sha256(data).hexdigest()


def test_what_is_no_zip_is_refused(site, folder):
    place = site.folder / DAY
    place.mkdir()
    (place / "gar_xml.zip").write_bytes(b"<html>" + b"x" * 5_000)
    with pytest.raises(MalformedError, match="zip"):
        fetch(site, folder)
    assert lies(folder) == []


def test_a_kept_delivery_is_not_asked_for_again_unless_it_changed(site, folder):
    data = site.release(DAY)
    fetch(site, folder)
    asked = len(site.service.folder.asked)
    assert fetch(site, folder).resumed == len(data)
    assert len(site.service.folder.asked) == asked
    (folder / NAME).write_bytes(data[:-1] + b"?")
    assert fetch(site, folder).resumed == 0
    assert (folder / NAME).read_bytes() == data


def test_a_busy_server_is_asked_again(site, folder):
    data = site.release(DAY)
    site.peer.faults.plan(Fault(kind="busy", key="file", times=3))
    assert fetch(site, folder).size == len(data)


def test_a_server_that_stays_away_is_given_up_for_now(site, folder):
    site.release(DAY)
    site.peer.faults.plan(Fault(kind="busy", key="file", times=0))
    with pytest.raises(PeerUnavailable):
        fetch(site, folder)


def test_a_file_that_is_not_there_is_refused_at_once(site, folder):
    with pytest.raises(PeerRefused):
        fetch(site, folder)
    assert len(site.peer.journal.troubles()) == 0


def test_a_slow_server_is_waited_for(site, folder):
    data = site.release(DAY)
    site.fail(kind="slow")
    assert fetch(site, folder).size == len(data)


def test_a_disk_without_room_is_seen_before_anything_is_fetched(site, folder):
    site.release(DAY)
    with pytest.raises(ConfigurationError, match="room") as caught:
        fetch(site, folder, free=lambda _folder: limits.FIAS_FREE_BYTES)
    assert "directory" in caught.value.todo
    assert site.ranges == []


def test_a_delivery_past_the_limit_is_not_begun(site, folder):
    site.release(DAY)
    with pytest.raises(TooLargeError):
        fetch(site, folder, most=1_000)
    assert site.ranges == []


@pytest.mark.parametrize("url", ["http://elsewhere.example/x.zip", "http://127.0.0.1:9/gar.zip"])
def test_a_host_that_is_not_listed_is_not_spoken_to(site, folder, url):
    with pytest.raises(ConfigurationError, match="listed") as caught:
        site.downloads(folder).fetch(url, NAME)
    assert "hosts" in caught.value.where


def test_an_address_that_names_no_release_is_refused(site, folder):
    with pytest.raises(UnsupportedError):
        site.downloads(folder).fetch(f"{site.peer.address}/downloads/Actual/gar_xml.zip", NAME)
    assert site.service.folder.asked == []


def test_a_delivery_is_not_fetched_in_the_clear_over_the_internet(site, folder):
    with pytest.raises(ConfigurationError, match="in the clear"):
        fetch(site, folder, plain=False)


def test_a_folder_that_cannot_be_made_is_told(site, tmp_path):
    site.release(DAY)
    (tmp_path / "taken").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be written") as caught:
        fetch(site, tmp_path / "taken" / "fias")
    assert "taken" in caught.value.where
