"""`/limits`: who may open tickets, how many and how often. Without options it shows what holds."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import discord
from discord import app_commands

from cogs.cards.blocks import BLUE
from cogs.cog import TicketCog, answering_errors
from cogs.command_texts import described, translatable
from cogs.language import reader
from cogs.permissions import require_manager
from cogs.text import NO_MENTIONS
from domains.errors import UserError
from domains.policy import Policy, Setting, setting, settings
from domains.ticket_lifecycle.close_delay import parse_seconds
from domains.ticket_lifecycle.models import GuildSettings
from locales import Text, duration, text

ALL: Final = "all"
SUGGESTIONS: Final = ("30s", "5m", "1h", "1d", "7d", "0")
_ROLE = re.compile(r"<@&(\d{1,19})>", re.ASCII)

MostInServer = app_commands.Range[int, 1, 500]
MostOfMember = app_commands.Range[int, 1, 50]


class Limits(TicketCog, name="Punctual: limits"):
    @app_commands.command(description=described("limits"))
    @app_commands.describe(
        **{each.name: translatable(each.explanation) for each in settings()},
        reset=described("limits.reset"),
    )
    @app_commands.choices(
        reset=[
            *(
                app_commands.Choice(name=translatable(each.label), value=each.name)
                for each in settings()
            ),
            app_commands.Choice(name=translatable(Text("limits.reset_all")), value=ALL),
        ]
    )
    @app_commands.guild_only()
    @app_commands.default_permissions(manage_guild=True)
    @answering_errors
    async def limits(  # noqa: PLR0917  # the options as people see them
        self,
        interaction: discord.Interaction[Any],
        max_open_total: MostInServer | None = None,
        max_open_per_member: MostOfMember | None = None,
        cooldown: str | None = None,
        required_roles: str | None = None,
        forbidden_roles: str | None = None,
        min_account_age: str | None = None,
        min_membership: str | None = None,
        reset: str | None = None,
    ) -> None:
        await interaction.response.defer(ephemeral=True)
        require_manager(interaction)
        server = interaction.guild
        assert server is not None
        typed: dict[str, int | str | None] = {
            "max_open_total": max_open_total,
            "max_open_per_member": max_open_per_member,
            "cooldown": cooldown,
            "required_roles": required_roles,
            "forbidden_roles": forbidden_roles,
            "min_account_age": min_account_age,
            "min_membership": min_membership,
        }
        changes: dict[str, object] = {
            each.name: None for each in settings() if reset in (each.name, ALL)
        }
        for name, value in typed.items():
            if value is not None:
                changes[name] = _PARSERS[setting(name).unit](setting(name), value, server)
        guild = await self.tickets.guild_settings(server.id)
        if changes:
            _require_possible(guild.policy.model_copy(update=changes))
            guild = await self.tickets.change_policy(server.id, changes)
        await interaction.followup.send(
            embed=self._summary(guild, reader(interaction)),
            ephemeral=True,
            allowed_mentions=NO_MENTIONS,
        )

    @limits.autocomplete("cooldown")
    @limits.autocomplete("min_account_age")
    @limits.autocomplete("min_membership")
    async def suggest_duration(
        self, interaction: discord.Interaction[Any], current: str
    ) -> list[app_commands.Choice[str]]:
        """In words, what is typed: a bare number is hours."""
        offered = [current.strip()[:100]] if current.strip() else SUGGESTIONS
        return [
            app_commands.Choice(
                name=duration(timedelta(seconds=seconds), reader(interaction)), value=typed
            )
            for typed in offered
            if (seconds := parse_seconds(typed)) is not None
        ]

    def _summary(self, guild: GuildSettings, locale: str) -> discord.Embed:
        effective = self.tickets.policy.effective(guild.policy)
        embed = discord.Embed(title=text("limits.title", locale), colour=BLUE)
        for each in settings():
            is_set = getattr(guild.policy, each.name) is not None
            value = text(
                "limits.set_here" if is_set else "limits.by_default",
                locale,
                value=_words(each, effective, locale),
            )
            embed.add_field(
                name=each.label.in_locale(locale),
                value=f"{value}\n{each.explanation.in_locale(locale)}",
                inline=False,
            )
        return embed


def _words(each: Setting, policy: Policy, locale: str) -> str:
    value = getattr(policy, each.name)
    match each.unit:
        case _ if value is None:
            return each.default_text.in_locale(locale)
        case "duration":
            return duration(value, locale) if value else text("limits.no_duration", locale)
        case "roles":
            roles = " ".join(f"<@&{role_id}>" for role_id in value)
            return roles or text("limits.no_roles", locale)
        case "tickets":
            return str(value)


def _require_possible(policy: Policy) -> None:
    if set(policy.required_roles or ()) & set(policy.forbidden_roles or ()):
        raise UserError("limits.both_kinds")


def _count(_each: Setting, value: Any, _server: discord.Guild) -> object:
    return value  # Discord has held it to the bounds


def _duration(each: Setting, typed: str, _server: discord.Guild) -> object:
    seconds = parse_seconds(typed) if typed.strip() else None
    assert isinstance(each.most, timedelta)
    if seconds is None or seconds > each.most.total_seconds():
        raise UserError("limits.invalid_duration", setting=each.label, most=each.most)
    return timedelta(seconds=seconds)


def _roles(each: Setting, typed: str, server: discord.Guild) -> object:
    role_ids = tuple(dict.fromkeys(int(found) for found in _ROLE.findall(typed)))
    rest = _ROLE.sub("", typed).replace(",", "").strip().lower()
    known = all(id_ != server.id and server.get_role(id_) for id_ in role_ids)
    if (not role_ids and rest != "none") or (role_ids and rest) or not known:
        raise UserError("limits.invalid_roles", setting=each.label)
    assert isinstance(each.most, int)
    if len(role_ids) > each.most:
        raise UserError("limits.too_many_roles", setting=each.label, most=each.most)
    return role_ids


_PARSERS: Final[dict[str, Callable[[Setting, Any, discord.Guild], object]]] = {
    "tickets": _count,
    "duration": _duration,
    "roles": _roles,
}
