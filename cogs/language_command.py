"""`/language`: which language a server's log channel, panel and support read."""

from __future__ import annotations

from typing import Any, Final

import discord
from discord import app_commands

from cogs.cog import TicketCog, answering_errors
from cogs.command_texts import described, translatable
from cogs.language import of_server, own_name, reader
from cogs.permissions import require_manager
from cogs.replies import reply_ephemeral
from locales import LOCALES, Text, text

AS_DISCORD: Final = "discord"


class LanguageCommand(TicketCog, name="Punctual: language"):
    @app_commands.command(description=described("language"))
    @app_commands.describe(language=described("language.language"))
    @app_commands.choices(
        language=[
            *(app_commands.Choice(name=own_name(locale), value=locale) for locale in LOCALES),
            app_commands.Choice(
                name=translatable(Text("language.as_discord_choice")), value=AS_DISCORD
            ),
        ]
    )
    @app_commands.guild_only()
    @app_commands.default_permissions(manage_guild=True)
    @answering_errors
    async def language(self, interaction: discord.Interaction[Any], language: str) -> None:
        await interaction.response.defer(ephemeral=True)
        require_manager(interaction)
        server = interaction.guild
        assert server is not None
        chosen = None if language == AS_DISCORD else language
        settings = await self.tickets.change_guild_settings(server.id, locale=chosen)
        await reply_ephemeral(
            interaction,
            text(
                "language.as_discord" if chosen is None else "language.set",
                reader(interaction),
                language=own_name(of_server(settings, server)),
            ),
        )
