"""SEV, after ГОСТ Р 53898-2013: documents as DocInfo, notifications as Report (README)."""

from __future__ import annotations

from adapters.sed.sev.decode import decode, is_container
from adapters.sed.sev.encode import encode
from adapters.sed.sev.restore import is_item, restore

__all__ = ["decode", "encode", "is_container", "is_item", "restore"]
