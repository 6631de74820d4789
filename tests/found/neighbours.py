"""Other servers that have the same bot, each with people of its own."""

from __future__ import annotations

from dataclasses import dataclass

from tests.wire import Channel, Discord, Guild, Interaction, Member, Message
from tests.wire.people import add_role


@dataclass(frozen=True)
class Neighbour:
    discord: Discord
    guild: Guild
    staff: Member
    customer: Member
    lobby: Channel
    panel: Message

    @staticmethod
    async def settle_in(discord: Discord, name: str) -> Neighbour:
        """With the bot running: `/setup` and `/panel`, as the owner."""
        guild = discord.add_guild(name)
        owner = guild.members[guild.owner_id]
        support = add_role(discord.world, guild, "Support")
        lobby = discord.add_channel("lobby", guild=guild)
        category = discord.add_category("Tickets", guild=guild)
        await discord.slash(owner, lobby, "setup", support_role=support, category=category)
        await discord.slash(owner, lobby, "panel", channel=lobby)
        panel = lobby.last_message
        assert panel is not None
        return Neighbour(
            discord,
            guild,
            discord.add_member(f"sam of {name}", [support], guild=guild),
            discord.add_member(f"alice of {name}", guild=guild),
            lobby,
            panel,
        )

    async def fill_in(self) -> Interaction:
        """The form, ready to be sent."""
        return await self.discord.click(self.customer, self.panel, "Open a ticket")

    def send(self, form: Interaction) -> Interaction:
        return self.discord.begin_submit_modal(self.customer, form, {"subject": "It is broken"})

    @property
    def ticket(self) -> Channel | None:
        return next(
            (
                channel
                for channel in self.discord.world.channels_of(self.guild)
                if channel.name.startswith("ticket-0") and not channel.deleted
            ),
            None,
        )

    async def open(self) -> Channel:
        self.send(await self.fill_in())
        channel = await self.discord.until(lambda: self.ticket, f"a ticket in {self.guild.name}")
        assert channel is not None
        await self.discord.wait_message(channel, "It is broken")
        return channel
