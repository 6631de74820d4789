"""A Discord server with the ticket bot in it and people around it.

`async with a_world(settings) as world:` starts the whole bot, worker included, and has it set up
by its own commands. What people do, they do as in Discord: commands, buttons, modals, messages.

    boss  has Manage Server          amy  opens tickets
    sam   has the support role       eve  has nothing to do with any of it
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol, cast

import asyncpg
import discord
import simcord
from discord import app_commands
from discord.ext import commands
from simcord.backend.models import Overwrite
from simcord.enums import OverwriteType

from bot import PunctualBot, create_bot
from domains.errors import UserError
from domains.scheduled_task import ScheduledTask
from domains.scheduled_task.redis_client import connect
from domains.settings import Settings
from domains.ticket_lifecycle import TicketLifecycle
from domains.ticket_lifecycle.channels import ChannelError
from domains.ticket_lifecycle.models import CloseRequest, Ticket, TicketStatus
from tests.cogs.replies import reply
from tests.cogs.shown import words
from tests.waiting import eventually
from tests.wire import validate_body

QUEUE = "ticket-lifecycle"
NONE = discord.Permissions.none()
SUBJECT = "The printer is on fire"


class TicketBot(Protocol):
    """A bot that has the tickets' domains: ours, or somebody else's."""

    @property
    def scheduled_task(self) -> ScheduledTask: ...
    @property
    def ticket_lifecycle(self) -> TicketLifecycle: ...


@dataclass
class World:
    env: simcord.Env
    bot: commands.Bot
    settings: Settings
    sql: asyncpg.Connection[asyncpg.Record]
    guild: simcord.GuildHandle
    support: simcord.RoleHandle
    logs: simcord.ChannelHandle
    lobby: simcord.ChannelHandle
    boss: simcord.MemberActor
    sam: simcord.MemberActor
    amy: simcord.MemberActor
    eve: simcord.MemberActor
    provoked: list[type[BaseException]] = field(default_factory=list[type[BaseException]])
    """Errors that a test makes happen, and that are no fault then."""

    # --- the bot

    @property
    def tickets(self) -> TicketLifecycle:
        return cast("TicketBot", self.bot).ticket_lifecycle

    @property
    def scheduler(self) -> ScheduledTask:
        return cast("TicketBot", self.bot).scheduled_task

    @property
    def bot_id(self) -> int:
        return self.env.backend.bot_user.id

    async def stop_bot(self) -> None:
        """The process ends; Discord goes on without it."""
        await self.env.settle()
        await self.bot.close()

    async def start_bot(self) -> None:
        """A new process, with nothing in its memory."""
        self.bot = create_bot(self.settings)
        await self.env.restart_bot(self.bot)

    async def restart_bot(self) -> None:
        await self.stop_bot()
        await self.start_bot()

    # --- what people do

    async def set_up(self) -> None:
        await self.boss.slash(self.lobby, "setup", support_role=self.support, log_channel=self.logs)
        await self.boss.slash(self.lobby, "panel")

    @property
    def panel(self) -> discord.Message:
        return next(message for message in self.lobby.history() if message.components)

    async def ask_for_ticket(
        self, member: simcord.MemberActor, subject: str = SUBJECT
    ) -> simcord.InteractionResult:
        """The panel's button, then its modal."""
        shown = await member.click(self.panel, custom_id="ticket:open")
        return await member.submit_modal(shown, {"subject": subject})

    async def open_ticket(
        self, member: simcord.MemberActor, subject: str = SUBJECT
    ) -> simcord.ChannelHandle:
        text = reply(await self.ask_for_ticket(member, subject))
        channel = next(
            (channel for channel in self.guild.channels.values() if channel.mention in text), None
        )
        assert channel is not None, text
        return channel

    async def ask_to_close(
        self, channel: simcord.ChannelHandle, reason: str | None = None, delay: str | None = None
    ) -> discord.Message:
        """Sam's `/closerequest`; returns the message with the two buttons."""
        options: dict[str, Any] = {"reason": reason, "close_delay": delay}
        given = {name: value for name, value in options.items() if value is not None}
        text = reply(await self.sam.slash(channel, "closerequest", **given))
        assert text.startswith("Asked"), text
        return self.message(channel, (await self.request(channel)).message_id)

    def message(self, channel: simcord.ChannelHandle, message_id: int | None) -> discord.Message:
        return next(message for message in channel.history() if message.id == message_id)

    def show(self, channel: simcord.ChannelHandle, member: simcord.MemberActor) -> None:
        """An admin lets somebody into a ticket."""
        self._overwrite(channel, member.id, allow=discord.Permissions(view_channel=True))

    def forbid_bot(self, channel: simcord.ChannelHandle, permissions: discord.Permissions) -> None:
        """An admin takes something from the bot in one channel."""
        self._overwrite(channel, self.bot_id, deny=permissions)

    def allow_bot(self, channel: simcord.ChannelHandle, permissions: discord.Permissions) -> None:
        self._overwrite(channel, self.bot_id, allow=permissions)

    def show_everyone(self, channel: simcord.ChannelHandle) -> None:
        self.show_role(channel, self.guild.default_role)

    def show_role(self, channel: simcord.ChannelHandle, role: simcord.RoleHandle) -> None:
        allowed = discord.Permissions(view_channel=True).value
        overwrite = Overwrite(role.id, OverwriteType.ROLE, allow=allowed, deny=0)
        self.env.backend.set_overwrite(channel.id, overwrite)

    def forbid(
        self, channel: simcord.ChannelHandle, member: simcord.MemberActor, *permissions: str
    ) -> None:
        """An admin takes something from somebody in one channel."""
        denied = discord.Permissions(**dict.fromkeys(permissions, True))
        self._overwrite(channel, member.id, deny=denied)

    def _overwrite(
        self,
        channel: simcord.ChannelHandle,
        user_id: int,
        *,
        allow: discord.Permissions = NONE,
        deny: discord.Permissions = NONE,
    ) -> None:
        """Changes what it names and leaves the rest of what the member has there."""
        overwrites = self.env.backend.get_channel(channel.id).overwrites
        before = next(
            (o for o in overwrites if o.target_id == user_id),
            Overwrite(user_id, OverwriteType.MEMBER),
        )
        after = Overwrite(
            user_id,
            OverwriteType.MEMBER,
            allow=before.allow & ~deny.value | allow.value,
            deny=before.deny & ~allow.value | deny.value,
        )
        self.env.backend.set_overwrite(channel.id, after)

    def forbid_bot_everywhere(self, permissions: discord.Permissions) -> None:
        """An admin takes something from the bot's role."""
        for role_id in self.env.backend.get_member(self.guild.id, self.bot_id).role_ids:
            role = self.env.backend.get_role(self.guild.id, role_id)
            self.env.backend.edit_role(
                self.guild.id, role_id, {"permissions": role.permissions & ~permissions.value}
            )

    def neighbour(self) -> World:
        """Another guild that has the bot too, with people of its own."""
        return _populate(self.env, self.bot, self.settings, self.sql, "The other guild")

    def write_unheard(
        self, member: simcord.MemberActor, channel: simcord.ChannelHandle, text: str
    ) -> None:
        """A message that the bot is not told of, since it does not run."""
        self.env.backend.create_message(channel.id, member.id, text, broadcast=False)

    def says(self, channel: simcord.ChannelHandle) -> list[str]:
        """What the bot has written in a channel, but for private answers."""
        return [
            words(message)
            for message in channel.history()
            if message.author.id == self.bot_id and not message.flags.ephemeral
        ]

    # --- the truth

    async def ticket(self, channel: simcord.ChannelHandle) -> Ticket:
        """Also when the channel is gone already."""
        ticket = await self.tickets.ticket_in_channel(self.guild.id, channel.id)
        assert ticket is not None
        return ticket

    async def request(self, channel: simcord.ChannelHandle) -> CloseRequest:
        request = await self.tickets.latest_request((await self.ticket(channel)).id)
        assert request is not None
        return request

    async def request_statuses(self, channel: simcord.ChannelHandle) -> list[str]:
        """Of all requests of a ticket, oldest first."""
        ticket = await self.ticket(channel)
        rows = await self.sql.fetch(
            "select status from punctual.close_requests where ticket_id = $1 order by id", ticket.id
        )
        return [row["status"] for row in rows]

    async def count(self, table: str) -> int:
        return await self.sql.fetchval(f"select count(*) from punctual.{table}")

    async def is_closed(self, channel: simcord.ChannelHandle) -> bool:
        return (await self.ticket(channel)).status is TicketStatus.CLOSED

    async def until_closed(self, channel: simcord.ChannelHandle) -> None:
        await eventually(lambda: self.is_closed(channel))
        await self.env.settle()

    def exists(self, channel: simcord.ChannelHandle) -> bool:
        return channel.id in self.env.backend.channels

    async def pass_deadline(self, channel: simcord.ChannelHandle) -> None:
        """The deadline of the pending request comes, as if the time had gone by."""
        ticket = await self.ticket(channel)
        await self.scheduler.cancel_auto_close_for_ticket(ticket.id)
        await self.move_deadline(channel)
        await self.scheduler.schedule_auto_close(ticket.id, 0)

    async def move_deadline(self, channel: simcord.ChannelHandle) -> None:
        """Only the row: what is in Redis is out of date then, as after an outage."""
        ticket = await self.ticket(channel)
        await self.sql.execute(
            """update punctual.close_requests
               set auto_close_at = now() - interval '1500 milliseconds'
               where ticket_id = $1 and status = 'pending'""",
            ticket.id,
        )

    async def hurry_effects(self) -> None:
        """What waits for its next attempt is tried now."""
        await self.sql.execute("update punctual.effects set due_at = now()")

    async def half_done(self, ticket_id: int, *kinds: str, subject_id: int = 0) -> None:
        """As a killed process leaves it: begun, and perhaps done, but not recorded."""
        await self.sql.execute(
            """insert into punctual.effects (guild_id, ticket_id, kind, subject_id, attempts)
               select t.guild_id, t.id, kind, $3, 1 from punctual.tickets t,
                      unnest($2::text[]) with ordinality as kinds (kind, place)
               where t.id = $1 order by place""",
            ticket_id,
            list(kinds),
            subject_id,
        )

    async def until_all_is_told(self) -> None:
        """Discord has been told all that it was to be told."""

        async def is_told() -> bool:
            return not await self.sql.fetchval("select count(*) from punctual.effects")

        await eventually(is_told)
        await self.env.settle()

    async def effects_are_stuck(self) -> None:
        """From now on nothing more is told by this process."""
        await cast("PunctualBot", self.bot).effects.stop(timedelta(seconds=1))

    async def is_taken_back(self, ticket_id: int) -> bool:
        return await self.tickets.ticket(ticket_id) is None

    async def effect_failures(self, number: int) -> bool:
        """Whether something that Discord is to be told has failed so often."""
        return await self.sql.fetchval(
            "select exists (select from punctual.effects where failures = $1)", number
        )

    async def pass_half(self, channel: simcord.ChannelHandle) -> None:
        """A little more than half of the time until the deadline goes by."""
        ticket = await self.ticket(channel)
        await self.sql.execute(
            """update punctual.close_requests r
               set requested_at = r.requested_at - past.half,
                   auto_close_at = r.auto_close_at - past.half
               from (select id, (auto_close_at - requested_at) / 2 + interval '1 second' as half
                     from punctual.close_requests) as past
               where past.id = r.id and r.ticket_id = $1 and r.status = 'pending'""",
            ticket.id,
        )
        await self.scheduler.reconcile()

    async def jobs(self, kind: str = "auto-close") -> list[str]:
        """Keys of the unfinished jobs of a kind in Redis."""
        assert self.settings.redis_address is not None
        redis = connect(self.settings.redis_address, socket_timeout=5)
        try:
            queue = f"{self.tickets.installation_id}:{QUEUE}"
            ids = await redis.zrange(f"saq:{queue}:incomplete", 0, -1)
        finally:
            await redis.aclose()
        keys = [job_id.decode().removeprefix(f"saq:job:{queue}:") for job_id in ids]
        return [key for key in keys if key.startswith(kind)]

    def sent(self) -> list[tuple[str, str, dict[str, Any]]]:
        """All requests to Discord in their order: method, path and body."""
        return [
            (entry.method, entry.path, cast("dict[str, Any]", entry.json or {}))
            for entry in self.env.http_requests
            if not isinstance(entry.json, list)
        ]

    # --- the end

    def check(self) -> None:
        """Nothing went wrong behind the scenes, and Discord could read all that was sent."""
        harmless = (UserError, ChannelError, *self.provoked)
        unexpected = [e for e in self.env.errors if not isinstance(_original(e), harmless)]
        if unexpected:
            raise BaseExceptionGroup("the bot raised", unexpected)
        assert self.complaints() == []

    def complaints(self) -> list[str]:
        """What Discord's own OpenAPI document has against the requests."""
        return [
            complaint
            for entry in self.env.http_requests
            for complaint in validate_body(entry.method, entry.path, entry.json)
        ]


@asynccontextmanager
async def a_world(
    settings: Settings,
    bot: commands.Bot | None = None,
    *,
    sql_url: str | None = None,
    locale: str | None = None,
) -> AsyncGenerator[World]:
    """To be entered inside a test, never in a fixture: simcord's clock belongs to one context.

    `sql_url` is the test's own way to the database, if it is not the bot's; `locale` the language
    that the server has in Discord.
    """
    bot = bot or create_bot(settings)
    sql = await asyncpg.connect(sql_url or settings.database_address)
    try:
        async with simcord.run(bot, check_errors=False) as env:
            world = _populate(env, bot, settings, sql, locale=locale)
            try:
                await world.set_up()
                yield world
                await env.settle()
            finally:
                await world.bot.close()
            world.check()
    finally:
        await sql.close()


def _populate(
    env: simcord.Env,
    bot: commands.Bot,
    settings: Settings,
    sql: asyncpg.Connection[asyncpg.Record],
    name: str = "The guild",
    *,
    locale: str | None = None,
) -> World:
    guild = env.create_guild(name, preferred_locale=locale)
    support = guild.create_role("Support")
    managers = guild.create_role("Managers", permissions=discord.Permissions(manage_guild=True))
    visible = discord.PermissionOverwrite(view_channel=True)
    assert bot.user is not None
    return World(
        env,
        bot,
        settings,
        sql,
        guild,
        support,
        logs=guild.create_text_channel(
            "logs",
            overwrites={
                guild.default_role: discord.PermissionOverwrite(view_channel=False),
                support: visible,
                managers: visible,
                bot.user: visible,
            },
        ),
        lobby=guild.create_text_channel("lobby"),
        boss=guild.add_member(env.create_user("boss"), roles=[managers]),
        sam=guild.add_member(env.create_user("sam"), roles=[support]),
        amy=guild.add_member(env.create_user("amy")),
        eve=guild.add_member(env.create_user("eve")),
    )


def _original(error: BaseException) -> BaseException:
    """Without discord.py's wrapping. What users are told in a sentence travels as an exception."""
    return error.original if isinstance(error, app_commands.CommandInvokeError) else error
