"""Instants of the command line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.commands import times
from gateway.errors import ValidationError

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
OMSK = ZoneInfo("Asia/Omsk")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("90m", NOW - timedelta(minutes=90)),
        ("2h", NOW - timedelta(hours=2)),
        ("7d", NOW - timedelta(days=7)),
        ("2026-11-20", datetime(2026, 11, 20, tzinfo=OMSK)),
        ("2026-11-20T09:00", datetime(2026, 11, 20, 9, tzinfo=OMSK)),
        ("2026-11-20T09:00Z", datetime(2026, 11, 20, 9, tzinfo=UTC)),
    ],
)
def test_an_instant_is_read(text, expected):
    assert times.read(text, NOW, OMSK) == expected


@pytest.mark.parametrize("text", ["yesterday", "2x", "2026-13-01", "-1h"])
def test_anything_else_is_refused(text):
    with pytest.raises(ValidationError, match="not an instant"):
        times.read(text, NOW, OMSK)
