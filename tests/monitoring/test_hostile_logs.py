"""What strangers have named comes into the log as one line that only says what it is."""

from __future__ import annotations

import json
import logging
import re

import pytest

from domains.logs import JsonFormatter, TextFormatter, configure_logging

FORGED = "x\n2026-01-01 00:00:00,000 INFO    punctual: ✅ Successfully auto-closed ticket 1"
HOSTILE = {
    "a forged line": FORGED,
    "a carriage return": "x\rINFO    punctual: all is well",
    "a terminal's escape codes": "\x1b[2J\x1b]0;owned\x07\x1b[1A\x1b[31mx",
    "escape codes of one byte": "\x9b2J\x9d0;owned\x9c\x84\x85",
    "Unicode's ends of a line": "x\u2028INFO    punctual: all\u2029is well",
    "the other direction of writing": "x\u202egnp.exe\u2066y\u200f\u061c",
    "a tab, a backspace, a zero": "a\tb\bc\x00d\x7f",
    "half a character": "x\ud83dy",
}
ACTS = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def records(text: str) -> list[logging.LogRecord]:
    """The text wherever a record can have it: template, argument, logger, error, id of a job."""
    made: list[logging.LogRecord] = []

    def keep(record: logging.LogRecord) -> bool:
        made.append(record)
        return False

    log = logging.Logger(text)
    log.addFilter(keep)
    log.warning(text)
    log.warning("Unknown job type: %s", text)
    log.warning("%r", text)
    log.warning("where", stack_info=True)
    try:
        raise RuntimeError(text) from ValueError(text)
    except RuntimeError:
        log.exception("failed")
    for record in made:
        record.__dict__["about"] = f" [job={text}]"
        record.__dict__.update({"job_id": text, "ticket_id": None})
        if record.stack_info:
            record.stack_info += text
    return made


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_in_text_only_records_begin_lines_and_nothing_acts_on_a_terminal(text: str) -> None:
    formatter = TextFormatter("%(levelname)s %(name)s%(about)s: %(message)s")
    for record in records(text):
        logging.Formatter().format(record)  # another handler, which leaves its work in the record
        lines = formatter.format(record).split("\n")
        assert lines[0].startswith(record.levelname)
        assert all(line.startswith("    ") for line in lines[1:]), lines
        assert not [line for line in lines if ACTS.search(line)]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_in_json_nothing_acts_on_a_terminal_and_nothing_is_lost(text: str) -> None:
    for record in records(text):
        line = JsonFormatter().format(record)
        assert "\n" not in line
        assert ACTS.search(line) is None
        assert json.loads(line)["job_id"] == text


def test_the_program_logs_so(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    try:
        configure_logging("INFO")
        logging.getLogger("test").info("Thread %s", f"{FORGED}\x1b[2J")
        assert capsys.readouterr().err.count("\n") == 1
    finally:
        root.handlers[:], root.level = before


def test_what_people_write_in_any_language_stays_readable() -> None:
    said = "🤖 Grüße, שלום, สวัสดี, 👩\u200d💻 «1» \\n"
    record = logging.makeLogRecord({"msg": said, "levelname": "INFO"})
    assert TextFormatter("%(message)s").format(record) == said
