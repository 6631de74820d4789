"""Trying again what failed in the same way: asked first, with how many it is, then done."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from aiohttp import web

from domains.errors import UserError
from domains.monitoring.bulk_retry import Chosen
from web.dependencies import Dependencies
from web.notices import Notice, Tone
from web.page_maker import NotFoundError, PageMaker, number_in
from web.running import Running

MAX_CODE = 100


class What(StrEnum):
    TICKETS = "tickets"
    JOBS = "jobs"


LISTS = {What.TICKETS: "/tickets/attention", What.JOBS: "/jobs/failed"}


@dataclass(frozen=True, slots=True)
class Group:
    what: What
    chosen: Chosen

    @property
    def token_of(self) -> str:
        return f"retry {self.what} {self.chosen.guild_id} {self.chosen.code}"


def _group(fields: dict[str, str]) -> Group:
    what, code, server = (fields.get(name, "") for name in ("what", "code", "server"))
    if what not in list(What) or (server and number_in(server) is None):
        raise NotFoundError("such group")
    return Group(What(what), Chosen(code[:MAX_CODE].replace("\0", "") or None, number_in(server)))


class RetryPages:
    def __init__(self, dependencies: Dependencies, maker: PageMaker, running: Running) -> None:
        self._monitor = dependencies.monitor
        self._bulk_retry = dependencies.bulk_retry
        self._operator = dependencies.operator
        self._guard = dependencies.guard
        self._notices = dependencies.notices
        self._running = running
        self._page = maker.page

    async def confirm(self, request: web.Request) -> web.Response:
        group = _group(dict(request.query))
        async with self._monitor.query_timeout():
            count = (
                self._bulk_retry.count_tickets
                if group.what is What.TICKETS
                else self._bulk_retry.count_jobs
            )
            number = await count(group.chosen)
        return await self._page(
            "confirm_group", request, group=group, number=number, list=LISTS[group.what]
        )

    async def retry(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        group = _group(form)
        self._guard.check_token(group.token_of, form.get("token", ""))
        page = LISTS[group.what]
        notice, page = await self._running.within_time(self._retry(group), page)
        raise self._notices.see(page, notice)

    async def _retry(self, group: Group) -> tuple[Notice, str]:
        retry = (
            self._bulk_retry.retry_tickets
            if group.what is What.TICKETS
            else self._bulk_retry.retry_jobs
        )
        try:
            retried = await retry(group.chosen, self._operator)
        except UserError as error:
            return Notice(Tone.BAD, str(error)), LISTS[group.what]
        values = {"what": group.what.value, "number": retried.number, "chosen": retried.chosen}
        tone = Tone.GOOD if retried.number == retried.chosen else Tone.NEUTRAL
        return Notice(tone, key="retried_group", values=values), LISTS[group.what]
