"""`/setup`: who is support, where tickets go, and where closes are logged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import discord
from discord import app_commands

from cogs.buttons import IdButton
from cogs.cog import TicketCog, answering_errors
from cogs.command_texts import described
from cogs.discord_errors import missing_permissions, permission_missing
from cogs.language import of_server, own_name, reader
from cogs.log_channel import is_public
from cogs.permissions import require_manager, require_own
from cogs.replies import reply_ephemeral
from cogs.text import NO_MENTIONS, escape
from domains.errors import UserError
from domains.ticket_lifecycle import TicketLifecycle
from domains.ticket_lifecycle.models import GuildSettings
from locales import DEFAULT_LOCALE, Text, text

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
    @app_commands.command(description=described("setup"))
    @app_commands.describe(
        support_role=described("setup.support_role"),
        category=described("setup.category"),
        log_channel=described("setup.log_channel"),
        keep_deleted=described("setup.keep_deleted"),
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
            raise UserError("setup.support_is_everyone")
        require_own(interaction, category, "view_channel")
        require_own(interaction, log_channel, "view_channel", "send_messages")
        chosen = Chosen(
            support_role_id=support_role.id if support_role else 0,
            category_id=category.id if category else 0,
            log_channel_id=log_channel.id if log_channel else 0,
            keep_deleted={None: 0, True: 1, False: 2}[keep_deleted],
        )
        if log_channel is not None and is_public(log_channel):
            await _ask_to_confirm(interaction, log_channel, chosen)
        else:
            await _apply(interaction, self.tickets, server, chosen)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Ids, or 0 for what stays as it is."""

    support_role_id: int
    category_id: int
    log_channel_id: int
    keep_deleted: int
    """1 is yes, 2 is no."""


class ConfirmPublicLogButton(
    IdButton,
    template=r"ticket:setup:public_log:(?P<log>\d{1,20}):(?P<category>\d{1,20}):(?P<role>\d{1,20})"
    r":(?P<keep>[012])",
):
    """Carries all that was chosen: nothing is changed before it is pressed."""

    PREFIX = "ticket:setup:public_log"
    LABEL = "setup.confirm_button"
    STYLE = discord.ButtonStyle.danger

    def __init__(
        self,
        log_channel_id: int,
        category_id: int,
        support_role_id: int,
        keep_deleted: int,
        *,
        locale: str = DEFAULT_LOCALE,
    ) -> None:
        super().__init__(log_channel_id, category_id, support_role_id, keep_deleted, locale=locale)
        self._chosen = Chosen(support_role_id, category_id, log_channel_id, keep_deleted)

    async def press(self, interaction: discord.Interaction[Any], tickets: TicketLifecycle) -> None:
        await interaction.response.defer(ephemeral=True)
        require_manager(interaction)
        server = interaction.guild
        assert server is not None
        log_channel = server.get_channel(self._chosen.log_channel_id)
        if log_channel is None:
            raise UserError("setup.channel_gone")
        require_own(interaction, log_channel, "view_channel", "send_messages")
        require_own(interaction, server.get_channel(self._chosen.category_id), "view_channel")
        await _apply(interaction, tickets, server, self._chosen)


async def _ask_to_confirm(
    interaction: discord.Interaction[Any], log_channel: discord.TextChannel, chosen: Chosen
) -> None:
    view = discord.ui.View(timeout=None)
    view.add_item(
        ConfirmPublicLogButton(
            chosen.log_channel_id,
            chosen.category_id,
            chosen.support_role_id,
            chosen.keep_deleted,
            locale=reader(interaction),
        )
    )
    await interaction.followup.send(
        text("setup.confirm_public_log", reader(interaction), channel=log_channel.mention),
        view=view,
        ephemeral=True,
        allowed_mentions=NO_MENTIONS,
    )


async def _apply(
    interaction: discord.Interaction[Any],
    tickets: TicketLifecycle,
    server: discord.Guild,
    chosen: Chosen,
) -> None:
    changes = {
        "support_role_ids": [chosen.support_role_id] if chosen.support_role_id else None,
        "category_id": chosen.category_id or None,
        "log_channel_id": chosen.log_channel_id or None,
        "keep_deleted": chosen.keep_deleted == 1 if chosen.keep_deleted else None,
    }
    settings = await tickets.change_guild_settings(
        server.id, **{name: value for name, value in changes.items() if value is not None}
    )
    await reply_ephemeral(interaction, _summary(settings, server, reader(interaction)))


def _summary(settings: GuildSettings, server: discord.Guild, locale: str) -> str:
    lines = [
        _support(settings),
        _channel("category", "category", settings.category_id),
        _channel("log_channel", "channel", settings.log_channel_id),
        Text("setup.keep_deleted" if settings.keep_deleted else "setup.drop_deleted"),
        _language(settings, server),
    ]
    lines += [Text("setup.note", {"finding": each}) for each in _findings(settings, server)]
    return "\n".join(line.with_typed(escape).in_locale(locale) for line in lines)


def _support(settings: GuildSettings) -> Text:
    roles = " ".join(f"<@&{role_id}>" for role_id in settings.support_role_ids)
    return Text("setup.support", {"roles": roles}) if roles else Text("setup.no_support")


def _channel(name: str, value: str, channel_id: int | None) -> Text:
    if channel_id is None:
        return Text(f"setup.no_{name}")
    return Text(f"setup.{name}", {value: f"<#{channel_id}>"})


def _language(settings: GuildSettings, server: discord.Guild) -> Text:
    key = "setup.language" if settings.locale else "setup.language_of_discord"
    return Text(key, {"language": own_name(of_server(settings, server))})


def _findings(settings: GuildSettings, server: discord.Guild) -> list[Text]:
    """What would go wrong later is said now."""
    findings: list[Text] = []
    if missing_permissions(server, GUILD_NEEDS):
        findings.append(permission_missing(server, GUILD_NEEDS).text)
    log_channel = server.get_channel(settings.log_channel_id) if settings.log_channel_id else None
    if log_channel is not None and is_public(log_channel):
        findings.append(Text("setup.public_log", {"channel": log_channel.mention}))
    if log_channel is not None and missing_permissions(log_channel, LOG_NEEDS):
        findings.append(permission_missing(log_channel, LOG_NEEDS).text)
    return findings
