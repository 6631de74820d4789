"""Another server that the bot is in, with people of its own: for what one must not do to all."""

from __future__ import annotations

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

    async def open(self) -> Channel:
        await begin_open(self.discord, self.panel, self.member)
        channel = await wait_opened(self.discord, self.member)
        await self.discord.wait_message(channel, "It is broken")
        return channel


async def found_server(discord: Discord) -> Server:
    """With a running bot, which is set up there."""
    guild = discord.add_guild("Elsewhere")
    owner = guild.members[guild.owner_id]
    role = add_role(discord.world, guild, "Helpers")
    staff = discord.add_member("susan", [role], guild=guild)
    general = discord.add_channel("general", guild=guild)
    await discord.slash(
        owner,
        general,
        "setup",
        support_role=role,
        category=discord.add_category("Tickets", guild=guild),
        log_channel=discord.add_channel("ticket-log", guild=guild),
    )
    await discord.slash(owner, general, "panel", channel=general)
    panel = general.last_message
    assert panel is not None
    member = discord.add_member("bob", guild=guild)
    return Server(discord, guild, general, panel, staff, member)


async def begin_open(discord: Discord, panel: Message, member: Member) -> Interaction:
    """The form is sent; the bot is not waited for."""
    form = await discord.click(member, panel, "Open a ticket")
    return discord.begin_submit_modal(member, form, {"subject": "It is broken"})


async def wait_opened(discord: Discord, member: Member, within: float = 10.0) -> Channel:
    def found() -> Channel | None:
        return next(
            (
                channel
                for channel in discord.world.channels.values()
                if channel.name.startswith("ticket-0") and member.id in channel.overwrites
            ),
            None,
        )

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
