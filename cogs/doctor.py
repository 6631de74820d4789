"""`/doctor`: all that the bot needs in this server, and the sentence that fixes what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from cogs.cards.blocks import AMBER, GREEN
from cogs.cog import TicketCog, answering_errors
from cogs.command_texts import described
from cogs.discord_errors import missing_permissions, permission_names
from cogs.log_channel import is_public, other_readers
from cogs.permissions import require_manager
from cogs.setup import GUILD_NEEDS, LOG_NEEDS
from cogs.text import NO_MENTIONS, shorten
from cogs.ticket_channels import CATEGORY_NAME, MAX_CATEGORIES
from domains.database import DatabaseUnavailable
from domains.disk_space import DiskSpace
from domains.scheduled_task import ScheduledTask
from domains.ticket_lifecycle import TicketLifecycle
from domains.ticket_lifecycle.models import GuildSettings

CATEGORY_LIMIT = 50
GUILD_LIMIT = 500
LATE_MS = 5_000
LAST_CLOSES = 100
CHANNEL_NEEDS = (*LOG_NEEDS, "manage_channels")
DESCRIPTION_LIMIT = 4096

IN_THE_INTENTS = "Switch it on in the bot's intents"
INTENTS = {
    "guilds": ("so the bot sees no channels and no roles", IN_THE_INTENTS),
    "guild_messages": (
        "so a member's answer is not noticed before the deadline",
        IN_THE_INTENTS,
    ),
    "message_content": (
        "so transcripts are empty",
        "Switch it on in the developer portal, and in the bot's intents",
    ),
}
"""What goes wrong without each, and the remedy."""


@dataclass(frozen=True, slots=True)
class Finding:
    what: str
    remedy: str | None = None
    """None: all is well."""

    def __str__(self) -> str:
        return f"✅ {self.what}" if self.remedy is None else f"❌ {self.what}. **{self.remedy}**"


class Doctor(TicketCog, name="Punctual: doctor"):
    def __init__(
        self,
        bot: commands.Bot,
        tickets: TicketLifecycle,
        scheduled_task: ScheduledTask,
        disk_space: DiskSpace,
    ) -> None:
        super().__init__(tickets)
        self._disk_space = disk_space
        self._bot = bot
        self._scheduled_task = scheduled_task

    @app_commands.command(description=described("doctor"))
    @app_commands.guild_only()
    @app_commands.default_permissions(manage_guild=True)
    @answering_errors
    async def doctor(self, interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer(ephemeral=True)
        require_manager(interaction)
        server = interaction.guild
        assert server is not None
        findings = await self._examine(server)
        ill = sum(finding.remedy is not None for finding in findings)
        embed = discord.Embed(
            title="All is well" if not ill else f"{ill} to mend",
            description=shorten("\n".join(map(str, findings)), DESCRIPTION_LIMIT),
            colour=AMBER if ill else GREEN,
        )
        await interaction.followup.send(embed=embed, ephemeral=True, allowed_mentions=NO_MENTIONS)

    async def _examine(self, server: discord.Guild) -> list[Finding]:
        """What needs fixing comes first."""
        findings = [self._redis(), *self._disk(), *_intents(self._bot.intents)]
        sees_server = self._bot.intents.guilds
        if sees_server:
            findings += _server(server)
        try:
            settings = await self.tickets.guild_settings(server.id)
            lateness = await self.tickets.recent_lateness(server.id, LAST_CLOSES)
            attention = await self.tickets.count_attention(server.id)
        except DatabaseUnavailable:
            findings.append(
                Finding("The database cannot be reached", "Start PostgreSQL, or see the log")
            )
        else:
            findings += [Finding("The database answers"), _punctuality(lateness)]
            findings += [*(_setup(server, settings) if sees_server else ()), _attention(attention)]
        return sorted(findings, key=lambda finding: finding.remedy is None)

    def _redis(self) -> Finding:
        if self._scheduled_task.available:
            return Finding("Redis answers and keeps the timers")
        return Finding(
            "Redis is not available; deadlines are honoured from the database meanwhile",
            "Start Redis, or see the log for why it refuses",
        )

    def _disk(self) -> Iterator[Finding]:
        if problem := self._disk_space.problem:
            yield Finding(
                f"The disk of the bot is full ({problem}), so tickets with files wait to be closed",
                "Ask whoever runs the bot to make room; all goes on by itself then",
            )


def _intents(intents: discord.Intents) -> Iterator[Finding]:
    off = [name for name in INTENTS if not getattr(intents, name)]
    for name in off:
        consequence, remedy = INTENTS[name]
        yield Finding(f"The intent {name} is off, {consequence}", remedy)
    if not off:
        yield Finding(f"Every intent it needs is on: {', '.join(INTENTS)}")


def _server(server: discord.Guild) -> Iterator[Finding]:
    missing = missing_permissions(server, GUILD_NEEDS)
    if missing:
        yield Finding(
            f"The bot's role lacks {permission_names(server, missing)}",
            "Give it those in Server Settings → Roles",
        )
    else:
        yield Finding("The bot's role has every permission it needs")
    if len(server.channels) >= GUILD_LIMIT:
        yield Finding(f"This server has {len(server.channels)} channels", "Delete some")


def _setup(server: discord.Guild, settings: GuildSettings) -> Iterator[Finding]:
    roles = [server.get_role(role_id) for role_id in settings.support_role_ids]
    if not any(roles):
        yield Finding("There is no support role", "Set one: /setup support_role")
    else:
        yield Finding("Support: " + ", ".join(role.mention for role in roles if role))
    required = settings.policy.required_roles or ()
    if required and not any(server.get_role(role_id) for role_id in required):
        yield Finding(
            "Nobody can open a ticket: the roles that members need for it were deleted",
            "Set others: /limits required_roles",
        )
    yield from _log_channel(server, settings)
    yield from _categories(server, settings)


def _log_channel(server: discord.Guild, settings: GuildSettings) -> Iterator[Finding]:
    if settings.log_channel_id is None:
        yield Finding(
            "There is no log channel, so transcripts stay on the host",
            "Set one: /setup log_channel",
        )
        return
    channel = server.get_channel(settings.log_channel_id)
    if channel is None:
        yield Finding(
            "The log channel was deleted, or the bot cannot see it",
            "Set another: /setup log_channel",
        )
        return
    yield _channel(channel, LOG_NEEDS)
    if is_public(channel):
        yield Finding(
            f"Everyone can read the log channel {channel.mention}, and the transcripts in it",
            "Take View Channel from @everyone there, or set another: /setup log_channel",
        )
    elif others := other_readers(channel, settings):
        names = ", ".join(role.mention for role in others)
        yield Finding(f"Besides support, the transcripts in {channel.mention} are read by {names}")


def _categories(server: discord.Guild, settings: GuildSettings) -> Iterator[Finding]:
    chosen = server.get_channel(settings.category_id) if settings.category_id else None
    first = chosen if isinstance(chosen, discord.CategoryChannel) else None
    if settings.category_id is not None and first is None:
        yield Finding("The category for tickets was deleted", "Set another: /setup category")
    for category in _in_use(server, first):
        yield _channel(category, CHANNEL_NEEDS)
        taken = len(category.channels)
        room = f"{category.name} has {taken} of {CATEGORY_LIMIT} channels"
        yield Finding(room if taken < CATEGORY_LIMIT else f"{room}; new tickets go to the next one")


def _in_use(
    server: discord.Guild, first: discord.CategoryChannel | None
) -> Iterator[discord.CategoryChannel]:
    """The chosen one, or else the bot's own; and those it made when that was full."""
    base = first.name if first is not None else CATEGORY_NAME
    names = [base, *(f"{base} {n}" for n in range(2, MAX_CATEGORIES + 1))]
    found = [discord.utils.get(server.categories, name=name) for name in names]
    if first is not None:
        found[0] = first
    yield from filter(None, found)


def _channel(channel: discord.abc.GuildChannel, needs: Sequence[str]) -> Finding:
    missing = missing_permissions(channel, needs)
    if missing:
        return Finding(
            f"In #{channel.name} the bot lacks {permission_names(channel, missing)}",
            "Allow it there in the channel's permissions",
        )
    return Finding(f"In {channel.mention} the bot may do all it needs")


def _punctuality(lateness: Sequence[int]) -> Finding:
    if not lateness:
        return Finding("No ticket has closed by itself here yet")
    worst = max(lateness)
    text = (
        f"Of the last {len(lateness)} timed closes, half were at most "
        f"{median(lateness) / 1000:.2f} s late, the worst {worst / 1000:.2f} s"
    )
    if worst <= LATE_MS:
        return Finding(text)
    return Finding(
        text,
        "See the bot's log of that time, and `python bot.py jobs failed`; the dashboard, where it "
        "is on, shows which tickets were late, and their history",
    )


def _attention(count: int) -> Finding:
    if not count:
        return Finding("No ticket needs attention")
    noun = "ticket needs" if count == 1 else "tickets need"
    return Finding(f"{count} {noun} attention", "See the log channel: each has a Retry button")
