"""An inbox whose sender or profile is not right leaves the files where the partner put them."""

from __future__ import annotations

import threading

import msgspec
import psycopg
import pytest
from structlog.testing import capture_logs

from gateway.errors import ConfigurationError, StateError
from import_export.filedrop import FileDrop
from import_export.profile import PROFILES

from .conftest import add_peer, table
from .test_filedrop import GOOD


class Watched:
    """The watcher of one inbox, as `gateway work` runs it, and what it logs."""

    def __init__(self, drop):
        self.drop = drop
        self.looks = 0
        self._stop = threading.Event()
        self._watcher = FileDrop(
            [drop.inbox], drop.committer, drop.blobs, url=drop.url, clock=self._clock,
            poll_seconds=0.01,
        )  # fmt: skip
        self._thread = threading.Thread(target=self._watcher.run, args=(self._stop,))

    def _clock(self):
        self.looks += 1
        return self.drop.now

    def __enter__(self):
        self._logs = capture_logs()
        self.said = self._logs.__enter__()
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
        self._logs.__exit__(None, None, None)

    def look(self, times=5):
        """Wait for so many looks more."""
        target = self.looks + times
        self.until(lambda: self.looks >= target)

    def until(self, condition):
        while not condition():
            assert self._thread.is_alive()
            threading.Event().wait(0.01)

    def events(self):
        return [line["event"] for line in self.said if line["event"].startswith("filedrop.")]


def of(drop, **changes):
    drop.inbox = msgspec.structs.replace(drop.inbox, **changes)
    return drop


def enable(drop, code, *, enabled):
    with psycopg.connect(drop.url, autocommit=True) as connection:
        connection.execute("UPDATE peer SET enabled = %s WHERE code = %s", (enabled, code))


def test_a_peer_that_is_not_there_is_told_once_and_its_file_waits_for_it(drop):
    of(drop, peer="nosuchpeer").put("r.csv", table(GOOD))
    with Watched(drop) as watched:
        watched.look()
        assert watched.events() == ["filedrop.refused"]
        assert watched.said[0]["log_level"] == "error"
        assert "нет такой системы" in watched.said[0]["reason"]
        assert "nosuchpeer" in watched.said[0]["reason"]
        assert drop.names("in") == ["r.csv"]
        assert drop.count("message") == 0

        add_peer(drop.url, "nosuchpeer")
        watched.until(lambda: drop.names("done") == ["r.csv"])

    assert watched.events() == ["filedrop.refused", "filedrop.resumed", "filedrop.file"]


def test_files_of_a_disabled_peer_wait_untouched_until_it_is_enabled(drop):
    enable(drop, "sed", enabled=False)
    drop.put("r.csv", table(GOOD))
    with Watched(drop) as watched:
        watched.look()
        assert watched.events() == ["filedrop.disabled"]
        assert "gateway peer enable sed" in watched.said[0]["reason"]
        assert drop.names("in") == ["r.csv"]
        assert drop.names("out") == drop.names("error") == []

        enable(drop, "sed", enabled=True)
        watched.until(lambda: drop.names("done") == ["r.csv"])

    assert drop.count("appeal") == 1


@pytest.mark.parametrize("wrong", ["", "[table]\nencoding = 1\n", None])
def test_a_wrong_profile_is_our_matter_so_the_partner_hears_nothing_of_it(drop, tmp_path, wrong):
    profile = tmp_path / "ours.toml"
    if wrong is not None:
        profile.write_text(wrong, "utf-8")
    of(drop, profile=str(profile)).put("r.csv", table(GOOD))
    with Watched(drop) as watched:
        watched.look()
        assert watched.events() == ["filedrop.refused"]
        assert drop.names("in") == ["r.csv"]
        assert drop.names("out") == drop.names("error") == drop.names("work") == []

        profile.write_text((PROFILES / "legacy-cp1251.toml").read_text("utf-8"), "utf-8")
        watched.until(lambda: drop.names("done") == ["r.csv"])

    assert drop.count("appeal") == 1


def test_what_a_dead_watcher_left_waits_too(drop):
    drop.put("r.csv", table(GOOD))
    from import_export.inbox import Directories

    Directories(drop.inbox.path).claim(drop.inbox.path / "in" / "r.csv")
    enable(drop, "sed", enabled=False)
    with pytest.raises(StateError):
        drop.look()
    assert drop.names("done") == drop.names("error") == []
    enable(drop, "sed", enabled=True)
    assert drop.look().files[0].accepted == 1


def test_nothing_is_touched_for_a_peer_that_is_not_there(drop):
    of(drop, peer="nosuchpeer").put("r.csv", table(GOOD))
    with pytest.raises(ConfigurationError, match="no such peer"):
        drop.look()
    assert drop.names("in") == ["r.csv"]


def test_a_utf8_file_is_named_as_such_where_the_profile_expects_windows_1251(drop):
    drop.put("r.csv", table(GOOD).decode("cp1251").encode())
    (report,) = drop.look().files
    assert "файл в UTF-8, а профиль ждёт windows-1251" in report.reason
    (error,) = drop.answers("r.csv.err.csv")
    assert error["reason_ru"] == "файл в UTF-8, а профиль ждёт windows-1251"
    assert error["reason_en"] == "the file is UTF-8, and the profile expects windows-1251"
    assert drop.count("appeal") == 0


def test_and_the_other_way_round(make_drop, tmp_path):
    profile = (PROFILES / "legacy-cp1251.toml").read_text("utf-8")
    (tmp_path / "utf8.toml").write_text(profile.replace('"cp1251"', '"utf-8"'), "utf-8")
    drop = make_drop(str(tmp_path / "utf8.toml"))
    drop.put("r.csv", table(GOOD))
    (report,) = drop.look().files
    assert report.error == "malformed"
    assert "windows-1251, а профиль ждёт UTF-8" in report.reason
