"""What cogs ask for: tickets by channel, the latest request, deadlines by guild, its choices."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest

from domains.ticket_lifecycle.channels import DiscordAwayError
from domains.ticket_lifecycle.errors import TicketNotFoundError
from domains.ticket_lifecycle.models import AutoCloseOutcome, GuildSettings, RequestStatus, Ticket
from tests.ticket_lifecycle.helpdesk import GUILD_ID, OPENER_ID, STAFF_ID, HelpDesk


async def test_a_ticket_is_found_by_its_channel_in_its_guild_only(desk: HelpDesk) -> None:
    ticket = await desk.open()
    assert await desk.lifecycle.require_ticket(GUILD_ID, ticket.channel_id) == ticket
    for guild_id, channel_id in (
        (GUILD_ID + 1, ticket.channel_id),
        (GUILD_ID, 5),
        (None, ticket.channel_id),
        (GUILD_ID, None),
    ):
        with pytest.raises(TicketNotFoundError) as error:
            await desk.lifecycle.require_ticket(guild_id, channel_id)
        assert str(error.value) == "This isn't a ticket channel. Try it in a ticket."


async def test_the_latest_request_is_the_pending_one_else_the_last(desk: HelpDesk) -> None:
    ticket = await desk.open()
    assert await desk.lifecycle.latest_request(ticket.id) is None
    await desk.ask(ticket)
    second = await desk.ask(ticket)
    assert await desk.lifecycle.latest_request(ticket.id) == second
    denied = await desk.lifecycle.cancel_close_request(ticket.id, OPENER_ID)
    assert denied.status is RequestStatus.DENIED
    assert await desk.lifecycle.latest_request(ticket.id) == denied


async def test_a_channel_is_not_read_over_and_over_before_anybody_listens(
    desk: HelpDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = await desk.run_out(await desk.ask(await desk.open()))
    await desk.database.pool.execute("delete from punctual.heartbeat")
    desk = desk.restarted()
    reads: list[int] = []

    async def nothing_written(_: Ticket, message_id: int) -> None:
        reads.append(message_id)

    monkeypatch.setattr(desk.channels, "opener_wrote_after", nothing_written)
    with pytest.raises(DiscordAwayError):
        await desk.lifecycle.auto_close(request.ticket_id, request.id)
    assert len(reads) == 1
    await desk.listen()
    await desk.grow_old()
    assert await desk.fire(request) is AutoCloseOutcome.CLOSED


async def test_tickets_are_read_with_their_pending_deadlines(desk: HelpDesk) -> None:
    timed, untimed = await desk.open(), await desk.open(opener_id=100)
    request = await desk.ask(timed, hours=9)
    await desk.ask(untimed, hours=None)
    read = await desk.lifecycle.timed_tickets([untimed.id, 10**9, timed.id])
    assert [(each.ticket.id, each.request) for each in read] == [
        (untimed.id, None),
        (timed.id, request),
    ]
    assert read[1].is_told


async def test_a_guild_that_chose_nothing_has_the_defaults(desk: HelpDesk) -> None:
    assert await desk.lifecycle.guild_settings(77) == GuildSettings(77)
    await desk.open()
    assert await desk.lifecycle.guild_settings(GUILD_ID) == GuildSettings(GUILD_ID)


async def test_a_guilds_choices_are_kept_and_changed(desk: HelpDesk) -> None:
    chosen = GuildSettings(
        GUILD_ID,
        support_role_ids=(5, 6),
        category_id=7,
        log_channel_id=8,
        reply_keeps_open=False,
        keep_deleted=False,
    )
    everything = asdict(chosen)
    del everything["guild_id"]
    assert await desk.lifecycle.change_guild_settings(GUILD_ID, **everything) == chosen
    assert await desk.restarted().lifecycle.guild_settings(GUILD_ID) == chosen
    await desk.lifecycle.change_guild_settings(GUILD_ID, support_role_ids=(9,), category_id=None)
    changed = replace(chosen, support_role_ids=(9,), category_id=None)
    assert await desk.lifecycle.guild_settings(GUILD_ID) == changed, "the rest stays"


async def test_events_say_what_who_and_why_in_order(desk: HelpDesk) -> None:
    ticket = await desk.open()
    await desk.lifecycle.request_close(ticket.id, STAFF_ID, "Solved?", 1)
    await desk.lifecycle.close_ticket(ticket.id, STAFF_ID)
    events = await desk.lifecycle.events(ticket.id)
    assert [(event.event, event.actor_id, event.params) for event in events] == [
        ("opened", OPENER_ID, {}),
        ("close_requested", STAFF_ID, {"reason": "Solved?"}),
        ("closing", STAFF_ID, {"cause": "command"}),
        ("closed", STAFF_ID, {}),
    ]
    times = [event.at for event in events]
    assert times == sorted(times)
