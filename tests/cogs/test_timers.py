"""`/timers`: what will close when, and a way to steer each."""

from __future__ import annotations

from datetime import timedelta

import discord
import pytest
import simcord
from simcord import ResponseMessage

from domains.settings import Settings
from tests.cogs.replies import refusal
from tests.cogs.shown import buttons, words
from tests.cogs.world import World, a_world


async def timers(world: World) -> ResponseMessage:
    result = await world.sam.slash(world.lobby, "timers")
    assert result.response is not None
    return result.response


async def one_timer(world: World) -> tuple[simcord.ChannelHandle, ResponseMessage]:
    """A ticket with a deadline, and sam's view of it from the list."""
    channel = await world.open_ticket(world.amy)
    await world.ask_to_close(channel, delay="2h")
    shown = await timers(world)
    await world.sam.click(shown, label="Details")
    return channel, shown


async def test_what_needs_a_person_comes_first_and_then_what_closes_soonest(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        later, sooner = await world.open_ticket(world.amy), await world.open_ticket(world.eve)
        untimed, stuck = await world.open_ticket(world.eve), await world.open_ticket(world.amy)
        await world.ask_to_close(later, "Later", "3h")
        await world.ask_to_close(sooner, "Sooner", "2h")
        await world.ask_to_close(untimed, "Untimed")
        world.forbid_bot(stuck, discord.Permissions(manage_channels=True))
        await world.amy.slash(stuck, "close")
        shown = await timers(world)
        said = words(shown)
        places = [said.index(f"<#{channel.id}>") for channel in (stuck, sooner, later)]
        assert places == sorted(places)
        assert f"<#{untimed.id}>" not in said
        assert "Needs attention:** the bot lacks the permission Manage Channels" in said
        assert "Timers: 3 tickets" in said
        assert buttons(shown) == ["Details"] * 3, "no control without an effect"


async def test_where_nothing_waits_it_says_so(settings: Settings) -> None:
    async with a_world(settings) as world:
        other = world.neighbour()
        await other.set_up()
        await other.ask_to_close(await other.open_ticket(other.amy), "Secret", "2h")
        shown = await timers(world)
        assert "No ticket here closes by itself" in words(shown)
        assert "Secret" not in words(shown)
        assert buttons(shown) == []


async def test_each_state_of_a_timer_is_said(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.ask_to_close(channel, delay="2h")
        ticket, request = await world.ticket(channel), await world.request(channel)
        assert f"as {world.sam.mention} asked" in words(await timers(world))
        world.forbid_bot(world.logs, discord.Permissions(attach_files=True))
        await world.env.settle()
        assert "Needs a person unless" in words(await timers(world))
        await world.effects_are_stuck()
        await world.half_done(ticket.id, "ask", subject_id=request.id)
        assert "isn't running yet" in words(await timers(world))
        await world.sql.execute("delete from punctual.effects")
        await world.scheduler.shutdown()  # or it would be closed while we look
        await world.move_deadline(channel)
        assert "Time was up <t:" in words(await timers(world))
        await world.sql.execute("update punctual.tickets set exclude_from_autoclose = true")
        assert "Excluded from auto-close" in words(await timers(world))


async def test_a_timer_is_cancelled_even_after_a_restart(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel, shown = await one_timer(world)
        assert buttons(shown) == [
            "Extend by 24 hours", "Cancel its timer", "Go to the ticket", "Back to the list",
        ]  # fmt: skip
        await world.restart_bot()
        await world.sam.click(shown, label="Cancel its timer")
        assert "is withdrawn" in words(shown)
        assert await world.request_statuses(channel) == ["withdrawn"]
        assert await world.jobs() == []
        await world.sam.click(shown, label="Back to the list")
        assert "No ticket here closes by itself" in words(shown)


async def test_a_timer_is_extended(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel, shown = await one_timer(world)
        before = await world.request(channel)
        await world.sam.click(shown, label="Extend by 24 hours")
        after = await world.request(channel)
        assert before.auto_close_at is not None
        assert after.auto_close_at is not None
        assert after.auto_close_at == before.auto_close_at + timedelta(hours=24)
        assert f"It now closes <t:{int(after.auto_close_at.timestamp())}:F>" in words(shown)


async def test_a_close_that_needs_a_person_is_tried_again(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        world.forbid_bot(channel, discord.Permissions(manage_channels=True))
        await world.amy.slash(channel, "close")
        shown = await timers(world)
        await world.sam.click(shown, label="Details")
        world.allow_bot(channel, discord.Permissions(manage_channels=True))
        await world.sam.click(shown, label="Retry")
        await world.until_closed(channel)
        assert "nothing stands in its way" in words(shown)


@pytest.mark.parametrize("label", ["Cancel its timer", "Extend by 24 hours", "Back to the list"])
async def test_who_has_lost_the_support_role_cannot_use_an_open_list(
    settings: Settings, label: str
) -> None:
    async with a_world(settings) as world:
        channel, shown = await one_timer(world)
        before = await world.request(channel)
        world.env.backend.remove_member_role(world.guild.id, world.sam.id, world.support.id)
        assert "Only support can do that" in refusal(await world.sam.click(shown, label=label))
        assert await world.request(channel) == before


async def test_a_timer_that_ended_while_the_list_was_open_is_said_so(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel, shown = await one_timer(world)
        await world.amy.send(channel, "Not yet!")
        await world.until_all_is_told()
        text = refusal(await world.sam.click(shown, label="Cancel its timer"))
        assert "the member wrote in the ticket" in text


async def test_pages_fit_into_a_message_whatever_was_typed(settings: Settings) -> None:
    """Twenty tickets, whose subjects and reasons take as much room as there is."""
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy, "*_`|@#[]()<>~" * 15)
        await world.ask_to_close(channel, "*_`|@#[]()<>~" * 19, "2h")
        await multiply(world, 19)
        shown = await timers(world)
        assert_fits(shown)
        assert "Timers: 20 tickets" in words(shown)
        assert buttons(shown) == ["Details"] * 8 + ["Next page"]
        await world.sam.click(shown, label="Next page")
        await world.sam.click(shown, label="Next page")
        assert_fits(shown)
        assert "Page 3 of 3" in words(shown)
        assert buttons(shown) == ["Details"] * 4 + ["Previous page"]
        await world.sql.execute("update punctual.tickets set attention = null where number > 1")
        await world.sql.execute("delete from punctual.close_requests where ticket_id > 1")
        await world.sam.click(shown, label="Previous page")
        assert "Timers: 1 ticket" in words(shown), "a page that is gone is not empty"


async def multiply(world: World, count: int) -> None:
    """More tickets as the first, all needing attention and each with a deadline."""
    await world.sql.execute("update punctual.tickets set attention = $1::jsonb", ATTENTION)
    columns = "guild_id, channel_id, opener_id, subject, status, attention"
    await world.sql.execute(
        f"""insert into punctual.tickets (number, {columns}, token)
            select n, {columns}, n::text from punctual.tickets, generate_series(2, $1 + 1) as n""",
        count,
    )
    await world.sql.execute(
        """insert into punctual.close_requests
               (ticket_id, requested_by_id, reason, auto_close_at, message_id)
           select t.id, r.requested_by_id, r.reason, r.auto_close_at, 1
           from punctual.tickets t, punctual.close_requests r where t.number > 1"""
    )


ATTENTION = '{"code": "unexpected", "type": "Error", "text": "' + "*_`|@#" * 50 + '"}'


def assert_fits(shown: ResponseMessage) -> None:
    assert len(words(shown).replace("\n", "")) <= 4_000
    assert sum(1 for _ in components(shown.components)) <= 40


def components(inside: list[dict[str, object]]) -> list[object]:
    found: list[object] = []
    for each in inside:
        children = each.get("components")
        accessory = each.get("accessory")
        found.append(each)
        found += components(children) if isinstance(children, list) else []  # pyright: ignore
        found += [accessory] if accessory else []
    return found
