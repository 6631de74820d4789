"""Who may see a ticket: its opener, support, and the bot."""

from __future__ import annotations

import discord

from cogs.discord_errors import missing_permissions, permission_missing
from domains.ticket_lifecycle.models import GuildSettings, Ticket

MEMBER_PERMISSIONS = (
    "view_channel",
    "send_messages",
    "read_message_history",
    "attach_files",
    "embed_links",
)
BOT_PERMISSIONS = (*MEMBER_PERMISSIONS, "manage_channels")

Overwrites = dict[discord.Role | discord.Member | discord.Object, discord.PermissionOverwrite]


def hidden(server: discord.Guild) -> Overwrites:
    return {
        server.default_role: discord.PermissionOverwrite(view_channel=False),
        server.me: _allow(server, BOT_PERMISSIONS),
    }


def overwrites_of(server: discord.Guild, ticket: Ticket, guild: GuildSettings) -> Overwrites:
    """A thread would be a second place to answer in, so the opener may not make one."""
    overwrites = hidden(server)
    opener = _allow(server, MEMBER_PERMISSIONS)
    opener.update(create_public_threads=False, create_private_threads=False)
    overwrites[discord.Object(ticket.opener_id, type=discord.Member)] = opener
    for role_id in guild.support_role_ids:
        role = server.get_role(role_id)
        if role is not None:
            overwrites[role] = _allow(server, MEMBER_PERMISSIONS)
    return overwrites


def require_manage_channels(place: discord.CategoryChannel | discord.Guild) -> None:
    """Without asking Discord, which shuts out an address that it answers 403 too often: any member
    can have this tried as often as they like."""
    if missing_permissions(place, ("manage_channels",)):
        raise permission_missing(place, ("manage_channels",))


def _allow(server: discord.Guild, permissions: tuple[str, ...]) -> discord.PermissionOverwrite:
    """Discord refuses an overwrite that gives what the bot itself does not have."""
    own = server.me.guild_permissions
    return discord.PermissionOverwrite(**{name: True for name in permissions if getattr(own, name)})
