"""The virtual server: its people, its channels, and what each person sees of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import discord
from simcord.backend import Backend
from simcord.backend.access import channel_accessible, message_accessible
from simcord.backend.models import Channel, Message
from simcord.backend.models.channel import Overwrite
from simcord.enums import ChannelType, OverwriteType

SERVER_NAME = "Punctual demo"
BOT_NAME = "Punctual"
VISIBLE = discord.Permissions(view_channel=True).value
GREEN = 0x2ECC71


class Part(StrEnum):
    """What a person is in this server."""

    MEMBER = "member"
    SUPPORT = "support"
    OWNER = "owner"


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    part: Part
    id: int


@dataclass(frozen=True, slots=True)
class DemoGuild:
    """What stays as it is. Ticket channels come and go, so they are asked for."""

    backend: Backend
    id: int
    people: Sequence[Person]
    support_role_id: int
    welcome_id: int
    log_id: int

    def person(self, name: str) -> Person:
        """Raises KeyError for a stranger."""
        return {person.name: person for person in self.people}[name]

    def person_of(self, user_id: int) -> Person | None:
        return next((person for person in self.people if person.id == user_id), None)

    def channels_of(self, person: Person) -> list[Channel]:
        """The text channels that they see, the oldest first."""
        guild = self.backend.get_guild(self.id)
        channels = [self.backend.channels[each] for each in guild.channel_ids]
        return [
            channel
            for channel in channels
            if channel.type == ChannelType.TEXT
            and channel_accessible(self.backend, channel.id, person.id)
        ]

    def channel_for(self, person: Person, channel_id: int) -> Channel | None:
        """A channel or a DM, if they may see it."""
        if not channel_accessible(self.backend, channel_id, person.id):
            return None
        return self.backend.channels[channel_id]

    def dm_of(self, person: Person) -> Channel | None:
        """Their conversation with the bot; None before there is one."""
        channel_id = self.backend.dm_channels.get(person.id)
        return None if channel_id is None else self.backend.channels[channel_id]

    def messages(self, person: Person, channel_id: int) -> list[Message]:
        """The oldest first; of ephemeral ones, only their own."""
        return [
            message
            for message in self.backend.messages.get(channel_id, {}).values()
            if message_accessible(self.backend, channel_id, message, person.id)
        ]

    def names(self) -> dict[str, str]:
        """What mentions read like."""
        guild = self.backend.get_guild(self.id)
        users = {f"<@{user.id}>": f"@{user.name}" for user in self.backend.users.values()}
        roles = {f"<@&{role.id}>": f"@{role.name}" for role in guild.roles.values()}
        channels = {
            f"<#{each}>": f"#{self.backend.channels[each].name}" for each in guild.channel_ids
        }
        return users | roles | channels

    def speak(self, locale: str) -> None:
        """The language that the server has set in Discord."""
        if self.backend.get_guild(self.id).preferred_locale != locale:
            self.backend.edit_guild(self.id, {"preferred_locale": locale})


def build_guild(backend: Backend) -> DemoGuild:
    """As its owner has made it, before the bot is set up."""
    backend.bot_user.name = BOT_NAME
    owner = backend.make_user("alex")
    guild = backend.create_guild(SERVER_NAME, owner_id=owner.id)
    support = backend.create_role(guild.id, "Support", color=GREEN)
    people = [Person("alex", Part.OWNER, owner.id)]
    for name, part in (("casey", Part.MEMBER), ("robin", Part.MEMBER), ("sam", Part.SUPPORT)):
        user = backend.make_user(name)
        roles = [support.id] if part is Part.SUPPORT else []
        backend.add_member(guild.id, user.id, roles=roles)
        people.append(Person(name, part, user.id))
    welcome = backend.create_channel(guild.id, "welcome")
    log = backend.create_channel(
        guild.id,
        "ticket-log",
        overwrites=[
            Overwrite(guild.id, OverwriteType.ROLE, deny=VISIBLE),
            Overwrite(support.id, OverwriteType.ROLE, allow=VISIBLE),
            Overwrite(backend.bot_user.id, OverwriteType.MEMBER, allow=VISIBLE),
        ],
    )
    order = ("casey", "sam", "robin", "alex")
    people.sort(key=lambda person: order.index(person.name))
    return DemoGuild(backend, guild.id, people, support.id, welcome.id, log.id)
