"""Asks an antivirus about a file before it is served or forwarded: clamd, or any ICAP server.

The gateway decides nothing about content: it hands the bytes over and keeps to the verdict. A file
that cannot be checked is not given out (`gateway.store.verdicts`).
"""

from gateway.antivirus.ports import Scanner, Verdict
from gateway.antivirus.scanner import scanner

__all__ = ["Scanner", "Verdict", "scanner"]
