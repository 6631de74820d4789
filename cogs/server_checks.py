"""What `/doctor` looks for in a server: permissions, roles, channels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import discord

from cogs.discord_errors import missing_permissions, permission_codes
from cogs.findings import Finding, broken, fine, impaired, note
from cogs.log_channel import is_public, other_readers
from cogs.setup import GUILD_NEEDS, LOG_NEEDS
from cogs.text import escape
from cogs.ticket_channels import CATEGORY_NAME, MAX_CATEGORIES
from domains.formatting import permission_texts
from domains.ticket_lifecycle.models import GuildSettings
from locales import Text

CATEGORY_LIMIT: Final = 50
GUILD_LIMIT: Final = 500
CHANNEL_NEEDS: Final = (*LOG_NEEDS, "manage_channels")
INTENTS: Final = ("guilds", "guild_messages", "message_content")


def check_intents(intents: discord.Intents) -> Iterator[Finding]:
    off = [name for name in INTENTS if not getattr(intents, name)]
    for name in off:
        make = impaired if name == "message_content" else broken
        portal = "_in_portal" if name == "message_content" else ""
        yield make(
            Text(f"doctor.intent_{name}_off"), Text(f"doctor.switch_on{portal}", {"name": name})
        )
    if not off:
        yield fine(Text("doctor.intents_on", {"names": list(INTENTS)}))


def check_server(server: discord.Guild) -> Iterator[Finding]:
    missing = missing_permissions(server, GUILD_NEEDS)
    if missing:
        yield broken(
            Text("doctor.role_lacks", _permissions(server, missing)), Text("doctor.give_to_role")
        )
    else:
        yield fine(Text("doctor.role_has_all"))
    if len(server.channels) >= GUILD_LIMIT:
        yield broken(
            Text("doctor.too_many_channels", {"count": len(server.channels)}),
            Text("doctor.delete_channels"),
        )


def check_setup(server: discord.Guild, settings: GuildSettings) -> Iterator[Finding]:
    roles = [server.get_role(role_id) for role_id in settings.support_role_ids]
    if not any(roles):
        yield broken(Text("doctor.no_support_role"), Text("doctor.set_support_role"))
    else:
        mentions = [role.mention for role in roles if role]
        yield fine(Text("doctor.support", {"roles": mentions}))
    required = settings.policy.required_roles or ()
    if required and not any(server.get_role(role_id) for role_id in required):
        yield broken(Text("doctor.nobody_can_open"), Text("doctor.set_required_roles"))
    yield from _log_channel(server, settings)
    yield from _categories(server, settings)


def _log_channel(server: discord.Guild, settings: GuildSettings) -> Iterator[Finding]:
    if settings.log_channel_id is None:
        yield impaired(Text("doctor.no_log_channel"), Text("doctor.set_log_channel"))
        return
    channel = server.get_channel(settings.log_channel_id)
    if channel is None:
        yield impaired(Text("doctor.log_channel_gone"), Text("doctor.set_other_log_channel"))
        return
    yield _channel(channel, LOG_NEEDS)
    if is_public(channel):
        yield impaired(
            Text("doctor.log_channel_public", {"channel": channel.mention}),
            Text("doctor.hide_log_channel"),
        )
    elif others := other_readers(channel, settings):
        roles = [role.mention for role in others]
        yield note(Text("doctor.others_read", {"channel": channel.mention, "roles": roles}))


def _categories(server: discord.Guild, settings: GuildSettings) -> Iterator[Finding]:
    chosen = server.get_channel(settings.category_id) if settings.category_id else None
    first = chosen if isinstance(chosen, discord.CategoryChannel) else None
    if settings.category_id is not None and first is None:
        yield impaired(Text("doctor.category_gone"), Text("doctor.set_category"))
    for category in _in_use(server, first):
        yield _channel(category, CHANNEL_NEEDS)
        taken = len(category.channels)
        values = {"name": escape(category.name), "count": taken, "limit": CATEGORY_LIMIT}
        if taken < CATEGORY_LIMIT:
            yield fine(Text("doctor.category_room", values))
        else:
            yield note(Text("doctor.category_full", values))


def _in_use(
    server: discord.Guild, first: discord.CategoryChannel | None
) -> Iterator[discord.CategoryChannel]:
    """The chosen one, or else the bot's own; and those it made when that was full."""
    base = first.name if first is not None else CATEGORY_NAME
    names = [base, *(f"{base} {n}" for n in range(2, MAX_CATEGORIES + 1))]
    found = [discord.utils.get(server.categories, name=name) for name in names]
    if first is not None:
        found[0] = first
    yield from filter(None, found)


def _channel(channel: discord.abc.GuildChannel, needs: Sequence[str]) -> Finding:
    missing = missing_permissions(channel, needs)
    if missing:
        return broken(
            Text(
                "doctor.channel_lacks",
                _permissions(channel, missing) | {"place": _name(channel)},
            ),
            Text("doctor.allow_in_channel"),
        )
    return fine(Text("doctor.channel_has_all", {"channel": _name(channel)}))


def _name(channel: discord.abc.GuildChannel) -> str:
    """Discord shows the mention of a category as a number."""
    is_category = isinstance(channel, discord.CategoryChannel)
    return f"**{escape(channel.name)}**" if is_category else channel.mention


def _permissions(
    place: discord.Guild | discord.abc.GuildChannel, missing: Sequence[str]
) -> dict[str, object]:
    return {
        "permissions": permission_texts(permission_codes(place, missing)),
        "count": len(missing),
    }
