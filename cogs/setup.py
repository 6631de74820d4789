"""`/setup`: who is support, where tickets go, and where closes are logged."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from cogs.cog import TicketCog, answering_errors
from cogs.discord_errors import describe_missing_permissions, missing_permissions
from cogs.permissions import require_manager
from cogs.replies import reply_ephemeral
from domains.errors import UserError
from domains.ticket_lifecycle.models import GuildSettings

GUILD_NEEDS = (
    "view_channel",
    "send_messages",
    "embed_links",
    "attach_files",
    "read_message_history",
    "manage_channels",
    "manage_roles",
)
LOG_NEEDS = ("view_channel", "send_messages", "embed_links", "attach_files", "read_message_history")


class Setup(TicketCog, name="Punctual: setup"):
    @app_commands.command(description="Set the support role, the category and the log channel")
    @app_commands.describe(
        support_role="Who sees every ticket and may ask to close it",
        category="Where ticket channels are made",
        log_channel="Where closed tickets and their transcripts are posted",
        keep_deleted="Whether transcripts hold what members deleted or edited; they do unless not",
    )
    @app_commands.guild_only()
    @app_commands.default_permissions(manage_guild=True)
    @answering_errors
    async def setup(
        self,
        interaction: discord.Interaction[Any],
        support_role: discord.Role | None = None,
        category: discord.CategoryChannel | None = None,
        log_channel: discord.TextChannel | None = None,
        keep_deleted: bool | None = None,
    ) -> None:
        await interaction.response.defer(ephemeral=True)
        require_manager(interaction)
        server = interaction.guild
        assert server is not None
        if support_role is not None and support_role.is_default():
            raise UserError("With @everyone as support, everyone would see every ticket.")
        chosen = {
            "support_role_ids": None if support_role is None else [support_role.id],
            "category_id": None if category is None else category.id,
            "log_channel_id": None if log_channel is None else log_channel.id,
            "keep_deleted": keep_deleted,
        }
        settings = await self.tickets.change_guild_settings(
            server.id, **{name: value for name, value in chosen.items() if value is not None}
        )
        await reply_ephemeral(interaction, _summary(settings, server))


def _summary(settings: GuildSettings, server: discord.Guild) -> str:
    roles = " ".join(f"<@&{role_id}>" for role_id in settings.support_role_ids)
    lines = [
        f"Support: {roles or 'nobody yet; give a `support_role`'}",
        f"Category: {_channel(settings.category_id, 'one called Tickets, made when needed')}",
        f"Log channel: {_channel(settings.log_channel_id, 'none; transcripts stay on the host')}",
        f"Deleted and edited messages: {_kept(settings)}",
    ]
    lines += [f"⚠️ Note: {finding}." for finding in _findings(settings, server)]
    return "\n".join(lines)


def _kept(settings: GuildSettings) -> str:
    if settings.keep_deleted:
        return "in the transcript; `keep_deleted: False` leaves them out"
    return "not in the transcript"


def _channel(channel_id: int | None, otherwise: str) -> str:
    return f"<#{channel_id}>" if channel_id else otherwise


def _findings(settings: GuildSettings, server: discord.Guild) -> list[str]:
    """What would go wrong later is said now."""
    findings: list[str] = []
    if missing_permissions(server, GUILD_NEEDS):
        findings.append(describe_missing_permissions(server, GUILD_NEEDS))
    log_channel = server.get_channel(settings.log_channel_id) if settings.log_channel_id else None
    if log_channel is not None and missing_permissions(log_channel, LOG_NEEDS):
        findings.append(describe_missing_permissions(log_channel, LOG_NEEDS))
    return findings
