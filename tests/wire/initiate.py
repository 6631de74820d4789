"""An interaction on its way to the bot, with all that Discord tells about where it came from."""

import secrets

from . import payloads
from .interactions import Interaction, InteractionType
from .json_types import JsonObject
from .models import Channel, Member, Message, User
from .state import World

UPLOAD_LIMIT = 10 * 1024 * 1024


def initiate(
    world: World,
    kind: InteractionType,
    member: Member | User,
    channel: Channel,
    data: JsonObject,
    *,
    what: str,
    source: Message | None = None,
    opened_by: Interaction | None = None,
) -> Interaction:
    """`what` names it in the message of a timeout."""
    interaction = Interaction(
        world.snowflakes.next(),
        secrets.token_urlsafe(32),
        kind,
        what,
        member,
        channel,
        world.changes,
        source,
        opened_by,
    )
    world.interactions[interaction.token] = interaction
    payload: JsonObject = {
        "id": str(interaction.id),
        "application_id": str(world.bot.id),
        "type": int(kind),
        "token": interaction.token,
        "version": 1,
        "data": data,
        "channel_id": str(channel.id),
        "locale": interaction.user.locale,
        "entitlements": [],
        "attachment_size_limit": UPLOAD_LIMIT,
    }
    if source is not None:
        payload["message"] = payloads.message(source)
    world.emit("INTERACTION_CREATE", payload | _origin(world, interaction))
    return interaction


def _origin(world: World, interaction: Interaction) -> JsonObject:
    channel, member = interaction.channel, interaction.member
    if channel.guild_id is None or isinstance(member, User):
        return {
            "user": payloads.user(interaction.user),
            "channel": payloads.channel(channel),
            "authorizing_integration_owners": payloads.integration_owners(channel),
            "context": 1,
        }
    guild = world.guilds[channel.guild_id]
    permissions = world.permissions(member, channel)
    return {
        "guild_id": str(guild.id),
        "guild": {"id": str(guild.id), "locale": guild.preferred_locale, "features": []},
        "guild_locale": guild.preferred_locale,
        "member": payloads.member(member, permissions),
        "channel": payloads.channel(channel) | {"permissions": str(int(permissions))},
        "app_permissions": str(int(world.permissions(world.bot_in(guild), channel))),
        "authorizing_integration_owners": payloads.integration_owners(channel),
        "context": 0,
    }
