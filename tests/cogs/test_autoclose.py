"""`/autoclose`: the timer of a ticket, off, on, moved, and explained."""

from __future__ import annotations

from datetime import timedelta

import discord
import simcord

from domains.monitoring.job_actions import OPERATOR_ID
from domains.settings import Settings
from tests.cogs.replies import refusal, reply
from tests.cogs.shown import words
from tests.cogs.world import World, a_world
from tests.waiting import eventually


async def status(world: World, channel_name: str = "ticket-0001") -> str:
    channel = world.guild.channels[channel_name]
    return reply(await world.sam.slash(channel, "autoclose status"))


async def test_excluding_removes_the_timer_and_says_so(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        message = await world.ask_to_close(channel, delay="2h")
        text = reply(await world.sam.slash(channel, "autoclose exclude"))
        assert "excluded" in text
        assert "timer is off" in text
        assert await world.jobs() == []
        assert (await world.ticket(channel)).exclude_from_autoclose
        assert await world.request_statuses(channel) == ["pending"]
        assert "excluded from auto-close" in words(world.message(channel, message.id))


async def test_an_excluded_ticket_does_not_close_when_its_deadline_passes(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.ask_to_close(channel, delay="2h")
        await world.sam.slash(channel, "autoclose exclude")
        await world.move_deadline(channel)
        ticket = await world.ticket(channel)
        outcome = await world.tickets.auto_close(ticket.id)
        assert "excluded" in outcome
        assert world.exists(channel)
        assert await world.request_statuses(channel) == ["pending"]


async def test_the_opener_can_still_accept_in_an_excluded_ticket(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.sam.slash(channel, "autoclose exclude")
        message = await world.ask_to_close(channel, delay="2h")
        await world.amy.click(message, label="Accept & Close")
        await world.until_closed(channel)


async def test_a_request_in_an_excluded_ticket_says_that_there_is_no_timer(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        text = reply(await world.sam.slash(channel, "autoclose exclude"))
        assert "timer is off" not in text
        text = reply(await world.sam.slash(channel, "closerequest", close_delay="2h"))
        assert "excluded from auto-close" in text
        assert await world.jobs() == []


async def test_including_again_restores_the_timer(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        message = await world.ask_to_close(channel, delay="2h")
        before, jobs = await world.request(channel), await world.jobs()
        await world.sam.slash(channel, "autoclose exclude")
        text = reply(await world.sam.slash(channel, "autoclose include"))
        assert before.auto_close_at is not None
        deadline = f"<t:{int(before.auto_close_at.timestamp())}:F>"
        assert deadline in text
        assert deadline in words(world.message(channel, message.id))
        assert await world.jobs() == jobs
        assert await world.request(channel) == before


async def test_including_again_never_closes_at_once(settings: Settings) -> None:
    """The deadline passed while the ticket was excluded: it is moved, not sprung."""
    settings = settings.model_copy(update={"min_close_delay": 3600})
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.ask_to_close(channel, delay="2h")
        await world.sam.slash(channel, "autoclose exclude")
        await world.move_deadline(channel)
        await world.sam.slash(channel, "autoclose include")
        left = await world.tickets.time_left((await world.request(channel)).id)
        assert left is not None
        assert timedelta(minutes=59) < left <= timedelta(hours=1)
        assert len(await world.jobs()) == 1


async def test_including_without_a_pending_request_starts_no_timer(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        message = await world.ask_to_close(channel, delay="2h")
        await world.sam.slash(channel, "autoclose exclude")
        await world.amy.click(message, label="Deny & Keep Open")
        text = reply(await world.sam.slash(channel, "autoclose include"))
        assert "<t:" not in text
        assert await world.jobs() == []


async def test_excluding_and_including_twice_says_so(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        text = refusal(await world.sam.slash(channel, "autoclose include"))
        assert text == "This ticket isn't excluded from auto-close."
        await world.sam.slash(channel, "autoclose exclude")
        text = refusal(await world.sam.slash(channel, "autoclose exclude"))
        assert text == "This ticket is already excluded from auto-close."


async def test_status_tells_why_a_ticket_will_not_close(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        assert "nobody has asked to close it" in await status(world)
        message = await world.ask_to_close(channel)
        assert "the close request has no timer" in await status(world)
        await world.amy.click(message, label="Deny & Keep Open")
        assert "denied the last close request" in await status(world)
        await world.ask_to_close(channel, delay="2h")
        await world.amy.send(channel, "Not yet!")
        assert "the member answered the last close request" in await status(world)
        await world.sam.slash(channel, "autoclose exclude")
        assert "excluded it from auto-close" in await status(world)


async def test_status_tells_when_a_ticket_closes_and_who_asked(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.ask_to_close(channel, delay="2h")
        request = await world.request(channel)
        assert request.auto_close_at is not None
        text = await status(world)
        assert f"<t:{int(request.auto_close_at.timestamp())}:R>" in text
        assert world.sam.mention in text
        assert "Redis" not in text


async def test_status_of_a_ticket_with_a_long_hostile_history_fits(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        for _ in range(20):
            await world.ask_to_close(channel, "*_`|@#[]()<>~" * 19, "2h")
        assert "It closes" in await status(world)


async def test_status_shows_the_whole_history(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await add_events(world, channel, 70)
        text = await status(world)
        assert "opened by" in text
        assert all(f"(number {n})" in text for n in range(70))
        assert "earlier event" not in text


async def test_of_a_history_that_no_card_holds_the_newest_is_shown_and_the_rest_counted(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await add_events(world, channel, 1000)
        text = await status(world)
        shown = [n for n in range(1000) if f"(number {n})" in text]
        assert shown == list(range(shown[0], 1000))
        assert f"**History**\n… and {shown[0] + 1} earlier events" in text
        assert 3_800 < len(text) <= 4_000


async def add_events(world: World, channel: simcord.ChannelHandle, count: int) -> None:
    await world.sql.execute(
        """insert into punctual.ticket_events (ticket_id, guild_id, event, detail)
           select $1, 1, 'retried', 'number ' || n from generate_series(0, $2 - 1) as n""",
        (await world.ticket(channel)).id,
        count,
    )


async def test_an_operator_is_called_one(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        message = await world.ask_to_close(channel, delay="2h")
        ticket = await world.ticket(channel)
        await world.tickets.withdraw_close_request(ticket.id, OPERATOR_ID)
        text = await status(world)
        assert "an operator withdrew the last close request" in text
        assert "an operator withdrew the request" in text
        shown = words(world.message(channel, message.id))
        assert "An operator withdrew the request" in shown


async def test_a_time_that_does_not_run_yet_is_said_so(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.ask_to_close(channel, delay="2h")
        ticket, request = await world.ticket(channel), await world.request(channel)
        await world.effects_are_stuck()
        await world.half_done(ticket.id, "ask", subject_id=request.id)
        said = await status(world)
        assert "time isn't running yet" in said
        assert "It closes" not in said


async def test_a_time_that_was_up_is_said_so(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.ask_to_close(channel, delay="2h")
        await world.scheduler.shutdown()  # or it would be closed while we look
        await world.move_deadline(channel)
        said = await status(world)
        assert "Its time was up <t:" in said
        assert "being closed now" in said
        assert "It closes" not in said


async def test_what_the_bot_may_not_do_at_the_moment_is_named_before_it_is_time(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.ask_to_close(channel, delay="2h")
        assert "a person" not in await status(world)
        world.forbid_bot(channel, discord.Permissions(manage_channels=True))
        world.forbid_bot(world.logs, discord.Permissions(attach_files=True))
        await world.env.settle()
        said = await status(world)
        assert "need a person" in said
        assert "the bot lacks the permission Manage Channels in \\#ticket-0001" in said
        assert "the bot lacks the permission Attach Files in \\#logs" in said


async def test_a_member_asks_about_their_own_ticket_and_sees_nothing_of_supports_business(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.ask_to_close(channel, delay="2h")
        world.forbid_bot(channel, discord.Permissions(manage_channels=True))
        await world.tickets.retry_close((await world.ticket(channel)).id)
        await add_events(world, channel, 1)
        said = reply(await world.amy.slash(channel, "autoclose status"))
        assert "Write here and it stays open" in said
        assert "You get a reminder: <t:" in said
        assert "asked to close it" in said
        for not_theirs in ("permission", "need a person", "number 0", "tried again"):
            assert not_theirs not in said
        world.show(channel, world.eve)
        assert "Only the member who opened this ticket" in refusal(
            await world.eve.slash(channel, "autoclose status")
        )


async def test_replies_are_counted_again_for_a_request_that_was_extended(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        message = await world.ask_to_close(channel, delay="2h")
        await world.amy.click(message, label="Need more time")
        await world.amy.send(channel, "Here it is")
        await eventually(lambda: "stays open" in world.says(channel)[-1])
        assert await world.request_statuses(channel) == ["answered"]
        assert await world.jobs() == []
