"""The world the bot lives in. What can happen to it is in the modules beside this one (people,
channels, messages, replies); each tells the gateway through `emit`.
"""

from collections.abc import Callable

from . import errors
from .change_signal import ChangeSignal
from .interactions import Interaction
from .json_types import JsonObject
from .models import Attachment, Channel, ChannelType, Guild, Member, Message, User
from .permissions import EVERY_PERMISSION, NO_PERMISSIONS, Permission
from .snowflakes import Snowflakes

TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4.GstaNd.in-the-form-of-a-bots-token-of-nobody"

# The event's name, its data, and the data for a session without the message content intent.
Listener = Callable[[str, JsonObject, JsonObject], None]


class World:
    def __init__(self) -> None:
        self.changes = ChangeSignal()
        self.snowflakes = Snowflakes()
        self.origin = ""  # http://host:port, under which attachments can be downloaded
        self.users: dict[int, User] = {}
        self.guilds: dict[int, Guild] = {}
        self.unavailable: set[int] = set()  # guilds that Discord has, and cannot show
        self.channels: dict[int, Channel] = {}
        self.attachments: dict[int, tuple[Channel, Attachment]] = {}
        self.nonces: dict[tuple[int, str], tuple[float, Message]] = {}
        self.interactions: dict[str, Interaction] = {}  # by token
        self.global_commands: list[JsonObject] = []
        self.guild_commands: dict[int, list[JsonObject]] = {}
        self.content_intent = True  # of the application's latest session
        self.answer_within_seconds = 3.0
        self._listeners: list[Listener] = []
        self.bot = User(self.snowflakes.next(), "punctual", bot=True)
        self.users[self.bot.id] = self.bot

    def subscribe(self, listener: Listener) -> None:
        self._listeners.append(listener)

    def emit(self, event: str, data: JsonObject, without_content: JsonObject | None = None) -> None:
        for listener in self._listeners:
            listener(event, data, without_content or data)
        self.changes.notify()

    def guild(self, guild_id: int) -> Guild:
        if guild_id not in self.guilds:
            raise errors.unknown("Guild")
        self.bot_in(self.guilds[guild_id])
        return self.guilds[guild_id]

    def bot_in(self, guild: Guild) -> Member:
        if self.bot.id not in guild.members:
            raise errors.missing_access()
        return guild.members[self.bot.id]

    def guilds_of(self, user: User) -> list[Guild]:
        return [guild for guild in self.guilds.values() if user.id in guild.members]

    def channel(self, channel_id: int) -> Channel:
        if channel_id not in self.channels:
            raise errors.unknown("Channel")
        return self.channels[channel_id]

    def message(self, channel: Channel, message_id: int) -> Message:
        if message_id not in channel.messages:
            raise errors.unknown("Message")
        return channel.messages[message_id]

    def member(self, guild: Guild, user_id: int) -> Member:
        if user_id not in guild.members:
            raise errors.unknown("Member" if user_id in self.users else "User")
        return guild.members[user_id]

    def user(self, user_id: int) -> User:
        if user_id not in self.users:
            raise errors.unknown("User")
        return self.users[user_id]

    def channels_of(self, guild: Guild) -> list[Channel]:
        return [each for each in self.channels.values() if each.guild_id == guild.id]

    def commands_in(self, guild_id: int | None) -> list[JsonObject]:
        """What the slash menu offers there."""
        return self.global_commands + self.guild_commands.get(guild_id or 0, [])

    def dm_with(self, user: User) -> Channel:
        """The bot's one private channel with that user; made at its first use."""
        for channel in self.channels.values():
            if channel.recipient is user:
                return channel
        channel = Channel(self.snowflakes.next(), ChannelType.DM, "", recipient=user)
        self.channels[channel.id] = channel
        return channel

    def permissions(self, member: Member, channel: Channel | None = None) -> Permission:
        """Discord's documented computation: roles, then overwrites, @everyone's first."""
        guild = self.guilds[member.guild_id]
        held = guild.everyone.permissions
        for role_id in member.role_ids:
            held |= guild.roles[role_id].permissions
        if guild.owner_id == member.id or Permission.ADMINISTRATOR in held:
            return EVERY_PERMISSION
        if channel is None:
            return held
        held = self._with_overwrites(held, member, self._permission_source(channel))
        if _shut_out_of_thread(member, channel, held) or Permission.VIEW_CHANNEL not in held:
            return NO_PERMISSIONS
        return held

    def require(self, channel: Channel, *needed: Permission) -> None:
        """Refuse what the bot may not do there, as Discord would."""
        if channel.guild_id is None:
            return
        held = self.permissions(self.bot_in(self.guilds[channel.guild_id]), channel)
        if Permission.VIEW_CHANNEL not in held:
            raise errors.missing_access()
        if any(permission not in held for permission in needed):
            raise errors.missing_permissions()

    def require_in_guild(self, guild: Guild, needed: Permission) -> None:
        if needed not in self.permissions(self.bot_in(guild)):
            raise errors.missing_permissions()

    def _permission_source(self, channel: Channel) -> Channel:
        """A thread has no overwrites of its own."""
        if channel.thread is None or channel.parent_id is None:
            return channel
        return self.channels[channel.parent_id]

    def _with_overwrites(self, held: Permission, member: Member, channel: Channel) -> Permission:
        overwrites = channel.overwrites
        if everyone := overwrites.get(member.guild_id):
            held = held & ~everyone.deny | everyone.allow
        of_roles = [overwrites[role_id] for role_id in member.role_ids if role_id in overwrites]
        for overwrite in of_roles:
            held &= ~overwrite.deny
        for overwrite in of_roles:
            held |= overwrite.allow
        if own := overwrites.get(member.id):
            held = held & ~own.deny | own.allow
        return held


def _shut_out_of_thread(member: Member, channel: Channel, held: Permission) -> bool:
    return (
        channel.thread is not None
        and channel.type is ChannelType.PRIVATE_THREAD
        and member.id not in channel.thread.member_ids
        and Permission.MANAGE_THREADS not in held
    )
