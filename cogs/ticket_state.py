"""All that is known about a ticket's end: read together, for whoever asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import discord

from cogs.close_blockers import close_blockers
from domains.scheduled_task import ScheduledTask
from domains.scheduled_task.scheduled_task import AUTO_CLOSE
from domains.scheduled_task.timer import Timer
from domains.scheduled_task.timer_kind import TimerKind
from domains.ticket_lifecycle import TicketLifecycle
from domains.ticket_lifecycle.errors import TicketNotFoundError
from domains.ticket_lifecycle.explanation import Explanation
from domains.ticket_lifecycle.models import GuildSettings, Ticket, TicketEvent
from domains.ticket_lifecycle.transitions import TICKET


@dataclass(frozen=True, slots=True)
class TicketState:
    ticket: Ticket
    explanation: Explanation
    events: Sequence[TicketEvent]
    timers: Sequence[Timer]
    """Beside the close itself."""
    blockers: Sequence[str]
    """What the bot may not do, but would have to; plain text."""
    redis_is_away: bool
    reply_keeps_open: bool
    """Whether a message of the opener's stops the timer."""


async def read_state(
    tickets: TicketLifecycle,
    scheduled_task: ScheduledTask,
    server: discord.Guild | None,
    ticket: Ticket,
    guild: GuildSettings,
    *,
    locale: str,
) -> TicketState:
    """In the language `locale`. Raises TicketNotFound."""
    explanation = await tickets.explain(ticket.id)
    if explanation is None:
        raise TicketNotFoundError
    return TicketState(
        ticket=ticket,
        explanation=explanation,
        events=await tickets.events(ticket.id),
        timers=await other_timers(scheduled_task, [ticket.id]),
        blockers=close_blockers(server, ticket, guild, locale),
        redis_is_away=not scheduled_task.available,
        reply_keeps_open=guild.reply_keeps_open,
    )


async def other_timers(scheduled_task: ScheduledTask, ticket_ids: Sequence[int]) -> Sequence[Timer]:
    """Of these tickets, beside the closes themselves, soonest first."""
    kinds = [kind for kind in of_tickets(scheduled_task) if kind.name != AUTO_CLOSE]
    timers = await scheduled_task.timers.of_owners(kinds, ticket_ids)
    return sorted(timers, key=lambda timer: timer.due)


def of_tickets(scheduled_task: ScheduledTask) -> Sequence[TimerKind]:
    """The kinds of timers that tickets have."""
    return [kind for kind in scheduled_task.kinds if kind.owner == TICKET]
