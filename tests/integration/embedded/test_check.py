"""The self-check of a database, on databases that are wrong in the known ways."""

from __future__ import annotations

import psycopg

from gateway.embedded import check_database

MATRIX = [
    # name, clause of CREATE DATABASE, since PostgreSQL, words of the problems
    ("c", "LOCALE_PROVIDER libc LOCALE 'C'", 15, ["lower('Ё')", "trigrams"]),
    ("libc", "LOCALE_PROVIDER libc LOCALE 'C.UTF-8'", 15, []),
    (
        "builtin",
        "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LC_CTYPE 'C' LC_COLLATE 'C'",
        17,
        ["trigrams"],
    ),
    (
        "unicode",
        "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'PG_UNICODE_FAST' LC_CTYPE 'C' LC_COLLATE 'C'",
        18,
        ["trigrams"],
    ),
    (
        "ours",
        "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LC_CTYPE 'C.UTF-8' LC_COLLATE 'C'",
        17,
        [],
    ),
    ("ascii", "LOCALE_PROVIDER libc LOCALE 'C' ENCODING 'SQL_ASCII'", 15, ["SQL_ASCII"]),
]


def test_each_locale_is_judged_by_what_works_in_it(site):
    with site.open() as cluster:
        major = int(cluster.version.split(".")[0])
        with psycopg.connect(cluster.admin_url_for("postgres"), autocommit=True) as admin:
            for name, clause, since, _ in MATRIX:
                if major >= since:
                    admin.execute(f"CREATE DATABASE {name} TEMPLATE template0 {clause}".encode())
        for name, _, since, words in MATRIX:
            if major < since:
                continue
            with psycopg.connect(cluster.admin_url_for(name), client_encoding="utf8") as connection:
                problems = check_database(connection)
            assert all(any(word in each for each in problems) for word in words), (name, problems)
            assert bool(problems) == bool(words), (name, problems)


def test_the_check_leaves_no_trace(site):
    with (
        site.open() as cluster,
        psycopg.connect(cluster.admin_url_for("postgres")) as connection,
    ):
        assert check_database(connection) == []
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        found = connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'")
        assert found.fetchone() is None


def test_a_role_that_may_not_make_the_extension_is_told_whom_to_ask(site):
    with site.open() as cluster, psycopg.connect(cluster.url_for("postgres")) as connection:
        (problem,) = check_database(connection)
    assert "administrator" in problem
    assert "CREATE EXTENSION pg_trgm" in problem


def test_an_extension_in_another_schema_is_found(site):
    with (
        site.open() as cluster,
        psycopg.connect(cluster.admin_url_for("postgres"), autocommit=True) as admin,
    ):
        admin.execute('CREATE SCHEMA "Чужая"')
        admin.execute('CREATE EXTENSION pg_trgm SCHEMA "Чужая"')
        assert check_database(admin) == []
