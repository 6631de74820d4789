"""What failed, grouped by its error and its server, and trying all of a group again.

A ticket counts once: by what it needs a person for, else by what Discord has refused so far.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from domains.database import Database
from domains.errors import UserError
from domains.monitoring.models import TroubleGroup
from domains.scheduled_task.inspection import Inspection, JobState, JobView
from domains.ticket_lifecycle import TicketLifecycle

if TYPE_CHECKING:
    from domains.database import Connection

MAX_GROUPS = 100
MAX_RETRIED = 5_000
"""At a time: whoever has more presses again."""
PAGE = 50
CHEAP_S = 0.02
READ_PAUSE = 20
"""To group the failed jobs, all are read. Where that is not cheap, the groups are good for so many
times as long as it took."""

_TROUBLED = """
    select t.id, t.guild_id, t.attention as reason,
           (select max(e.at) from punctual.ticket_events e
            where e.ticket_id = t.id and e.event = 'attention') as since
    from punctual.tickets t where t.attention is not null and t.status <> 'closed'
    union all
    select * from (
        select distinct on (e.ticket_id) e.ticket_id, e.guild_id,
               coalesce(e.error, '{}'::jsonb) as reason, e.created_at
        from punctual.effects e
        where e.failures > 0 and not exists (
            select from punctual.tickets t where t.id = e.ticket_id and t.attention is not null)
        order by e.ticket_id, e.id) failing"""
_CODE = "coalesce(reason -> 'error' ->> 'code', reason ->> 'code', 'other')"


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which group; None is any."""

    code: str | None = None
    guild_id: int | None = None


@dataclass(frozen=True, slots=True)
class Retried:
    number: int
    """Of how many that is true: the others had moved on meanwhile."""
    chosen: int


class BulkRetry:
    def __init__(
        self, database: Database, tickets: TicketLifecycle, inspection: Inspection
    ) -> None:
        self._database = database
        self._tickets = tickets
        self._inspection = inspection
        self._job_groups: Sequence[TroubleGroup] = ()
        self._read_again_at = 0.0

    # --- tickets

    async def ticket_groups(self) -> Sequence[TroubleGroup]:
        """The largest first."""
        async with self._database.connection() as connection:
            return await _groups(connection)

    async def count_tickets(self, chosen: Chosen) -> int:
        async with self._database.connection() as connection:
            return len(await _chosen_tickets(connection, chosen))

    async def retry_tickets(self, chosen: Chosen, user_id: int) -> Retried:
        """Without waiting for what Discord says; the tickets tell."""
        async with self._database.connection() as connection:
            ids = await _chosen_tickets(connection, chosen)
        done = 0
        for id_ in ids:
            done += await self._tickets.plan_retry(id_, user_id)
        return Retried(done, len(ids))

    # --- jobs

    async def job_groups(self) -> Sequence[TroubleGroup]:
        """The largest first. Raises RedisAway, as all that follows does."""
        began = time.monotonic()
        if began >= self._read_again_at:
            self._job_groups = await self._read_job_groups()
            took = time.monotonic() - began
            self._read_again_at = began + READ_PAUSE * took if took > CHEAP_S else 0.0
        return self._job_groups

    async def _read_job_groups(self) -> Sequence[TroubleGroup]:
        guilds = await self._guilds(jobs := await self._failed_jobs())
        groups: dict[tuple[str, int | None], TroubleGroup] = {}
        for job in jobs:
            key = (code_of(job), guilds.get(job.payload.get("ticket_id")))
            number = groups[key].number + 1 if key in groups else 1
            groups[key] = TroubleGroup(*key, number, {"text": job.error_line}, job.finished_at)
        return sorted(groups.values(), key=lambda group: -group.number)[:MAX_GROUPS]

    async def count_jobs(self, chosen: Chosen) -> int:
        return len(await self._chosen_jobs(chosen))

    async def retry_jobs(self, chosen: Chosen, user_id: int) -> Retried:
        jobs = await self._chosen_jobs(chosen)
        self._read_again_at = 0.0
        done = 0
        for job in jobs:
            try:
                await self._inspection.requeue(job)
            except UserError:
                continue  # it has moved on, or nobody knows its type
            done += 1
        ticket_ids = {job.payload.get("ticket_id") for job in jobs}
        for id_ in sorted(id_ for id_ in ticket_ids if isinstance(id_, int)):
            ticket = await self._tickets.ticket(id_)
            if ticket is not None and ticket.attention is not None:
                await self._tickets.plan_retry(id_, user_id)
        return Retried(done, len(jobs))

    async def _chosen_jobs(self, chosen: Chosen) -> Sequence[JobView]:
        jobs = await self._failed_jobs()
        guilds = await self._guilds(jobs) if chosen.guild_id is not None else {}
        return [
            job
            for job in jobs
            if chosen.code in (None, code_of(job))
            and chosen.guild_id in (None, guilds.get(job.payload.get("ticket_id")))
        ]

    async def _failed_jobs(self) -> Sequence[JobView]:
        """All that are kept. A page at a time, so that the bot does something else between."""
        jobs: list[JobView] = []
        while True:
            page, total = await self._inspection.page(JobState.FAILED, len(jobs), PAGE)
            jobs += page
            if not page or len(jobs) >= total:
                return jobs
            await asyncio.sleep(0)

    async def _guilds(self, jobs: Sequence[JobView]) -> dict[object, int]:
        """The servers of the jobs' tickets."""
        ids = {id_ for job in jobs if isinstance(id_ := job.payload.get("ticket_id"), int)}
        async with self._database.connection() as connection:
            records = await connection.fetch(
                "select id, guild_id from punctual.tickets where id = any($1::bigint[])",
                [id_ for id_ in ids if abs(id_) < 1 << 63],
            )
        return {record["id"]: record["guild_id"] for record in records}


def code_of(job: JobView) -> str:
    """The name of the error, as the traceback's last line has it."""
    return job.error_line.partition(":")[0].strip()[:80] or "unknown"


async def _groups(connection: Connection) -> Sequence[TroubleGroup]:
    records = await connection.fetch(
        f"""select {_CODE} as code, guild_id, count(*) as number,
                   (array_agg(reason order by id desc))[1] as example, min(since) as since
            from ({_TROUBLED}) troubled group by 1, 2 order by 3 desc, 1, 2 limit $1""",
        MAX_GROUPS,
    )
    return [
        TroubleGroup(r["code"], r["guild_id"], r["number"], json.loads(r["example"]), r["since"])
        for r in records
    ]


async def _chosen_tickets(connection: Connection, chosen: Chosen) -> Sequence[int]:
    records = await connection.fetch(
        f"""select id from ({_TROUBLED}) troubled
            where ($1::text is null or {_CODE} = $1) and ($2::bigint is null or guild_id = $2)
            order by id limit $3""",
        chosen.code,
        chosen.guild_id,
        MAX_RETRIED,
    )
    return [record["id"] for record in records]
