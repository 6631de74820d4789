"""The pages that are read. None of them needs JavaScript, and none reads more than a page."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlencode

from aiohttp import web

from domains.errors import OperatorError
from domains.monitoring.alarm import alarm_words
from domains.monitoring.monitor import PostgreSQLAwayError
from domains.scheduled_task.inspection import JobState, JobView
from domains.ticket_lifecycle.models import Ticket
from domains.ticket_lifecycle.wording import outlook_words
from web.charts import lateness_chart, timers_chart
from web.dependencies import Dependencies
from web.rendering import PLAIN

PAGE = 50
MAX_FOUND = 50
REFRESH_S = 5
MAX_PAGES = 10_000

_NUMBER = re.compile(r"\d{1,18}", re.ASCII)


class NotFoundError(OperatorError):
    def __init__(self, what: str) -> None:
        super().__init__(f"There is no {what}.")


@dataclass(frozen=True, slots=True)
class Paging:
    number: int
    total: int
    path: str

    @property
    def offset(self) -> int:
        return (self.number - 1) * PAGE

    @property
    def last(self) -> int:
        return max(1, -(-self.total // PAGE))

    def to(self, number: int) -> str:
        return f"{self.path}?{urlencode({'page': number})}"


class Pages:
    def __init__(self, dependencies: Dependencies) -> None:
        self._monitor = dependencies.monitor
        self._inspection = dependencies.inspection
        self._job_actions = dependencies.job_actions
        self._tickets = dependencies.tickets
        self._renderer = dependencies.renderer
        self._guard = dependencies.guard
        self._notices = dependencies.notices

    def _page(
        self, template: str, request: web.Request, *, live: bool = False, **values: object
    ) -> web.Response:
        values["now"] = self._monitor.now()
        values["path"] = request.path
        values["refresh_s"] = REFRESH_S if live else 0
        values["notice"] = self._notices.take(request.query.get("said", ""))
        values["token"] = self._guard.token
        values["states"] = list(JobState)
        return self._renderer.page(template, values)

    async def overview(self, request: web.Request) -> web.Response:
        overview = await self._monitor.overview()
        database = overview.database
        return self._page(
            "overview",
            request,
            live=True,
            overview=overview,
            timers=timers_chart(database.timers_by_hour, overview.now) if database else None,
            lateness=lateness_chart(database.lateness.closes) if database else None,
        )

    async def deadlines(self, request: web.Request) -> web.Response:
        page = _page_number(request)
        total = await self._monitor.timer_count()
        paging = Paging(page, total, request.path)
        timers = await self._monitor.timers(PAGE, paging.offset)
        return self._page("deadlines", request, live=True, timers=timers, paging=paging)

    async def attention(self, request: web.Request) -> web.Response:
        page = _page_number(request)
        tickets, total = await self._monitor.attention(PAGE, (page - 1) * PAGE)
        paging = Paging(page, total, request.path)
        return self._page("attention", request, tickets=tickets, paging=paging)

    async def jobs(self, request: web.Request) -> web.Response:
        name = request.match_info["state"]
        if name not in list(JobState):
            raise NotFoundError("such state of jobs")
        state = JobState(name)
        page = _page_number(request)
        jobs, total = await self._inspection.page(state, (page - 1) * PAGE, PAGE)
        paging = Paging(page, total, request.path)
        return self._page("jobs", request, live=True, jobs=jobs, state=state, paging=paging)

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
        return self._page("job", request, job=job, options=options, ticket=ticket, events=events)

    async def _ticket_of(self, job: JobView) -> tuple[Ticket | None, object]:
        ticket_id = job.payload.get("ticket_id")
        if not isinstance(ticket_id, int):
            return None, ()
        ticket = await self._tickets.ticket(ticket_id)
        return ticket, await self._tickets.events(ticket_id) if ticket else ()

    async def ticket(self, request: web.Request) -> web.Response:
        ticket_id = int(request.match_info["ticket_id"])
        async with self._monitor.query_timeout():
            ticket = await self._tickets.ticket(ticket_id)
            if ticket is None:
                raise NotFoundError("such ticket")
            close_request = await self._tickets.latest_request(ticket_id)
            events = await self._tickets.events(ticket_id)
            effects = await self._tickets.pending_effects(ticket_id)
            explanation = await self._tickets.explain(ticket_id)
        assert explanation is not None
        timers = await self._monitor.timers_of_ticket(ticket_id)
        jobs, now = await self._monitor.jobs_of(ticket_id), self._monitor.now()
        return self._page(
            "ticket",
            request,
            ticket=ticket,
            close_request=close_request,
            events=events,
            effects=effects,
            jobs=jobs,
            outlook=outlook_words(explanation, PLAIN),
            timers=[(timer, alarm_words(timer, jobs, now, PLAIN)) for timer in timers],
        )

    async def search(self, request: web.Request) -> web.Response:
        """By a ticket's number in its guild, or its id: `12`, `#0012`, `ticket-0012`."""
        asked = request.query.get("q", "").strip()
        found = _NUMBER.search(asked)
        tickets = await self._monitor.find_tickets(int(found[0]), MAX_FOUND) if found else ()
        jobs = [(ticket, await self._monitor.jobs_of(ticket.id)) for ticket in tickets]
        return self._page("search", request, asked=asked, found=jobs)


def _page_number(request: web.Request) -> int:
    text = request.query.get("page", "1")
    return min(max(int(text), 1), MAX_PAGES) if _NUMBER.fullmatch(text) else 1
