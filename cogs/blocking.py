"""`/block`, `/unblock` and `/blocked`: who may not open tickets here."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from cogs.cog import TicketCog, answering_errors, guild_id_of
from cogs.embeds import BLUE
from cogs.permissions import require_support
from cogs.replies import reply_ephemeral
from cogs.text import NO_MENTIONS, escape, when
from domains.errors import UserError
from domains.formatting import duration
from domains.ticket_lifecycle.block_member import SUGGESTIONS, parse_block_length
from domains.ticket_lifecycle.errors import InvalidDelayError
from domains.ticket_lifecycle.models import Block, GuildSettings
from domains.ticket_lifecycle.text_input import MAX_REASON_LENGTH

PAGE = 15
Reason = app_commands.Range[str, 1, MAX_REASON_LENGTH]
Page = app_commands.Range[int, 1, 100_000]


class Blocking(TicketCog, name="Punctual: blocking"):
    @app_commands.command(description="Keep a member from opening tickets here")
    @app_commands.describe(
        member="Who",
        length="How long: 30m, 12 (hours), 7d; left out or 0 is until you unblock them",
        reason="Why; they read it when they try to open a ticket",
    )
    @app_commands.rename(length="for")
    @app_commands.guild_only()
    @answering_errors
    async def block(
        self,
        interaction: discord.Interaction[Any],
        member: discord.User,
        length: str | None = None,
        reason: Reason | None = None,
    ) -> None:
        await interaction.response.defer(ephemeral=True)
        guild = await self._settings_for_support(interaction)
        _require_can_be_blocked(interaction, member, guild)
        block, is_replaced = await self.tickets.blocking.block(
            guild.guild_id,
            member.id,
            interaction.user.id,
            reason,
            parse_block_length(length),
        )
        until = f"until {when(block.ends_at)}" if block.ends_at else "until you `/unblock` them"
        text = f"{member.mention} can't open tickets here {until}."
        if is_replaced:
            text += " This takes the place of their earlier block."
        await reply_ephemeral(interaction, f"{text} Tickets they have open stay open.")

    @block.autocomplete("length")
    async def suggest_length(
        self,
        interaction: discord.Interaction[Any],  # noqa: ARG002  # discord.py's signature
        current: str,
    ) -> list[app_commands.Choice[str]]:
        """In words, what is typed: a bare number is hours."""
        offered = [current.strip()[:100], *SUGGESTIONS] if current.strip() else SUGGESTIONS
        choices: list[app_commands.Choice[str]] = []
        for text in offered:
            try:
                length = parse_block_length(text)
            except InvalidDelayError:
                continue
            words = duration(length) if length else "until you unblock them"
            choices.append(app_commands.Choice(name=words, value=text))
        return choices

    @app_commands.command(description="Let a member open tickets here again")
    @app_commands.describe(member="Who")
    @app_commands.guild_only()
    @answering_errors
    async def unblock(self, interaction: discord.Interaction[Any], member: discord.User) -> None:
        await interaction.response.defer(ephemeral=True)
        guild = await self._settings_for_support(interaction)
        await self.tickets.blocking.unblock(guild.guild_id, member.id)
        await reply_ephemeral(interaction, f"{member.mention} can open tickets here again.")

    @app_commands.command(description="Who may not open tickets here, and until when")
    @app_commands.describe(page="Which page of the list")
    @app_commands.guild_only()
    @answering_errors
    async def blocked(self, interaction: discord.Interaction[Any], page: Page = 1) -> None:
        await interaction.response.defer(ephemeral=True)
        guild = await self._settings_for_support(interaction)
        blocks, total = await self.tickets.blocking.blocked(guild.guild_id, PAGE, (page - 1) * PAGE)
        pages = max(1, -(-total // PAGE))
        if page > pages:
            raise UserError(f"There's no page {page}: the last one is {pages}.")
        embed = discord.Embed(
            title=f"Blocked members: {total}",
            description="\n".join(map(_line, blocks)) or "Nobody is blocked here.",
            colour=BLUE,
        )
        if pages > 1:
            embed.set_footer(text=f"Page {page} of {pages}; /blocked page: shows another")
        await interaction.followup.send(embed=embed, ephemeral=True, allowed_mentions=NO_MENTIONS)

    async def _settings_for_support(self, interaction: discord.Interaction[Any]) -> GuildSettings:
        guild = await self.tickets.guild_settings(guild_id_of(interaction))
        require_support(interaction, guild)
        return guild


def _require_can_be_blocked(
    interaction: discord.Interaction[Any],
    member: discord.User | discord.Member,
    guild: GuildSettings,
) -> None:
    if member.id == interaction.user.id:
        raise UserError("You can't block yourself.")
    if member.bot:
        raise UserError("Bots can't open tickets, so there's no need to block one.")
    if not isinstance(member, discord.Member):
        return  # somebody who has left, and may come back
    if member.guild_permissions.manage_guild or member.guild_permissions.administrator:
        raise UserError(f"You can't block {member.mention}: they manage this server.")
    if any(role.id in guild.support_role_ids for role in member.roles):
        raise UserError(
            f"You can't block {member.mention}: they're support, until somebody takes that role "
            "from them."
        )


def _line(block: Block) -> str:
    until = f"until {when(block.ends_at)}" if block.ends_at else "until somebody unblocks them"
    reason = f": {escape(block.reason, 100)}" if block.reason else ""
    return f"<@{block.member_id}> · {until} · by <@{block.blocked_by_id}>{reason}"
