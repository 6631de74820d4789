"""The overview, the trends, and the lists of timers. None of the pages needs JavaScript, and none
reads more than a page."""

from __future__ import annotations

from aiohttp import web

from domains.monitoring.trends import Span
from web.charts import failures_chart, lateness_chart, throughput_chart, timers_chart
from web.dependencies import Dependencies
from web.page_maker import NUMBER, PAGE, PageMaker, Paging, page_number

MAX_FOUND = 50


class Pages:
    def __init__(self, dependencies: Dependencies, maker: PageMaker) -> None:
        self._monitor = dependencies.monitor
        self._page = maker.page

    async def overview(self, request: web.Request) -> web.Response:
        overview = await self._monitor.overview()
        database = overview.database
        return await self._page(
            "overview",
            request,
            live=True,
            overview=overview,
            timers=timers_chart(database.timers_by_hour, overview.now) if database else None,
            throughput=throughput_chart(database.today) if database else None,
        )

    async def trends(self, request: web.Request) -> web.Response:
        name = request.query.get("span", "")
        trends = await self._monitor.trends(Span(name) if name in list(Span) else Span.WEEK)
        return await self._page(
            "trends",
            request,
            trends=trends,
            spans=list(Span),
            headline=await self._monitor.headline(),
            throughput=throughput_chart(trends),
            failures=failures_chart(trends),
            decided=lateness_chart(trends, lambda figures: figures.decided),
            ended=lateness_chart(trends, lambda figures: figures.ended),
        )

    async def deadlines(self, request: web.Request) -> web.Response:
        page = page_number(request)
        total = await self._monitor.timer_count()
        paging = Paging(page, total, request.path)
        timers = await self._monitor.timers(PAGE, paging.offset)
        return await self._page("deadlines", request, live=True, timers=timers, paging=paging)

    async def search(self, request: web.Request) -> web.Response:
        """By a ticket's number in its guild, or its id: `12`, `#0012`, `ticket-0012`."""
        asked = request.query.get("q", "").strip()
        found = NUMBER.search(asked)
        tickets = await self._monitor.find_tickets(int(found[0]), MAX_FOUND) if found else ()
        jobs = [(ticket, await self._monitor.jobs_of(ticket.id)) for ticket in tickets]
        return await self._page("search", request, asked=asked, found=jobs)
