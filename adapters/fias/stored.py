"""What is loaded, as the database says it."""

from __future__ import annotations

from typing import Any, Final

import psycopg

LOADED: Final = "SELECT region, version FROM address_version ORDER BY region"


def loaded(url: str) -> dict[int, int]:
    """Return the VersionId that each region is at."""
    db: psycopg.Connection[Any]
    with psycopg.connect(url, connect_timeout=5, application_name="gateway fias") as db:
        return dict(db.execute(LOADED).fetchall())
