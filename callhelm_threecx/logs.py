"""Log lines of a process of our own (``serve``, ``wsgi``); in a host, logging is the host's."""

import json
import logging
import sys
import time
from contextlib import nullcontext
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final, Literal, TextIO

import orjson

_encode: Final = json.JSONEncoder(default=str, ensure_ascii=False).encode
_AS_STR: Final = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and the record's own fields."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        fields = _fields(record)
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return self.line(record.created, record.levelname, record.name, record.getMessage(), fields)

    def line(
        self, created: float, level: str, logger: str, message: str, fields: dict[str, object]
    ) -> str:
        """The same without a record; ``created`` is in seconds since the epoch."""
        line = {
            "time": datetime.fromtimestamp(created, timezone.utc).isoformat(),
            "level": level,
            "logger": logger,
            "message": message,
            **fields,
        }
        try:
            return orjson.dumps(line, default=str, option=_AS_STR).decode()
        except TypeError:  # a lone surrogate, a number of more than 64 bits
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


if TYPE_CHECKING:
    _Stream = logging.StreamHandler[TextIO]
else:
    _Stream = logging.StreamHandler  # generic since Python 3.11 only


class LineHandler(_Stream):
    """Writes lines to standard error, also without a record around each: a server logs every
    request, and making the record takes longer than making the line."""

    def write_line(self, logger: str, level: int, message: str, fields: dict[str, object]) -> bool:
        """Write a line at once; False, and nothing written, where only a record will do."""
        if not isinstance(self.formatter, JsonFormatter) or self.filters or level < self.level:
            return False
        name = logging.getLevelName(level)
        line = self.formatter.line(time.time(), name, logger, message, fields) + self.terminator
        with self.lock or nullcontext():
            self.stream.write(line)
            self.flush()
        return True


def write(logger: logging.Logger, level: int, message: str, fields: dict[str, object]) -> None:
    """Log a message with fields, the short way where the logger's lines go to our handler alone."""
    if not logger.isEnabledFor(level):
        return
    handler = _only_handler(logger)
    if handler is not None and handler.write_line(logger.name, level, message, fields):
        return
    record = logger.makeRecord(logger.name, level, __file__, 0, message, (), None, extra=fields)
    logger.handle(record)


def _only_handler(logger: logging.Logger) -> LineHandler | None:
    """The handler of a logger and of those above it, if that is one, and ours."""
    found: logging.Handler | None = None
    above: logging.Logger | None = logger
    while above is not None:
        if above.filters and above is logger:
            return None
        for handler in above.handlers:
            if found is not None:
                return None
            found = handler
        above = above.parent if above.propagate else None
    return found if isinstance(found, LineHandler) else None


def configure(level: str, log_format: Literal["json", "text"]) -> None:
    """Send this package's log lines to standard error; nothing global is touched."""
    handler = LineHandler(sys.stderr)
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
