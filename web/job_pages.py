"""The jobs in Redis: lists by their state, groups of those that failed, and each one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

from aiohttp import web

from domains.monitoring.models import TicketLine, TroubleGroup
from domains.monitoring.monitor import PostgreSQLAwayError
from domains.scheduled_task.inspection import JobState, JobView
from domains.ticket_lifecycle.models import Ticket
from web.dependencies import Dependencies
from web.page_maker import PAGE, NotFoundError, PageMaker, Paging, page_number


class JobPages:
    def __init__(self, dependencies: Dependencies, maker: PageMaker) -> None:
        self._monitor = dependencies.monitor
        self._inspection = dependencies.inspection
        self._job_actions = dependencies.job_actions
        self._bulk_retry = dependencies.bulk_retry
        self._tickets = dependencies.tickets
        self._page = maker.page

    async def jobs(self, request: web.Request) -> web.Response:
        name = request.match_info["state"]
        if name not in list(JobState):
            raise NotFoundError("such state of jobs")
        state = JobState(name)
        page = page_number(request)
        jobs, total = await self._inspection.page(state, (page - 1) * PAGE, PAGE)
        return await self._page(
            "jobs",
            request,
            live=True,
            jobs=jobs,
            state=state,
            tickets=await self._tickets_of(jobs),
            groups=await self._groups() if state is JobState.FAILED and page == 1 else (),
            paging=Paging(page, total, request.path),
        )

    async def _groups(self) -> Sequence[TroubleGroup]:
        """Without PostgreSQL nobody knows which servers they are of, and nothing can be done."""
        with suppress(PostgreSQLAwayError):
            async with self._monitor.query_timeout():
                return await self._bulk_retry.job_groups()
        return ()

    async def _tickets_of(self, jobs: Sequence[JobView]) -> Mapping[int, TicketLine]:
        ids = {id_ for job in jobs if isinstance(id_ := job.payload.get("ticket_id"), int)}
        with suppress(PostgreSQLAwayError):
            return await self._monitor.ticket_lines(sorted(ids))
        return {}

    async def job(self, request: web.Request) -> web.Response:
        job = await self._inspection.job(
            request.query.get("queue", ""), request.query.get("key", "")
        )
        ticket, events, options = None, (), ()
        # Without PostgreSQL there is still what Redis knows of it, but nothing may be done to it.
        with suppress(PostgreSQLAwayError):
            async with self._monitor.query_timeout():
                ticket, events = await self._ticket_of(job)
                options = await self._job_actions.options(job)
        return await self._page(
            "job", request, job=job, options=options, ticket=ticket, events=events
        )

    async def _ticket_of(self, job: JobView) -> tuple[Ticket | None, object]:
        ticket_id = job.payload.get("ticket_id")
        if not isinstance(ticket_id, int):
            return None, ()
        ticket = await self._tickets.ticket(ticket_id)
        return ticket, await self._tickets.events(ticket_id) if ticket else ()
