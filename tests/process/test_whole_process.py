"""`python bot.py` from start to end: signals, kills, lost sockets, rate limits."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from pathlib import Path

import asyncpg
import pytest

from tests.process.bot_process import running_bot
from tests.process.helpdesk import Helpdesk
from tests.waiting import eventually
from tests.wire import Call, Discord, Moment

Environment = Mapping[str, str]


async def one(environment: Environment, query: str) -> object:
    connection = await asyncpg.connect(environment["DATABASE_URL"])
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_a_ticket_lives_from_panel_to_transcript(
    discord: Discord, helpdesk: Helpdesk, environment: Environment
) -> None:
    async with running_bot(discord, environment) as bot:
        panel = await helpdesk.set_up()
        ticket = await helpdesk.open_ticket(panel)
        assert ticket.name == "ticket-0001"
        assert discord.can_see(discord.customer, ticket)
        assert discord.can_see(discord.staff, ticket)
        assert not discord.can_see(discord.stranger, ticket)
        request = await helpdesk.ask(ticket, close_delay="2s", reason="Solved")
        assert request.pings.users == (discord.customer.user,)
        await discord.wait_deleted(ticket)
        await bot.logged("✅ Successfully auto-closed ticket 1")
    [closed] = helpdesk.closes_logged()
    assert [file.filename for file in closed.attachments] == ["ticket-0001.html"]
    assert b"It is broken" in closed.attachments[0].content
    assert len(helpdesk.dms()) == 1
    late_ms = await one(
        environment, "select late_ms from punctual.ticket_events where event = 'expired'"
    )
    assert isinstance(late_ms, int)
    assert late_ms >= 0


async def test_sigterm_in_the_middle_of_a_job_lets_it_finish_and_exits_0(
    discord: Discord, helpdesk: Helpdesk, environment: Environment
) -> None:
    async with running_bot(discord, environment) as bot:
        ticket = await helpdesk.open_ticket(await helpdesk.set_up())

        async def terminate(_: Call) -> None:
            bot.signal(signal.SIGTERM)
            await bot.logged("Shutting down")

        discord.on_request(
            "POST", f"/channels/{helpdesk.log_channel.id}/messages", terminate, moment=Moment.BEFORE
        )
        await helpdesk.ask(ticket, close_delay="1s")
        assert await bot.ended() == 0
        assert ticket.deleted
        assert "✅ Successfully auto-closed ticket 1" in bot.log
        assert "✅ Scheduled task system shut down" in bot.log
        assert await one(environment, "select status from punctual.tickets") == "closed"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_an_idle_bot_with_status_0(
    discord: Discord, environment: Environment, number: signal.Signals
) -> None:
    async with running_bot(discord, environment) as bot:
        bot.signal(number)
        assert await bot.ended(within=10) == 0
        assert "Traceback" not in bot.log


async def test_a_timer_outlives_a_kill_of_the_bot(
    discord: Discord, helpdesk: Helpdesk, environment: Environment
) -> None:
    async with running_bot(discord, environment) as bot:
        ticket = await helpdesk.open_ticket(await helpdesk.set_up())
        await helpdesk.ask(ticket, close_delay="3s")
        await bot.kill()
        await discord.wait_gone()
    async with running_bot(discord, environment):
        await discord.wait_deleted(ticket)
        assert len(helpdesk.closes_logged()) == 1
        assert len(helpdesk.dms()) == 1


async def test_the_buttons_work_after_a_restart(
    discord: Discord, helpdesk: Helpdesk, environment: Environment
) -> None:
    async with running_bot(discord, environment) as bot:
        ticket = await helpdesk.open_ticket(await helpdesk.set_up())
        request = await helpdesk.ask(ticket, close_delay="1h")
        assert await bot.terminate() == 0
        await discord.wait_gone()
    async with running_bot(discord, environment):
        await discord.click(discord.customer, request, "Deny & Keep Open")
        await discord.until(lambda: "keep this ticket open" in request.text, "the outcome")
        assert await one(environment, "select status from punctual.close_requests") == "denied"
        assert not ticket.deleted


@pytest.mark.parametrize("resume", [True, False], ids=["resumed", "identified anew"])
async def test_a_dropped_gateway_is_taken_up_again(
    discord: Discord, helpdesk: Helpdesk, environment: Environment, resume: bool
) -> None:
    """Identified anew, on_ready fires again: the scheduler must not start twice."""
    async with running_bot(discord, environment) as bot:
        ticket = await helpdesk.open_ticket(await helpdesk.set_up())
        await discord.drop_connections(resume=resume)
        await discord.wait_ready()
        await helpdesk.ask(ticket, close_delay="1s")
        await discord.wait_deleted(ticket)
        assert bot.log.count("✅ Scheduled task system initialized") == 1
        assert len(helpdesk.closes_logged()) == 1


async def test_nothing_is_decided_before_all_is_heard_that_was_said_meanwhile(
    discord: Discord, helpdesk: Helpdesk, environment: Environment
) -> None:
    async with running_bot(discord, environment):
        ticket = await helpdesk.open_ticket(await helpdesk.set_up())
        await helpdesk.ask(ticket, close_delay="1s")
        with discord.gateway.silent():
            await discord.say(discord.customer, ticket, "Not yet!")
            probed = discord.gateway.heartbeats
            await discord.until(lambda: discord.gateway.heartbeats > probed + 1, "a second probe")
            assert await one(environment, "select status from punctual.close_requests") == "pending"
        await discord.wait_message(ticket, "so this ticket stays open")
        assert await one(environment, "select status from punctual.close_requests") == "answered"


async def test_a_429_is_waited_out(
    discord: Discord, helpdesk: Helpdesk, environment: Environment
) -> None:
    async with running_bot(discord, environment):
        ticket = await helpdesk.open_ticket(await helpdesk.set_up())
        fault = discord.faults.add(
            "POST",
            f"/channels/{helpdesk.log_channel.id}/messages",
            status=429,
            retry_after=0.3,
            times=2,
        )
        await helpdesk.ask(ticket, close_delay="1s")
        await discord.wait_deleted(ticket)
        assert fault.met == 2
        assert len(helpdesk.closes_logged()) == 1


async def test_it_starts_serves_and_closes_without_redis(
    discord: Discord, helpdesk: Helpdesk, environment: Environment
) -> None:
    environment = {**environment, "REDIS_URL": "redis://127.0.0.1:1"}
    async with running_bot(discord, environment) as bot:
        ticket = await helpdesk.open_ticket(await helpdesk.set_up())
        await helpdesk.ask(ticket, close_delay="1s")
        assert "Redis isn't available" in helpdesk.reply.text
        await discord.wait_deleted(ticket)
        warning = "Redis not available - scheduled tasks will be disabled"
        assert bot.log.count(warning) == 1
        assert await bot.terminate() == 0


async def test_without_urls_it_brings_its_own_servers_and_leaves_none_behind(
    discord: Discord, helpdesk: Helpdesk, environment: Environment, tmp_path: Path
) -> None:
    own = {"DATA_DIR": str(tmp_path), "MIN_CLOSE_DELAY": "1"}
    async with running_bot(discord, own) as bot:
        ticket = await helpdesk.open_ticket(await helpdesk.set_up())
        assert len(servers_of(tmp_path)) >= 2
        await bot.kill()
        await discord.wait_gone()
        await eventually(lambda: not servers_of(tmp_path), 20)
    async with running_bot(discord, own) as bot:
        await helpdesk.ask(ticket, close_delay="1s")
        await discord.wait_deleted(ticket)
        assert await bot.terminate() == 0
    assert not servers_of(tmp_path)


def servers_of(data_dir: Path) -> list[str]:
    """The command lines of the servers whose data or sockets are this directory's."""
    found: list[str] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().decode().split("\0")
            where = str((process / "cwd").readlink())
        except OSError:
            continue
        if where.startswith(str(data_dir)) and ("postgres" in words[0] or "valkey" in words[0]):
            found.append(" ".join(words))
    return found
