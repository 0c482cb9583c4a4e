"""How commands speak: `gateway.screen`, under the name that the commands of the house use."""

from gateway.screen import (
    FAILED,
    FOUND,
    PIPED_WIDTH,
    Commit,
    Group,
    Json,
    app,
    console,
    document,
    planned,
    say,
    table,
)

__all__ = [
    "FAILED",
    "FOUND",
    "PIPED_WIDTH",
    "Commit",
    "Group",
    "Json",
    "app",
    "console",
    "document",
    "planned",
    "say",
    "table",
]
