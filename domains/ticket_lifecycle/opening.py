"""Opening a ticket: a row that reserves the number, then the channel, then the first message.

A process killed in between leaves a row marked `opening`; `resume` completes it if its channel
was made, and takes it back if not.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

from domains.database import Database
from domains.ticket_lifecycle import sql
from domains.ticket_lifecycle.channels import (
    ChannelError,
    ChannelGoneError,
    ChannelLimitError,
    DiscordFailedError,
    PermissionMissingError,
    TicketChannels,
)
from domains.ticket_lifecycle.errors import (
    AlreadyOpeningError,
    CannotOpenError,
    TooManyTicketsError,
)
from domains.ticket_lifecycle.models import GuildSettings, Ticket
from domains.ticket_lifecycle.text_input import sanitize

log = logging.getLogger(__name__)

MAX_SUBJECT_LENGTH = 200
MAX_CONCURRENT = 4
"""Each opening holds a database connection while Discord makes the channel."""


class TicketOpening:
    def __init__(self, database: Database, channels: TicketChannels, max_open_tickets: int) -> None:
        self._database = database
        self._channels = channels
        self._max_open_tickets = max_open_tickets
        self._slots = asyncio.Semaphore(MAX_CONCURRENT)
        self._openers = set[tuple[int, int]]()

    async def open(self, guild_id: int, opener_id: int, subject: str) -> Ticket:
        """PostgreSQL tells of an opening that is under way elsewhere; of one here, we know before
        the second has come so far as to ask."""
        opener = (guild_id, opener_id)
        if opener in self._openers:
            raise AlreadyOpeningError
        self._openers.add(opener)
        try:
            return await self._open(guild_id, opener_id, subject)
        finally:
            self._openers.remove(opener)

    async def _open(self, guild_id: int, opener_id: int, subject: str) -> Ticket:
        ticket, guild = await self._reserve(
            guild_id, opener_id, sanitize(subject, MAX_SUBJECT_LENGTH)
        )
        async with self._slots, self._database.exclusive(_lock(ticket.id)) as mine:
            if not mine or await self._was_taken_back(ticket.id):
                raise CannotOpenError("it took too long; try again.")
            try:
                channel_id = await self._create(ticket, guild)
            except ChannelError as error:
                await self._delete(ticket.id)
                raise CannotOpenError(_why(error)) from error
            return await self._complete(ticket, guild, channel_id, again=False)

    async def _create(self, ticket: Ticket, guild: GuildSettings) -> int:
        try:
            return await self._channels.create(ticket, guild)
        except DiscordFailedError:
            # Only the answer may have been lost.
            channel_id = await self._channels.find(ticket)
            if channel_id is None:
                raise
            return channel_id

    async def _reserve(
        self, guild_id: int, opener_id: int, subject: str
    ) -> tuple[Ticket, GuildSettings]:
        async with self._database.transaction() as transaction:
            connection = transaction.connection
            guild = await sql.lock_guild(connection, guild_id)
            unclosed, opening = await sql.open_ticket_counts(connection, guild_id, opener_id)
            if opening:
                raise AlreadyOpeningError
            if unclosed >= self._max_open_tickets:
                raise TooManyTicketsError(self._max_open_tickets)
            ticket = await sql.insert_ticket(connection, guild_id, opener_id, subject)
        return ticket, guild

    async def _complete(
        self, ticket: Ticket, guild: GuildSettings, channel_id: int, *, again: bool
    ) -> Ticket:
        async with self._database.transaction() as transaction:
            connection = transaction.connection
            opened = await sql.set_channel(connection, ticket.id, channel_id)
            if opened is None:
                raise CannotOpenError("it was taken back meanwhile; try again.")
            if ticket.channel_id is None:
                await sql.add_event(connection, ticket.id, "opened", ticket.opener_id)
        try:
            await self._channels.welcome(opened, guild, again=again)
        except DiscordFailedError:
            log.warning("Ticket %s has no welcome yet; it will be posted", ticket.id, exc_info=True)
            return opened
        except ChannelError as error:
            log.warning("Ticket %s has no welcome: %s", ticket.id, error)
        async with self._database.connection() as connection:
            await sql.finish_opening(connection, ticket.id)
        return opened

    async def _was_taken_back(self, ticket_id: int) -> bool:
        """A long wait for a slot may have looked like a crash to another process."""
        async with self._database.connection() as connection:
            return await sql.ticket(connection, ticket_id) is None

    async def _delete(self, ticket_id: int) -> None:
        async with self._database.connection() as connection:
            await sql.delete_ticket(connection, ticket_id)

    async def resume(self, older_than: timedelta) -> None:
        """Complete or take back what a crash left half open."""
        async with self._database.connection() as connection:
            unfinished = await sql.unfinished_openings(connection, older_than)
        for ticket in unfinished:
            try:
                await self._resume(ticket.id)
            except ChannelError as error:
                log.warning("Opening of ticket %s cannot go on yet: %s", ticket.id, error)
            except Exception:
                log.exception("Opening of ticket %s cannot go on yet", ticket.id)

    async def _resume(self, ticket_id: int) -> None:
        async with self._slots, self._database.exclusive(_lock(ticket_id)) as mine:
            if not mine:
                return
            async with self._database.connection() as connection:
                ticket = await sql.ticket(connection, ticket_id)
                if ticket is None:
                    return
                guild = await sql.guild_settings(connection, ticket.guild_id)
            channel_id = ticket.channel_id or await self._channels.find(ticket)
            if channel_id is None:
                log.info("Ticket %s never got its channel and is taken back", ticket_id)
                await self._delete(ticket_id)
            else:
                await self._complete(ticket, guild, channel_id, again=True)


def _lock(ticket_id: int) -> str:
    return f"open ticket {ticket_id}"


def _why(error: ChannelError) -> str:
    match error:
        case PermissionMissingError() | ChannelLimitError():
            return str(error).rstrip(".") + "."
        case ChannelGoneError():
            return "the category for tickets is gone; ask an admin to run `/setup` again."
        case _:
            return "Discord did not answer; try again in a minute."
