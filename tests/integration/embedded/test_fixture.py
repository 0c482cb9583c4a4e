"""The fixtures every other test with a database relies on."""

from __future__ import annotations

import psycopg

from gateway.embedded import check_database


def test_a_test_gets_a_database_of_its_own_as_an_ordinary_owner(pg_url):
    with psycopg.connect(pg_url) as connection:
        connection.execute("CREATE TABLE only_here (id int)")
        superuser = connection.execute("SELECT current_setting('is_superuser')").fetchone()
        assert superuser == ("off",)
        assert check_database(connection) == []


def test_the_next_test_sees_nothing_of_it(pg_url):
    with psycopg.connect(pg_url) as connection:
        assert connection.execute("SELECT to_regclass('only_here')").fetchone() == (None,)
