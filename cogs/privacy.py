"""`/forget-me`, `/forget` and `/export-me`: what is kept of a member, deleted or handed over."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from cogs.buttons import IdButton
from cogs.cog import TicketCog, answering_errors, guild_id_of
from cogs.permissions import require_manager
from cogs.replies import Interaction, reply_ephemeral_if_possible
from cogs.text import NO_MENTIONS, escape
from cogs.transcript_upload import MAX_UPLOAD_BYTES
from domains.errors import UserError
from domains.ticket_lifecycle import TicketLifecycle
from domains.ticket_lifecycle.forget_member import EVERY_GUILD, MAX_NAMED, Forgotten, Plan
from domains.ticket_lifecycle.models import Ticket

TIMES_A_MINUTE = 5
_USER = re.compile(r"\s*(?:<@!?)?([0-9]{15,19})>?\s*", re.ASCII)

STAYS = (
    "What the bot posted in Discord (log channel, direct messages) is Discord's to keep: a "
    "moderator can delete it there. Backups, and the database's own log of changes, hold older "
    "states until they are overwritten."
)
LATER = "Somebody else is being forgotten just now; this is done by itself within some minutes."


class NoUserIdError(UserError):
    def __init__(self) -> None:
        super().__init__(
            "That is not a user id: it is a number of 17 to 19 digits, as Copy User ID gives it."
        )


class AskedTooOftenError(UserError):
    def __init__(self, seconds: float) -> None:
        super().__init__(f"You asked that often. Try again in {math.ceil(seconds)} seconds.")


class Privacy(TicketCog, name="Punctual: privacy"):
    def __init__(self, tickets: TicketLifecycle) -> None:
        super().__init__(tickets)
        self._asked = commands.CooldownMapping[Interaction].from_cooldown(
            TIMES_A_MINUTE, 60.0, lambda interaction: interaction.user.id
        )

    def _count(self, interaction: Interaction) -> None:
        """All of this reads a lot. Raises AskedTooOften."""
        seconds = self._asked.update_rate_limit(interaction)
        if seconds is not None:
            raise AskedTooOftenError(seconds)

    @app_commands.command(
        name="forget-me", description="Delete what this bot keeps of you, in every server"
    )
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=False)
    @answering_errors
    async def forget_me(self, interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer(ephemeral=True)
        self._count(interaction)
        await _ask(interaction, self.tickets, interaction.user.id, EVERY_GUILD)

    @app_commands.command(description="Delete what this bot keeps of a member, in this server")
    @app_commands.describe(user_id="The member's id (Copy User ID), also of one who has left")
    @app_commands.guild_only()
    @app_commands.default_permissions(manage_guild=True)
    @answering_errors
    async def forget(self, interaction: discord.Interaction[Any], user_id: str) -> None:
        await interaction.response.defer(ephemeral=True)
        require_manager(interaction)
        found = _USER.fullmatch(user_id)
        if found is None or int(found[1]) >= 2**63:
            raise NoUserIdError
        self._count(interaction)
        await _ask(interaction, self.tickets, int(found[1]), guild_id_of(interaction))

    @app_commands.command(
        name="export-me", description="Get what this bot keeps of you, as a zip file"
    )
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=False)
    @answering_errors
    async def export_me(self, interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer(ephemeral=True)
        self._count(interaction)
        limit = min(MAX_UPLOAD_BYTES, interaction.filesize_limit)
        content = await self.tickets.exporting.export(interaction.user.id, limit)
        if content is None:
            raise UserError("Nothing is kept of you.")
        await interaction.followup.send(
            "Here is what is kept of you: your tickets with all that you could see there, and "
            "what you yourself wrote in tickets of others. Only you see this message.",
            file=discord.File(io.BytesIO(content), filename="what-is-kept-of-you.zip"),
            ephemeral=True,
            allowed_mentions=NO_MENTIONS,
        )


class ForgetButton(
    IdButton, template=r"ticket:forget:(?P<id>[0-9]{1,19})(:(?P<guild>[0-9]{1,19}))?"
):
    """Carries whom, and where; 0 is every server."""

    PREFIX = "ticket:forget"
    LABEL = "Delete it for good"
    STYLE = discord.ButtonStyle.danger

    def __init__(self, id_: int, guild_id: int = EVERY_GUILD) -> None:
        super().__init__(id_)
        self.guild_id = guild_id
        self.custom_id = f"{self.PREFIX}:{id_}:{guild_id}"

    async def press(self, interaction: discord.Interaction[Any], tickets: TicketLifecycle) -> None:
        if self.guild_id == EVERY_GUILD:
            if interaction.user.id != self.id_:
                raise UserError("Only the member themselves can ask for that in every server.")
        else:
            require_manager(interaction)
            if interaction.guild_id != self.guild_id:
                raise UserError("That was asked in another server; use `/forget` here.")
        await interaction.response.edit_message(content="It is being deleted…", view=None)
        done = await tickets.forgetting.forget(self.id_, self.guild_id)
        told = LATER if done is None else _result(done, self.id_, interaction)
        await reply_ephemeral_if_possible(interaction, told)


async def _ask(
    interaction: Interaction, tickets: TicketLifecycle, user_id: int, guild_id: int
) -> None:
    plan = await tickets.forgetting.plan(user_id, guild_id)
    view = discord.ui.View(timeout=None)
    view.add_item(ForgetButton(user_id, guild_id))
    await interaction.followup.send(
        _plan(plan, user_id, interaction),
        view=view,
        ephemeral=True,
        allowed_mentions=NO_MENTIONS,
    )


def _plan(plan: Plan, user_id: int, interaction: Interaction) -> str:
    whose = _whose(user_id, interaction)
    counts = plan.counts
    lines = [
        f"This deletes the subject, the reasons, the transcript with all its files, and {whose} "
        f"id in {_tickets(counts.own_closed)} of {whose} own; and {whose} messages, files, name "
        f"and id in tickets of others ({counts.others_closed} known). It can't be undone.",
    ]
    if counts.own_open:
        lines.append(f"Kept, since not closed yet: {_names(plan.kept, interaction)}.")
    if counts.others_open:
        lines.append(f"Kept, too: tickets of others that are not closed yet: {counts.others_open}.")
    if counts.own_open or counts.others_open:
        lines.append("Ask again when they are closed.")
    lines.append(STAYS)
    return "\n".join(lines)


def _result(done: Forgotten, user_id: int, interaction: Interaction) -> str:
    whose = _whose(user_id, interaction)
    lines = [
        f"Deleted: what was kept of {_tickets(done.tickets)} of {whose} own, and {whose} part in "
        f"{_tickets(done.others)} of others.",
    ]
    if done.kept:
        lines.append(
            f"Kept, since not closed yet: {_names(done.kept, interaction)}. "
            "Ask again when they are closed."
        )
    if done.old_transcripts:
        lines.append(
            f"Kept: {done.old_transcripts} transcripts of others' tickets. An older version saved "
            "them, and they don't tell who wrote what."
        )
    if done.failed:
        lines.append(
            f"Not yet: the files of {_tickets(done.failed)} could not be changed. It is tried "
            "again every night until it is done."
        )
    lines.append(STAYS)
    return "\n".join(lines)


def _whose(user_id: int, interaction: Interaction) -> str:
    return "your" if user_id == interaction.user.id else "the member's"


def _tickets(number: int) -> str:
    return f"{number} closed ticket{'' if number == 1 else 's'}"


def _names(tickets: Sequence[Ticket], interaction: Interaction) -> str:
    names = [_name(ticket, interaction) for ticket in tickets[:MAX_NAMED]]
    if len(tickets) > MAX_NAMED:
        names.append(f"and {len(tickets) - MAX_NAMED} more")
    return ", ".join(names)


def _name(ticket: Ticket, interaction: Interaction) -> str:
    server = interaction.client.get_guild(ticket.guild_id)
    where = f" in {escape(server.name, 100)}" if server and not interaction.guild_id else ""
    return f"#{ticket.name}{where}"
