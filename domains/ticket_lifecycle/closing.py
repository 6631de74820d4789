"""The closing sequence: transcript, log message, DM, channel, and each at most once.

Every step that is done is recorded before the next begins, so that a process killed anywhere is
continued by whoever comes next. A step that may have been done just before the crash is looked
for before it is done `again`. Nothing is deleted before the transcript is saved.
"""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import UTC, datetime, timedelta

from domains.database import Database, DatabaseUnavailable
from domains.monitoring.telemetry import NO_TELEMETRY, Telemetry
from domains.ticket_lifecycle import sql
from domains.ticket_lifecycle.channels import (
    ChannelError,
    ChannelGoneError,
    DiscordAwayError,
    PermissionMissingError,
    TicketChannels,
)
from domains.ticket_lifecycle.discord_status import DiscordStatus
from domains.ticket_lifecycle.models import (
    MAX_CLOSE_ATTEMPTS,
    AutoCloseOutcome,
    CloseStep,
    GuildSettings,
    Ticket,
)
from domains.transcripts import SavedTranscript, TranscriptHeader, TranscriptStore

log = logging.getLogger(__name__)

FIRST_RETRY = timedelta(minutes=1)
LOOK_AGAIN = timedelta(minutes=15)
RESUME_SLACK = timedelta(seconds=30)
"""A job retries its own close; only what is later than that is taken up by reconciliation."""


class CloseSequence:
    def __init__(
        self,
        database: Database,
        channels: TicketChannels,
        transcripts: TranscriptStore,
        *,
        discord_status: DiscordStatus,
        max_concurrent: int,
        telemetry: Telemetry = NO_TELEMETRY,
    ) -> None:
        self._database = database
        self._channels = channels
        self._transcripts = transcripts
        self._discord_status = discord_status
        # A close holds a connection for its lock and needs others: they must not run out.
        self._slots = asyncio.Semaphore(min(max_concurrent, database.max_connections // 4))
        self._telemetry = telemetry

    async def run(self, ticket_id: int) -> AutoCloseOutcome:
        """Take the ticket from where its close stands to its end.

        Raises what Discord raised; the fourth time a person is asked, too. What no try can fix
        ends in `attention` at once.
        """
        async with self._slots, self._database.exclusive(f"close ticket {ticket_id}") as mine:
            if not mine:
                return AutoCloseOutcome.BEING_CLOSED
            async with self._database.connection() as connection:
                ticket = await sql.begin_close_attempt(connection, ticket_id)
                if ticket is None:
                    return AutoCloseOutcome.ALREADY_CLOSED
                guild = await sql.guild_settings(connection, ticket.guild_id)
            try:
                with self._discord_status.translate_errors():
                    await self._go_on(ticket, guild)
            except PermissionMissingError as error:
                await self.ask_for_attention(ticket_id, str(error))
                return AutoCloseOutcome.NEEDS_ATTENTION
            except (*DatabaseUnavailable, DiscordAwayError):
                raise  # no failure of the close: it goes on as soon as they are back
            except Exception as error:
                await self._count_failure(ticket_id, error)
                raise
            return AutoCloseOutcome.CLOSED

    async def _go_on(self, ticket: Ticket, guild: GuildSettings) -> None:
        steps = list(CloseStep)
        done = steps.index(ticket.close_step) + 1 if ticket.close_step else 0
        again = ticket.close_attempts > 1
        for step in steps[done:]:
            began = time.perf_counter()
            await self._do(step, ticket, guild, again=again)
            self._telemetry.close_step_done(step.value, time.perf_counter() - began)
            async with self._database.connection() as connection:
                await sql.finish_step(connection, ticket.id, step)
            again = False
        async with self._database.transaction() as transaction:
            if await sql.mark_closed(transaction.connection, ticket.id):
                await sql.add_event(
                    transaction.connection, ticket.id, "closed", ticket.closed_by_id
                )

    async def _do(
        self, step: CloseStep, ticket: Ticket, guild: GuildSettings, *, again: bool
    ) -> None:
        match step:
            case CloseStep.TRANSCRIPT:
                await self._save_transcript(ticket)
            case CloseStep.LOG:
                transcript = await asyncio.to_thread(
                    self._transcripts.find, ticket.guild_id, ticket.id
                )
                await self._channels.log_close(ticket, guild, transcript, again=again)
            case CloseStep.DM:
                await self._channels.dm_opener(ticket, again=again)
            case CloseStep.CHANNEL:
                await self._channels.remove(ticket)

    async def _save_transcript(self, ticket: Ticket) -> SavedTranscript | None:
        try:
            names = await self._channels.names(ticket)
            header = TranscriptHeader(
                guild_name=names.guild,
                channel_name=names.channel,
                ticket_number=ticket.number,
                ticket_id=ticket.id,
                guild_id=ticket.guild_id,
                subject=ticket.subject,
                opener_name=names.opener,
                opened_at=ticket.opened_at,
                closed_at=datetime.now(UTC),
                closed_by=names.closed_by,
                reason=ticket.close_reason,
            )
            return await self._transcripts.save(
                header, self._channels.history(ticket), self._channels.download
            )
        except ChannelGoneError:
            log.info("The channel of ticket %s is gone, so it has no transcript", ticket.id)
            return None

    async def _count_failure(self, ticket_id: int, error: Exception) -> None:
        why = _one_line(error)
        async with self._database.transaction() as transaction:
            ticket = await sql.record_close_failure(transaction.connection, ticket_id, FIRST_RETRY)
            if ticket is not None and not ticket.attention:
                await sql.add_event(transaction.connection, ticket_id, "close_failed", detail=why)
        if ticket is not None and ticket.close_failures >= MAX_CLOSE_ATTEMPTS:
            await self.ask_for_attention(ticket_id, f"the close keeps failing: {why}")

    async def ask_for_attention(self, ticket_id: int, why: str) -> None:
        """Record that a person is needed and say so once in the log channel."""
        async with self._database.transaction() as transaction:
            ticket = await sql.set_attention(transaction.connection, ticket_id, why)
            if ticket is None:
                return
            await sql.add_event(transaction.connection, ticket_id, "attention", detail=why)
            guild = await sql.guild_settings(transaction.connection, ticket.guild_id)
        log.warning("Ticket %s needs attention: %s", ticket_id, why)
        try:
            await self._channels.ask_for_attention(ticket, guild)
        except ChannelError as error:
            log.warning("Nobody could be told that ticket %s needs attention: %s", ticket_id, error)

    async def retry(self, ticket_id: int) -> None:
        """A person says that it is fixed. The attention stays until it proves true."""
        async with self._database.transaction() as transaction:
            if await sql.clear_failures(transaction.connection, ticket_id):
                await sql.add_event(transaction.connection, ticket_id, "retried")

    async def clear_attention(self, ticket_id: int) -> None:
        async with self._database.connection() as connection:
            await sql.clear_attention(connection, ticket_id)

    async def take_stale_attention(self) -> list[Ticket]:
        """What no person has taken up for a while is tried again: it may have fixed itself."""
        async with self._database.connection() as connection:
            return list(await sql.take_stale_attention(connection, LOOK_AGAIN))

    async def unfinished(self) -> list[int]:
        async with self._database.connection() as connection:
            return list(await sql.unfinished_closes(connection, RESUME_SLACK))


def _one_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
