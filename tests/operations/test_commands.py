"""`timers` and `jobs`, as an operator types them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from saq.job import Status

from domains.scheduled_task.inspection import Inspection, JobState
from domains.ticket_lifecycle.models import RequestStatus, TicketStatus
from embedded import EmbeddedServers
from operations.running_servers import addresses_of
from tests.web.web_env import WebEnv

from .conftest import Typed

NOT_RUNNING = "punctual: The bot is not running on "


async def test_timers_come_soonest_first_with_their_state(typed: Typed, web_env: WebEnv) -> None:
    later, soon, overdue, excluded = [await web_env.open() for _ in range(4)]
    for ticket, hours in ((later, 5), (soon, 1), (overdue, 2), (excluded, 3)):
        await web_env.ask_to_close(ticket, hours)
    await web_env.execute(
        """update punctual.close_requests set auto_close_at = now() - interval '1 min'
           where ticket_id = $1""",
        overdue.id,
    )
    await web_env.lifecycle.exclude_from_autoclose(excluded.id, 1)
    ran = await typed("timers")
    assert (ran.status, ran.err) == (0, "")
    wanted = [(overdue, "overdue"), (soon, "pending"), (excluded, "excluded"), (later, "pending")]
    closes = [line for line in ran.lines if "  auto-close " in line]
    for line, (ticket, state) in zip(closes, wanted, strict=True):
        assert f" {state} " in line
        assert line.endswith(f"ticket {ticket.id} (#{ticket.name}, guild 1)")
    reminders = [line for line in ran.lines if "  send-reminder " in line]
    for line, ticket in zip(reminders, (soon, later), strict=True):
        assert line.endswith(f"ticket {ticket.id} (#{ticket.name}, guild 1)")
    assert ran.lines[:-1] == sorted(closes + reminders)
    assert ran.lines[-1] == "6 timers"


async def test_timers_as_json_are_for_programs(typed: Typed, web_env: WebEnv) -> None:
    ticket = await web_env.open()
    await web_env.ask_to_close(ticket, hours=1)
    ran = await typed("timers", "--json")
    reminder, timer = json.loads(ran.out)
    assert (reminder["kind"], reminder["ticket_id"]) == ("send-reminder", ticket.id)
    assert reminder["due"] < timer["due"]
    assert reminder["closes_at"] is None
    assert (timer["kind"], timer["due"]) == ("auto-close", timer["closes_at"])
    assert timer["close_request_id"] == reminder["close_request_id"]
    left = datetime.fromisoformat(timer["closes_at"]) - datetime.now(UTC)
    assert timedelta(minutes=58) < left < timedelta(minutes=61)
    assert 3_480 < timer["seconds_left"] < 3_660
    assert (timer["ticket_id"], timer["state"]) == (ticket.id, "pending")


async def test_without_timers_there_is_nothing_to_tell(typed: Typed, web_env: WebEnv) -> None:
    assert (await typed("timers")).out == "0 timers\n"
    assert (await typed("timers", "--json")).out == "[]\n"


async def test_failed_jobs_come_newest_first_and_cannot_write_on_the_terminal(
    typed: Typed, web_env: WebEnv
) -> None:
    for key in ("first", "second"):
        await web_env.note(key)
        await web_env.take(Status.FAILED, "Traceback\na.b.SomeError: \x1b[31mred\x07")
    ran = await typed("jobs", "failed")
    assert ran.status == 0
    assert [line.split()[0] for line in ran.lines] == ["second", "first", "2"]
    assert ran.lines[0].endswith("1 attempts  SomeError: ?[31mred?")


async def test_a_failed_job_is_queued_anew(typed: Typed, web_env: WebEnv) -> None:
    # The bot of today knows auto-close only; a job that it does not know stays where it is.
    ticket = await web_env.open()
    key = await web_env.ask_to_close(ticket)
    await web_env.make_due(key)
    await web_env.take(Status.FAILED, "no")
    ran = await typed("jobs", "retry", key)
    assert (ran.status, ran.err) == (0, "")
    assert ran.out == f"{key} is tried again, with all its attempts.\n"
    assert (await web_env.job(key)).state is JobState.WAITING
    again = await typed("jobs", "retry", key)
    assert (again.status, again.out) == (1, "")
    assert again.err == "punctual: It waits for a free worker already.\n"


async def test_a_retry_takes_back_the_call_for_attention(typed: Typed, web_env: WebEnv) -> None:
    ticket = await web_env.open()
    key = await web_env.ask_to_close(ticket)
    await web_env.make_due(key)
    await web_env.take(Status.FAILED, "no")
    await web_env.execute("""update punctual.tickets set attention = '{"code": "other"}'""")
    assert (await typed("jobs", "retry", key)).status == 0
    found = await web_env.lifecycle.ticket(ticket.id)
    assert found is not None
    assert found.attention is None


async def test_removing_a_pending_alarm_withdraws_its_request(
    typed: Typed, web_env: WebEnv
) -> None:
    ticket = await web_env.open()
    key = await web_env.ask_to_close(ticket)
    ran = await typed("jobs", "remove", key)
    assert (ran.status, ran.err) == (0, "")
    assert "withdrawn" in ran.out
    found = await web_env.lifecycle.ticket(ticket.id)
    request = await web_env.lifecycle.latest_request(ticket.id)
    assert found is not None
    assert request is not None
    assert (found.status, request.status) == (TicketStatus.OPEN, RequestStatus.WITHDRAWN)
    await web_env.scheduler.reconcile()
    assert await Inspection(web_env.scheduler).about(ticket.id) == []


async def test_a_job_that_is_not_there_ends_with_1_and_one_line(
    typed: Typed, web_env: WebEnv
) -> None:
    for verb in ("retry", "remove"):
        ran = await typed("jobs", verb, "nothing")
        assert (ran.status, ran.out) == (1, "")
        assert ran.err == "punctual: There is no job nothing (any more).\n"


async def test_without_redis_timers_are_told_and_jobs_are_not(
    typed: Typed, web_env: WebEnv
) -> None:
    await web_env.ask_to_close(await web_env.open())
    typed.settings["REDIS_URL"] = "redis://127.0.0.1:1"
    assert (await typed("timers")).lines[-1] == "2 timers"
    ran = await typed("jobs", "failed")
    assert (ran.status, ran.err.splitlines()[-1]) == (
        1,
        "punctual: Redis is not available at the moment.",
    )


@pytest.mark.parametrize("command", [("timers",), ("jobs", "failed"), ("jobs", "retry", "x")])
async def test_if_the_bot_is_not_running_its_embedded_servers_cannot_be_asked(
    typed: Typed, tmp_path: Path, command: tuple[str, ...]
) -> None:
    typed.settings["DATABASE_URL"] = typed.settings["REDIS_URL"] = None
    ran = await typed(*command)
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith(NOT_RUNNING)
    assert len(ran.err.splitlines()) == 1
    assert not (tmp_path / "data").exists()


async def test_a_command_does_not_migrate(typed: Typed, web_env: WebEnv) -> None:
    await web_env.execute("delete from punctual.schema_migrations")
    ran = await typed("timers")
    assert ran.status == 1
    assert "start this version's bot" in ran.err


async def test_a_wrong_setting_ends_with_2(typed: Typed) -> None:
    typed.settings["MIN_CLOSE_DELAY"] = "soon"
    ran = await typed("timers")
    assert (ran.status, ran.err.startswith("punctual: MIN_CLOSE_DELAY:")) == (2, True)


# --- finding the servers of a running bot


async def test_the_running_bots_servers_are_found_where_they_say_they_are(
    web_env: WebEnv, tmp_path: Path
) -> None:
    data_dir = tmp_path / "embedded"
    settings = web_env.settings.model_copy(
        update={"database_url": None, "redis_url": None, "data_dir": data_dir}
    )
    assert await addresses_of(settings) is None
    async with EmbeddedServers(data_dir, durable=False) as servers:
        found = await addresses_of(settings)
        assert found is not None
        assert (found.database, found.redis) == (servers.database_url, servers.redis_url)
    assert await addresses_of(settings) is None


async def test_one_server_may_be_the_operators_own(web_env: WebEnv, tmp_path: Path) -> None:
    data_dir = tmp_path / "embedded"
    settings = web_env.settings.model_copy(update={"redis_url": None, "data_dir": data_dir})
    async with EmbeddedServers(data_dir, postgres=False, durable=False) as servers:
        found = await addresses_of(settings)
        assert found is not None
        assert (found.database, found.redis) == (
            web_env.settings.database_address,
            servers.redis_url,
        )


async def test_what_a_dead_bot_left_behind_is_not_taken_for_a_running_one(
    web_env: WebEnv, tmp_path: Path
) -> None:
    data_dir = tmp_path / "embedded"
    settings = web_env.settings.model_copy(
        update={"database_url": None, "redis_url": None, "data_dir": data_dir}
    )
    async with EmbeddedServers(data_dir, durable=False):
        pass
    left_behind = tmp_path / "sockets"
    left_behind.mkdir()
    for name in ("postgres", "valkey"):
        (data_dir / f"{name}.lock").write_text(f"1\n{left_behind}\n")
    assert await addresses_of(settings) is None


async def test_cleanup_says_first_what_it_would_delete_and_then_deletes_it(
    typed: Typed, web_env: WebEnv
) -> None:
    old, young = await web_env.open(), await web_env.open()
    await web_env.execute(
        """update punctual.tickets set status = 'closed',
                  closed_at = now() - case when id = $1 then interval '8 days'
                                      else interval '1 day' end""",
        old.id,
    )
    typed.settings["TICKET_DAYS"] = "7"
    would = await typed("cleanup", "--dry-run")
    assert (would.status, would.err) == (0, "")
    assert would.lines == [
        "TRANSCRIPT_DAYS   for ever",
        "TICKET_DAYS       7 days",
        "LEFT_SERVER_DAYS  30 days",
        "Would delete: 0 transcripts, 1 ticket, 0 servers",
    ]
    assert await web_env.lifecycle.ticket(old.id) is not None
    done = await typed("cleanup")
    assert (done.status, done.lines[-1]) == (0, "Deleted: 0 transcripts, 1 ticket, 0 servers")
    assert await web_env.lifecycle.ticket(old.id) is None
    assert await web_env.lifecycle.ticket(young.id) is not None
