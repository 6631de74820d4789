"""The life of a ticket, from the panel's button to the deleted channel, as one object.

The facade that cogs, jobs and other programs use; each part has a file of its own.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domains.database import Database, Transaction
from domains.monitoring.telemetry import NO_TELEMETRY, Telemetry
from domains.ticket_lifecycle import sql
from domains.ticket_lifecycle.channels import ChannelError, PermissionMissingError, TicketChannels
from domains.ticket_lifecycle.close_requests import CloseRequests, lock_open_ticket
from domains.ticket_lifecycle.closing import CloseSequence
from domains.ticket_lifecycle.discord_status import DiscordStatus
from domains.ticket_lifecycle.errors import (
    AlreadyExcludedError,
    NotExcludedError,
    NotTheOpenerError,
    TicketNotFoundError,
    TicketNotOpenError,
    TooManyTicketsError,
)
from domains.ticket_lifecycle.grace import Grace
from domains.ticket_lifecycle.models import (
    AutoCloseOutcome,
    CloseCause,
    CloseRequest,
    CloseTimer,
    GuildSettings,
    PendingClose,
    Ticket,
    TicketEvent,
    TicketStatus,
)
from domains.ticket_lifecycle.opening import TicketOpening
from domains.ticket_lifecycle.text_input import MAX_REASON_LENGTH, sanitize
from domains.ticket_lifecycle.timers import CloseTimers
from domains.transcripts import TranscriptStore

log = logging.getLogger(__name__)

RESUME_AFTER = timedelta(seconds=5)
"""A half-done opening or asking younger than this may still be under way elsewhere."""


EXTENSION = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class LifecyclePolicy:
    """The operator's choices that this domain acts on."""

    max_open_tickets: int = 5
    min_close_delay: timedelta = timedelta(minutes=1)
    close_at_once_without_timer: bool = False
    """What `AUTO_CLOSE_WITHOUT_REDIS=immediate` means: no timer, no waiting."""
    max_concurrent_closes: int = 5
    outage_grace: timedelta = timedelta(minutes=10)
    max_extensions: int = 3


class TicketLifecycle:
    def __init__(
        self,
        database: Database,
        channels: TicketChannels,
        timers: CloseTimers,
        transcripts: TranscriptStore,
        policy: LifecyclePolicy | None = None,
        *,
        telemetry: Telemetry = NO_TELEMETRY,
    ) -> None:
        self.policy = policy or LifecyclePolicy()
        self._database = database
        self._timers = timers
        self._channels = channels
        self.discord_status = DiscordStatus()
        self._opening = TicketOpening(database, channels, self.policy.max_open_tickets)
        self._requests = CloseRequests(database, channels, timers, self.policy.outage_grace)
        self._grace = Grace(
            database,
            channels,
            timers,
            self._requests,
            discord_status=self.discord_status,
            grace=self.policy.outage_grace,
        )
        self._closing = CloseSequence(
            database,
            channels,
            transcripts,
            discord_status=self.discord_status,
            max_concurrent=self.policy.max_concurrent_closes,
            telemetry=telemetry,
        )

    # --- opening

    async def open_ticket(self, guild_id: int, opener_id: int, subject: str) -> Ticket:
        """Raises TooManyTickets, AlreadyOpening or CannotOpen; then nothing is left behind."""
        try:
            return await self._opening.open(guild_id, opener_id, subject)
        except TooManyTicketsError:
            if not await self._end_tickets_without_channel(guild_id, opener_id):
                raise
            return await self._opening.open(guild_id, opener_id, subject)

    async def _end_tickets_without_channel(self, guild_id: int, opener_id: int) -> bool:
        """Tickets whose channels were deleted while the bot was down must not count for ever."""
        async with self._database.connection() as connection:
            unclosed = await sql.unclosed_tickets(connection, guild_id, opener_id)
        gone = [ticket for ticket in unclosed if not await self._channels.exists(ticket)]
        for ticket in gone:
            await self._channel_is_gone(ticket)
        return bool(gone)

    # --- asking to close

    async def request_close(
        self,
        ticket_id: int,
        requested_by_id: int,
        reason: str | None = None,
        auto_close_hours: float | None = None,
    ) -> tuple[int, str | None]:
        """Ask the opener, and close after `auto_close_hours` if they stay silent.

        A pending request is replaced. Returns the request's id and the timer's job id; that is
        None without a delay, for an excluded ticket, and while Redis is away.
        """
        request, job_id = await self.ask_to_close(
            ticket_id, requested_by_id, reason, auto_close_hours
        )
        if self.cannot_wait(request, job_id):
            await self.close_without_waiting(request)
        return request.id, job_id

    async def ask_to_close(
        self, ticket_id: int, requested_by_id: int, reason: str | None, hours: float | None
    ) -> tuple[CloseRequest, str | None]:
        """`request_close`, but what `cannot_wait` is left to the caller, who may have something
        to say before the channel goes."""
        return await self._requests.ask(ticket_id, requested_by_id, reason, hours)

    def cannot_wait(self, request: CloseRequest, job_id: str | None) -> bool:
        """There is a deadline, no job for it, and the operator chose not to wait without one."""
        return (
            self.policy.close_at_once_without_timer
            and request.auto_close_at is not None
            and job_id is None
        )

    async def close_without_waiting(self, request: CloseRequest) -> None:
        """Unless the ticket is excluded, or the request was answered while it was posted."""
        async with self._database.transaction() as transaction:
            ticket = await sql.lock_ticket(transaction.connection, request.ticket_id)
            if ticket is None or ticket.exclude_from_autoclose:
                return
            closed = await self._requests.resolve_as_closed(
                transaction, ticket.id, request.requested_by_id, request.id
            )
            if closed is None:
                return
            await self._mark_closing(
                transaction,
                ticket.id,
                CloseCause.WITHOUT_REDIS,
                request.requested_by_id,
                request.reason,
            )
        await self._requests.show_outcome(ticket, closed)
        await self._closing.run(ticket.id)

    async def _mark_closing(
        self,
        transaction: Transaction,
        ticket_id: int,
        cause: CloseCause,
        closed_by_id: int | None,
        reason: str | None,
    ) -> Ticket:
        """The ticket must be locked, and open."""
        connection = transaction.connection
        closing = await sql.mark_closing(connection, ticket_id, cause, closed_by_id, reason)
        assert closing is not None
        await sql.add_event(connection, ticket_id, "closing", closed_by_id, detail=cause.value)
        return closing

    async def accept_close_request(
        self, ticket_id: int, user_id: int, close_request_id: int | None = None
    ) -> Ticket:
        """The opener agrees and the ticket closes. Raises a UserError that says why not."""
        ticket = await self._requests.accept(ticket_id, user_id, close_request_id)
        await self._closing.run(ticket_id)
        return ticket

    async def cancel_close_request(
        self, ticket_id: int, user_id: int, close_request_id: int | None = None
    ) -> CloseRequest:
        """Deny (by the opener) or withdraw (by staff). Raises a UserError that says why not."""
        return await self._requests.cancel(ticket_id, user_id, close_request_id)

    async def withdraw_close_request(
        self, ticket_id: int, user_id: int, close_request_id: int | None = None
    ) -> CloseRequest:
        """As staff, even where the ticket is one's own. Raises a UserError that says why not."""
        return await self._requests.cancel(ticket_id, user_id, close_request_id, as_staff=True)

    async def ask_for_more_time(
        self,
        ticket_id: int,
        user_id: int,
        close_request_id: int | None = None,
        extensions: int | None = None,
    ) -> CloseRequest:
        """The opener moves the deadline by a day, a few times. Raises a UserError if not.

        With the number of `extensions` that the opener knows of, asking twice moves it once.
        """
        ticket = await self.ticket(ticket_id)
        if ticket is not None and user_id != ticket.opener_id:
            raise NotTheOpenerError("ask for more time")
        return await self._requests.extend(
            ticket_id,
            user_id,
            close_request_id,
            EXTENSION,
            self.policy.max_extensions,
            extensions=extensions,
        )

    async def extend_close_request(
        self, ticket_id: int, user_id: int, close_request_id: int | None = None
    ) -> CloseRequest:
        """Staff moves the deadline by a day, as often as it likes."""
        return await self._requests.extend(ticket_id, user_id, close_request_id, EXTENSION, None)

    async def note_opener_reply(
        self, guild_id: int, channel_id: int, author_id: int, message_id: int
    ) -> bool:
        """Tell of a message in a channel. True if it answered a pending timed request."""
        return await self._requests.note_reply(guild_id, channel_id, author_id, message_id)

    # --- closing

    async def auto_close(
        self, ticket_id: int, close_request_id: int | None = None
    ) -> AutoCloseOutcome:
        """Close the ticket if its time is up, or go on with a close that was interrupted.

        Any number of calls close once. Raises what Discord or PostgreSQL raised if another try
        may succeed; DiscordAwayError if it is no use before Discord is back.
        """
        try:
            with self.discord_status.translate_errors():
                refusal = await self._requests.expire(ticket_id, close_request_id)
        except PermissionMissingError as error:
            # No retry fixes a 403. The request stays pending: the timer is not switched off.
            await self._closing.ask_for_attention(ticket_id, str(error))
            return AutoCloseOutcome.NEEDS_ATTENTION
        if refusal in (None, AutoCloseOutcome.NOT_PENDING):
            ticket = await self.ticket(ticket_id)
            if (
                ticket is not None
                and ticket.status is TicketStatus.CLOSING
                and ticket.close_cause is CloseCause.EXPIRED
            ):
                if ticket.attention is not None:
                    return AutoCloseOutcome.NEEDS_ATTENTION
                return await self._closing.run(ticket_id)
        return refusal or AutoCloseOutcome.ALREADY_CLOSED

    async def give_up_auto_close(self, ticket_id: int, error: str) -> None:
        """The last retry failed: a person is needed, the request stays as it is."""
        ticket = await self.ticket(ticket_id)
        if ticket is not None and not ticket.attention:
            await self._closing.ask_for_attention(
                ticket_id, f"the automatic close keeps failing: {error}"
            )

    async def close_ticket(
        self, ticket_id: int, closed_by_id: int, reason: str | None = None
    ) -> Ticket:
        """Raises TicketNotOpen if someone else came first."""
        ticket = await self.begin_close(ticket_id, closed_by_id, reason)
        await self.finish_close(ticket_id)
        return ticket

    async def begin_close(
        self, ticket_id: int, closed_by_id: int, reason: str | None = None
    ) -> Ticket:
        """Decide it, for those who have something to say before `finish_close`; that is done
        sooner or later in any case. Raises TicketNotOpen if someone else came first."""
        reason = sanitize(reason, MAX_REASON_LENGTH) or None
        return await self._begin_close(ticket_id, CloseCause.COMMAND, closed_by_id, reason)

    async def finish_close(self, ticket_id: int) -> None:
        await self._closing.run(ticket_id)

    async def _begin_close(
        self, ticket_id: int, cause: CloseCause, closed_by_id: int | None, reason: str | None
    ) -> Ticket:
        async with self._database.transaction() as transaction:
            ticket = await lock_open_ticket(transaction, ticket_id)
            request = await self._requests.resolve_as_closed(transaction, ticket_id, closed_by_id)
            closing = await self._mark_closing(transaction, ticket_id, cause, closed_by_id, reason)
        if request is not None and cause is not CloseCause.CHANNEL_DELETED:
            await self._requests.show_outcome(ticket, request)
        return closing

    async def note_channel_deleted(self, guild_id: int, channel_id: int) -> None:
        """The channel was deleted by hand: the ticket is over, and its timer too."""
        ticket = await self.ticket_in_channel(guild_id, channel_id)
        if ticket is None:
            return
        if ticket.status is TicketStatus.OPEN:
            await self._channel_is_gone(ticket)
        elif ticket.status is TicketStatus.CLOSING and ticket.attention is not None:
            # An admin has done by hand what the bot may not.
            await self._closing.run(ticket.id)

    async def _channel_is_gone(self, ticket: Ticket) -> None:
        with suppress(TicketNotOpenError):  # someone else came first, and that is as good
            await self._begin_close(
                ticket.id, CloseCause.CHANNEL_DELETED, None, "The channel was deleted."
            )
            await self.finish_close(ticket.id)

    async def clear_attention(self, ticket_id: int) -> None:
        """A person has fixed it, and the caller is going to try again."""
        await self._closing.retry(ticket_id)
        await self._closing.clear_attention(ticket_id)

    async def retry_close(self, ticket_id: int) -> AutoCloseOutcome:
        """A person has fixed what kept the ticket from closing."""
        await self._closing.retry(ticket_id)
        ticket = await self.ticket(ticket_id)
        if ticket is not None and ticket.status is TicketStatus.CLOSING:
            return await self._closing.run(ticket_id)
        outcome = await self.auto_close(ticket_id)
        if outcome is not AutoCloseOutcome.NEEDS_ATTENTION:
            await self._closing.clear_attention(ticket_id)
        return outcome

    # --- the timer on and off

    async def exclude_from_autoclose(self, ticket_id: int, user_id: int) -> CloseRequest | None:
        """Returns the pending request whose timer this switches off, if there is one."""
        async with self._database.transaction() as transaction:
            connection = transaction.connection
            ticket = await lock_open_ticket(transaction, ticket_id)
            if await sql.set_excluded(connection, ticket_id, excluded=True) is None:
                raise AlreadyExcludedError
            await sql.add_event(connection, ticket_id, "excluded", user_id)
            request = await sql.pending_request(connection, ticket_id)
            if request is not None:
                await sql.set_stale(connection, request.id)
                self._requests.cancel_timer_after_commit(transaction, request)
        if request is None or request.auto_close_at is None:
            return None
        await self._requests.show_deadline(replace(ticket, exclude_from_autoclose=True), request)
        return request

    async def include_in_autoclose(self, ticket_id: int, user_id: int) -> CloseRequest | None:
        """Returns the pending request whose timer runs again, if there is one.

        A deadline that passed meanwhile is moved: nobody loses a ticket the moment it is
        included again.
        """
        async with self._database.transaction() as transaction:
            connection = transaction.connection
            ticket = await lock_open_ticket(transaction, ticket_id)
            if await sql.set_excluded(connection, ticket_id, excluded=False) is None:
                raise NotExcludedError
            await sql.add_event(connection, ticket_id, "included", user_id)
            request = await sql.pending_request(connection, ticket_id)
            if request is not None and request.auto_close_at is not None:
                request = await sql.move_deadline(
                    connection, request.id, self.policy.min_close_delay
                )
            included = replace(ticket, exclude_from_autoclose=False)
            if request is not None:
                self._requests.schedule_after_commit(transaction, included, request)
        if request is None or request.auto_close_at is None:
            return None
        await self._requests.show_deadline(included, request)
        return request

    # --- what the scheduler asks

    async def timer_of_ticket(self, ticket_id: int) -> CloseTimer | None:
        async with self._database.connection() as connection:
            return await sql.timer_of_ticket(connection, ticket_id)

    async def timers_after(self, close_request_id: int, limit: int) -> Sequence[CloseTimer]:
        async with self._database.connection() as connection:
            return await sql.timers_after(connection, close_request_id, limit)

    async def overdue_timers(self, overdue_for: timedelta, limit: int) -> Sequence[CloseTimer]:
        async with self._database.connection() as connection:
            return await sql.overdue_timers(connection, overdue_for, limit)

    async def wanted_timers(self, ticket_ids: Sequence[int]) -> Sequence[CloseTimer]:
        async with self._database.connection() as connection:
            return await sql.wanted_timers(connection, ticket_ids)

    async def time_left(self, close_request_id: int) -> timedelta | None:
        async with self._database.connection() as connection:
            return await sql.time_left(connection, close_request_id)

    async def record_heartbeat(self) -> None:
        """By which outages are detected; to be called before the first job runs."""
        await self._grace.record_heartbeat()

    async def resume_unfinished(self) -> None:
        """Take up what a crash or a failure left half done: openings, questions, closes."""
        if not self.discord_status.connected:
            return
        unfinished = await self._closing.unfinished()
        await asyncio.gather(*(self._try_again(self._closing.run(id_), id_) for id_ in unfinished))
        await self._grace.announce_grace()
        await self._opening.resume(RESUME_AFTER)
        await self._requests.resume(RESUME_AFTER)
        await self._requests.sync_stale_messages()
        for ticket in await self._closing.take_stale_attention():
            again = self._closing.run if ticket.status is TicketStatus.CLOSING else self.auto_close
            await self._try_again(again(ticket.id), ticket.id)

    async def _try_again(self, close: Awaitable[AutoCloseOutcome], ticket_id: int) -> None:
        try:
            await close
        except ChannelError as error:
            log.warning("The close of ticket %s is still unfinished: %s", ticket_id, error)
        except Exception:
            log.exception("The close of ticket %s is still unfinished", ticket_id)

    # --- reading

    def now(self) -> datetime:
        """By PostgreSQL's clock, as all deadlines are."""
        return self._database.clock.moment()

    async def ticket(self, ticket_id: int) -> Ticket | None:
        async with self._database.connection() as connection:
            return await sql.ticket(connection, ticket_id)

    async def ticket_in_channel(self, guild_id: int, channel_id: int) -> Ticket | None:
        async with self._database.connection() as connection:
            return await sql.ticket_in_channel(connection, guild_id, channel_id)

    async def require_ticket(self, guild_id: int | None, channel_id: int | None) -> Ticket:
        """The ticket of this channel. Raises TicketNotFound if it is none."""
        if guild_id is not None and channel_id is not None:
            ticket = await self.ticket_in_channel(guild_id, channel_id)
            if ticket is not None:
                return ticket
        raise TicketNotFoundError

    async def close_request(self, close_request_id: int) -> CloseRequest | None:
        async with self._database.connection() as connection:
            return await sql.close_request(connection, close_request_id)

    async def latest_request(self, ticket_id: int) -> CloseRequest | None:
        """The pending request, else the last one."""
        async with self._database.connection() as connection:
            return await sql.latest_request(connection, ticket_id)

    async def events(self, ticket_id: int) -> Sequence[TicketEvent]:
        async with self._database.connection() as connection:
            return await sql.events(connection, ticket_id)

    async def pending_closes(
        self, guild_id: int, limit: int, offset: int = 0
    ) -> tuple[Sequence[PendingClose], int]:
        """A page of the guild's deadlines, soonest first, and how many there are in all."""
        async with self._database.connection() as connection:
            return await sql.pending_closes(connection, guild_id, limit, offset)

    async def recent_lateness(self, guild_id: int, limit: int) -> Sequence[int]:
        """How late the guild's last timed closes were decided, in milliseconds, newest first."""
        async with self._database.connection() as connection:
            return await sql.recent_lateness(connection, guild_id, limit)

    async def count_attention(self, guild_id: int) -> int:
        async with self._database.connection() as connection:
            return await sql.count_attention(connection, guild_id)

    # --- a guild's choices

    async def guild_settings(self, guild_id: int) -> GuildSettings:
        async with self._database.connection() as connection:
            return await sql.guild_settings(connection, guild_id)

    async def save_guild_settings(self, settings: GuildSettings) -> None:
        async with self._database.connection() as connection:
            await sql.save_guild_settings(connection, settings)
