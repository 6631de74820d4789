"""`/timers`: what will close when, in pages, and a way to steer each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import discord
from discord import app_commands

from cogs.buttons.timers import (
    CancelTimerButton,
    DetailsButton,
    ExtendTimerButton,
    PageButton,
    RetryTimerButton,
    paging,
)
from cogs.cards.blocks import Card, Item
from cogs.cards.ticket_status import status_card
from cogs.cards.timer_list import MAX_OTHERS, PAGE, TimerPage, TimerRow, timer_list_card
from cogs.close_blockers import close_blockers
from cogs.cog import TicketCog, answering_errors, guild_id_of
from cogs.command_texts import described
from cogs.language import reader
from cogs.permissions import require_support
from cogs.text import NO_MENTIONS
from cogs.ticket_state import of_tickets, other_timers, read_state
from domains.scheduled_task import ScheduledTask
from domains.scheduled_task.timer import Timer
from domains.ticket_lifecycle import TicketLifecycle
from domains.ticket_lifecycle.models import GuildSettings, Ticket, TicketStatus
from locales import text


class Timers(TicketCog, name="Punctual: timers"):
    def __init__(self, tickets: TicketLifecycle, scheduled_task: ScheduledTask) -> None:
        super().__init__(tickets)
        self._scheduled_task = scheduled_task

    @app_commands.command(description=described("timers"))
    @app_commands.guild_only()
    @answering_errors
    async def timers(self, interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer(ephemeral=True)
        guild_id = guild_id_of(interaction)
        require_support(interaction, await self.tickets.guild_settings(guild_id))
        card = await self._page(interaction, 0)
        await interaction.followup.send(view=card, ephemeral=True, allowed_mentions=NO_MENTIONS)

    # --- what the buttons lead to

    async def show_page(self, interaction: discord.Interaction[Any], number: int) -> None:
        card = await self._page(interaction, number)
        await interaction.edit_original_response(view=card, allowed_mentions=NO_MENTIONS)

    async def show_ticket(
        self, interaction: discord.Interaction[Any], ticket: Ticket, page: int, note: str = ""
    ) -> None:
        locale = reader(interaction)
        guild = await self.tickets.guild_settings(ticket.guild_id)
        state = await read_state(
            self.tickets, self._scheduled_task, interaction.guild, ticket, guild, locale=locale
        )
        buttons = await self._steering(interaction, ticket.id, page, locale)
        card = status_card(state, locale, for_support=True, note=note, buttons=buttons)
        await interaction.edit_original_response(view=card, allowed_mentions=NO_MENTIONS)

    async def _steering(
        self, interaction: discord.Interaction[Any], ticket_id: int, page: int, locale: str
    ) -> Sequence[Item]:
        """Only what has an effect as things are."""
        buttons: list[Item] = []
        for timed in await self.tickets.timed_tickets([ticket_id]):
            ticket, request = timed.ticket, timed.request
            if request is not None and ticket.status is TicketStatus.OPEN:
                buttons.append(ExtendTimerButton(request.id, page, locale=locale))
                buttons.append(CancelTimerButton(request.id, page, locale=locale))
            if ticket.attention:
                buttons.append(RetryTimerButton(ticket.id, page, locale=locale))
            if _mention(interaction.guild, ticket) is not None:
                url = f"https://discord.com/channels/{ticket.guild_id}/{ticket.channel_id}"
                buttons.append(discord.ui.Button(label=text("timers.go", locale), url=url))
        return [*buttons, PageButton(page, locale=locale)]

    # --- the list

    async def _page(self, interaction: discord.Interaction[Any], number: int) -> Card:
        locale, guild_id = reader(interaction), guild_id_of(interaction)
        guild = await self.tickets.guild_settings(guild_id)
        page = await self._read(interaction.guild, guild, number, locale)
        return timer_list_card(
            page,
            locale,
            details=lambda ticket: DetailsButton(ticket.id, page.number, locale=locale),
            paging=paging(locale, page.number, page.pages),
        )

    async def _read(
        self, server: discord.Guild | None, guild: GuildSettings, number: int, locale: str
    ) -> TimerPage:
        """The last one where there is no such page any more."""
        timers, kinds = self._scheduled_task.timers, self._scheduled_task.kinds
        ids, total = await timers.tickets_of_guild(kinds, guild.guild_id, PAGE, number * PAGE)
        if number and not ids:
            _, total = await timers.tickets_of_guild(kinds, guild.guild_id, 1)
            number = max(0, total - 1) // PAGE
            ids, _ = await timers.tickets_of_guild(kinds, guild.guild_id, PAGE, number * PAGE)
        of_rows = await other_timers(self._scheduled_task, ids)
        rows = [
            TimerRow(
                timed,
                _mention(server, timed.ticket),
                [timer for timer in of_rows if timer.owner_id == timed.ticket.id],
                close_blockers(server, timed.ticket, guild, locale),
            )
            for timed in await self.tickets.timed_tickets(ids)
        ]
        return TimerPage(
            rows=rows,
            number=number,
            total=total,
            others=await self._others(guild.guild_id),
            now=self.tickets.now(),
            redis_is_away=not self._scheduled_task.available,
        )

    async def _others(self, guild_id: int) -> Sequence[Timer]:
        """The soonest that no ticket has."""
        mine = of_tickets(self._scheduled_task)
        kinds = [kind for kind in self._scheduled_task.kinds if kind not in mine]
        if not kinds:
            return ()
        timers, _ = await self._scheduled_task.timers.of_guild(kinds, guild_id, MAX_OTHERS)
        return timers


def _mention(server: discord.Guild | None, ticket: Ticket) -> str | None:
    channel = server.get_channel_or_thread(ticket.channel_id or 0) if server else None
    return channel.mention if channel is not None else None
