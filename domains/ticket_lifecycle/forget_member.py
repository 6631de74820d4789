"""Forgetting a member: words, files, name and id go from closed tickets, here and on disk.

The wish is a row until it is done, so a crash in the middle is made good by the next cleanup.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from domains.ticket_lifecycle.models import Ticket, TicketStatus
from domains.ticket_lifecycle.services import ForgetJobs, Services
from domains.ticket_lifecycle.store import events, personal_data, retention
from domains.ticket_lifecycle.store.personal_data import Counts
from domains.transcripts import MembersPart

log = logging.getLogger(__name__)

EVERY_GUILD = 0
BATCH = 20
PAGE = 1_000
"""Finding them reads much, so there should be few pages."""
PAUSE_S = 0.05
"""Between two batches: deadlines come first."""
TAKEN_UP_WITHIN = timedelta(minutes=5)
MAX_NAMED = 10


@dataclass(frozen=True, slots=True)
class Plan:
    """What would go, and what would stay."""

    counts: Counts
    kept: Sequence[Ticket]
    """The newest of the member's own tickets that are not closed."""


@dataclass(slots=True)
class Forgotten:
    tickets: int = 0
    """The member's own."""
    others: int = 0
    """Tickets of others out of which the member was taken."""
    old_transcripts: int = 0
    """Of others' tickets, saved by a version that did not note who wrote what: they stay."""
    kept: list[Ticket] = field(default_factory=list[Ticket])
    """Not closed, or not yet, so nothing of them was touched."""
    failed: int = 0
    """Of which files could not be deleted; it is tried again."""


class ForgetMember:
    def __init__(self, services: Services, forget_jobs: ForgetJobs) -> None:
        self._services = services
        self._forget_jobs = forget_jobs
        self._busy = asyncio.Lock()

    async def plan(self, user_id: int, guild_id: int = EVERY_GUILD) -> Plan:
        async with self._services.database.connection() as connection:
            return Plan(
                await personal_data.count(connection, user_id, guild_id),
                await personal_data.opened_by(
                    connection, user_id, guild_id, closed=False, limit=MAX_NAMED
                ),
            )

    async def forget(self, user_id: int, guild_id: int = EVERY_GUILD) -> Forgotten | None:
        """None if this process is at another one, for it reads a lot: it is done soon."""
        async with self._services.database.transaction() as transaction:
            await personal_data.add_erasure(transaction.connection, user_id, guild_id)
            await retention.plan_soon(transaction.connection, TAKEN_UP_WITHIN)
            transaction.touch("cleanup", 1)
        if self._busy.locked():
            return None
        return await self.erase(user_id, guild_id)

    async def erase(self, user_id: int, guild_id: int) -> Forgotten:
        """What `forget` does, once the wish is recorded. May be done again, and by several."""
        async with self._busy:
            return await self._erase(user_id, guild_id)

    async def _erase(self, user_id: int, guild_id: int) -> Forgotten:
        done = Forgotten()
        await self._erase_own(user_id, guild_id, done)
        await self._erase_part(user_id, guild_id, done)
        async with self._services.database.connection() as connection:
            await personal_data.forget_blocks_made(connection, user_id, guild_id)
            done.kept[:0] = await personal_data.opened_by(
                connection, user_id, guild_id, closed=False, limit=MAX_NAMED
            )
            if not done.failed:
                await personal_data.remove_erasure(connection, user_id, guild_id)
        log.info(
            "A member was forgotten in %d tickets of their own and %d of others",
            done.tickets,
            done.others,
        )
        return done

    # --- the member's own tickets

    async def _erase_own(self, user_id: int, guild_id: int, done: Forgotten) -> None:
        """Files before rows: without the rows nobody would know whose the files are."""
        failed: set[int] = set()
        while True:
            async with self._services.database.connection() as connection:
                page = await personal_data.opened_by(
                    connection, user_id, guild_id, closed=True, limit=BATCH + len(failed)
                )
            page = [ticket for ticket in page if ticket.id not in failed]
            if not page:
                break
            gone = [ticket.id for ticket in page if await self._delete_transcript(ticket)]
            failed |= {ticket.id for ticket in page} - set(gone)
            await self._forget_jobs(gone)
            async with self._services.database.transaction() as transaction:
                connection = transaction.connection
                ids = await personal_data.lock_closed(connection, gone)
                await personal_data.forget_opener(connection, user_id, ids)
                await events.add_many(connection, "forgotten", [(id_, None) for id_ in ids])
            done.tickets += len(gone)
            await asyncio.sleep(PAUSE_S)
        done.failed += len(failed)

    async def _delete_transcript(self, ticket: Ticket) -> bool:
        try:
            await self._services.transcripts.erasure.delete(ticket.guild_id, ticket.id)
        except OSError as error:
            log.error("The transcript of ticket %s could not be deleted: %s", ticket.id, error)
            return False
        return True

    # --- what the member did in tickets of others

    async def _erase_part(self, user_id: int, guild_id: int, done: Forgotten) -> None:
        erasure = self._services.transcripts.erasure
        seen: set[int] = set()
        for guild in [guild_id] if guild_id else await erasure.guild_ids():
            ids = await erasure.about(user_id, guild)
            for start in range(0, len(ids), BATCH):
                batch = ids[start : start + BATCH]
                async with self._services.database.connection() as connection:
                    tickets = await personal_data.tickets_by_id(connection, batch)
                seen |= {ticket.id for ticket in tickets}
                await self._erase_in(user_id, tickets, done)
                # What no row knows of any more has nothing that could be kept for.
                for id_ in set(batch) - {ticket.id for ticket in tickets}:
                    with suppress(OSError):
                        await erasure.forget(guild, id_, user_id, MembersPart())
        last = 0
        while True:
            async with self._services.database.connection() as connection:
                page = await personal_data.took_part(
                    connection, user_id, guild_id, after=last, limit=PAGE
                )
            if not page:
                return
            last = page[-1].id
            page = [ticket for ticket in page if ticket.id not in seen]
            for start in range(0, len(page), BATCH):
                await self._erase_in(user_id, page[start : start + BATCH], done)

    async def _erase_in(self, user_id: int, tickets: Sequence[Ticket], done: Forgotten) -> None:
        others = [ticket for ticket in tickets if ticket.opener_id != user_id]
        closed = [ticket for ticket in others if ticket.status is TicketStatus.CLOSED]
        done.kept += [ticket for ticket in others if ticket.status is not TicketStatus.CLOSED]
        gone = [ticket.id for ticket in closed if await self._rewrite(user_id, ticket, done)]
        await self._forget_jobs(gone)
        async with self._services.database.transaction() as transaction:
            ids = await personal_data.lock_closed(transaction.connection, gone)
            await personal_data.forget_participant(transaction.connection, user_id, ids)
            await events.add_many(transaction.connection, "forgotten", [(id_, None) for id_ in ids])
        done.others += len(gone)
        done.failed += len(closed) - len(gone)
        await asyncio.sleep(PAUSE_S)

    async def _rewrite(self, user_id: int, ticket: Ticket, done: Forgotten) -> bool:
        erasure = self._services.transcripts.erasure
        async with self._services.database.connection() as connection:
            part = await personal_data.part_in(connection, user_id, ticket.id)
        if part is None:
            return False
        theirs = MembersPart(part.closed_it, part.gave_reason, part.asked_in)
        try:
            await erasure.forget(ticket.guild_id, ticket.id, user_id, theirs)
        except OSError as error:
            log.error("The transcript of ticket %s could not be changed: %s", ticket.id, error)
            return False
        done.old_transcripts += not await erasure.tells_authors(ticket.guild_id, ticket.id)
        return True
