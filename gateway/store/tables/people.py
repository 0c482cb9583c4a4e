"""People who log in, what they may do, their sessions, and who read what."""

from __future__ import annotations
