"""What a test arranges around the bot: people, roles, channels, and who may do what where."""

from __future__ import annotations

from collections.abc import Iterable

from . import channels, people
from .json_types import JsonObject
from .models import Channel, ChannelType, Guild, Member, Overwrite, Role, User
from .permissions import NO_PERMISSIONS, Permission, named
from .server import WAIT_TIMEOUT_S, Server


class Scenery(Server):
    """One server with an owner, support staff, a customer, a stranger and the bot."""

    def __init__(self) -> None:
        super().__init__()
        world = self.world
        self.guild = people.found_guild(world, "Workshop", people.add_user(world, "olivia"))
        self.owner = self.guild.members[self.guild.owner_id]
        self.bot = self.guild.members[world.bot.id]
        self.support_role = people.add_role(world, self.guild, "Support")
        self.staff = self.add_member("sam", [self.support_role])
        self.customer = self.add_member("alice")
        self.stranger = self.add_member("mallory")
        self.general = self.add_channel("general")

    def add_channel(
        self,
        name: str,
        *,
        category: Channel | None = None,
        kind: ChannelType = ChannelType.TEXT,
        guild: Guild | None = None,
    ) -> Channel:
        body: JsonObject = {"name": name, "type": int(kind)}
        if category is not None:
            body["parent_id"] = category.id
        return channels.create(self.world, guild or self.guild, body)

    def add_private_channel(self, name: str, *who: Role, guild: Guild | None = None) -> Channel:
        """Which the bot and these roles see, and nobody else."""
        server = guild or self.guild
        channel = self.add_channel(name, guild=server)
        self.deny(channel, "view_channel", who=server.roles[server.id])
        for viewer in (server.members[self.world.bot.id], *who):
            self.allow(channel, "view_channel", who=viewer)
        return channel

    def add_category(self, name: str, *, guild: Guild | None = None) -> Channel:
        return self.add_channel(name, kind=ChannelType.CATEGORY, guild=guild)

    def delete_channel(self, channel: Channel) -> None:
        """By hand: the bot only hears of it."""
        channels.delete(self.world, channel)

    def channel_named(self, name: str) -> Channel | None:
        return next((each for each in self.world.channels.values() if each.name == name), None)

    async def wait_channel(self, name: str, *, within: float = WAIT_TIMEOUT_S) -> Channel:
        channel = await self.until(
            lambda: self.channel_named(name), f"a channel {name}", within=within
        )
        assert channel is not None
        return channel

    async def wait_deleted(self, channel: Channel, *, within: float = WAIT_TIMEOUT_S) -> None:
        await self.until(lambda: channel.deleted, f"{channel.name} to be deleted", within=within)

    def deny(self, channel: Channel, *permissions: str, who: Member | Role | None = None) -> None:
        """Takes permissions away in one channel, from the bot unless another is named."""
        self._overwrite(channel, who or self.bot, deny=named(*permissions))

    def allow(self, channel: Channel, *permissions: str, who: Member | Role | None = None) -> None:
        """Grants permissions in one channel, to the bot unless another is named."""
        self._overwrite(channel, who or self.bot, allow=named(*permissions))

    def _overwrite(
        self,
        channel: Channel,
        who: Member | Role,
        *,
        allow: Permission = NO_PERMISSIONS,
        deny: Permission = NO_PERMISSIONS,
    ) -> None:
        before = channel.overwrites.get(who.id)
        allowed = (before.allow if before else NO_PERMISSIONS) & ~deny | allow
        denied = (before.deny if before else NO_PERMISSIONS) & ~allow | deny
        overwrite = Overwrite(who.id, isinstance(who, Member), allowed, denied)
        channels.set_overwrite(self.world, channel, overwrite)

    def set_permissions(self, role: Role, *permissions: str, guild: Guild | None = None) -> None:
        people.set_permissions(self.world, guild or self.guild, role, named(*permissions))

    def can_see(self, member: Member, channel: Channel) -> bool:
        return not channel.deleted and Permission.VIEW_CHANNEL in self.world.permissions(
            member, channel
        )

    def add_member(
        self, name: str, roles: Iterable[Role] = (), *, guild: Guild | None = None
    ) -> Member:
        user = people.add_user(self.world, name)
        return people.join(self.world, guild or self.guild, user, roles)

    def add_guild(self, name: str, owner: Member | None = None) -> Guild:
        """Another server the bot is in."""
        return people.found_guild(self.world, name, (owner or self.owner).user)

    def lose_guild(self, guild: Guild) -> None:
        """It becomes unavailable, as in an outage; to a bot that starts now, too."""
        people.lose(self.world, guild)

    def find_guild_again(self, guild: Guild) -> None:
        people.find_again(self.world, guild)

    def remove_member(self, member: Member) -> None:
        people.leave(self.world, member)

    def add_member_again(self, member: Member) -> None:
        people.come_back(self.world, member)

    def set_roles(self, member: Member, *roles: Role) -> None:
        people.set_roles(self.world, member, roles)

    def delete_role(self, role: Role) -> None:
        people.delete_role(self.world, self.guild, role)

    def dm(self, member: Member | User) -> Channel:
        """The bot's private channel with them, empty so far or not."""
        return self.world.dm_with(user_of(member))

    def close_dms(self, member: Member | User) -> None:
        """The bot's next message to them is refused with 50007."""
        user_of(member).accepts_dms = False


def user_of(member: Member | User) -> User:
    return member if isinstance(member, User) else member.user
