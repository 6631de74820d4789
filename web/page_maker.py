"""What all pages have in common: what is broken now, what was just done, and the time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlencode

from aiohttp import web

from domains.errors import OperatorError
from domains.monitoring.monitor import MAX_COUNTED
from domains.scheduled_task.inspection import JobState
from web.dependencies import Dependencies

PAGE = 50
REFRESH_S = 5
MAX_PAGES = 10_000
MAX_ID = 2**63 - 1

NUMBER = re.compile(r"\d{1,18}", re.ASCII)


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


class PageMaker:
    def __init__(self, dependencies: Dependencies) -> None:
        self._monitor = dependencies.monitor
        self._renderer = dependencies.renderer
        self._guard = dependencies.guard
        self._notices = dependencies.notices
        self._operator = dependencies.operator

    async def page(
        self,
        template: str,
        request: web.Request,
        *,
        live: bool = False,
        status: int = 200,
        **values: object,
    ) -> web.Response:
        values["health"] = await self._monitor.health()
        values["max_counted"] = MAX_COUNTED
        values["now"] = self._monitor.now()
        values["path"] = request.path
        values["refresh_s"] = REFRESH_S if live else 0
        values["notice"] = self._notices.take(request.query.get("said", ""))
        values["operator"] = self._operator.name
        values["token"] = self._guard.token
        values["states"] = list(JobState)
        return self._renderer.page(template, values, status=status)


def page_number(request: web.Request) -> int:
    text = request.query.get("page", "1")
    return min(max(int(text), 1), MAX_PAGES) if NUMBER.fullmatch(text) else 1


def number_in(text: str) -> int | None:
    """What a whole text is, if it may be an id."""
    number = int(text) if re.fullmatch(r"[0-9]{1,19}", text) else None
    return number if number is not None and number <= MAX_ID else None
