"""SAQ's own page, below /saq/, for whoever knows it: its script and its style, our answers.

Its files are SAQ's, served from its package; nothing is loaded from elsewhere. Its two buttons do
what ours do, since SAQ's own start a running job twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from domains.monitoring.desk import Action
from domains.scheduled_task.inspection import JobState
from domains.scheduled_task.saq_view import SAQ_STATIC
from web.actions import Actions
from web.guard import SEC_FETCH_SITE
from web.parts import Parts

ROOT: Final = "/saq"


class SaqPage:
    def __init__(self, parts: Parts, actions: Actions) -> None:
        self._view = parts.saq
        self._inspection = parts.inspection
        self._renderer = parts.renderer
        self._actions = actions

    def routes(self) -> Sequence[tuple[str, str, Handler]]:
        job = "queues/{queue}/jobs/{job}"
        return [
            ("GET", ROOT, self.home),
            ("GET", f"{ROOT}/", self.page),
            ("GET", f"{ROOT}/queues/{{queue}}", self.page),
            ("GET", f"{ROOT}/{job}", self.page),
            ("GET", f"{ROOT}/root.js", self.root),
            ("GET", f"{ROOT}/api/queues", self.queues),
            ("GET", f"{ROOT}/api/queues/{{queue}}", self.queue),
            ("GET", f"{ROOT}/api/{job}", self.job),
            ("POST", f"{ROOT}/api/{job}/retry", self.retry),
            ("POST", f"{ROOT}/api/{job}/abort", self.abort),
        ]

    STATIC: Final = (f"{ROOT}/static", SAQ_STATIC)

    async def home(self, _request: web.Request) -> web.Response:
        raise web.HTTPFound(f"{ROOT}/")

    async def page(self, _request: web.Request) -> web.Response:
        return self._renderer.page("saq", {"root": ROOT})

    async def root(self, _request: web.Request) -> web.Response:
        """What SAQ writes into its page as a script, which our policy forbids."""
        return web.Response(text=f'const root_path = "{ROOT}";\n', content_type="text/javascript")

    async def queues(self, _request: web.Request) -> web.Response:
        return self._json({"queues": await self._view.queues()})

    async def queue(self, request: web.Request) -> web.Response:
        return self._json({"queue": await self._view.queue(request.match_info["queue"])})

    async def job(self, request: web.Request) -> web.Response:
        queue, job = request.match_info["queue"], request.match_info["job"]
        return self._json({"job": await self._view.job(queue, job)})

    async def retry(self, request: web.Request) -> web.Response:
        queue, key = self._asked_by_its_script(request)
        job = await self._inspection.job(queue, key)
        action = Action.RUN_NOW if job.state is JobState.DELAYED else Action.RETRY
        return self._json({"said": await self._actions.do(action, queue, key)})

    async def abort(self, request: web.Request) -> web.Response:
        queue, key = self._asked_by_its_script(request)
        return self._json({"said": await self._actions.do(Action.CANCEL, queue, key)})

    @staticmethod
    def _asked_by_its_script(request: web.Request) -> tuple[str, str]:
        """It has no token. But a form of another site cannot send JSON, and a browser says where
        a script comes from; that it is the same site is checked for all requests."""
        is_json = request.content_type == "application/json"
        if not is_json or not {SEC_FETCH_SITE, hdrs.ORIGIN} & set(request.headers):
            raise web.HTTPForbidden(text="This was not asked by the page.\n")
        return request.match_info["queue"], request.match_info["job"]

    def _json(self, values: Mapping[str, object]) -> web.Response:
        response = web.json_response(values)
        response.text = self._renderer.redacted(response.text or "")
        return response
