"""The models as Discord writes them in JSON. Ids are strings there, and permissions too."""

from . import snowflakes
from .json_types import JsonObject
from .models import (
    Attachment,
    Channel,
    Guild,
    Member,
    Message,
    Overwrite,
    Role,
    ThreadState,
    User,
)
from .permissions import Permission


def user(source: User) -> JsonObject:
    return {
        "id": str(source.id),
        "username": source.name,
        "discriminator": "0",
        "global_name": None if source.bot else source.name.title(),
        "avatar": None,
        "banner": None,
        "bot": source.bot,
        "flags": 0,
        "public_flags": 0,
        "primary_guild": None,
    }


def role(source: Role) -> JsonObject:
    return {
        "id": str(source.id),
        "name": source.name,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "icon": None,
        "unicode_emoji": None,
        "position": source.position,
        "permissions": str(int(source.permissions)),
        "managed": source.managed,
        "mentionable": False,
        "flags": 0,
    }


def member(source: Member, permissions: Permission | None = None) -> JsonObject:
    """With `permissions` as an interaction carries them: computed for its channel."""
    payload: JsonObject = {
        "user": user(source.user),
        "nick": None,
        "avatar": None,
        "banner": None,
        "roles": [str(role_id) for role_id in source.role_ids],
        "joined_at": source.joined_at,
        "premium_since": None,
        "deaf": False,
        "mute": False,
        "pending": False,
        "flags": 0,
        "communication_disabled_until": None,
    }
    if permissions is not None:
        payload["permissions"] = str(int(permissions))
    return payload


def channel(source: Channel) -> JsonObject:
    payload: JsonObject = {
        "id": str(source.id),
        "type": int(source.type),
        "flags": 0,
        "last_message_id": _id(source.last_message),
    }
    if source.recipient is not None:
        return payload | {"recipients": [user(source.recipient)]}
    payload |= {
        "guild_id": str(source.guild_id),
        "name": source.name,
        "parent_id": str(source.parent_id) if source.parent_id else None,
        "rate_limit_per_user": source.slowmode_seconds,
    }
    if source.thread is not None:
        return payload | _thread(source, source.thread)
    return payload | {
        "topic": source.topic,
        "position": source.position,
        "nsfw": source.nsfw,
        "permission_overwrites": [overwrite(each) for each in source.overwrites.values()],
        "bitrate": 64000,
        "user_limit": 0,
    }


def _thread(source: Channel, thread: ThreadState) -> JsonObject:
    return {
        "owner_id": str(thread.owner_id),
        "message_count": len(source.messages),
        "total_message_sent": len(source.messages),
        "member_count": len(thread.member_ids),
        "thread_metadata": {
            "archived": thread.archived,
            "locked": thread.locked,
            "auto_archive_duration": thread.auto_archive_minutes,
            "archive_timestamp": thread.archive_timestamp,
            "create_timestamp": snowflakes.created_at(source.id),
            "invitable": thread.invitable,
        },
    }


def thread_member(source: Channel, user_id: int) -> JsonObject:
    return {
        "id": str(source.id),
        "user_id": str(user_id),
        "join_timestamp": snowflakes.created_at(source.id),
        "flags": 0,
    }


def overwrite(source: Overwrite) -> JsonObject:
    return {
        "id": str(source.target_id),
        "type": int(source.is_member),
        "allow": str(int(source.allow)),
        "deny": str(int(source.deny)),
    }


def attachment(source: Attachment) -> JsonObject:
    payload: JsonObject = {
        "id": str(source.id),
        "filename": source.filename,
        "size": len(source.content),
        "url": source.url,
        "proxy_url": source.url,
        "content_type": source.content_type,
    }
    if source.description is not None:
        payload["description"] = source.description
    return payload


def message(source: Message) -> JsonObject:
    payload: JsonObject = {
        "id": str(source.id),
        "channel_id": str(source.channel.id),
        "type": 19 if source.reply_to else 0,
        "author": user(source.author),
        "content": source.content,
        "timestamp": snowflakes.created_at(source.id),
        "edited_timestamp": source.edited_at,
        "tts": False,
        "mention_everyone": source.pings.everyone,
        "mentions": [user(pinged) for pinged in source.pings.users],
        "mention_roles": [str(pinged.id) for pinged in source.pings.roles],
        "attachments": [attachment(each) for each in source.attachments],
        "embeds": source.embeds,
        "components": source.components,
        "pinned": False,
        "flags": int(source.flags),
    }
    if source.nonce is not None:
        payload["nonce"] = source.nonce
    if source.reply_to is not None:
        payload["message_reference"] = {
            "type": 0,
            "channel_id": str(source.reply_to.channel.id),
            "message_id": str(source.reply_to.id),
        }
        payload["referenced_message"] = (
            None if source.reply_to.deleted else message(source.reply_to)
        )
    if source.interaction_metadata is not None:
        payload["interaction_metadata"] = source.interaction_metadata
        payload["application_id"] = payload["webhook_id"] = str(source.author.id)
    return payload


def without_content(payload: JsonObject) -> JsonObject:
    """What an application without the message content intent is shown of others' messages."""
    return payload | {"content": "", "embeds": [], "attachments": [], "components": []}


def integration_owners(place: Channel) -> JsonObject:
    """Through whom the application came to be there: a server, or the user in their DMs."""
    if place.recipient is not None:
        return {"1": str(place.recipient.id)}
    return {"0": str(place.guild_id)}


def guild(source: Guild) -> JsonObject:
    return {
        "id": str(source.id),
        "name": source.name,
        "owner_id": str(source.owner_id),
        "roles": [role(each) for each in source.roles.values()],
        "features": [],
        "emojis": [],
        "stickers": [],
        "icon": None,
        "banner": None,
        "splash": None,
        "discovery_splash": None,
        "home_header": None,
        "description": None,
        "application_id": None,
        "region": "deprecated",
        "preferred_locale": source.preferred_locale,
        "afk_channel_id": None,
        "afk_timeout": 300,
        "system_channel_id": None,
        "system_channel_flags": 0,
        "rules_channel_id": None,
        "public_updates_channel_id": None,
        "safety_alerts_channel_id": None,
        "widget_enabled": False,
        "widget_channel_id": None,
        "verification_level": 0,
        "default_message_notifications": 0,
        "explicit_content_filter": 0,
        "mfa_level": 0,
        "nsfw": False,
        "nsfw_level": 0,
        "premium_tier": 0,
        "premium_subscription_count": 0,
        "premium_progress_bar_enabled": False,
        "vanity_url_code": None,
        "max_members": 500_000,
        "max_presences": None,
        "max_video_channel_users": 25,
        "max_stage_video_channel_users": 50,
        "incidents_data": None,
    }


def guild_with_contents(source: Guild, channels: list[Channel]) -> JsonObject:
    """As GUILD_CREATE brings it, but for the intents, which would thin out the members."""
    threads = [each for each in channels if each.thread is not None and not each.thread.archived]
    return guild(source) | {
        "member_count": len(source.members),
        "large": False,
        "members": [member(each) for each in source.members.values()],
        "channels": [channel(each) for each in channels if each.thread is None],
        "threads": [channel(each) for each in threads],
        "voice_states": [],
        "presences": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }


def _id(source: Message | None) -> str | None:
    return None if source is None else str(source.id)
