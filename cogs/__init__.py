"""All that knows Discord. Thin: parse, call a domain, reply."""

from __future__ import annotations

from discord.ext import commands

from cogs.autoclose import AutoCloseCommands
from cogs.buttons import BUTTONS
from cogs.closing import CloseCommands
from cogs.doctor import Doctor
from cogs.panel import OpenTicketView, Panel
from cogs.scheduling import Scheduling
from cogs.setup import Setup
from cogs.timers import Timers
from cogs.watching import Watching
from domains.effects import EffectRunner
from domains.scheduled_task import ScheduledTask
from domains.ticket_lifecycle import TicketLifecycle


async def add_cogs(
    bot: commands.Bot,
    tickets: TicketLifecycle,
    scheduled_task: ScheduledTask,
    effects: EffectRunner,
) -> None:
    """Make `bot` a ticket bot."""
    bot.add_dynamic_items(*BUTTONS)
    bot.add_view(OpenTicketView())
    for cog in (
        Setup(tickets),
        Panel(tickets),
        CloseCommands(tickets),
        AutoCloseCommands(tickets, scheduled_task),
        Doctor(bot, tickets, scheduled_task),
        Timers(tickets, scheduled_task),
        Watching(tickets),
        Scheduling(bot, tickets, scheduled_task, effects),
    ):
        await bot.add_cog(cog)
