"""Takes away what is older than the operator keeps it: transcripts, tickets, left servers.

In small batches with pauses, in the background: nothing that closes a ticket waits for it. It may
be ended at any moment, and begins anew where it was; nothing is remembered but the rows and files
that are still there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domains.database import DatabaseUnavailable
from domains.tasks import cancel, detached
from domains.ticket_lifecycle.forget_member import ForgetMember
from domains.ticket_lifecycle.services import ForgetJobs, Services
from domains.ticket_lifecycle.store import personal_data, retention

log = logging.getLogger(__name__)

BATCH = 50
FILES_PAGE = 500
PAUSE_S = 0.05
AT_IT = timedelta(minutes=15)
"""For so long after its last batch a cleanup is not taken for dead."""


@dataclass(slots=True)
class CleanedUp:
    transcripts: int = 0
    tickets: int = 0
    """With their transcripts."""
    servers: int = 0
    members: int = 0
    failed: int = 0

    def __str__(self) -> str:
        parts = [
            _counted(self.transcripts, "transcript"),
            _counted(self.tickets, "ticket"),
            _counted(self.servers, "server"),
        ]
        if self.members:
            parts.append(_counted(self.members, "member"))
        text = ", ".join(parts)
        return f"{text}; {_counted(self.failed, 'failure')}" if self.failed else text


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


class CleanUp:
    def __init__(
        self, services: Services, forgetting: ForgetMember, forget_jobs: ForgetJobs
    ) -> None:
        self._services = services
        self._forget_jobs = forget_jobs
        self._forgetting = forgetting
        self._kept = services.policy.retention
        self._task: asyncio.Task[None] | None = None

    @property
    def _keeps_for_days(self) -> bool:
        return bool(self._kept.transcript_days or self._kept.ticket_days)

    async def plan(self) -> None:
        """Have it done at night, if there can be anything to do."""
        async with self._services.database.transaction() as transaction:
            await retention.plan(transaction.connection, keeps_for_days=self._keeps_for_days)
            transaction.touch("cleanup", 1)

    # --- in the background

    @property
    def is_running(self) -> bool:
        return self._task is not None and not self._task.done()

    def start(self) -> None:
        if not self.is_running:
            self._task = detached(self._run_and_log())

    async def stop(self) -> None:
        if self._task is not None:
            await cancel(self._task)

    async def _run_and_log(self) -> None:
        try:
            log.info("Cleaned up: %s", await self.run())
        except DatabaseUnavailable as error:
            log.warning("The cleanup goes on when PostgreSQL is back: %s", error)
        except Exception:
            log.exception("The cleanup failed; it is tried again in a while")

    # --- all of it

    async def run(self, *, dry_run: bool = False) -> CleanedUp:
        """With `dry_run`, only count what would go."""
        done = CleanedUp()
        await self._finish_erasures(done, dry_run=dry_run)
        await self._end_left_servers(done, dry_run=dry_run)
        await self._delete_old_tickets(done, dry_run=dry_run)
        await self._delete_old_transcripts(done, dry_run=dry_run)
        if not dry_run:
            async with self._services.database.transaction() as transaction:
                await retention.finish(transaction.connection, keeps_for_days=self._keeps_for_days)
                transaction.touch("cleanup", 1)
        return done

    async def _rest(self) -> None:
        """After each batch: let others on, and say that somebody is still at it."""
        async with self._services.database.connection() as connection:
            await retention.postpone(connection, AT_IT)
        await asyncio.sleep(PAUSE_S)

    async def _finish_erasures(self, done: CleanedUp, *, dry_run: bool) -> None:
        async with self._services.database.connection() as connection:
            erasures = await personal_data.erasures(connection)
        done.members = len(erasures)
        for erasure in () if dry_run else erasures:
            forgotten = await self._forgetting.erase(erasure.user_id, erasure.guild_id)
            done.failed += forgotten.failed
            await self._rest()

    async def _end_left_servers(self, done: CleanedUp, *, dry_run: bool) -> None:
        if not self._kept.left_server_days:
            return
        async with self._services.database.connection() as connection:
            guilds = await retention.left_guilds(
                connection, timedelta(days=self._kept.left_server_days)
            )
        for guild_id in guilds:
            if dry_run or await self._end_server(guild_id, done):
                done.servers += 1

    async def _end_server(self, guild_id: int, done: CleanedUp) -> bool:
        """False if the bot has come back meanwhile: what is left then stays."""
        while True:
            async with self._services.database.transaction() as transaction:
                connection = transaction.connection
                if not await retention.lock_left(connection, guild_id):
                    return False
                ids = await retention.tickets_of_guild(connection, guild_id, BATCH)
                gone = [id_ for id_ in ids if await self._delete_transcript(guild_id, id_, done)]
                await retention.delete_tickets(connection, gone)
                if not ids and await self._delete_directory(guild_id, done):
                    await retention.delete_guild(connection, guild_id)
            await self._forget_jobs(gone)
            if not gone:
                return not ids
            await self._rest()

    async def _delete_old_tickets(self, done: CleanedUp, *, dry_run: bool) -> None:
        if not self._kept.ticket_days:
            return
        age = timedelta(days=self._kept.ticket_days)
        if dry_run:
            async with self._services.database.connection() as connection:
                done.tickets = await retention.count_old_tickets(connection, age)
            return
        after: tuple[datetime, int] | None = None
        while True:
            async with self._services.database.connection() as connection:
                page = await retention.old_tickets(connection, age, after, BATCH)
            if not page:
                return
            after = (page[-1][2], page[-1][0])
            # The file first: without its row nobody would know that it is too old.
            gone = [
                id_
                for id_, guild_id, _ in page
                if await self._delete_transcript(guild_id, id_, done)
            ]
            await self._forget_jobs(gone)
            async with self._services.database.transaction() as transaction:
                done.tickets += await retention.delete_tickets(transaction.connection, gone)
            await self._rest()

    async def _delete_old_transcripts(self, done: CleanedUp, *, dry_run: bool) -> None:
        if not self._kept.transcript_days:
            return
        age = timedelta(days=self._kept.transcript_days)
        async for guild_id, ids in self._transcript_pages():
            async with self._services.database.connection() as connection:
                old = await retention.ended_before(connection, guild_id, ids, age)
            if dry_run:
                done.transcripts += len(old)
                continue
            for start in range(0, len(old), BATCH):
                for id_ in old[start : start + BATCH]:
                    if await self._delete_transcript(guild_id, id_, done):
                        done.transcripts += 1
                await self._rest()

    async def _transcript_pages(self) -> AsyncIterator[tuple[int, Sequence[int]]]:
        erasure = self._services.transcripts.erasure
        for guild_id in await erasure.guild_ids():
            ids = await erasure.ticket_ids(guild_id)
            for start in range(0, len(ids), FILES_PAGE):
                yield guild_id, ids[start : start + FILES_PAGE]

    async def _delete_transcript(self, guild_id: int, ticket_id: int, done: CleanedUp) -> bool:
        try:
            await self._services.transcripts.erasure.delete(guild_id, ticket_id)
        except OSError as error:
            log.error("The transcript of ticket %s could not be deleted: %s", ticket_id, error)
            done.failed += 1
            return False
        return True

    async def _delete_directory(self, guild_id: int, done: CleanedUp) -> bool:
        try:
            await self._services.transcripts.erasure.delete_guild(guild_id)
        except OSError as error:
            log.error("The transcripts of guild %s could not be deleted: %s", guild_id, error)
            done.failed += 1
            return False
        return True
