"""The closing sequence: its order, what may fail in it, and when a person is needed."""

from __future__ import annotations

import asyncio

import pytest

from domains.database import Database
from domains.error_codes import error_code
from domains.ticket_lifecycle import LifecyclePolicy
from domains.ticket_lifecycle.channels import (
    ChannelGoneError,
    DiscordFailedError,
    PermissionMissingError,
)
from domains.ticket_lifecycle.errors import TicketNotFoundError, TicketNotOpenError
from domains.ticket_lifecycle.models import (
    CloseCause,
    RequestStatus,
    Ticket,
    TicketStatus,
)
from tests.ticket_lifecycle.helpdesk import GUILD_ID, OPENER_ID, STAFF_ID, HelpDesk
from tests.ticket_lifecycle.interruptions import Moment

FORBIDDEN = PermissionMissingError(("Manage Channels",), "#ticket-0001")
ATTENTION = error_code(FORBIDDEN)


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
    assert await desk.pending_effects(ticket) == []
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
    assert await desk.deadlines() == []
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
    assert sentences == [f"<@{STAFF_ID}> is already closing this ticket."]


async def test_closes_at_once_do_not_starve_each_other_of_connections(desk: HelpDesk) -> None:
    """There are more of them than the pool has."""
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
    await desk.deliver()
    ticket, request = await desk.ticket(ticket.id), await desk.request(request.id)
    assert ticket.status is TicketStatus.CLOSED
    assert ticket.close_cause is CloseCause.CHANNEL_DELETED
    assert ticket.closed_by_id is None
    assert request.status is RequestStatus.CLOSED
    assert await desk.deadlines() == []
    assert desk.channels.logged == [(ticket.id, None)]
    assert desk.channels.dms == [ticket.id]


async def test_the_bots_own_deletion_is_no_news(desk: HelpDesk) -> None:
    """The gateway tells the bot of that too."""
    ticket = await desk.open()
    channel_id = ticket.channel_id
    assert channel_id is not None

    async def hear() -> None:
        noting.append(
            asyncio.create_task(desk.lifecycle.note_channel_deleted(GUILD_ID, channel_id))
        )

    noting: list[asyncio.Task[None]] = []
    desk.interruptions.once("remove", Moment.AFTER, hear)
    await desk.close(ticket)
    await hear()
    await asyncio.gather(*noting)
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
    desk.channels.failures["remove"] = [FORBIDDEN]
    await desk.lifecycle.close_ticket(ticket.id, STAFF_ID)
    assert (await desk.ticket(ticket.id)).attention == ATTENTION
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
    await desk.deliver()
    assert await desk.ticket(ticket.id) == closing, "not before its time"
    await desk.wait_for_retry()
    await desk.deliver()
    assert (await desk.ticket(ticket.id)).status is TicketStatus.CLOSED
    assert await desk.events(ticket) == ["opened", "closing", "close_failed", "closed"]
    assert_closed_once(desk, ticket)


async def test_retries_come_after_one_two_and_four_minutes_and_then_a_person_is_asked(
    desk: HelpDesk, caplog: pytest.LogCaptureFixture
) -> None:
    ticket = await desk.open()
    request = await desk.run_out(await desk.ask(ticket))
    desk.channels.failures["log_close"] = [DiscordFailedError("503\nService  Unavailable")] * 5
    with pytest.raises(DiscordFailedError):
        await desk.fire(request)
    minutes: list[int] = []
    for _ in range(4):
        minutes.append(await _minutes_to_the_next_attempt(desk, ticket))
        await desk.wait_for_retry()
        await desk.deliver()
    assert minutes[:3] == [1, 2, 4]
    assert (
        caplog.messages.count(
            f"❌ Failed to auto-close ticket {ticket.id}: 503 Service Unavailable"
        )
        == 5
    ), "in one line, each"
    attention = (await desk.ticket(ticket.id)).attention
    assert attention == {
        "code": "close_keeps_failing",
        "error": {"code": "discord_failed", "text": "503\nService  Unavailable"},
    }
    assert desk.channels.attention == [(ticket.id, attention)], "nobody is told twice"
    assert minutes[3] == 15, "a person's turn now"
    assert (await desk.events(ticket))[-6:] == ["expired", *["close_failed"] * 4, "attention"]
    closed = await desk.lifecycle.retry_close(ticket.id, STAFF_ID)
    assert closed is not None
    assert closed.status is TicketStatus.CLOSED
    assert_closed_once(desk, ticket)
    [retried] = [e for e in await desk.lifecycle.events(ticket.id) if e.event == "retried"]
    assert retried.actor_id == STAFF_ID, "and not the bot"


async def _minutes_to_the_next_attempt(desk: HelpDesk, ticket: Ticket) -> int:
    effect, *_ = await desk.lifecycle.pending_effects(ticket.id)
    return round((effect.due_at - desk.lifecycle.now()).total_seconds() / 60)


async def test_a_bug_counts_as_a_failure_too(desk: HelpDesk) -> None:
    ticket = await desk.open()
    desk.channels.failures["dm_opener"] = [RuntimeError("a bug")]
    with pytest.raises(RuntimeError):
        await desk.lifecycle.close_ticket(ticket.id, STAFF_ID)
    (first, *_) = await desk.lifecycle.pending_effects(ticket.id)
    assert (first.kind, first.failures) == ("dm-opener", 1)
    assert first.error == {"code": "unexpected", "type": "RuntimeError", "text": "a bug"}


async def test_one_close_that_fails_does_not_keep_others_waiting(desk: HelpDesk) -> None:
    tickets = [await desk.open(), await desk.open()]
    desk.channels.failures["names"] = [RuntimeError("a bug")]
    await asyncio.gather(
        *(desk.lifecycle.close_ticket(ticket.id, STAFF_ID) for ticket in tickets),
        return_exceptions=True,
    )
    assert len(desk.channels.removed) == 1


# --- a failure that only a person can fix


@pytest.mark.parametrize("call", ["names", "history", "log_close", "remove"])
async def test_a_missing_permission_is_named_and_retry_goes_on(desk: HelpDesk, call: str) -> None:
    ticket = await desk.open()
    request = await desk.ask(ticket)
    desk.channels.failures[call] = [FORBIDDEN] * 2
    await desk.lifecycle.accept_close_request(ticket.id, OPENER_ID, request.id)
    closing = await desk.ticket(ticket.id)
    assert closing.status is TicketStatus.CLOSING
    assert closing.attention == ATTENTION
    assert desk.channels.attention == [(ticket.id, ATTENTION)]
    await desk.lifecycle.retry_close(ticket.id)
    assert (await desk.ticket(ticket.id)).attention == ATTENTION, "not fixed yet"
    await desk.lifecycle.retry_close(ticket.id)
    closed = await desk.ticket(ticket.id)
    assert closed.status is TicketStatus.CLOSED
    assert closed.attention is None
    assert (await desk.events(ticket))[2:] == [
        "accepted",
        "closing",
        "attention",
        "retried",
        "retried",
        "closed",
    ]
    assert desk.channels.attention == [(ticket.id, ATTENTION)], "nobody is told twice"
    assert_closed_once(desk, ticket)


async def test_attention_nobody_took_up_is_looked_at_again_without_a_new_message(
    desk: HelpDesk,
) -> None:
    ticket = await desk.open()
    desk.channels.failures["remove"] = [FORBIDDEN] * 2
    await desk.close(ticket)
    assert await _minutes_to_the_next_attempt(desk, ticket) == 15
    for _ in range(2):
        assert (await desk.ticket(ticket.id)).attention == ATTENTION
        assert desk.channels.attention == [(ticket.id, ATTENTION)]
        await desk.wait_for_retry()
        await desk.deliver()
    assert (await desk.ticket(ticket.id)).status is TicketStatus.CLOSED
    assert desk.channels.attention == [(ticket.id, ATTENTION)]
    assert_closed_once(desk, ticket)


async def test_attention_that_cannot_be_told_is_kept(desk: HelpDesk) -> None:
    ticket = await desk.open()
    desk.channels.failures["remove"] = [FORBIDDEN]
    desk.channels.failures["ask_for_attention"] = [FORBIDDEN]
    await desk.lifecycle.close_ticket(ticket.id, STAFF_ID)
    assert (await desk.ticket(ticket.id)).attention == ATTENTION


async def test_retry_pressed_twice_at_once_closes_once(
    desk: HelpDesk, second_database: Database
) -> None:
    ticket = await desk.open()
    desk.channels.failures["remove"] = [FORBIDDEN]
    await desk.lifecycle.close_ticket(ticket.id, STAFF_ID)
    other = desk.elsewhere(second_database)
    await asyncio.gather(*(process.lifecycle.retry_close(ticket.id) for process in (desk, other)))
    assert_closed_once(desk, ticket)
