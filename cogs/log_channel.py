"""Who reads the log channel: private tickets' transcripts are posted there."""

from __future__ import annotations

from collections.abc import Sequence

import discord

from domains.ticket_lifecycle.models import GuildSettings


def is_public(channel: discord.abc.GuildChannel) -> bool:
    """Everybody who joins the server reads it."""
    return channel.permissions_for(channel.guild.default_role).view_channel


def other_readers(
    channel: discord.abc.GuildChannel, settings: GuildSettings
) -> Sequence[discord.Role]:
    """The roles that read it and are neither support nor administrators: half of the server may
    have one of them."""
    return [
        role
        for role in channel.guild.roles
        if role.id not in settings.support_role_ids
        and not (role.is_default() or role.managed or role.permissions.administrator)
        and channel.permissions_for(role).view_channel
    ]
