"""The server's configuration file, written at every start.

It stands beside the cluster and replaces `pgdata/postgresql.conf`, so that nothing depends on the
environment of whoever ran initdb. Modest on purpose: the machine also runs the gateway. An operator
who wants more writes `postgresql.local.conf` or uses a PostgreSQL of their own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from gateway.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.embedded.layout import Layout, ServerSpec

OWNED: Final = frozenset(
    {
        "config_file",
        "data_directory",
        "fsync",
        "full_page_writes",
        "hba_file",
        "ident_file",
        "listen_addresses",
        "port",
        "unix_socket_directories",
        "unix_socket_group",
        "unix_socket_permissions",
    }
)
"""Options that the launcher sets itself: with other values it would lose the server or the data."""

DEFAULTS: Final[Mapping[str, str]] = {
    "max_connections": "100",
    "shared_buffers": "128MB",
    "effective_cache_size": "512MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "checkpoint_completion_target": "0.9",
    "jit": "off",
    "max_logical_replication_workers": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "datestyle": "iso, dmy",
    "lc_messages": "C",
    "lc_monetary": "C",
    "lc_numeric": "C",
    "lc_time": "C",
    "default_text_search_config": "pg_catalog.russian",
    "password_encryption": "scram-sha-256",
    # Errors of statements quote the values of citizens' fields; the gateway reports them itself.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
    "log_checkpoints": "off",
    "log_destination": "stderr",
    "logging_collector": "off",
    "log_line_prefix": "%m [%p] ",
}

NOT_DURABLE: Final[Mapping[str, str]] = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
}

LOCAL: Final = b"# Settings of yours for the embedded PostgreSQL; read at its next start.\n"

_NAME = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?")


def checked_options(options: Mapping[str, str]) -> dict[str, str]:
    """Refuse options that are no options, or that the launcher sets itself.

    Raises:
        ConfigurationError: names the option.
    """
    for name, value in options.items():
        if name in OWNED or not _NAME.fullmatch(name) or any(ord(char) < 32 for char in value):
            raise ConfigurationError(
                "this option of the embedded PostgreSQL cannot be set",
                found=f"{name} = {value}",
                todo="remove it; the launcher sets sockets, files and durability itself",
            )
    return dict(options)


def render(layout: Layout, spec: ServerSpec) -> bytes:
    """Write the configuration as the text of a postgresql.conf; later lines win in it."""
    values = {
        **DEFAULTS,
        **({} if spec.durable else NOT_DURABLE),
        **spec.options,
    }
    fixed = {
        "listen_addresses": "",
        "unix_socket_directories": spec.socket_dir,
        "unix_socket_permissions": "0700",
        "hba_file": str(layout.pgdata / "pg_hba.conf"),
        "ident_file": str(layout.pgdata / "pg_ident.conf"),
    }
    lines = [
        f"# Written by the gateway at every start; your own lines go to {layout.local_conf.name}.",
        *(f"{name} = {quote(value)}" for name, value in values.items()),
        f"include = {quote(layout.local_conf.name)}",
        *(f"{name} = {quote(value)}" for name, value in fixed.items()),
        "",
    ]
    return "\n".join(lines).encode("utf-8", "surrogateescape")


def quote(value: str) -> str:
    """Quote a value for postgresql.conf."""
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
