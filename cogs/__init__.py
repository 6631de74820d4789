"""All that knows Discord. Thin: parse, call a domain, reply."""

from __future__ import annotations

from discord.ext import commands

from cogs.autoclose import AutoCloseCommands
from cogs.blocking import Blocking
from cogs.buttons import BUTTONS
from cogs.closing import CloseCommands
from cogs.command_texts import translate_commands
from cogs.doctor import Doctor
from cogs.language_command import LanguageCommand
from cogs.limits import Limits
from cogs.message_changes import MessageChanges
from cogs.opening import Opening
from cogs.panel import OpenTicketView, Panel
from cogs.privacy import ForgetButton, Privacy
from cogs.scheduling import Scheduling
from cogs.setup import ConfirmPublicLogButton, Setup
from cogs.ticket_forms import TicketForms
from cogs.timers import Timers
from cogs.watching import Watching
from domains.disk_space import DiskSpace
from domains.effects import EffectRunner
from domains.errors import StartupError
from domains.scheduled_task import ScheduledTask
from domains.ticket_lifecycle import TicketLifecycle


async def add_cogs(
    bot: commands.Bot,
    tickets: TicketLifecycle,
    scheduled_task: ScheduledTask,
    effects: EffectRunner,
    disk_space: DiskSpace,
) -> None:
    """Make `bot` a ticket bot. Raises StartupError, and adds nothing, if it has a command of the
    same name."""
    cogs: tuple[commands.Cog, ...] = (
        Setup(tickets),
        Panel(tickets),
        Opening(tickets),
        TicketForms(tickets),
        CloseCommands(tickets),
        AutoCloseCommands(tickets, scheduled_task),
        Doctor(bot, tickets, scheduled_task, disk_space),
        Timers(tickets, scheduled_task),
        Blocking(tickets),
        Limits(tickets),
        LanguageCommand(tickets),
        Privacy(tickets),
        Watching(tickets),
        MessageChanges(bot, tickets),
        Scheduling(bot, tickets, scheduled_task, effects),
    )
    ours = [command.name for cog in cogs for command in cog.get_app_commands()]
    taken = [f"/{name}" for name in ours if bot.tree.get_command(name) is not None]
    if taken:
        raise StartupError(
            f"The bot has commands of its own that are named as Punctual's: {', '.join(taken)}"
        )
    bot.add_dynamic_items(*BUTTONS, ForgetButton, ConfirmPublicLogButton)
    bot.add_view(OpenTicketView())
    for cog in cogs:
        await bot.add_cog(cog)
    await translate_commands(bot)
