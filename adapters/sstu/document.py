"""The names of the JSON document «Результаты рассмотрения обращений», in the order it is written.

Source: published exporters agree on lower camel case and these names (README, sources).
"""

from __future__ import annotations

from typing import Final

CARD: Final = (
    "departmentId", "isDirect", "format", "number", "createDate", "name", "address", "email",
    "questions",
)  # fmt: skip
QUESTION: Final = (
    "code", "status", "incomingDate", "registrationDate", "responseDate", "attachment",
    "actionsTaken", "isExtend", "transfer",
)  # fmt: skip
ATTACHMENT: Final = ("name", "content")
TRANSFER: Final = ("departmentId", "transferDate", "transferNumber")
