"""Another server that has the same bot, with people of its own."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from tests.wire import Channel, Discord, File, Guild, Interaction, Member, Message
from tests.wire.people import add_role

QUESTION = "May this ticket be closed?"


@dataclass(frozen=True, slots=True)
class Server:
    discord: Discord
    guild: Guild
    general: Channel
    panel: Message
    staff: Member
    member: Member

    @staticmethod
    async def settle_in(discord: Discord, name: str = "Elsewhere") -> Server:
        """With the bot running: `/setup` and `/panel`, as the owner."""
        guild = discord.add_guild(name)
        owner = guild.members[guild.owner_id]
        role = add_role(discord.world, guild, "Helpers")
        general = discord.add_channel("general", guild=guild)
        await discord.slash(
            owner,
            general,
            "setup",
            support_role=role,
            category=discord.add_category("Tickets", guild=guild),
            log_channel=discord.add_private_channel("ticket-log", role, guild=guild),
        )
        await discord.slash(owner, general, "panel", channel=general)
        panel = general.last_message
        assert panel is not None
        return Server(
            discord,
            guild,
            general,
            panel,
            discord.add_member(f"susan of {name}", [role], guild=guild),
            discord.add_member(f"bob of {name}", guild=guild),
        )

    async def open(self) -> Channel:
        opening = await begin_open(self.discord, self.panel, self.member)
        await opening.finished(within=10)
        channel = await wait_opened(self.discord, self.member)
        await self.discord.wait_message(channel, "It is broken")
        return channel


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


async def begin_open(discord: Discord, panel: Message, member: Member) -> Interaction:
    """The form is sent; the bot is not waited for."""
    form = await discord.click(member, panel, "Open a ticket")
    return discord.begin_submit_modal(member, form, {"subject": "It is broken"})


async def wait_opened(discord: Discord, member: Member, within: float = 10.0) -> Channel:
    """The newest, since a member may have several."""

    def found() -> Channel | None:
        channels = [
            channel
            for channel in discord.world.channels.values()
            if channel.name.startswith("ticket-0") and member.id in channel.overwrites
        ]
        return max(channels, key=lambda channel: channel.id, default=None)

    channel = await discord.until(found, f"a ticket of {member.name}", within=within)
    assert channel is not None
    return channel


async def write_slow_files(discord: Discord, channel: Channel, files: int, seconds: float) -> None:
    """Each takes so long to be downloaded, so the transcript takes as long as all of them."""
    discord.faults.add("GET", f"/attachments/{channel.id}/**", hang=seconds, times=None)
    for number in range(files):
        await discord.say(
            discord.customer, channel, "Look", [File(f"{number}.txt", b"slow to come")]
        )
