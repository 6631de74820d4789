"""The closing sequence: its order, what may fail in it, and when a person is needed."""

from __future__ import annotations

import asyncio

import pytest

from domains.database import Database
from domains.ticket_lifecycle import LifecyclePolicy
from domains.ticket_lifecycle.channels import (
    ChannelGoneError,
    DiscordFailedError,
    PermissionMissingError,
)
from domains.ticket_lifecycle.errors import TicketNotFoundError, TicketNotOpenError
from domains.ticket_lifecycle.models import (
    AutoCloseOutcome,
    CloseCause,
    CloseStep,
    RequestStatus,
    Ticket,
    TicketStatus,
)
from tests.ticket_lifecycle.helpdesk import GUILD_ID, OPENER_ID, STAFF_ID, HelpDesk
from tests.ticket_lifecycle.interruptions import Killed, Moment

FORBIDDEN = "the bot lacks the permission Manage Channels in #ticket-0001"


def assert_closed_once(desk: HelpDesk, ticket: Ticket) -> None:
    assert [ticket_id for ticket_id, _ in desk.channels.logged] == [ticket.id]
    assert desk.channels.dms == [ticket.id]
    assert desk.channels.removed == [ticket.id]
    assert desk.transcripts_of(ticket) == [str(ticket.id)]


async def test_the_steps_have_their_order(desk: HelpDesk) -> None:
    ticket = await desk.open()
    begun = len(desk.interruptions.calls)
    await desk.lifecycle.close_ticket(ticket.id, STAFF_ID, "Solved")
    assert desk.interruptions.calls[begun:] == [
        "names",
        "history",
        "save",
        "log_close",
        "dm_opener",
        "remove",
    ]
    closed = await desk.ticket(ticket.id)
    assert closed.status is TicketStatus.CLOSED
    assert closed.closed_by_id == STAFF_ID
    assert closed.close_reason == "Solved"
    assert closed.close_cause is CloseCause.COMMAND
    assert closed.close_step is CloseStep.CHANNEL
    assert closed.closed_at is not None
    assert await desk.events(ticket) == ["opened", "closing", "closed"]
    assert_closed_once(desk, ticket)


async def test_the_whole_transcript_is_saved_before_anything_is_told_or_deleted(
    desk: HelpDesk,
) -> None:
    ticket = await desk.open()
    for _ in range(250):
        desk.write(ticket)
    saved: list[int] = []

    async def look() -> None:
        transcript = desk.transcripts.find(ticket.guild_id, ticket.id)
        saved.append(transcript.message_count if transcript else 0)

    for call in ("log_close", "dm_opener", "remove"):
        desk.interruptions.once(call, Moment.BEFORE, look)
    await desk.lifecycle.close_ticket(ticket.id, STAFF_ID)
    assert saved == [251] * 3, "the welcome and what the opener wrote"


async def test_the_log_gets_the_transcript(desk: HelpDesk) -> None:
    ticket = await desk.open()
    await desk.lifecycle.close_ticket(ticket.id, STAFF_ID)
    ((_, transcript),) = desk.channels.logged
    assert transcript == desk.transcripts.find(ticket.guild_id, ticket.id)
    assert transcript is not None
    assert transcript.path.is_file()


async def test_closing_ends_the_pending_request_and_its_timer(desk: HelpDesk) -> None:
    ticket = await desk.open()
    request = await desk.ask(ticket)
    await desk.lifecycle.close_ticket(ticket.id, STAFF_ID)
    request = await desk.request(request.id)
    assert request.status is RequestStatus.CLOSED
    assert request.resolved_by_id == STAFF_ID
    assert desk.timers.scheduled == {}
    assert desk.shown_outcomes(request) == {"closed"}


async def test_a_ticket_that_is_not_there_cannot_be_closed(desk: HelpDesk) -> None:
    with pytest.raises(TicketNotFoundError):
        await desk.lifecycle.close_ticket(999_999_999, STAFF_ID)


async def test_who_comes_too_late_reads_who_is_closing(desk: HelpDesk) -> None:
    ticket = await desk.open()
    sentences: list[str] = []

    async def close_too() -> None:
        with pytest.raises(TicketNotOpenError) as error:
            await desk.lifecycle.close_ticket(ticket.id, OPENER_ID)
        sentences.append(str(error.value))

    desk.interruptions.once("save", Moment.BEFORE, close_too)
    await desk.lifecycle.close_ticket(ticket.id, STAFF_ID)
    assert sentences == [f"This ticket is being closed already by <@{STAFF_ID}>."]


async def test_closes_at_once_do_not_starve_each_other_of_connections(desk: HelpDesk) -> None:
    """WORKER_CONCURRENCY may be 100, and the pool has 20."""
    desk = desk.restarted(LifecyclePolicy(max_concurrent_closes=100))
    tickets = [await desk.open(opener_id=100 + n) for n in range(40)]
    async with asyncio.timeout(10):
        await asyncio.gather(
            *(desk.lifecycle.close_ticket(ticket.id, STAFF_ID) for ticket in tickets)
        )
    assert sorted(desk.channels.removed) == [ticket.id for ticket in tickets]


# --- a channel that is gone


@pytest.mark.parametrize("call", ["names", "history"])
async def test_a_channel_that_is_gone_has_no_transcript_and_the_ticket_ends(
    desk: HelpDesk, call: str
) -> None:
    ticket = await desk.open()
    desk.channels.channels.clear()
    desk.channels.failures[call] = [ChannelGoneError("Unknown Channel")]
    await desk.lifecycle.close_ticket(ticket.id, STAFF_ID)
    assert (await desk.ticket(ticket.id)).status is TicketStatus.CLOSED
    assert desk.channels.logged == [(ticket.id, None)]
    assert desk.channels.dms == [ticket.id]


async def test_a_channel_deleted_halfway_keeps_the_transcript(desk: HelpDesk) -> None:
    ticket = await desk.open()

    async def delete() -> None:
        desk.channels.channels.clear()

    desk.interruptions.once("log_close", Moment.BEFORE, delete)
    await desk.lifecycle.close_ticket(ticket.id, STAFF_ID)
    assert (await desk.ticket(ticket.id)).status is TicketStatus.CLOSED
    assert desk.transcripts_of(ticket) == [str(ticket.id)]


async def test_a_channel_deleted_by_hand_ends_the_ticket_and_its_timer(desk: HelpDesk) -> None:
    ticket = await desk.open()
    request = await desk.ask(ticket)
    assert ticket.channel_id is not None
    del desk.channels.channels[ticket.channel_id]
    await desk.lifecycle.note_channel_deleted(GUILD_ID, ticket.channel_id)
    ticket, request = await desk.ticket(ticket.id), await desk.request(request.id)
    assert ticket.status is TicketStatus.CLOSED
    assert ticket.close_cause is CloseCause.CHANNEL_DELETED
    assert ticket.closed_by_id is None
    assert request.status is RequestStatus.CLOSED
    assert desk.timers.scheduled == {}
    assert desk.channels.logged == [(ticket.id, None)]
    assert desk.channels.dms == [ticket.id]


async def test_the_bots_own_deletion_is_no_news(desk: HelpDesk) -> None:
    """The gateway tells the bot of that too."""
    ticket = await desk.open()
    channel_id = ticket.channel_id
    assert channel_id is not None

    async def told() -> None:
        await desk.lifecycle.note_channel_deleted(GUILD_ID, channel_id)

    desk.interruptions.once("remove", Moment.AFTER, told)
    await desk.lifecycle.close_ticket(ticket.id, STAFF_ID)
    await told()
    assert await desk.events(ticket) == ["opened", "closing", "closed"]
    assert_closed_once(desk, ticket)


async def test_a_deletion_that_is_told_twice_at_once_is_one(
    desk: HelpDesk, second_database: Database
) -> None:
    ticket = await desk.open()
    assert ticket.channel_id is not None
    del desk.channels.channels[ticket.channel_id]
    other = desk.elsewhere(second_database)
    await asyncio.gather(
        *(
            process.lifecycle.note_channel_deleted(GUILD_ID, ticket.channel_id)
            for process in (desk, other) * 3
        )
    )
    assert await desk.events(ticket) == ["opened", "closing", "closed"]


async def test_a_deletion_elsewhere_does_not_matter(desk: HelpDesk) -> None:
    ticket = await desk.open()
    await desk.lifecycle.note_channel_deleted(GUILD_ID, 5)
    await desk.lifecycle.note_channel_deleted(GUILD_ID + 1, ticket.channel_id or 0)
    assert (await desk.ticket(ticket.id)).status is TicketStatus.OPEN


async def test_a_channel_deleted_by_hand_where_the_bot_may_not_ends_the_ticket(
    desk: HelpDesk,
) -> None:
    """What an admin does who reads that the bot lacks Manage Channels."""
    ticket = await desk.open()
    desk.channels.failures["remove"] = [PermissionMissingError(FORBIDDEN)]
    await desk.lifecycle.close_ticket(ticket.id, STAFF_ID)
    assert (await desk.ticket(ticket.id)).attention == FORBIDDEN
    assert ticket.channel_id is not None
    del desk.channels.channels[ticket.channel_id]
    await desk.lifecycle.note_channel_deleted(GUILD_ID, ticket.channel_id)
    ended = await desk.ticket(ticket.id)
    assert ended.status is TicketStatus.CLOSED
    assert ended.attention is None


async def test_channels_deleted_while_the_bot_was_down_do_not_count_for_the_limit(
    desk: HelpDesk,
) -> None:
    desk = desk.restarted(LifecyclePolicy(max_open_tickets=2))
    gone, standing = await desk.open(), await desk.open()
    assert gone.channel_id is not None
    del desk.channels.channels[gone.channel_id]
    new = await desk.open()
    assert new.number == 3
    assert (await desk.ticket(gone.id)).close_cause is CloseCause.CHANNEL_DELETED
    assert (await desk.ticket(standing.id)).status is TicketStatus.OPEN


# --- a failure that another try may fix


@pytest.mark.parametrize("call", ["names", "history", "log_close", "dm_opener", "remove"])
async def test_a_step_that_failed_is_tried_again_when_its_time_comes(
    desk: HelpDesk, call: str
) -> None:
    ticket = await desk.open()
    desk.channels.failures[call] = [DiscordFailedError("503 Service Unavailable")]
    with pytest.raises(DiscordFailedError):
        await desk.lifecycle.close_ticket(ticket.id, STAFF_ID)
    closing = await desk.ticket(ticket.id)
    assert closing.status is TicketStatus.CLOSING
    assert closing.attention is None
    assert closing.close_failures == 1
    await desk.lifecycle.resume_unfinished()
    assert await desk.ticket(ticket.id) == closing, "not before its time"
    await desk.wait_for_retry()
    await desk.lifecycle.resume_unfinished()
    assert (await desk.ticket(ticket.id)).status is TicketStatus.CLOSED
    assert await desk.events(ticket) == ["opened", "closing", "close_failed", "closed"]
    assert_closed_once(desk, ticket)


async def test_retries_come_after_one_two_and_four_minutes(desk: HelpDesk) -> None:
    request = await desk.run_out(await desk.ask(await desk.open()))
    desk.channels.failures["log_close"] = [DiscordFailedError("503")] * 3
    minutes: list[int] = []
    for _ in range(3):
        with pytest.raises(DiscordFailedError):
            await desk.fire(request)
        minutes.append(
            await desk.database.pool.fetchval(
                "select round(extract(epoch from close_retry_at - now()) / 60)::int from punctual.tickets"
            )
        )
    assert minutes == [1, 2, 4]
    assert await desk.fire(request) is AutoCloseOutcome.CLOSED


async def test_the_fourth_failure_asks_for_a_person(desk: HelpDesk) -> None:
    ticket = await desk.open()
    request = await desk.run_out(await desk.ask(ticket))
    desk.channels.failures["log_close"] = [DiscordFailedError("503\nService  Unavailable")] * 4
    for _ in range(4):
        assert desk.channels.attention == []
        with pytest.raises(DiscordFailedError):
            await desk.fire(request)
    attention = (await desk.ticket(ticket.id)).attention
    assert attention is not None
    assert "503 Service Unavailable" in attention, "in one line"
    assert desk.channels.attention == [(ticket.id, attention)]
    await desk.wait_for_retry()
    await desk.lifecycle.resume_unfinished()
    assert (await desk.ticket(ticket.id)).status is TicketStatus.CLOSING, "a person's turn now"
    history = await desk.events(ticket)
    assert history[-6:] == ["expired", *["close_failed"] * 4, "attention"]
    assert await desk.lifecycle.retry_close(ticket.id) is AutoCloseOutcome.CLOSED
    assert_closed_once(desk, ticket)


async def test_a_bug_counts_as_a_failure_too(desk: HelpDesk) -> None:
    ticket = await desk.open()
    desk.channels.failures["dm_opener"] = [RuntimeError("a bug")]
    with pytest.raises(RuntimeError):
        await desk.lifecycle.close_ticket(ticket.id, STAFF_ID)
    assert (await desk.ticket(ticket.id)).close_failures == 1


async def test_one_close_that_cannot_be_resumed_does_not_keep_others_waiting(
    desk: HelpDesk,
) -> None:
    tickets = [await desk.open(), await desk.open()]
    for ticket in tickets:
        desk.interruptions.kill("names", Moment.BEFORE)
        with pytest.raises(Killed):
            await desk.lifecycle.close_ticket(ticket.id, STAFF_ID)
    desk.channels.failures["names"] = [RuntimeError("a bug")]
    await desk.restarted().lifecycle.resume_unfinished()
    assert len(desk.channels.removed) == 1


# --- a failure that only a person can fix


@pytest.mark.parametrize("call", ["names", "history", "log_close", "remove"])
async def test_a_missing_permission_is_named_and_retry_goes_on(desk: HelpDesk, call: str) -> None:
    ticket = await desk.open()
    request = await desk.ask(ticket)
    desk.channels.failures[call] = [PermissionMissingError(FORBIDDEN)] * 2
    await desk.lifecycle.accept_close_request(ticket.id, OPENER_ID, request.id)
    closing = await desk.ticket(ticket.id)
    assert closing.status is TicketStatus.CLOSING
    assert closing.attention == FORBIDDEN
    assert desk.channels.attention == [(ticket.id, FORBIDDEN)]
    assert await desk.lifecycle.retry_close(ticket.id) is AutoCloseOutcome.NEEDS_ATTENTION
    assert (await desk.ticket(ticket.id)).attention == FORBIDDEN, "not fixed yet"
    assert await desk.lifecycle.retry_close(ticket.id) is AutoCloseOutcome.CLOSED
    closed = await desk.ticket(ticket.id)
    assert closed.status is TicketStatus.CLOSED
    assert closed.attention is None
    assert (await desk.events(ticket))[2:] == [
        "accepted",
        "attention",
        "retried",
        "retried",
        "closed",
    ]
    assert desk.channels.attention == [(ticket.id, FORBIDDEN)], "nobody is told twice"
    assert_closed_once(desk, ticket)


async def test_a_close_that_needs_attention_is_not_resumed_at_once(desk: HelpDesk) -> None:
    ticket = await desk.open()
    desk.channels.failures["remove"] = [PermissionMissingError(FORBIDDEN)]
    await desk.lifecycle.close_ticket(ticket.id, STAFF_ID)
    calls = list(desk.interruptions.calls)
    await desk.lifecycle.resume_unfinished()
    assert desk.interruptions.calls == calls
    assert (await desk.ticket(ticket.id)).attention == FORBIDDEN


async def test_attention_nobody_took_up_is_looked_at_again_without_a_new_message(
    desk: HelpDesk,
) -> None:
    ticket = await desk.open()
    desk.channels.failures["remove"] = [PermissionMissingError(FORBIDDEN)] * 2
    await desk.lifecycle.close_ticket(ticket.id, STAFF_ID)
    for _ in range(2):
        await desk.database.pool.execute(
            "update punctual.tickets set attention_at = now() - interval '1 day'"
        )
        assert desk.channels.attention == [(ticket.id, FORBIDDEN)]
        await desk.lifecycle.resume_unfinished()
    assert (await desk.ticket(ticket.id)).status is TicketStatus.CLOSED
    assert desk.channels.attention == [(ticket.id, FORBIDDEN)]
    assert_closed_once(desk, ticket)


async def test_attention_that_cannot_be_told_is_kept(desk: HelpDesk) -> None:
    ticket = await desk.open()
    desk.channels.failures["remove"] = [PermissionMissingError(FORBIDDEN)]
    desk.channels.failures["ask_for_attention"] = [PermissionMissingError("nor anything else")]
    await desk.lifecycle.close_ticket(ticket.id, STAFF_ID)
    assert (await desk.ticket(ticket.id)).attention == FORBIDDEN


async def test_retry_pressed_twice_at_once_closes_once(
    desk: HelpDesk, second_database: Database
) -> None:
    ticket = await desk.open()
    desk.channels.failures["remove"] = [PermissionMissingError(FORBIDDEN)]
    await desk.lifecycle.close_ticket(ticket.id, STAFF_ID)
    other = desk.elsewhere(second_database)
    outcomes = await asyncio.gather(
        *(process.lifecycle.retry_close(ticket.id) for process in (desk, other))
    )
    assert AutoCloseOutcome.CLOSED in outcomes
    assert AutoCloseOutcome.GONE not in outcomes, "it is there"
    assert_closed_once(desk, ticket)
