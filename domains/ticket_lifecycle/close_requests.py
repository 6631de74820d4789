"""Asking to close a ticket, and the five ways in which that ends.

Each transition is one transaction: lock the ticket, one conditional update that decides, an
event, and the promise to move the alarm clock after the commit. Discord comes last.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from domains.database import AfterCommit, Database, Transaction
from domains.ticket_lifecycle import sql
from domains.ticket_lifecycle.channels import (
    ChannelError,
    ChannelGoneError,
    DiscordFailedError,
    TicketChannels,
)
from domains.ticket_lifecycle.close_delay import delay_from_hours, in_words
from domains.ticket_lifecycle.errors import (
    CannotAskError,
    ExtendedAlreadyError,
    NoMoreTimeError,
    NothingPendingError,
    NoTimerError,
    NotTheOpenerError,
    RequestResolvedError,
    TicketNotFoundError,
    TicketNotOpenError,
)
from domains.ticket_lifecycle.models import (
    AutoCloseOutcome,
    CloseCause,
    CloseRequest,
    CloseTimer,
    RequestStatus,
    Ticket,
    TicketStatus,
)
from domains.ticket_lifecycle.text_input import MAX_REASON_LENGTH, sanitize
from domains.ticket_lifecycle.timers import CloseTimers

if TYPE_CHECKING:
    from domains.database import Connection

log = logging.getLogger(__name__)

MAX_CONCURRENT = 4
"""Each question holds a database connection while Discord posts it."""


class CloseRequests:
    def __init__(
        self,
        database: Database,
        channels: TicketChannels,
        timers: CloseTimers,
        outage_grace: timedelta,
    ) -> None:
        self._grace = outage_grace
        self._database = database
        self._channels = channels
        self._timers = timers
        self._slots = asyncio.Semaphore(MAX_CONCURRENT)

    # --- asking

    async def ask(
        self,
        ticket_id: int,
        requested_by_id: int,
        reason: str | None,
        auto_close_hours: float | None,
    ) -> tuple[CloseRequest, str | None]:
        """Write the request, set its timer, show it to the opener; all or nothing.

        Returns the request and the timer's job, None where there is none to run.
        """
        delay = delay_from_hours(auto_close_hours)
        reason = sanitize(reason, MAX_REASON_LENGTH) or None
        async with self._database.transaction() as transaction:
            connection = transaction.connection
            ticket = await lock_open_ticket(transaction, ticket_id)
            await sql.clear_attention(connection, ticket_id)
            replaced = await sql.resolve_request(
                connection, ticket_id, RequestStatus.SUPERSEDED, requested_by_id
            )
            if replaced is not None:
                self.cancel_timer_after_commit(transaction, replaced)
            request = await sql.insert_close_request(
                connection, ticket_id, requested_by_id, reason, delay
            )
            await sql.add_event(
                connection, ticket_id, "close_requested", requested_by_id, detail=reason
            )
            job = self.schedule_after_commit(transaction, ticket, request)
        try:
            async with self._slots, self._database.exclusive(_lock(request.id)) as mine:
                # A long wait for a slot may have looked like a crash to another process.
                if mine and not (request := await self._reread(request)).announced:
                    await self._announce(ticket, request, again=False)
        except ChannelError as error:
            await self._take_back(ticket, request, replaced)
            raise CannotAskError(_sentence(error)) from error
        if replaced is not None:
            await self.show_outcome(ticket, replaced)
        return request, job.result if job else None

    async def _reread(self, request: CloseRequest) -> CloseRequest:
        async with self._database.connection() as connection:
            return await sql.close_request(connection, request.id) or request

    async def _announce(self, ticket: Ticket, request: CloseRequest, *, again: bool) -> None:
        """The lock of the request must be held: others are to know that it is on its way."""
        message_id = await self._channels.ask(ticket, request, again=again)
        async with self._database.connection() as connection:
            announced = await sql.set_announced(
                connection, request.id, message_id, current=not again
            )
        if announced is None:
            return
        if announced.status is not RequestStatus.PENDING:
            # It was answered or replaced while Discord was posting it.
            await self.show_outcome(ticket, announced)
        elif again or announced.auto_close_at != request.auto_close_at:
            await self.show_deadline(ticket, announced)

    async def _take_back(
        self, ticket: Ticket, request: CloseRequest, replaced: CloseRequest | None
    ) -> None:
        """As if it had never been asked for: a request that it replaced stands again."""
        async with self._database.transaction() as transaction:
            connection = transaction.connection
            await sql.lock_ticket(connection, ticket.id)
            withdrawn = await sql.resolve_request(
                connection, ticket.id, RequestStatus.WITHDRAWN, None, request.id
            )
            if withdrawn is None:
                return
            self.cancel_timer_after_commit(transaction, withdrawn)
            await sql.add_event(connection, ticket.id, "could_not_ask")
            restored = await sql.restore_superseded(connection, replaced.id) if replaced else None
            if restored is not None:
                self.schedule_after_commit(transaction, ticket, restored)

    async def resume(self, older_than: timedelta) -> None:
        """Ask the openers that a crash left unasked; each gets the full delay."""
        async with self._database.connection() as connection:
            unannounced = await sql.unannounced_requests(connection, older_than)
        for request in unannounced:
            try:
                async with self._slots, self._database.exclusive(_lock(request.id)) as mine:
                    if mine:
                        await self._ask_at_last(request)
            except Exception:
                log.exception("Close request %s cannot be shown to the opener yet", request.id)

    async def _ask_at_last(self, request: CloseRequest) -> None:
        async with self._database.transaction() as transaction:
            ticket = await sql.lock_ticket(transaction.connection, request.ticket_id)
            restarted = await sql.restart_deadline(transaction.connection, request.id)
            if ticket is None or restarted is None:
                return
            self.cancel_timer_after_commit(transaction, request)
            self.schedule_after_commit(transaction, ticket, restarted)
        try:
            await self._announce(ticket, restarted, again=True)
        except DiscordFailedError as error:
            log.info("Close request %s is shown to the opener later: %s", request.id, error)
        except ChannelError as error:
            log.warning("Close request %s is taken back: %s", request.id, error)
            await self._take_back(ticket, restarted, None)

    # --- answering

    async def accept(self, ticket_id: int, user_id: int, close_request_id: int | None) -> Ticket:
        """The opener agrees: the ticket is marked closing and returned."""
        async with self._database.transaction() as transaction:
            ticket = await lock_open_ticket(transaction, ticket_id, close_request_id)
            if user_id != ticket.opener_id:
                raise NotTheOpenerError
            request = await self._resolve(
                transaction, ticket_id, RequestStatus.ACCEPTED, user_id, close_request_id
            )
            closing = await sql.mark_closing(
                transaction.connection, ticket_id, CloseCause.ACCEPTED, user_id, request.reason
            )
            assert closing is not None
        await self.show_outcome(ticket, request)
        return closing

    async def cancel(
        self,
        ticket_id: int,
        user_id: int,
        close_request_id: int | None,
        *,
        as_staff: bool = False,
    ) -> CloseRequest:
        """Denied if the opener does it; withdrawn if it is anyone else, or staff."""
        async with self._database.transaction() as transaction:
            ticket = await lock_open_ticket(transaction, ticket_id, close_request_id)
            denied = user_id == ticket.opener_id and not as_staff
            request = await self._resolve(
                transaction,
                ticket_id,
                RequestStatus.DENIED if denied else RequestStatus.WITHDRAWN,
                user_id,
                close_request_id,
            )
        await self.show_outcome(ticket, request)
        return request

    async def extend(
        self,
        ticket_id: int,
        user_id: int,
        close_request_id: int | None,
        by: timedelta,
        most: int | None,
        *,
        extensions: int | None = None,
    ) -> CloseRequest:
        """Move the deadline; `most` limits how often, None is no limit (staff). `extensions` are
        those that the one who asks knows of."""
        async with self._database.transaction() as transaction:
            connection = transaction.connection
            ticket = await lock_open_ticket(transaction, ticket_id, close_request_id)
            before = await sql.pending_request(connection, ticket_id)
            if before is None or close_request_id not in (None, before.id):
                raise await _why_not_pending(transaction, ticket_id, close_request_id)
            if before.auto_close_at is None:
                raise NoTimerError
            if extensions not in (None, before.extensions):
                raise ExtendedAlreadyError
            extended = await sql.extend_deadline(connection, before.id, by, most)
            if extended is None:
                raise NoMoreTimeError(most or 0)
            await sql.clear_attention(connection, ticket_id)
            self.cancel_timer_after_commit(transaction, before)
            self.schedule_after_commit(transaction, ticket, extended)
            await sql.add_event(connection, ticket_id, "extended", user_id, detail=in_words(by))
        await self.show_deadline(ticket, extended)
        try:
            await self._channels.announce_extension(ticket, extended)
        except ChannelError as error:
            log.info("Ticket %s could not be told of its new deadline: %s", ticket_id, error)
        return extended

    async def note_reply(
        self, guild_id: int, channel_id: int, author_id: int, message_id: int
    ) -> bool:
        """The opener wrote: a pending timed request is answered. True if there was one."""
        async with self._database.connection() as connection:
            ticket = await sql.ticket_in_channel(connection, guild_id, channel_id)
            if ticket is None or ticket.opener_id != author_id:
                return False
            pending = await sql.pending_request(connection, ticket.id)
            if pending is None or not _is_reply(pending, message_id):
                return False
            guild = await sql.guild_settings(connection, guild_id)
        return guild.reply_keeps_open and await self.answer(ticket, pending)

    async def answer(self, ticket: Ticket, request: CloseRequest) -> bool:
        async with self._database.transaction() as transaction:
            await sql.lock_ticket(transaction.connection, ticket.id)
            answered = await self._end(
                transaction, ticket.id, RequestStatus.ANSWERED, ticket.opener_id, request.id
            )
            if answered is None:
                return False
        await self.show_outcome(ticket, answered)
        return True

    # --- running out

    async def expire(self, ticket_id: int, close_request_id: int | None) -> AutoCloseOutcome | None:
        """Decide whether the ticket's time is up. None: it is, and the ticket is closing."""
        async with self._database.connection() as connection:
            found = await _find(connection, ticket_id, close_request_id)
            if isinstance(found, AutoCloseOutcome):
                return found
            ticket, request = found
            guild = await sql.guild_settings(connection, ticket.guild_id)
        if (
            guild.reply_keeps_open
            and request.message_id is not None
            and await self._has_written_since(ticket, request.message_id)
        ):
            await self.answer(ticket, request)
            return AutoCloseOutcome.ANSWERED
        async with self._database.transaction() as transaction:
            connection = transaction.connection
            await sql.lock_ticket(connection, ticket_id)
            expired = await sql.expire_request(connection, ticket_id, request.id, self._grace)
            if expired is None:  # lost a race: say to what; or a grace is to come
                lost_to = await _find(connection, ticket_id, request.id)
                return (
                    lost_to if isinstance(lost_to, AutoCloseOutcome) else AutoCloseOutcome.NOT_DUE
                )
            request, late_ms = expired
            await sql.mark_closing(connection, ticket_id, CloseCause.EXPIRED, None, request.reason)
            await sql.add_event(connection, ticket_id, "expired", late_ms=late_ms)
        await self.show_outcome(ticket, request)
        return None

    async def _has_written_since(self, ticket: Ticket, message_id: int) -> bool:
        """The gateway may have told us nothing: we may have been down when the opener wrote."""
        try:
            return await self._channels.opener_wrote_after(ticket, message_id) is not None
        except ChannelGoneError:
            return False

    # --- shared with the other transitions

    async def _resolve(
        self,
        transaction: Transaction,
        ticket_id: int,
        status: RequestStatus,
        user_id: int,
        close_request_id: int | None,
    ) -> CloseRequest:
        request = await self._end(transaction, ticket_id, status, user_id, close_request_id)
        if request is None:
            raise await _why_not_pending(transaction, ticket_id, close_request_id)
        return request

    async def _end(
        self,
        transaction: Transaction,
        ticket_id: int,
        status: RequestStatus,
        user_id: int,
        close_request_id: int | None,
    ) -> CloseRequest | None:
        """Somebody has answered it. None if there is none to end."""
        connection = transaction.connection
        request = await sql.resolve_request(
            connection, ticket_id, status, user_id, close_request_id
        )
        if request is not None:
            await sql.clear_attention(connection, ticket_id)
            self.cancel_timer_after_commit(transaction, request)
            await sql.add_event(connection, ticket_id, status.value, user_id)
        return request

    async def resolve_as_closed(
        self,
        transaction: Transaction,
        ticket_id: int,
        user_id: int | None,
        close_request_id: int | None = None,
    ) -> CloseRequest | None:
        """The ticket closes for another reason, so the request needs no answer."""
        request = await sql.resolve_request(
            transaction.connection, ticket_id, RequestStatus.CLOSED, user_id, close_request_id
        )
        if request is not None:
            self.cancel_timer_after_commit(transaction, request)
        return request

    def cancel_timer_after_commit(self, transaction: Transaction, request: CloseRequest) -> None:
        timer = timer_of(request)
        if timer is not None:
            transaction.after_commit(partial(self._timers.cancel, timer))

    def schedule_after_commit(
        self, transaction: Transaction, ticket: Ticket, request: CloseRequest
    ) -> AfterCommit[str | None] | None:
        """None where there is nothing to schedule."""
        timer = timer_of(request)
        if timer is None or ticket.exclude_from_autoclose:
            return None
        return transaction.after_commit(partial(self._timers.schedule, timer))

    async def show_deadline(self, ticket: Ticket, request: CloseRequest) -> None:
        """Make the message tell the deadline that holds."""
        await self._show(request, self._channels.show_deadline(ticket, request))

    async def show_outcome(self, ticket: Ticket, request: CloseRequest) -> None:
        """Make the message tell how it ended; of an answer, the channel is told as well."""
        await self._show(request, self._show_outcome(ticket, request))

    async def _show_outcome(self, ticket: Ticket, request: CloseRequest) -> None:
        await self._channels.show_outcome(ticket, request)
        if request.status is RequestStatus.ANSWERED:
            await self._channels.announce(
                ticket, f"<@{ticket.opener_id}> wrote, so this ticket stays open: the timer is off."
            )

    async def _show(self, request: CloseRequest, showing: Coroutine[Any, Any, None]) -> None:
        """The database has decided already: a message that Discord fails to update stays stale,
        and is updated later."""
        try:
            await showing
        except DiscordFailedError as error:
            log.info("The message of close request %s is mended later: %s", request.id, error)
            return
        except ChannelError as error:
            log.info("The message of close request %s is out of date: %s", request.id, error)
        async with self._database.connection() as connection:
            await sql.set_current(connection, request)

    async def sync_stale_messages(self) -> None:
        """Update the messages that a crash, or a failure of Discord's, left out of date."""
        async with self._database.connection() as connection:
            stale = await sql.stale_requests(connection)
        for request in stale:
            async with self._database.connection() as connection:
                ticket = await sql.ticket(connection, request.ticket_id)
            if ticket is None:
                continue
            show = (
                self.show_deadline if request.status is RequestStatus.PENDING else self.show_outcome
            )
            try:
                await show(ticket, request)
            except Exception:
                log.exception("The message of close request %s is mended later", request.id)


async def lock_open_ticket(
    transaction: Transaction, ticket_id: int, close_request_id: int | None = None
) -> Ticket:
    """Raises what the user should read if the ticket is not there or not open; about a request
    that was named, if one was."""
    ticket = await sql.lock_ticket(transaction.connection, ticket_id)
    if ticket is None:
        raise TicketNotFoundError
    if ticket.status is not TicketStatus.OPEN:
        if close_request_id is not None:
            raise await _why_not_pending(transaction, ticket_id, close_request_id)
        raise TicketNotOpenError(ticket)
    return ticket


def _lock(close_request_id: int) -> str:
    return f"ask for request {close_request_id}"


def timer_of(request: CloseRequest) -> CloseTimer | None:
    if request.auto_close_at is None:
        return None
    return CloseTimer(request.ticket_id, request.id, request.auto_close_at)


def _is_reply(pending: CloseRequest, message_id: int) -> bool:
    """Ids tell the order of messages; clocks of two machines do not."""
    return pending.auto_close_at is not None and (
        pending.message_id is None or message_id > pending.message_id
    )


async def _find(
    connection: Connection, ticket_id: int, close_request_id: int | None
) -> tuple[Ticket, CloseRequest] | AutoCloseOutcome:
    """The ticket and the request whose time is up, or why it is not. A job of another version
    may not name the request: then it is the ticket's latest."""
    ticket = await sql.ticket(connection, ticket_id)
    request = (
        await sql.latest_request(connection, ticket_id)
        if close_request_id is None
        else await sql.close_request(connection, close_request_id)
    )
    if ticket is None or request is None or request.ticket_id != ticket_id:
        return AutoCloseOutcome.GONE
    left = await sql.time_left(connection, request.id)
    is_due = left is not None and left <= timedelta(0)
    return _why_not_expire(ticket, request, is_due=is_due) or (ticket, request)


def _why_not_expire(
    ticket: Ticket, request: CloseRequest, *, is_due: bool
) -> AutoCloseOutcome | None:
    outcomes = (
        (ticket.status is TicketStatus.CLOSED, AutoCloseOutcome.ALREADY_CLOSED),
        (request.status is not RequestStatus.PENDING, AutoCloseOutcome.NOT_PENDING),
        (ticket.status is not TicketStatus.OPEN, AutoCloseOutcome.NOT_PENDING),
        (not request.announced, AutoCloseOutcome.NOT_ASKED),
        (ticket.exclude_from_autoclose, AutoCloseOutcome.EXCLUDED),
        (not is_due, AutoCloseOutcome.NOT_DUE),
        (not request.grace_announced, AutoCloseOutcome.NOT_ASKED),
    )
    return next((outcome for applies, outcome in outcomes if applies), None)


async def _why_not_pending(
    transaction: Transaction, ticket_id: int, close_request_id: int | None
) -> RequestResolvedError | NothingPendingError | TicketNotFoundError:
    connection = transaction.connection
    if close_request_id is None:
        return NothingPendingError()
    request = await sql.close_request(connection, close_request_id)
    if request is None or request.ticket_id != ticket_id:
        return TicketNotFoundError()
    return RequestResolvedError(request)


def _sentence(error: ChannelError) -> str:
    if isinstance(error, ChannelGoneError):
        return "the channel is gone."
    text = str(error).rstrip(".")
    return f"{text}."
