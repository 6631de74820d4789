"""The end of a ticket, and what stands in its way: permissions, errors, deletions by hand."""

from __future__ import annotations

import logging
from pathlib import Path

import discord
import pytest
import simcord

from domains.settings import Settings
from tests.cogs.replies import refusal, reply
from tests.cogs.shown import buttons, words
from tests.cogs.world import World, a_world
from tests.waiting import eventually

MANAGE_CHANNELS = discord.Permissions(manage_channels=True)


def saved_pages(settings: Settings) -> list[Path]:
    return list((settings.data_dir / "transcripts").glob("*/*/index.html"))


def retry_message(channel: simcord.ChannelHandle) -> discord.Message:
    return next(m for m in channel.history() if m.components and "attention" in words(m))


async def failing_to_delete(world: World, channel: simcord.ChannelHandle) -> None:
    """Close a ticket whose channel the bot may not delete."""
    world.forbid_bot(channel, MANAGE_CHANNELS)
    await world.ask_to_close(channel, "Any news?", "2h")
    await world.pass_deadline(channel)

    async def needs_attention() -> bool:
        return (await world.ticket(channel)).attention is not None

    await eventually(needs_attention)
    await eventually(lambda: any("attention" in text for text in world.says(world.logs)))


async def test_close_says_that_it_closes_before_the_channel_is_gone(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.sam.slash(channel, "close", reason="Enough")
        await world.until_closed(channel)
        sent = [f"{method} {body.get('content', '')}" for method, _, body in world.sent()]
        assert sent.index("POST The ticket is being closed.") < sent.index("DELETE ")
        ticket = await world.ticket(channel)
        assert (ticket.closed_by_id, ticket.close_reason) == (world.sam.id, "Enough")


async def test_a_ticket_closes_without_a_log_channel(settings: Settings) -> None:
    async with a_world(settings) as world:
        await world.sql.execute("update punctual.guild_settings set log_channel_id = null")
        channel = await world.open_ticket(world.amy)
        await world.amy.slash(channel, "close")
        await world.until_closed(channel)
        assert len(saved_pages(settings)) == 1


async def test_a_ticket_closes_when_the_log_channel_was_deleted(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        world.env.backend.delete_channel(world.logs.id)
        await world.env.settle()
        await world.ask_to_close(channel, delay="2h")
        await world.pass_deadline(channel)
        await world.until_closed(channel)
        assert len(saved_pages(settings)) == 1


async def test_a_channel_deleted_by_hand_ends_the_ticket_and_its_timer(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.ask_to_close(channel, delay="2h")
        world.env.backend.delete_channel(channel.id)
        await world.until_closed(channel)
        assert await world.request_statuses(channel) == ["closed"]
        assert await world.jobs() == []
        assert "deleted by hand" in world.says(world.logs)[-1]


async def test_a_channel_deleted_while_the_bot_was_down_does_not_hold_the_timer_up(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.ask_to_close(channel, delay="2h")
        await world.stop_bot()
        world.env.backend.subscribers.clear()
        world.env.backend.delete_channel(channel.id)
        await world.sql.execute("update punctual.close_requests set auto_close_at = now()")
        await world.start_bot()
        await world.until_closed(channel)
        assert await world.jobs() == []


async def test_channels_deleted_unseen_do_not_count_as_open_tickets(settings: Settings) -> None:
    settings = settings.model_copy(update={"max_open_tickets": 1})
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.stop_bot()
        world.env.backend.subscribers.clear()
        world.env.backend.delete_channel(channel.id)
        await world.start_bot()
        assert (await world.open_ticket(world.amy)).name == "ticket-0002"


async def test_closed_direct_messages_are_ignored(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        dm_path = f"/channels/{world.amy.user.dm_channel.id}/messages"
        world.env.inject_error("POST", dm_path, status=403, code=50007, times=None)
        await world.amy.slash(channel, "close")
        await world.until_closed(channel)
        assert not world.exists(channel)
        assert world.amy.user.dm_channel.history() == []
        assert (await world.ticket(channel)).attention is None


async def test_an_opener_who_left_does_not_keep_the_ticket_open(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.ask_to_close(channel, delay="2h")
        world.guild.remove_member(world.amy)
        await world.pass_deadline(channel)
        await world.until_closed(channel)
        assert len(saved_pages(settings)) == 1


async def test_a_channel_that_may_not_be_deleted_needs_attention_and_names_the_permission(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await failing_to_delete(world, channel)
        ticket = await world.ticket(channel)
        assert ticket.attention == {
            "code": "permission_missing",
            "permissions": ["manage_channels"],
            "place": "#ticket-0001",
        }
        assert ticket.status == "closing"
        (text,) = [text for text in world.says(world.logs) if "attention" in text]
        assert "Manage Channels" in text
        assert channel.mention in text
        assert world.exists(channel)
        assert len(saved_pages(settings)) == 1
        status = reply(await world.sam.slash(channel, "autoclose status"))
        assert "A person is needed" in status
        assert "Manage Channels" in status


async def test_retry_closes_once_the_permission_is_back(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await failing_to_delete(world, channel)
        world.show(world.logs, world.sam)
        world.allow_bot(channel, MANAGE_CHANNELS)
        text = reply(await world.sam.click(retry_message(world.logs), label="Retry"))
        assert "closed" in text
        await world.until_closed(channel)
        assert not world.exists(channel)
        assert (await world.ticket(channel)).attention is None
        closes = [text for text in world.says(world.logs) if "#0001 closed" in text]
        assert len(closes) == 1
        assert len(world.amy.user.dm_channel.history()) == 1


async def test_retry_says_what_is_still_missing(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await failing_to_delete(world, channel)
        text = refusal(await world.sam.click(retry_message(world.logs), label="Retry"))
        assert "Manage Channels" in text
        assert world.exists(channel)
        assert (await world.ticket(channel)).attention is not None


async def test_retry_works_after_a_restart(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await failing_to_delete(world, channel)
        await world.restart_bot()
        world.allow_bot(channel, MANAGE_CHANNELS)
        await world.sam.click(retry_message(world.logs), label="Retry")
        await world.until_closed(channel)


@pytest.mark.parametrize("who", ["eve", "amy"])
async def test_only_support_may_retry(settings: Settings, who: str) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await failing_to_delete(world, channel)
        world.allow_bot(channel, MANAGE_CHANNELS)
        member: simcord.MemberActor = getattr(world, who)
        world.show(world.logs, member)
        text = refusal(await member.click(retry_message(world.logs), label="Retry"))
        assert text == "Only support can do that. If that's you, ask an admin for the support role."
        assert world.exists(channel)


async def test_a_second_press_of_retry_does_no_harm(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await failing_to_delete(world, channel)
        world.allow_bot(channel, MANAGE_CHANNELS)
        for _ in range(2):
            text = reply(await world.sam.click(retry_message(world.logs), label="Retry"))
            assert "closed" in text
        assert len(world.amy.user.dm_channel.history()) == 1


async def test_without_a_log_channel_attention_is_asked_for_in_the_ticket(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        await world.sql.execute("update punctual.guild_settings set log_channel_id = null")
        channel = await world.open_ticket(world.amy)
        world.forbid_bot(channel, MANAGE_CHANNELS)
        await world.sam.slash(channel, "close")
        assert "Manage Channels" in words(retry_message(channel))
        world.allow_bot(channel, MANAGE_CHANNELS)
        await world.sam.click(retry_message(channel), label="Retry")
        await world.until_closed(channel)


async def test_a_log_channel_that_may_not_be_written_to_needs_attention(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        world.forbid_bot(world.logs, discord.Permissions(send_messages=True))
        await world.sam.slash(channel, "close")
        ticket = await world.ticket(channel)
        assert "send_messages" in str(ticket.attention)
        assert "#logs" in str(ticket.attention)
        assert world.exists(channel)
        assert "Send Messages" in words(retry_message(channel))


async def test_a_history_that_may_not_be_read_deletes_nothing(settings: Settings) -> None:
    """There would be no transcript: better no close than a close that loses what was said."""
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        path = f"/channels/{channel.id}/messages"
        world.env.inject_error("GET", path, status=403, code=50013, times=None)
        await world.sam.slash(channel, "close")
        assert "read_message_history" in str((await world.ticket(channel)).attention)
        assert world.exists(channel)
        assert saved_pages(settings) == []


async def test_an_error_of_discords_while_closing_on_time_is_retried(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.ask_to_close(channel, "Any news?", "2h")
        world.env.inject_error("POST", f"/channels/{world.logs.id}/messages", status=500)
        await world.pass_deadline(channel)
        await eventually(lambda: "❌ Failed to auto-close ticket 1: " in caplog.text)
        assert world.exists(channel)
        ticket = await world.ticket(channel)
        assert (ticket.status, ticket.attention) == ("closing", None)
        told = reply(await world.sam.slash(channel, "autoclose status"))
        assert "1 of 4 attempts failed, with: 500" in told
        assert "The next one is due <t:" in told
        assert "an attempt to close it failed (the log message: 500" in told
        await world.hurry_effects()
        await world.until_closed(channel)
        assert not world.exists(channel)
        assert len(world.says(world.logs)) == 1
        assert len(world.amy.user.dm_channel.history()) == 1
        await eventually(lambda: "✅ Successfully auto-closed ticket 1" in caplog.text)


async def test_an_error_of_discords_while_closing_by_hand_is_said_and_retried(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        world.env.inject_error("DELETE", f"/channels/{channel.id}", status=503)
        text = reply(await world.sam.slash(channel, "close"))
        assert text.startswith("Discord wouldn't do that just now")
        assert "tried again by itself" in text
        await world.hurry_effects()
        await world.until_closed(channel)
        assert len(world.says(world.logs)) == 1
        assert len(world.amy.user.dm_channel.history()) == 1


async def test_an_error_that_stays_ends_in_attention(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        world.env.inject_error("DELETE", f"/channels/{channel.id}", status=503, times=None)
        await world.sam.slash(channel, "close")
        for failures in range(1, 4):
            await eventually(lambda n=failures: world.effect_failures(n))
            await world.hurry_effects()
        await eventually(lambda: any("attention" in text for text in world.says(world.logs)))
        ticket = await world.ticket(channel)
        assert "503" in str(ticket.attention)
        assert buttons(retry_message(world.logs)) == ["Retry"]
        world.env.backend.faults.clear()
        await world.sam.click(retry_message(world.logs), label="Retry")
        await world.until_closed(channel)


async def test_a_request_whose_message_was_deleted_can_still_run_out(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        message = await world.ask_to_close(channel, delay="2h")
        world.env.backend.delete_message(channel.id, message.id)
        await world.pass_deadline(channel)
        await world.until_closed(channel)
