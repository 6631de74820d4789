"""The life of a ticket, from the panel's button to the deleted channel, as one object.

The facade that cogs, jobs and other programs use; each use case has a file of its own.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from domains.database import Database, Transaction
from domains.effects import EffectRunner
from domains.effects import store as effects
from domains.effects.effect import Lane, NeedsPersonError
from domains.effects.store import PendingEffect
from domains.policy import stored
from domains.ticket_lifecycle.admission import MemberFacts
from domains.ticket_lifecycle.answer_request import AnswerRequest
from domains.ticket_lifecycle.ask_to_close import AskToClose
from domains.ticket_lifecycle.block_member import BlockMember
from domains.ticket_lifecycle.channels import ChannelError, TicketChannels
from domains.ticket_lifecycle.clean_up import CleanUp
from domains.ticket_lifecycle.close_ticket import CloseTicket
from domains.ticket_lifecycle.discord_status import DiscordStatus
from domains.ticket_lifecycle.effects import ticket_effects
from domains.ticket_lifecycle.errors import (
    NotTheOpenerError,
    TicketNotFoundError,
    TooManyTicketsError,
)
from domains.ticket_lifecycle.exclude_ticket import ExcludeTicket
from domains.ticket_lifecycle.expire_requests import Decision, ExpireRequests, why_not
from domains.ticket_lifecycle.explanation import Explanation, explain
from domains.ticket_lifecycle.export_member import ExportMember
from domains.ticket_lifecycle.extend_deadline import ExtendDeadline
from domains.ticket_lifecycle.forget_member import ForgetMember
from domains.ticket_lifecycle.grace import Grace
from domains.ticket_lifecycle.models import (
    AutoCloseOutcome,
    CloseCause,
    CloseRequest,
    GuildSettings,
    Ticket,
    TicketEvent,
    TicketStatus,
    TimedTicket,
)
from domains.ticket_lifecycle.open_ticket import OpenTicket
from domains.ticket_lifecycle.services import LifecyclePolicy, Scheduler, Services
from domains.ticket_lifecycle.store import (
    events,
    guilds,
    message_changes,
    requests,
    retention,
    tickets,
)
from domains.ticket_lifecycle.ticket_channel_index import TicketChannelIndex
from domains.transcripts import MessageChange, SavedTranscript, TranscriptStore

log = logging.getLogger(__name__)


class TicketLifecycle:
    def __init__(
        self,
        database: Database,
        channels: TicketChannels,
        effect_runner: EffectRunner,
        transcripts: TranscriptStore,
        policy: LifecyclePolicy | None = None,
    ) -> None:
        self.policy = policy or LifecyclePolicy()
        self.discord_status = DiscordStatus()
        self.services = Services(
            database=database,
            channels=channels,
            effects=effect_runner,
            transcripts=transcripts,
            status=self.discord_status,
            policy=self.policy,
        )
        self.channel_index = TicketChannelIndex(database)
        self._database = database
        self._channels = channels
        self._effects = effect_runner
        self._scheduler: Scheduler | None = None
        self._opening = OpenTicket(self.services)
        self._asking = AskToClose(self.services)
        self._answers = AnswerRequest(self.services)
        self._extending = ExtendDeadline(self.services)
        self._expiry = ExpireRequests(self.services)
        self._closing = CloseTicket(self.services)
        self._excluding = ExcludeTicket(self.services)
        self._grace = Grace(self.services)
        self.blocking = BlockMember(database)
        self.forgetting = ForgetMember(self.services, self._forget_jobs)
        self.exporting = ExportMember(self.services)
        self.cleanup = CleanUp(self.services, self.forgetting, self._forget_jobs)
        effect_runner.register(ticket_effects(self.services, self._answers, self._expiry))

    def set_scheduler(self, scheduler: Scheduler) -> None:
        """Whom to ask for the job that waits for a deadline; without one, there is none."""
        self._scheduler = scheduler

    async def _forget_jobs(self, ticket_ids: Sequence[int]) -> None:
        if self._scheduler is not None and ticket_ids:
            await self._scheduler.delete_finished_jobs(ticket_ids)

    # --- opening

    async def open_ticket(
        self,
        guild_id: int,
        opener_id: int,
        subject: str,
        member: MemberFacts | None = None,
        opener_locale: str | None = None,
    ) -> Ticket:
        """Without the facts of a `member`, rules about roles and ages are left to the caller.

        Raises why they may not, AlreadyOpening, Busy or CannotOpen; then nothing is left behind.
        """
        opening = partial(self._opening.open, guild_id, opener_id, subject, member, opener_locale)
        try:
            ticket = await opening()
        except TooManyTicketsError:
            if not await self._end_tickets_without_channel(guild_id, opener_id):
                raise
            ticket = await opening()
        self.channel_index.add(ticket)
        return ticket

    async def _end_tickets_without_channel(self, guild_id: int, opener_id: int) -> bool:
        """Channels that were deleted while nobody was looking must not count for ever."""
        async with self._database.connection() as connection:
            unclosed = await tickets.open_of(connection, guild_id, opener_id)
        gone = [ticket for ticket in unclosed if not await self._channels.exists(ticket)]
        for ticket in gone:
            await self._closing.channel_deleted(ticket)
            await self._effects.deliver(ticket.id)
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
        request = await self._asking.ask(ticket_id, requested_by_id, reason, hours)
        if request.auto_close_at is None or self._scheduler is None:
            return request, None
        return request, await self._scheduler.auto_close_job(ticket_id)

    def cannot_wait(self, request: CloseRequest, job_id: str | None) -> bool:
        """There is a deadline, no job for it though the opener has been asked, and the operator
        chose not to wait without one."""
        return (
            self.policy.close_at_once_without_timer
            and request.is_asked
            and request.auto_close_at is not None
            and job_id is None
        )

    async def close_without_waiting(self, request: CloseRequest) -> None:
        """Unless the ticket is excluded, or the request was answered while it was posted."""
        if await self._closing.without_timer(request):
            await self.finish_close(request.ticket_id)

    async def accept_close_request(
        self, ticket_id: int, user_id: int, close_request_id: int | None = None
    ) -> Ticket:
        """The opener agrees and the ticket closes. Raises a UserError that says why not."""
        ticket = await self._answers.accept(ticket_id, user_id, close_request_id)
        await self.finish_close(ticket_id)
        return ticket

    async def cancel_close_request(
        self, ticket_id: int, user_id: int, close_request_id: int | None = None
    ) -> CloseRequest:
        """Deny (by the opener) or withdraw (by staff). Raises a UserError that says why not."""
        request = await self._answers.cancel(ticket_id, user_id, close_request_id)
        await self.tell(ticket_id)
        return request

    async def withdraw_close_request(
        self, ticket_id: int, user_id: int, close_request_id: int | None = None
    ) -> CloseRequest:
        """As staff, even where the ticket is one's own. Raises a UserError that says why not."""
        request = await self._answers.cancel(ticket_id, user_id, close_request_id, as_staff=True)
        await self.tell(ticket_id)
        return request

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
            raise NotTheOpenerError("more_time")
        request = await self._extending.extend(
            ticket_id,
            user_id,
            close_request_id,
            at_most=self.policy.max_extensions,
            known_extensions=extensions,
        )
        await self.tell(ticket_id)
        return request

    async def extend_close_request(
        self, ticket_id: int, user_id: int, close_request_id: int | None = None
    ) -> CloseRequest:
        """Staff moves the deadline by a day, as often as it likes, to at most 30 days away."""
        request = await self._extending.extend(ticket_id, user_id, close_request_id)
        await self.tell(ticket_id)
        return request

    async def note_opener_reply(
        self, guild_id: int, channel_id: int, author_id: int, message_id: int
    ) -> bool:
        """Tell of a message in a channel. True if it answered a pending timed request."""
        ticket_id = await self.decide_opener_reply(guild_id, channel_id, author_id, message_id)
        if ticket_id is not None:
            await self.tell(ticket_id)
        return ticket_id is not None

    async def decide_opener_reply(
        self, guild_id: int, channel_id: int, author_id: int, message_id: int
    ) -> int | None:
        """`note_opener_reply` without waiting until the ticket says so; returns the ticket's id."""
        return await self._answers.note_reply(guild_id, channel_id, author_id, message_id)

    async def note_message_change(
        self, guild_id: int, channel_id: int, change: MessageChange
    ) -> None:
        """Tell of a message that was deleted or edited in a channel, or in a thread of it."""
        async with self._database.connection() as connection:
            await message_changes.add(connection, guild_id, channel_id, change)

    # --- closing

    async def auto_close(
        self, ticket_id: int, close_request_id: int | None = None
    ) -> AutoCloseOutcome:
        """Close the ticket if its time is up. Any number of calls close once.

        Raises what Discord or PostgreSQL raised, though the close goes on by itself once it is
        decided; DiscordAwayError if it is no use before Discord is back.
        """
        outcome = await self._expiry.auto_close(ticket_id, close_request_id)
        was_due = outcome in {AutoCloseOutcome.CLOSING, AutoCloseOutcome.BEING_READ}
        if outcome is AutoCloseOutcome.BEING_READ:
            await self.finish_close(ticket_id, Lane.READING)
            decided = await self.why_not_expired(ticket_id, close_request_id)
            if decided is not AutoCloseOutcome.NOT_ASKED:  # else it is read later
                outcome = decided
        ticket = await self.ticket(ticket_id)
        if ticket is None:
            return outcome
        if ticket.status is TicketStatus.CLOSING:
            await self.finish_close(ticket_id)
            ticket = await self.ticket(ticket_id) or ticket
        if ticket.attention is not None:
            return AutoCloseOutcome.NEEDS_ATTENTION
        is_closed = ticket.status is TicketStatus.CLOSED
        if was_due and is_closed and ticket.close_cause is CloseCause.EXPIRED:
            return AutoCloseOutcome.CLOSED
        return outcome

    async def require_current(self) -> None:
        """Raises DiscordAway if what Discord has said up to now may not have been heard yet."""
        await self._expiry.require_current()

    async def decide_expiry(self, transaction: Transaction, ticket_ids: Sequence[int]) -> Decision:
        """`auto_close` for many tickets at once, which must be locked."""
        return await self._expiry.decide(transaction, ticket_ids)

    async def why_not_expired(
        self, ticket_id: int, close_request_id: int | None = None
    ) -> AutoCloseOutcome:
        async with self._database.connection() as connection:
            return await why_not(connection, ticket_id, close_request_id)

    async def close_ticket(
        self, ticket_id: int, closed_by_id: int, reason: str | None = None
    ) -> Ticket:
        """Raises TicketNotOpen if somebody was faster."""
        ticket = await self.begin_close(ticket_id, closed_by_id, reason)
        await self.finish_close(ticket_id)
        return ticket

    async def begin_close(
        self, ticket_id: int, closed_by_id: int, reason: str | None = None
    ) -> Ticket:
        """Decide it, for those who have something to say before `finish_close`; that is done
        sooner or later in any case. Raises TicketNotOpen if somebody was faster."""
        return await self._closing.by_command(ticket_id, closed_by_id, reason)

    async def finish_close(self, ticket_id: int, lane: Lane = Lane.STORY) -> None:
        """Wait for transcript, log, DM and the channel's end. Raises what Discord raised; what
        needs a person is told in the ticket."""
        try:
            await self._effects.follow(ticket_id, lane)
        except NeedsPersonError:
            await self.tell(ticket_id, Lane.ATTENTION)

    async def tell(self, ticket_id: int, lane: Lane = Lane.STORY) -> None:
        """Wait until the ticket says what was decided. What Discord fails to show now is shown
        later."""
        try:
            await self._effects.follow(ticket_id, lane)
        except (ChannelError, NeedsPersonError) as error:
            log.info("Ticket %s is told later: %s", ticket_id, error or error.__cause__)

    async def note_channel_deleted(self, guild_id: int, channel_id: int) -> None:
        """Somebody deleted the channel by hand: the ticket is over, and its timers too."""
        self.channel_index.remove(channel_id)
        ticket = await self.ticket_in_channel(guild_id, channel_id)
        if ticket is not None:
            await self._closing.channel_deleted(ticket)
            await self.finish_close(ticket.id)

    async def note_server_left(self, guild_id: int) -> int:
        """The bot is no longer there: its tickets are over. Returns how many."""
        return await self._closing.server_left(guild_id)

    async def note_servers_present(self, guild_ids: Sequence[int]) -> None:
        """The bot is there (again): nothing of theirs is going to be deleted."""
        async with self._database.connection() as connection:
            await retention.note_present(connection, guild_ids)

    async def note_server_available(self, guild_id: int) -> None:
        """Discord has it again: what waited for that goes on at once."""
        async with self._database.transaction() as transaction:
            await effects.retry_guild_now(transaction.connection, guild_id)
        self._effects.wake()

    async def known_guilds(self) -> Sequence[int]:
        """Of which there is anything, but those that the bot is known to have left."""
        async with self._database.connection() as connection:
            return await retention.known_guilds(connection)

    async def clear_attention(self, ticket_id: int) -> None:
        async with self._database.transaction() as transaction:
            await tickets.clear_attention(transaction.connection, ticket_id)
            transaction.touch("ticket", ticket_id)

    async def retry_close(self, ticket_id: int, user_id: int = 0) -> Ticket | None:
        """A person has mended what kept the ticket from closing; 0 is an operator. Returns it as
        it is then."""
        await self._closing.retry(ticket_id, user_id)
        return await self.ticket(ticket_id)

    async def plan_retry(self, ticket_id: int, user_id: int | None = None) -> bool:
        """`retry_close` without waiting for it. False if there is no such ticket (any more)."""
        planned = await self._closing.plan_retry(ticket_id, user_id)
        self._effects.wake()
        return planned

    # --- the timer on and off

    async def exclude_from_autoclose(self, ticket_id: int, user_id: int) -> CloseRequest | None:
        """Returns the pending request whose timer this switches off, if there is one."""
        request = await self._excluding.exclude(ticket_id, user_id)
        await self.tell(ticket_id)
        return request

    async def include_in_autoclose(self, ticket_id: int, user_id: int) -> CloseRequest | None:
        """Returns the pending request whose timer runs again, if there is one."""
        request = await self._excluding.include(ticket_id, user_id)
        await self.tell(ticket_id)
        return request

    async def record_heartbeat(self) -> None:
        """What outages are told by; to be called before the first job runs, and every few
        seconds."""
        await self._grace.record_heartbeat()

    # --- reading

    @property
    def installation_id(self) -> str:
        """Part of every mark on a channel or a message."""
        return self._database.installation_id

    def now(self) -> datetime:
        """By PostgreSQL's clock, as all deadlines are."""
        return self._database.clock.moment()

    async def ticket(self, ticket_id: int) -> Ticket | None:
        async with self._database.connection() as connection:
            return await tickets.get(connection, ticket_id)

    async def ticket_in_channel(self, guild_id: int, channel_id: int) -> Ticket | None:
        async with self._database.connection() as connection:
            return await tickets.in_channel(connection, guild_id, channel_id)

    async def require_ticket(self, guild_id: int | None, channel_id: int | None) -> Ticket:
        """The ticket of this channel. Raises TicketNotFound if it is none."""
        if guild_id is not None and channel_id is not None:
            ticket = await self.ticket_in_channel(guild_id, channel_id)
            if ticket is not None:
                return ticket
        raise TicketNotFoundError

    async def close_request(self, close_request_id: int) -> CloseRequest | None:
        async with self._database.connection() as connection:
            return await requests.get(connection, close_request_id)

    async def latest_request(self, ticket_id: int) -> CloseRequest | None:
        """The pending request, else the last one."""
        async with self._database.connection() as connection:
            return await requests.latest(connection, ticket_id)

    async def time_left(self, close_request_id: int) -> timedelta | None:
        async with self._database.connection() as connection:
            return await requests.time_left(connection, close_request_id)

    async def events(self, ticket_id: int) -> Sequence[TicketEvent]:
        async with self._database.connection() as connection:
            return await events.of_ticket(connection, ticket_id)

    async def transcript(self, ticket: Ticket) -> SavedTranscript | None:
        """What was saved of its conversation, if anything was."""
        return await asyncio.to_thread(self.services.transcripts.find, ticket.guild_id, ticket.id)

    async def pending_effects(self, ticket_id: int) -> Sequence[PendingEffect]:
        """What Discord is still to be told about the ticket."""
        async with self._database.connection() as connection:
            return await effects.of_ticket(connection, ticket_id)

    async def explain(self, ticket_id: int) -> Explanation | None:
        """Will this ticket close, when, and why (not)? None if there is no such ticket."""
        async with self._database.connection() as connection:
            ticket = await tickets.get(connection, ticket_id)
            if ticket is None:
                return None
            return explain(
                ticket,
                await requests.latest(connection, ticket_id),
                await events.of_ticket(connection, ticket_id),
                await effects.of_ticket(connection, ticket_id),
                self.now(),
            )

    async def timed_tickets(self, ticket_ids: Sequence[int]) -> Sequence[TimedTicket]:
        """These tickets, each with its pending deadline."""
        async with self._database.connection() as connection:
            return await requests.timed_tickets(connection, ticket_ids)

    async def recent_lateness(self, guild_id: int, limit: int) -> Sequence[int]:
        """How late the guild's last timed closes were decided, in milliseconds, newest first."""
        async with self._database.connection() as connection:
            return await events.recent_lateness(connection, guild_id, limit)

    async def count_attention(self, guild_id: int) -> int:
        async with self._database.connection() as connection:
            return await tickets.count_attention(connection, guild_id)

    # --- a guild's choices

    async def guild_settings(self, guild_id: int) -> GuildSettings:
        async with self._database.connection() as connection:
            return await guilds.settings(connection, guild_id)

    async def change_guild_settings(self, guild_id: int, **changes: object) -> GuildSettings:
        """Only what is named is written: two who change different things at once lose nothing."""
        async with self._database.transaction() as transaction:
            return await guilds.change(transaction.connection, guild_id, changes)

    async def change_policy(self, guild_id: int, changes: Mapping[str, object]) -> GuildSettings:
        """Fields of `Policy`; None is "not set here" again. Raises pydantic's ValidationError."""
        policy, unset = stored.write(changes)
        async with self._database.transaction() as transaction:
            return await guilds.change_policy(transaction.connection, guild_id, policy, unset)
