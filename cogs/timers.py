"""`/timers`: what will close when, in pages, and a way to steer each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import discord
from discord import app_commands

from cogs.cards.blocks import BLUE
from cogs.close_blockers import close_blocker
from cogs.cog import TicketCog, answering_errors, guild_id_of
from cogs.command_texts import described
from cogs.permissions import require_support
from cogs.replies import answer_error, reply_ephemeral
from cogs.text import DiscordStyle, escape, shorten, when
from cogs.ticket_history import timer_words
from domains.formatting import reason_words
from domains.scheduled_task import ScheduledTask
from domains.scheduled_task.scheduled_task import AUTO_CLOSE
from domains.scheduled_task.timer import Timer
from domains.ticket_lifecycle import TicketLifecycle
from domains.ticket_lifecycle.models import GuildSettings, PendingClose
from locales import DEFAULT_LOCALE

PAGE = 10
VIEW_TIMEOUT_S = 600
"""A little less than an interaction's token lives."""


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
        view = TimersView(self.tickets, self._scheduled_task, guild_id, interaction.guild)
        await view.load()
        await interaction.followup.send(embed=view.embed(), view=view, ephemeral=True)


class TimersView(discord.ui.View):
    """One page. Only the one who asked sees it, and every action checks again who acts."""

    def __init__(
        self,
        tickets: TicketLifecycle,
        scheduled_task: ScheduledTask,
        guild_id: int,
        server: discord.Guild | None,
    ) -> None:
        super().__init__(timeout=VIEW_TIMEOUT_S)
        self._tickets = tickets
        self._scheduler = scheduled_task
        self._guild_id = guild_id
        self._guild = GuildSettings(guild_id)
        self._server = server
        self._page = 0
        self._total = 0
        self._closes: list[PendingClose] = []
        self._chosen: int | None = None
        self._timers: Sequence[Timer] = ()
        """Those of the page's tickets besides the closes."""

    async def load(self) -> None:
        self._guild = await self._tickets.guild_settings(self._guild_id)
        closes, self._total = await self._tickets.pending_closes(
            self._guild_id, PAGE, self._page * PAGE
        )
        if not closes and self._page:
            self._page -= 1
            await self.load()
            return
        self._closes = list(closes)
        self._timers = await self._scheduler.timers.of_owners(
            [kind for kind in self._scheduler.kinds if kind.name != AUTO_CLOSE],
            [close.ticket.id for close in closes],
        )
        if self._chosen not in {close.request.id for close in self._closes}:
            self._chosen = None
        self.choose.options = [
            discord.SelectOption(
                label=f"#{close.ticket.name}",
                value=str(close.request.id),
                default=close.request.id == self._chosen,
            )
            for close in self._closes
        ] or [discord.SelectOption(label="none", value="0")]
        self.choose.disabled = not self._closes
        self.cancel.disabled = self.extend.disabled = self._chosen is None
        self.previous.disabled = self._page == 0
        self.following.disabled = (self._page + 1) * PAGE >= self._total

    def embed(self) -> discord.Embed:
        embed = discord.Embed(title=f"Pending closes: {self._total}", colour=BLUE)
        if not self._closes:
            embed.description = "No ticket here closes by itself at the moment."
        for close in self._closes:
            embed.add_field(name=f"#{close.ticket.name}", value=self._describe(close), inline=False)
        pages = max(1, -(-self._total // PAGE))
        return embed.set_footer(text=f"Page {self._page + 1} of {pages}")

    def _describe(self, close: PendingClose) -> str:
        assert close.request.auto_close_at is not None
        reason = f": {escape(close.request.reason, 100)}" if close.request.reason else ""
        time = when(close.request.auto_close_at) if close.is_told else "not asked yet"
        return (
            f"<#{close.ticket.channel_id}> · {time}\n"
            f"asked by <@{close.request.requested_by_id}>{reason}\n"
            f"**{self._state(close)}**"
            + "".join(
                f"\n{timer_words(timer)}"
                for timer in self._timers
                if timer.owner_id == close.ticket.id
            )
        )

    def _state(self, close: PendingClose) -> str:
        if close.ticket.attention:
            style = DiscordStyle(DEFAULT_LOCALE)
            return f"needs attention: {shorten(reason_words(close.ticket.attention, style), 200)}"
        if close.ticket.exclude_from_autoclose:
            return "excluded from auto-close"
        state = self._alarm(close)
        blocker = close_blocker(self._server, close.ticket, self._guild)
        if blocker is not None:
            state += f"; needs a person unless it is mended: {escape(blocker, 250)}"
        return state

    def _alarm(self, close: PendingClose) -> str:
        request = close.request
        assert request.auto_close_at is not None
        if not close.is_told:
            return "its time does not run yet: the member has not been told so far"
        if request.auto_close_at <= self._tickets.now():
            return "its time was up: it is being taken up"
        if not self._scheduler.available:
            return "waiting for Redis; honoured from the database"
        return "in grace after an outage" if request.grace_at else "scheduled"

    async def _show(self, interaction: discord.Interaction[Any]) -> None:
        await self.load()
        await interaction.edit_original_response(embed=self.embed(), view=self)

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        """Refuses a member who has lost the support role meanwhile."""
        await interaction.response.defer()
        try:
            require_support(interaction, await self._tickets.guild_settings(self._guild_id))
        except Exception as error:
            await answer_error(interaction, error)
            return False
        return True

    async def on_error(
        self,
        interaction: discord.Interaction[Any],
        error: Exception,
        _item: discord.ui.Item[Any],
    ) -> None:
        await answer_error(interaction, error)

    def _chosen_close(self) -> PendingClose | None:
        return next((close for close in self._closes if close.request.id == self._chosen), None)

    @discord.ui.select(placeholder="Choose a ticket", row=0)
    async def choose(
        self, interaction: discord.Interaction[Any], select: discord.ui.Select[Any]
    ) -> None:
        self._chosen = int(select.values[0])
        await self._show(interaction)

    @discord.ui.button(label="Cancel its timer", style=discord.ButtonStyle.danger, row=1)
    async def cancel(
        self, interaction: discord.Interaction[Any], _button: discord.ui.Button[Any]
    ) -> None:
        if (close := self._chosen_close()) is not None:
            await self._tickets.withdraw_close_request(
                close.ticket.id, interaction.user.id, close.request.id
            )
            await reply_ephemeral(
                interaction, f"The close request of #{close.ticket.name} is withdrawn."
            )
        await self._show(interaction)

    @discord.ui.button(label="Extend by 24 hours", style=discord.ButtonStyle.primary, row=1)
    async def extend(
        self, interaction: discord.Interaction[Any], _button: discord.ui.Button[Any]
    ) -> None:
        if (close := self._chosen_close()) is not None:
            extended = await self._tickets.extend_close_request(
                close.ticket.id, interaction.user.id, close.request.id
            )
            assert extended.auto_close_at is not None
            await reply_ephemeral(
                interaction, f"#{close.ticket.name} now closes {when(extended.auto_close_at)}."
            )
        await self._show(interaction)

    @discord.ui.button(label="◀", row=2)
    async def previous(
        self, interaction: discord.Interaction[Any], _button: discord.ui.Button[Any]
    ) -> None:
        self._page = max(0, self._page - 1)
        await self._show(interaction)

    @discord.ui.button(label="▶", row=2)
    async def following(
        self, interaction: discord.Interaction[Any], _button: discord.ui.Button[Any]
    ) -> None:
        self._page += 1
        await self._show(interaction)
