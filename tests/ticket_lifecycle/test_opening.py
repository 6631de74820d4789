"""Opening a ticket: its number, how many a member may have, and what is left if it fails."""

from __future__ import annotations

import asyncio

import pytest

from domains.database import Database
from domains.ticket_lifecycle import LifecyclePolicy
from domains.ticket_lifecycle.channels import (
    ChannelError,
    ChannelGoneError,
    ChannelLimitError,
    DiscordFailedError,
    PermissionMissingError,
)
from domains.ticket_lifecycle.errors import (
    AlreadyOpeningError,
    BusyError,
    CannotOpenError,
    TooManyTicketsError,
)
from domains.ticket_lifecycle.models import Ticket, TicketStatus
from domains.ticket_lifecycle.open_ticket import MAX_CONCURRENT_A_GUILD, MAX_WAITING_A_GUILD
from tests.ticket_lifecycle.helpdesk import GUILD_ID, OPENER_ID, HelpDesk
from tests.ticket_lifecycle.interruptions import Moment


async def test_a_ticket_has_a_channel_a_welcome_and_an_event(desk: HelpDesk) -> None:
    ticket = await desk.lifecycle.open_ticket(GUILD_ID, OPENER_ID, "The printer burns")
    assert ticket == await desk.ticket(ticket.id)
    assert ticket.subject == "The printer burns"
    assert ticket.status is TicketStatus.OPEN
    assert ticket.name == "ticket-0001"
    assert [channel.ticket_id for channel in desk.channels.channels.values()] == [ticket.id]
    assert list(desk.channels.channels) == [ticket.channel_id]
    assert desk.channels.welcomed == [ticket.id]
    assert await desk.events(ticket) == ["opened"]


async def test_numbers_count_up_in_each_guild(desk: HelpDesk) -> None:
    numbers = [
        (await desk.open(opener_id=opener_id, guild_id=guild_id)).number
        for guild_id in (1, 2)
        for opener_id in (10, 11, 12)
    ]
    assert numbers == [1, 2, 3, 1, 2, 3]


async def test_the_number_of_a_closed_ticket_is_not_given_again(desk: HelpDesk) -> None:
    first = await desk.open()
    await desk.close(first)
    assert (await desk.open()).number == 2


async def test_five_members_at_once_get_distinct_numbers(
    desk: HelpDesk, second_database: Database
) -> None:
    other = desk.elsewhere(second_database)
    tickets = await asyncio.gather(
        *((desk, other)[n % 2].open(opener_id=100 + n) for n in range(5))
    )
    assert sorted(ticket.number for ticket in tickets) == [1, 2, 3, 4, 5]
    assert len(desk.channels.channels) == 5


async def test_of_a_crowd_as_many_get_a_ticket_as_may_wait_and_the_rest_reads_why(
    desk: HelpDesk,
) -> None:
    """More than there are database connections; and other guilds have a queue of their own."""
    most = MAX_CONCURRENT_A_GUILD + MAX_WAITING_A_GUILD
    results, elsewhere = await asyncio.gather(
        asyncio.gather(
            *(desk.open(opener_id=100 + n) for n in range(most + 6)), return_exceptions=True
        ),
        desk.open(guild_id=2),
    )
    tickets = [result for result in results if isinstance(result, Ticket)]
    assert sorted(ticket.number for ticket in tickets) == list(range(1, most + 1))
    assert sorted(desk.channels.welcomed) == sorted(t.id for t in (*tickets, elsewhere))
    sentences = {str(result) for result in results if isinstance(result, BusyError)}
    assert sentences == {"A lot of tickets are being opened right now. Try again in a moment."}
    assert len(tickets) + 6 == len(results)


async def test_a_long_subject_is_cut(desk: HelpDesk) -> None:
    ticket = await desk.lifecycle.open_ticket(GUILD_ID, OPENER_ID, "x" * 5_000)
    assert ticket.subject == "x" * 200


# --- how many


async def test_a_member_at_the_limit_reads_what_to_do(desk: HelpDesk) -> None:
    for _ in range(5):
        await desk.open()
    with pytest.raises(TooManyTicketsError) as error:
        await desk.open()
    assert str(error.value) == (
        "You already have 5 open tickets here. Close one before you open another."
    )
    assert await desk.count_tickets() == 5


async def test_a_limit_of_one_is_said_in_the_singular(desk: HelpDesk) -> None:
    desk = desk.restarted(LifecyclePolicy(max_open_tickets=1))
    await desk.open()
    with pytest.raises(TooManyTicketsError, match="You already have 1 open ticket here"):
        await desk.open()


async def test_the_limit_counts_one_member_in_one_guild(desk: HelpDesk) -> None:
    desk = desk.restarted(LifecyclePolicy(max_open_tickets=1))
    await desk.open(opener_id=10, guild_id=1)
    await desk.open(opener_id=11, guild_id=1)
    await desk.open(opener_id=10, guild_id=2)
    assert await desk.count_tickets() == 3


async def test_a_closed_ticket_does_not_count(desk: HelpDesk) -> None:
    desk = desk.restarted(LifecyclePolicy(max_open_tickets=1))
    ticket = await desk.open()
    await desk.close(ticket)
    assert (await desk.open()).number == 2


async def test_a_ticket_counts_until_its_channel_is_gone(desk: HelpDesk) -> None:
    desk = desk.restarted(LifecyclePolicy(max_open_tickets=1))
    ticket = await desk.open()
    desk.channels.failures["remove"] = [PermissionMissingError(("Manage Channels",))]
    await desk.close(ticket)
    with pytest.raises(TooManyTicketsError):
        await desk.open()


# --- two at once


@pytest.mark.parametrize("clicks", [2, 20])
async def test_clicks_at_once_open_one(
    desk: HelpDesk, second_database: Database, clicks: int
) -> None:
    """At once: Discord has not made the first one's channel when the last one comes."""
    all_refused = asyncio.Event()
    refused: list[str] = []

    async def click(process: HelpDesk) -> Ticket | None:
        try:
            return await process.open()
        except AlreadyOpeningError as error:
            refused.append(str(error))
            if len(refused) == clicks - 1:
                all_refused.set()
            return None

    desk.interruptions.once("create", Moment.BEFORE, all_refused.wait)
    other = desk.elsewhere(second_database)
    results = await asyncio.gather(*(click((desk, other)[n % 2]) for n in range(clicks)))
    opened = [ticket for ticket in results if ticket is not None]
    assert len(opened) == 1
    assert refused == ["Your ticket is already being opened. It'll be here in a moment."] * (
        clicks - 1
    )
    assert await desk.count_tickets() == 1
    assert len(desk.channels.channels) == 1
    assert desk.channels.welcomed == [opened[0].id]


async def test_one_after_the_other_opens_two(desk: HelpDesk) -> None:
    await desk.open()
    assert (await desk.open()).number == 2


# --- when Discord says no


@pytest.mark.parametrize(
    ("failure", "sentence"),
    [
        (
            PermissionMissingError(("Manage Channels",), "Home"),
            "I couldn't open a ticket: the bot lacks the permission Manage Channels in Home. "
            "Please tell an admin of this server.",
        ),
        (
            ChannelLimitError("this server has as many channels as Discord allows."),
            "I couldn't open a ticket: this server has as many channels as Discord allows; "
            "delete some first.",
        ),
        (
            ChannelGoneError("the channel is gone"),
            "I couldn't open a ticket: the category for tickets is gone; "
            "ask an admin to run `/setup` again.",
        ),
        (
            DiscordFailedError("500 Internal Server Error"),
            "I couldn't open a ticket: Discord didn't answer; try again in a minute.",
        ),
    ],
)
async def test_a_channel_that_cannot_be_made_leaves_no_row(
    desk: HelpDesk, failure: ChannelError, sentence: str
) -> None:
    desk.channels.failures["create"] = [failure]
    with pytest.raises(CannotOpenError) as error:
        await desk.open()
    assert str(error.value) == sentence
    assert await desk.count_tickets() == 0
    assert desk.channels.channels == {}
    assert (await desk.open()).number == 1, "and the member may try again at once"


async def test_a_ticket_opens_even_if_it_may_not_be_welcomed(desk: HelpDesk) -> None:
    desk.channels.failures["welcome"] = [PermissionMissingError(("Embed Links",))]
    ticket = await desk.open()
    assert ticket.channel_id in desk.channels.channels
    assert await desk.pending_effects(ticket) == [], "a 403 is not tried again"


async def test_a_welcome_that_failed_is_posted_later_and_once(desk: HelpDesk) -> None:
    desk.channels.failures["welcome"] = [DiscordFailedError("502 Bad Gateway")]
    ticket = await desk.open()
    assert desk.channels.welcomed == []
    await desk.wait_for_retry()
    await desk.deliver()
    assert desk.channels.welcomed == [ticket.id]
    assert desk.interruptions.calls.count("welcome") == 1
    assert await desk.pending_effects(ticket) == []
    assert await desk.events(ticket) == ["opened"]


async def test_a_channel_whose_ticket_was_taken_back_meanwhile_is_removed(desk: HelpDesk) -> None:
    """By another process, which held this one for dead: it was frozen while it made the channel."""

    async def take_back() -> None:
        await desk.database.pool.execute("delete from punctual.tickets")

    desk.interruptions.once("create", Moment.AFTER, take_back)
    with pytest.raises(CannotOpenError, match="taken back meanwhile"):
        await desk.open()
    assert desk.channels.channels == {}
