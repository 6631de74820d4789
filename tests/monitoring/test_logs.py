"""Each line of a job tells which job and which ticket, and stays what operators grep for."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Generator
from typing import Any

import pytest

from domains.logs import LogFormat, configure_logging, log_about
from tests.waiting import eventually
from tests.web.web_env import WebEnv

CONTRACT = "🤖 Processing auto-close for ticket"


TOUCHED = ("", "saq", "discord", "discord.client", "asyncio")


class Output:
    """All that was written so far."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self._text = ""

    @property
    def text(self) -> str:
        self._text += self._capsys.readouterr().err
        return self._text

    @property
    def objects(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


@pytest.fixture
def output(capsys: pytest.CaptureFixture[str]) -> Generator[Output]:
    """Logging is as it was afterwards."""
    loggers = [logging.getLogger(name) for name in TOUCHED]
    before = [(each, each.handlers[:], each.filters[:], each.level) for each in loggers]
    yield Output(capsys)
    for logger, handlers, filters, level in before:
        logger.handlers[:], logger.filters[:] = handlers, filters
        logger.setLevel(level)


async def log_as_a_job(log_format: LogFormat) -> None:
    configure_logging("INFO", log_format)
    log = logging.getLogger("test")

    async def job(number: int) -> None:
        log_about(job_id=f"auto-close-{number}-5", ticket_id=number)
        await asyncio.sleep(0)
        log.info("%s %s", CONTRACT, number)

    await asyncio.gather(*(asyncio.create_task(job(number)) for number in (1, 2)))
    log.info("no job")
    try:
        raise RuntimeError("why\nnot")
    except RuntimeError:
        log.exception("it failed")


async def test_text_shows_job_and_ticket_before_the_message(output: Output) -> None:
    await log_as_a_job("text")
    lines = output.text.splitlines()
    assert lines[0].endswith(f"INFO    test [ticket=1 job=auto-close-1-5]: {CONTRACT} 1")
    assert lines[1].endswith(f"INFO    test [ticket=2 job=auto-close-2-5]: {CONTRACT} 2")
    assert lines[2].endswith("INFO    test: no job")
    assert "RuntimeError: why" in output.text


async def test_json_is_one_object_a_line(output: Output) -> None:
    await log_as_a_job("json")
    first, second, third, failure = output.objects
    assert first["message"] == f"{CONTRACT} 1"
    assert (first["ticket_id"], first["job_id"]) == (1, "auto-close-1-5")
    assert second["ticket_id"] == 2
    assert third.keys() == {"time", "level", "logger", "message"}
    assert (failure["level"], "RuntimeError: why\nnot" in failure["exception"]) == ("ERROR", True)
    assert "🤖" in output.text


async def test_every_line_of_a_real_close_tells_its_ticket(
    busy_web_env: WebEnv, output: Output
) -> None:
    configure_logging("INFO", "json")
    ticket = await busy_web_env.open()
    await busy_web_env.ask_to_close(ticket)
    await busy_web_env.execute(
        "update punctual.close_requests set auto_close_at = now() - interval '2 seconds'"
    )
    await eventually(lambda: "Successfully" in output.text)
    about = [line for line in output.objects if line["message"].endswith(f"ticket {ticket.id}")]
    assert [line["message"] for line in about] == [
        f"🤖 Processing auto-close for ticket {ticket.id}",
        f"✅ Successfully auto-closed ticket {ticket.id}",
    ]
    assert {line["ticket_id"] for line in about} == {ticket.id}
    deciding, telling = about
    assert deciding["job_id"].startswith(f"auto-close-{ticket.id}-")
    assert "job_id" not in telling


def test_the_traceback_of_one_place_is_shown_once_and_that_of_another_too(output: Output) -> None:
    configure_logging("INFO")
    log = logging.getLogger("test")

    def fail(number: int) -> None:
        try:
            if number % 2:
                raise ValueError(f"odd {number}")
            raise ValueError(f"even\n{number}")
        except ValueError:
            log.exception("It failed with %s", number)

    for number in range(6):
        fail(number)
    assert output.text.count("Traceback (most recent call last)") == 2
    for number in range(6):
        assert f"It failed with {number}" in output.text
    assert "It failed with 4 (ValueError: even 4; as before)" in output.text


def test_a_record_stays_whole_for_other_handlers(
    output: Output, caplog: pytest.LogCaptureFixture
) -> None:
    configure_logging("INFO")
    logging.getLogger().addHandler(caplog.handler)
    for _ in range(2):
        try:
            raise ValueError("no")
        except ValueError:
            logging.getLogger("test").exception("Again")
    assert [record.message for record in caplog.records] == ["Again", "Again"]
    assert all(record.exc_info for record in caplog.records)
