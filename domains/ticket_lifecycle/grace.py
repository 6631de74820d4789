"""After an outage, overdue tickets get a grace period instead of being closed at once.

A heartbeat in PostgreSQL shows how long no bot was connected. If that was longer than the grace,
the requests that ran out in the meantime get a new deadline, one after the other so that Discord's
rate limits hold. The channel is told, unless the opener has written meanwhile: then they have
answered.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import partial

from domains.database import Database
from domains.ticket_lifecycle import sql
from domains.ticket_lifecycle.channels import ChannelError, DiscordFailedError, TicketChannels
from domains.ticket_lifecycle.close_delay import in_words
from domains.ticket_lifecycle.close_requests import CloseRequests, timer_of
from domains.ticket_lifecycle.discord_status import DiscordStatus
from domains.ticket_lifecycle.models import CloseRequest, Ticket
from domains.ticket_lifecycle.timers import CloseTimers

log = logging.getLogger(__name__)

STAGGER = timedelta(seconds=1)
"""Between two closes of one guild: its log channel takes five messages in five seconds."""
SHORTEST_OUTAGE = timedelta(seconds=5)
"""A few missed heartbeats are not an outage."""


class Grace:
    def __init__(
        self,
        database: Database,
        channels: TicketChannels,
        timers: CloseTimers,
        requests: CloseRequests,
        *,
        discord_status: DiscordStatus,
        grace: timedelta,
    ) -> None:
        self._database = database
        self._channels = channels
        self._timers = timers
        self._requests = requests
        self._discord_status = discord_status
        self._grace = grace

    async def record_heartbeat(self) -> None:
        """To be called every few seconds, several times within the grace; the first call after
        an outage grants the grace. One process does it, in one transaction with its heartbeat. A
        bot without a gateway connection does not count as alive: no button works, so nobody could
        answer."""
        if not self._discord_status.connected:
            return
        async with self._database.transaction() as transaction:
            silence = await sql.record_heartbeat(transaction.connection)
            if not self._grace or silence is None or silence <= max(self._grace, SHORTEST_OUTAGE):
                return
            moved = await sql.grant_grace(transaction.connection, self._grace, STAGGER)
            for before, after in moved:
                await sql.add_event(
                    transaction.connection,
                    after.ticket_id,
                    "grace",
                    detail=f"after an outage of {in_words(silence)}",
                )
                self._requests.cancel_timer_after_commit(transaction, before)
                timer = timer_of(after)
                if timer is not None:
                    transaction.after_commit(partial(self._timers.schedule, timer))
        if moved:
            log.warning(
                "Nobody was here for %s; %d overdue tickets get a grace of %s",
                in_words(silence),
                len(moved),
                in_words(self._grace),
            )

    async def announce_grace(self) -> None:
        """Tell the channels of requests that were granted a grace, each once."""
        async with self._database.connection() as connection:
            unannounced = await sql.unannounced_grace(connection)
        for request in unannounced:
            try:
                async with self._database.exclusive(f"tell of grace {request.id}") as mine:
                    if mine:
                        await self._announce(request)
            except Exception:
                log.exception("The grace of close request %s is announced later", request.id)

    async def _announce(self, request: CloseRequest) -> None:
        try:
            await self._tell(request)
        except DiscordFailedError as error:
            log.info("The grace of close request %s is announced later: %s", request.id, error)
            return
        except ChannelError as error:
            log.info("The grace of close request %s is not announced: %s", request.id, error)
        async with self._database.connection() as connection:
            await sql.set_grace_announced(connection, request.id)

    async def _tell(self, request: CloseRequest) -> None:
        async with self._database.connection() as connection:
            ticket = await sql.ticket(connection, request.ticket_id)
            current = await sql.grace_to_announce(connection, request.id)
            if ticket is None or current is None or current.auto_close_at is None:
                return
            guild = await sql.guild_settings(connection, ticket.guild_id)
        if (
            guild.reply_keeps_open
            and current.message_id is not None
            and await self._channels.opener_wrote_after(ticket, current.message_id) is not None
        ):
            await self._requests.answer(ticket, current)
            return
        current = await self._whole_grace(ticket, current)
        await self._requests.show_deadline(ticket, current)
        await self._channels.announce_grace(ticket, current)

    async def _whole_grace(self, ticket: Ticket, request: CloseRequest) -> CloseRequest:
        """What could not be announced for so long that little is left of it begins anew."""
        async with self._database.transaction() as transaction:
            left = await sql.time_left(transaction.connection, request.id)
            if left is None or left > self._grace / 2:
                return request
            moved = await sql.move_deadline(transaction.connection, request.id, self._grace)
            if moved is None:
                return request
            self._requests.cancel_timer_after_commit(transaction, request)
            self._requests.schedule_after_commit(transaction, ticket, moved)
        return moved
