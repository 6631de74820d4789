"""What the people of a server do with the bot, in the words of a test."""

from __future__ import annotations

from tests.wire import Channel, Discord, Interaction, Member, Message


class Helpdesk:
    def __init__(self, discord: Discord) -> None:
        self.discord = discord
        self.log_channel = discord.add_private_channel("ticket-log", discord.support_role)
        self.category = discord.add_category("Tickets")

    async def set_up(self) -> Message:
        """`/setup` and `/panel`, as the owner; returns the panel."""
        discord = self.discord
        await discord.slash(
            discord.owner,
            discord.general,
            "setup",
            support_role=discord.support_role,
            category=self.category,
            log_channel=self.log_channel,
        )
        await discord.slash(discord.owner, discord.general, "panel", channel=discord.general)
        panel = discord.general.last_message
        assert panel is not None
        return panel

    async def open_ticket(
        self, panel: Message, *, subject: str = "It is broken", member: Member | None = None
    ) -> Channel:
        """Press the button, fill in the form, and wait for the channel and its welcome."""
        discord = self.discord
        opener = member or discord.customer
        before = {channel.id for channel in self.tickets()}
        form = await discord.click(opener, panel, "Open a ticket")
        answer = await discord.submit_modal(opener, form, {"subject": subject})
        channel = next((each for each in self.tickets() if each.id not in before), None)
        assert channel is not None, f"no ticket was opened: {answer.text}"
        await discord.wait_message(channel, subject)
        return channel

    def tickets(self) -> list[Channel]:
        return [
            channel
            for channel in self.discord.world.channels.values()
            if channel.name.startswith("ticket-0") and not channel.deleted
        ]

    async def ask(
        self, channel: Channel, *, close_delay: str | None = None, reason: str | None = None
    ) -> Message:
        """`/closerequest` as support; returns the request's message."""
        discord = self.discord
        options = {"close_delay": close_delay, "reason": reason}
        given = {name: value for name, value in options.items() if value is not None}
        self.reply: Interaction = await discord.slash(
            discord.staff, channel, "closerequest", **given
        )
        return await discord.wait_message(channel, "May this ticket be closed?")

    def closes_logged(self) -> list[Message]:
        return [
            message
            for message in self.log_channel.messages.values()
            if message.attachments or "closed" in message.text
        ]

    def dms(self) -> list[Message]:
        return list(self.discord.dm(self.discord.customer).messages.values())
