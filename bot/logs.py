"""What the program writes about itself: lines on stderr in which no secret survives, whoever wrote them."""

from __future__ import annotations

import logging
import sys

from bot.redact import redact


class _Redacting(logging.Formatter):
    """Works on the finished line, so that arguments and tracebacks are covered too."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def set_up(level: int) -> None:
    """All loggers to stderr at this level; the HTTP libraries, which print addresses with the token, only warn."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Redacting("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    sys.excepthook = lambda kind, error, trace: logging.critical("the end", exc_info=(kind, error, trace))
    for name in ("httpx", "httpcore", "apscheduler"):
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
