"""Logs are data: one line an event on stderr, ids only, never a citizen's words."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from typing import TextIO, cast

import structlog


def configure(*, as_json: bool) -> None:
    """Send all logs to stderr; JSON when a program reads, key=value for people."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.processors.KeyValueRenderer(key_order=["timestamp", "event"])
    )
    shared: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _Lines(sys.stderr))),
    )
    _adopt_standard_logging(shared, renderer)


class _Lines:
    """Standard error, on a disk that may be full: the street goes on without its log, and the log comes back."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._line = ""

    def write(self, text: str) -> int:
        self._line += text
        return len(text)

    def flush(self) -> None:
        line, self._line = self._line, ""
        with suppress(OSError):  # nobody could be told: this is where we tell
            self._stream.write(line)
            self._stream.flush()


def _adopt_standard_logging(shared: list[structlog.typing.Processor], renderer: structlog.typing.Processor) -> None:
    """Libraries log the standard way; their lines go the same way, warnings and worse only."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    # aio-pika and aiormq tell every lost connection with a traceback; the street says it once itself.
    for name in ("aio_pika", "aiormq", "pymongo"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
