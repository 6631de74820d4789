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
from cogs.command_texts import described
from cogs.language import reader
from cogs.permissions import require_manager
from cogs.replies import Interaction, reply_ephemeral_if_possible
from cogs.text import NO_MENTIONS, escape
from cogs.transcript_upload import MAX_UPLOAD_BYTES
from domains.errors import UserError
from domains.ticket_lifecycle import TicketLifecycle
from domains.ticket_lifecycle.forget_member import EVERY_GUILD, MAX_NAMED, Forgotten, Plan
from domains.ticket_lifecycle.models import Ticket
from locales import DEFAULT_LOCALE, Text, Typed, text

TIMES_A_MINUTE = 5
_USER = re.compile(r"\s*(?:<@!?)?([0-9]{15,19})>?\s*", re.ASCII)


class NoUserIdError(UserError):
    def __init__(self) -> None:
        super().__init__("privacy.not_an_id")


class AskedTooOftenError(UserError):
    def __init__(self, seconds: float) -> None:
        super().__init__("privacy.too_often", count=math.ceil(seconds))


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

    @app_commands.command(name="forget-me", description=described("forget-me"))
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=False)
    @answering_errors
    async def forget_me(self, interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer(ephemeral=True)
        self._count(interaction)
        await _ask(interaction, self.tickets, interaction.user.id, EVERY_GUILD)

    @app_commands.command(description=described("forget"))
    @app_commands.describe(user_id=described("forget.user_id"))
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

    @app_commands.command(name="export-me", description=described("export-me"))
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=False)
    @answering_errors
    async def export_me(self, interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer(ephemeral=True)
        self._count(interaction)
        limit = min(MAX_UPLOAD_BYTES, interaction.filesize_limit)
        locale = reader(interaction)
        content = await self.tickets.exporting.export(interaction.user.id, limit, locale)
        if content is None:
            raise UserError("privacy.nothing_kept")
        filename = text("privacy.export_filename", locale)
        await interaction.followup.send(
            text("privacy.export", locale),
            file=discord.File(io.BytesIO(content), filename=filename),
            ephemeral=True,
            allowed_mentions=NO_MENTIONS,
        )


class ForgetButton(
    IdButton, template=r"ticket:forget:(?P<id>[0-9]{1,19})(:(?P<guild>[0-9]{1,19}))?"
):
    """Carries whom, and where; 0 is every server."""

    PREFIX = "ticket:forget"
    LABEL = "privacy.delete_button"
    STYLE = discord.ButtonStyle.danger

    def __init__(
        self, id_: int, guild_id: int = EVERY_GUILD, *, locale: str = DEFAULT_LOCALE
    ) -> None:
        super().__init__(id_, locale=locale)
        self.guild_id = guild_id
        self.custom_id = f"{self.PREFIX}:{id_}:{guild_id}"

    async def press(self, interaction: discord.Interaction[Any], tickets: TicketLifecycle) -> None:
        if self.guild_id == EVERY_GUILD:
            if interaction.user.id != self.id_:
                raise UserError("privacy.only_themselves")
        else:
            require_manager(interaction)
            if interaction.guild_id != self.guild_id:
                raise UserError("privacy.other_server")
        deleting = text("privacy.deleting", reader(interaction))
        await interaction.response.edit_message(content=deleting, view=None)
        done = await tickets.forgetting.forget(self.id_, self.guild_id)
        said = [Text("privacy.later")] if done is None else _result(done, self.id_, interaction)
        await reply_ephemeral_if_possible(interaction, _lines(said, interaction))


async def _ask(
    interaction: Interaction, tickets: TicketLifecycle, user_id: int, guild_id: int
) -> None:
    plan = await tickets.forgetting.plan(user_id, guild_id)
    view = discord.ui.View(timeout=None)
    view.add_item(ForgetButton(user_id, guild_id, locale=reader(interaction)))
    await interaction.followup.send(
        _lines(_plan(plan, user_id, interaction), interaction),
        view=view,
        ephemeral=True,
        allowed_mentions=NO_MENTIONS,
    )


def _lines(said: Sequence[Text], interaction: Interaction) -> str:
    return "\n".join(each.with_typed(escape).in_locale(reader(interaction)) for each in said)


def _plan(plan: Plan, user_id: int, interaction: Interaction) -> list[Text]:
    counts = plan.counts
    own = _own(user_id, interaction, counts.own_closed)
    values = {"own": own, "others": counts.others_closed}
    said = [Text(f"privacy.plan_{_whose(user_id, interaction)}", values)]
    if counts.own_open:
        said.append(Text("privacy.kept_open", {"names": _names(plan.kept, interaction)}))
    if counts.others_open:
        said.append(Text("privacy.kept_of_others", {"others": counts.others_open}))
    if counts.own_open or counts.others_open:
        said.append(Text("privacy.ask_again"))
    return [*said, Text("privacy.stays")]


def _result(done: Forgotten, user_id: int, interaction: Interaction) -> list[Text]:
    own = _own(user_id, interaction, done.tickets)
    others = Text("privacy.others_tickets", {"count": done.others})
    said = [Text(f"privacy.done_{_whose(user_id, interaction)}", {"own": own, "others": others})]
    if done.kept:
        said.append(Text("privacy.kept_open", {"names": _names(done.kept, interaction)}))
        said.append(Text("privacy.ask_again"))
    if done.old_transcripts:
        said.append(Text("privacy.old_transcripts", {"count": done.old_transcripts}))
    if done.failed:
        said.append(Text("privacy.failed", {"count": done.failed}))
    return [*said, Text("privacy.stays")]


def _whose(user_id: int, interaction: Interaction) -> str:
    return "own" if user_id == interaction.user.id else "other"


def _own(user_id: int, interaction: Interaction, count: int) -> Text:
    key = "own_tickets" if user_id == interaction.user.id else "members_tickets"
    return Text(f"privacy.{key}", {"count": count})


def _names(tickets: Sequence[Ticket], interaction: Interaction) -> list[Text | str]:
    names = [_name(ticket, interaction) for ticket in tickets[:MAX_NAMED]]
    if len(tickets) > MAX_NAMED:
        names.append(Text("privacy.more", {"number": len(tickets) - MAX_NAMED}))
    return names


def _name(ticket: Ticket, interaction: Interaction) -> Text | str:
    """With its server where that isn't clear."""
    server = interaction.client.get_guild(ticket.guild_id)
    if server is None or interaction.guild_id:
        return f"#{ticket.name}"
    values = {"ticket": f"#{ticket.name}", "server": Typed(server.name)}
    return Text("privacy.ticket_in", values)
