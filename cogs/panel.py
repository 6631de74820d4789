"""`/panel` and its button."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from cogs.cards.panel import OPEN, panel_card
from cogs.cog import TicketCog, answering_errors
from cogs.command_texts import described
from cogs.discord_errors import describe_missing_permissions
from cogs.language import of_server, reader
from cogs.opening import SubjectForm
from cogs.permissions import require_manager, require_own
from cogs.replies import answer_error, reply_ephemeral
from cogs.text import NO_MENTIONS
from domains.errors import UserError
from locales import Typed, text

NEEDED = ("view_channel", "send_messages")


class Panel(TicketCog, name="Punctual: panel"):
    @app_commands.command(description=described("panel"))
    @app_commands.rename(words="text")
    @app_commands.describe(
        channel=described("panel.channel"),
        title=described("panel.title"),
        words=described("panel.text"),
    )
    @app_commands.guild_only()
    @app_commands.default_permissions(manage_guild=True)
    @answering_errors
    async def panel(
        self,
        interaction: discord.Interaction[Any],
        channel: discord.TextChannel | None = None,
        title: app_commands.Range[str, 1, 256] | None = None,
        words: app_commands.Range[str, 1, 3500] | None = None,
    ) -> None:
        await interaction.response.defer(ephemeral=True)
        require_manager(interaction)
        target = channel or interaction.channel
        if not isinstance(target, discord.TextChannel):
            raise UserError("panel.not_a_text_channel")
        require_own(interaction, target, "view_channel", "send_messages")
        settings = await self.tickets.guild_settings(target.guild.id)
        card = panel_card(title, words, of_server(settings, target.guild))
        locale = reader(interaction)
        try:
            await target.send(view=card, allowed_mentions=NO_MENTIONS)
        except discord.Forbidden as error:
            why = describe_missing_permissions(target, NEEDED, locale)
            raise UserError("panel.cannot_post", why=Typed(why)) from error
        said = text("panel.posted", locale, channel=target.mention)
        if not settings.support_role_ids:
            said += f"\n⚠️ {text('panel.no_support', locale)}"
        await reply_ephemeral(interaction, said)


class OpenTicketView(discord.ui.View):
    """Registered once at start-up, so that panels work after any restart, those of older versions
    too."""

    def __init__(self) -> None:
        super().__init__(timeout=None)

    @discord.ui.button(label="·", custom_id=OPEN)
    async def open_ticket(
        self, interaction: discord.Interaction[Any], _button: discord.ui.Button[Any]
    ) -> None:
        # No work before this: a modal can't follow a defer, and there are three seconds.
        await interaction.response.send_modal(SubjectForm(interaction))

    async def on_error(
        self,
        interaction: discord.Interaction[Any],
        error: Exception,
        _item: discord.ui.Item[Any],
    ) -> None:
        await answer_error(interaction, error)
