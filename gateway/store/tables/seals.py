"""Daily seals over messages and events."""

from __future__ import annotations
