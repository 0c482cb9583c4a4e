"""The log: one JSON object a line, or text for a person; no personal data in it.

Everything goes to standard error, the lines of libraries too, with the correlation id. Names,
phones, e-mails, addresses, texts and secrets are masked in every line, whoever wrote it
(`gateway.masking`).
"""

from __future__ import annotations

import logging
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TextIO

import msgspec
import structlog

from gateway import masking

if TYPE_CHECKING:
    from collections.abc import Iterator

    from structlog.typing import EventDict, Processor, WrappedLogger

LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40}
OURS: Final = frozenset({"event", "level", "timestamp", "logger", "correlation"})
"""Keys that the log itself makes; only patterns are masked in them."""
NOISY: Final = ("alembic", "httpx", "uvicorn.access", "zeep", "urllib3")


def configure(level: str = "info", form: str = "json", stream: TextIO | None = None) -> None:
    """Set the log of this process up; may be called again.

    level: debug, info, warning or error. form: json or text. stream: standard error when None.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        mask,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS.get(level, logging.INFO)),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = _Handler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _renderer(form),
            ],
        )
    )
    root = logging.getLogger()
    for old in [h for h in root.handlers if isinstance(h, _Handler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(LEVELS.get(level, logging.INFO))
    for name in NOISY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


@contextmanager
def correlated(correlation: str) -> Iterator[None]:
    """Put a correlation id on every line that is logged inside."""
    with structlog.contextvars.bound_contextvars(correlation=correlation):
        yield


def mask(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Mask personal data and secrets in every value of a line."""
    masked: EventDict = {}
    for key, value in event.items():
        if key.startswith("_"):
            masked[key] = value
        else:
            masked[key] = masking.value(value, "" if key in OURS else key)
    return masked


class _Handler(logging.Handler):
    """Writes to a stream; to standard error as it is at the time when none is given."""

    def __init__(self, stream: TextIO | None) -> None:
        super().__init__()
        self._stream = stream

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        try:
            stream = self._stream or sys.stderr
            stream.write(self.format(record) + "\n")
            stream.flush()
        except Exception:  # noqa: BLE001 - a log must not bring the caller down
            self.handleError(record)


def _renderer(form: str) -> Processor:
    if form == "text":
        return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    return structlog.processors.JSONRenderer(serializer=_json)


def _json(value: Any, **_options: Any) -> str:
    return msgspec.json.encode(value, enc_hook=str).decode()
