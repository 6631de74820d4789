"""How the log looks. Called once by the program, never on import: a host bot has its own.

Every line that is logged while a job runs tells the job's id and the ticket's, and what Discord is
told tells its ticket's, as text or JSON; the message itself stays as it was written, since
operators grep for it.

What strangers named (a job in Redis, a member, a thread) comes into the log too, so no record can
begin a line of its own or tell a terminal what to do: its control characters are shown as escapes.
"""

from __future__ import annotations

import copy
import json
import logging
import re
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Final, Literal

from domains.log_tracebacks import OnceTracebackHandler

LogFormat = Literal["text", "json"]

FORMAT = "%(asctime)s %(levelname)-7s %(name)s%(about)s: %(message)s"

_NO_NEWS = ("voice will NOT be supported", "logging in using static token")
_CONTROLS: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""What moves a cursor, ends a line, turns the direction of writing, or is half a character."""
_INDENT: Final = "    "
"""Before the lines of a traceback: only records begin at a line's beginning."""

_ABOUT: Final = ContextVar[Mapping[str, object] | None]("punctual_log_about", default=None)


def log_about(*, job_id: str | None = None, ticket_id: object = None) -> None:
    """From here on the lines of this task are about these; they end with the task."""
    about = {"ticket_id": ticket_id, "job_id": job_id}
    _ABOUT.set({name: value for name, value in about.items() if value is not None})


class AboutFilter(logging.Filter):
    """Gives each record what its task said with `log_about`: for the handlers of any log."""

    def filter(self, record: logging.LogRecord) -> bool:
        about = _ABOUT.get() or {}
        record.__dict__.update({"ticket_id": None, "job_id": None} | dict(about))
        said = " ".join(f"{name.removesuffix('_id')}={value}" for name, value in about.items())
        record.__dict__["about"] = f" [{said}]" if said else ""
        return True


def without_controls(text: str) -> str:
    """One line, with escapes as in Python where there were control characters."""
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class TextFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        record = copy.copy(record)
        record.exc_text = None  # as another handler has formatted it
        return super().format(record)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        return without_controls(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        return _indented(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:  # noqa: N802 - logging's name
        return _indented(super().formatStack(stack_info))


def _indented(text: str) -> str:
    return "\n".join(_INDENT + without_controls(line) for line in text.split("\n"))


class JsonFormatter(logging.Formatter):
    """One object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        for name in ("ticket_id", "job_id"):
            if (value := record.__dict__.get(name)) is not None:
                line[name] = value
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            line["stack"] = self.formatStack(record.stack_info)
        text = json.dumps(line, ensure_ascii=False, default=str)
        return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def configure_logging(level: str, log_format: LogFormat = "text") -> None:
    handler = OnceTracebackHandler()
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter(FORMAT))
    handler.addFilter(AboutFilter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # The scheduler says in its own words what SAQ would say again, with tracebacks.
    logging.getLogger("saq").setLevel(logging.CRITICAL)
    logging.getLogger("discord").setLevel(
        logging.WARNING if level in ("WARNING", "ERROR") else logging.INFO
    )
    logging.getLogger("discord.client").addFilter(_is_news)
    logging.getLogger("asyncio").setLevel(logging.WARNING)


def startup_failure(error: Exception, log_format: LogFormat) -> str:
    """The one line with which a start ends."""
    if log_format == "text":
        return f"punctual: {error}"
    record = logging.LogRecord("punctual", logging.ERROR, "", 0, str(error), None, None)
    return JsonFormatter().format(record)


def _is_news(record: logging.LogRecord) -> bool:
    """discord.py warns at every start that voice needs packages that a ticket bot does not, and
    tells how it logs in before anybody knows whether the bot will start."""
    message = record.getMessage()
    return not any(text in message for text in _NO_NEWS)
