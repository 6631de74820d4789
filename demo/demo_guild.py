"""The virtual Discord: a server, its people, and what they can see of it now."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import discord
import simcord

SERVER_NAME = "Punctual demo"
BOT_NAME = "Punctual"
DEADLINE = re.compile(r"<t:(\d+):R>")
CLOSED = re.compile(r"Ticket #(\d+) closed")


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    role: str
    actor: simcord.MemberActor

    def sees(self, channel: simcord.ChannelHandle) -> bool:
        try:
            channel.history(viewer=self.actor)
        except simcord.SetupError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class DemoGuild:
    """What stays as it is. Ticket channels come and go, so they are asked for."""

    guild: simcord.GuildHandle
    customer: Person
    support: Person
    stranger: Person
    owner: Person
    welcome: simcord.ChannelHandle
    log: simcord.ChannelHandle

    @property
    def people(self) -> Sequence[Person]:
        return (self.customer, self.support, self.stranger, self.owner)

    def channels(self) -> list[simcord.ChannelHandle]:
        """The text channels there are now, oldest first."""
        bot = self.guild.me
        assert bot is not None
        text = {channel.id for channel in bot.guild.text_channels}
        channels = [each for each in self.guild.channels.values() if each.id in text]
        return sorted(channels, key=lambda channel: channel.id)

    def channel(self, channel_id: int) -> simcord.ChannelHandle | None:
        return next((each for each in self.channels() if each.id == channel_id), None)

    def tickets(self) -> list[simcord.ChannelHandle]:
        permanent = {self.welcome.id, self.log.id}
        return [channel for channel in self.channels() if channel.id not in permanent]


async def build_demo_guild(env: simcord.Env) -> DemoGuild:
    """Set up as its owner would: by `/setup` and `/panel`."""
    bot = env.bot.user
    assert bot is not None
    await bot.edit(username=BOT_NAME)
    user = env.create_user("owner")
    guild = env.create_guild(SERVER_NAME, owner=user)
    support = guild.create_role("Support", color=discord.Colour.green().value)
    visible = discord.PermissionOverwrite(view_channel=True)
    hidden = discord.PermissionOverwrite(view_channel=False)
    demo_guild = DemoGuild(
        guild,
        customer=Person("casey", "customer", guild.add_member(env.create_user("casey"))),
        support=Person("sam", "support", guild.add_member(env.create_user("sam"), roles=[support])),
        stranger=Person("robin", "stranger", guild.add_member(env.create_user("robin"))),
        owner=Person("owner", "sees all", simcord.MemberActor(env, guild, user)),
        welcome=guild.create_text_channel("welcome"),
        log=guild.create_text_channel(
            "ticket-log",
            overwrites={guild.default_role: hidden, support: visible, bot: visible},
        ),
    )
    owner = demo_guild.owner.actor
    await owner.slash(demo_guild.log, "setup", support_role=support, log_channel=demo_guild.log)
    await owner.slash(demo_guild.log, "panel", channel=demo_guild.welcome)
    return demo_guild


def deadline_of(channel: simcord.ChannelHandle) -> int | None:
    """When a channel is to close, in epoch seconds: what its open request says.

    Discord's own clients count a `<t:…:R>` down, but simcord's page draws it once.
    """
    for message in reversed(channel.history()):
        match = DEADLINE.search(" ".join(_texts(message.embeds))) if message.components else None
        if match is not None:
            return int(match[1])
    return None


@dataclass(frozen=True, slots=True)
class ClosedTicket:
    id: int
    name: str


def closed_tickets(log: simcord.ChannelHandle) -> list[ClosedTicket]:
    """As the log channel tells of them: each with its transcript attached. In a database that
    begins anew, with one server that always has room, a ticket's id is its number."""
    closed: list[ClosedTicket] = []
    for message in log.history():
        title = CLOSED.match(" ".join(embed.title or "" for embed in message.embeds))
        pages = [each.filename for each in message.attachments if each.filename.endswith(".html")]
        if title is not None and pages:
            closed.append(ClosedTicket(int(title[1]), pages[0].removesuffix(".html")))
    return closed


def _texts(embeds: Iterable[discord.Embed]) -> Iterable[str]:
    for embed in embeds:
        yield embed.description or ""
        for field in embed.fields:
            yield field.value or ""
