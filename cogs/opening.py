"""Opening a ticket: the form that asks for the subject, and what it brings about."""

from __future__ import annotations

from typing import Any

import discord
from discord.ext import commands

from cogs.cog import TicketCog, guild_id_of
from cogs.discord_errors import discord_call
from cogs.forms import Form, submitted
from cogs.language import reader
from cogs.permissions import member_facts
from cogs.replies import answer_error, reply_ephemeral
from domains.errors import UserError
from domains.ticket_lifecycle.open_ticket import MAX_SUBJECT_LENGTH
from locales import text


class SubjectForm(Form):
    PREFIX = "ticket:subject"

    def __init__(self, interaction: discord.Interaction[Any], guild_id: int | None = None) -> None:
        """`guild_id` where the interaction belongs to no server, or to another."""
        locale = reader(interaction)
        about = () if guild_id is None else (guild_id,)
        super().__init__(interaction, text("panel.form_title", locale), *about)
        self.add_item(
            discord.ui.TextInput[Any](
                label=text("panel.subject", locale),
                placeholder=text("panel.in_one_line", locale),
                min_length=1,
                max_length=MAX_SUBJECT_LENGTH,
                custom_id="subject",
            )
        )


class Opening(TicketCog, name="Punctual: opening"):
    @commands.Cog.listener()
    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        form = submitted(interaction, SubjectForm)
        if form is None:
            return
        try:
            await interaction.response.defer(ephemeral=True, thinking=True)
            await self._open(interaction, form.values.get("subject", ""), *form.about)
        except Exception as error:
            await answer_error(interaction, error)

    async def _open(
        self, interaction: discord.Interaction[Any], subject: str, guild_id: int | None = None
    ) -> None:
        member = interaction.user if guild_id is None else await _member(interaction, guild_id)
        ticket = await self.tickets.open_ticket(
            guild_id or guild_id_of(interaction),
            interaction.user.id,
            subject,
            member_facts(member),
            str(interaction.locale),
        )
        channel = f"<#{ticket.channel_id}>"
        await reply_ephemeral(
            interaction, text("panel.opened", reader(interaction), channel=channel)
        )


async def _member(interaction: discord.Interaction[Any], guild_id: int) -> discord.Member:
    """Who presses a button in a direct message is no member of anything: ask Discord what they are
    there, or the server's rules would not hold for them."""
    server = interaction.client.get_guild(guild_id)
    if server is None or server.unavailable:
        raise UserError("panel.server_away")
    async with discord_call(server):
        try:
            return await server.fetch_member(interaction.user.id)
        except discord.NotFound:
            raise UserError("panel.not_a_member") from None
