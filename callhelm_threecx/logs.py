"""Log lines of a process of our own (``serve``, ``wsgi``); in a host, logging is the host's."""

import json
import logging
import sys
from datetime import datetime, timezone
from typing import Final, Literal

_encode: Final = json.JSONEncoder(default=str, ensure_ascii=False).encode
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and the record's own fields."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return _encode(line)


class TextFormatter(logging.Formatter):
    """The same for people: the fields follow the message."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        fields = " ".join(f"{name}={_one_line(value)}" for name, value in _fields(record).items())
        first, newline, rest = super().format(record).partition("\n")
        return f"{first} {fields}".rstrip() + newline + rest


def configure(level: str, log_format: Literal["json", "text"]) -> None:
    """Send this package's log lines to standard error; nothing global is touched."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    logger = logging.getLogger("callhelm_threecx")
    logger.handlers[:] = [handler]
    logger.setLevel(level)
    logger.propagate = False


def _one_line(value: object) -> str:
    """A path or a number with a line break in it must not look like a line of its own."""
    text = str(value)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _fields(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}
