"""`/block`, `/unblock` and `/blocked`: who may not open tickets here."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from cogs.cards.blocks import BLUE
from cogs.cog import TicketCog, answering_errors, guild_id_of
from cogs.command_texts import described
from cogs.language import reader
from cogs.permissions import require_support
from cogs.replies import reply_ephemeral
from cogs.text import NO_MENTIONS, escape, when
from domains.errors import UserError
from domains.ticket_lifecycle.block_member import SUGGESTIONS, parse_block_length
from domains.ticket_lifecycle.errors import InvalidDelayError
from domains.ticket_lifecycle.models import Block, GuildSettings
from domains.ticket_lifecycle.text_input import MAX_REASON_LENGTH
from locales import duration, text

PAGE = 15
Reason = app_commands.Range[str, 1, MAX_REASON_LENGTH]
Page = app_commands.Range[int, 1, 100_000]


class Blocking(TicketCog, name="Punctual: blocking"):
    @app_commands.command(description=described("block"))
    @app_commands.describe(
        member=described("block.member"),
        length=described("block.for"),
        reason=described("block.reason"),
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
        await reply_ephemeral(
            interaction, _blocked(block, reader(interaction), is_replaced=is_replaced)
        )

    @block.autocomplete("length")
    async def suggest_length(
        self, interaction: discord.Interaction[Any], current: str
    ) -> list[app_commands.Choice[str]]:
        """In words, what is typed: a bare number is hours."""
        offered = [current.strip()[:100], *SUGGESTIONS] if current.strip() else SUGGESTIONS
        locale = reader(interaction)
        choices: list[app_commands.Choice[str]] = []
        for typed in offered:
            try:
                length = parse_block_length(typed)
            except InvalidDelayError:
                continue
            words = duration(length, locale) if length else text("blocking.endless", locale)
            choices.append(app_commands.Choice(name=words, value=typed))
        return choices

    @app_commands.command(description=described("unblock"))
    @app_commands.describe(member=described("unblock.member"))
    @app_commands.guild_only()
    @answering_errors
    async def unblock(self, interaction: discord.Interaction[Any], member: discord.User) -> None:
        await interaction.response.defer(ephemeral=True)
        guild = await self._settings_for_support(interaction)
        await self.tickets.blocking.unblock(guild.guild_id, member.id)
        await reply_ephemeral(
            interaction, text("blocking.unblocked", reader(interaction), member=member.mention)
        )

    @app_commands.command(description=described("blocked"))
    @app_commands.describe(page=described("blocked.page"))
    @app_commands.guild_only()
    @answering_errors
    async def blocked(self, interaction: discord.Interaction[Any], page: Page = 1) -> None:
        await interaction.response.defer(ephemeral=True)
        guild = await self._settings_for_support(interaction)
        blocks, total = await self.tickets.blocking.blocked(guild.guild_id, PAGE, (page - 1) * PAGE)
        pages = max(1, -(-total // PAGE))
        if page > pages:
            raise UserError("blocking.no_page", page=page, pages=pages)
        locale = reader(interaction)
        lines = [_line(block, locale) for block in blocks]
        embed = discord.Embed(
            title=text("blocking.title", locale, total=total),
            description="\n".join(lines) or text("blocking.nobody", locale),
            colour=BLUE,
        )
        if pages > 1:
            embed.set_footer(text=text("blocking.page", locale, page=page, pages=pages))
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
        raise UserError("blocking.yourself")
    if member.bot:
        raise UserError("blocking.a_bot")
    if not isinstance(member, discord.Member):
        return  # somebody who has left, and may come back
    if member.guild_permissions.manage_guild or member.guild_permissions.administrator:
        raise UserError("blocking.a_manager", member=member.mention)
    if any(role.id in guild.support_role_ids for role in member.roles):
        raise UserError("blocking.support", member=member.mention)


def _blocked(block: Block, locale: str, *, is_replaced: bool) -> str:
    member = f"<@{block.member_id}>"
    if block.ends_at is None:
        blocked = text("blocking.blocked", locale, member=member)
    else:
        blocked = text("blocking.blocked_until", locale, member=member, until=when(block.ends_at))
    return f"{blocked} {text('blocking.replaced', locale)}" if is_replaced else blocked


def _line(block: Block, locale: str) -> str:
    member, by = f"<@{block.member_id}>", f"<@{block.blocked_by_id}>"
    if block.ends_at is None:
        line = text("blocking.line", locale, member=member, by=by)
    else:
        until = when(block.ends_at)
        line = text("blocking.line_until", locale, member=member, by=by, until=until)
    return f"{line}: {escape(block.reason, 100)}" if block.reason else line
