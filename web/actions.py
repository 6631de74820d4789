"""The forms: POST only, with the token of exactly this action, answered by a redirect."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from urllib.parse import urlencode

from aiohttp import web

from domains.errors import UserError
from domains.formatting import reason_words
from domains.monitoring.job_actions import Action
from domains.ticket_lifecycle.models import TicketStatus
from web.dependencies import Dependencies
from web.rendering import PLAIN

ACTION_TIMEOUT_S = 5.0
"""How long a page waits. Saving a transcript may take longer, and goes on by itself."""


class Actions:
    def __init__(self, dependencies: Dependencies) -> None:
        self._inspection = dependencies.inspection
        self._job_actions = dependencies.job_actions
        self._tickets = dependencies.tickets
        self._guard = dependencies.guard
        self._notices = dependencies.notices
        self._running: set[asyncio.Task[str]] = set()

    async def act_on_job(self, request: web.Request) -> web.Response:
        form = await request.post()
        queue, key, action, token = (
            str(form.get(name, "")) for name in ("queue", "key", "action", "token")
        )
        self._guard.check_token(job_action(queue, key), token)
        if action not in list(Action):
            raise web.HTTPBadRequest(text="There is no such action.\n")
        said = await self._in_time(self._act(Action(action), queue, key))
        query = {"queue": queue, "key": key, "said": self._notices.keep(said)}
        raise web.HTTPSeeOther(f"/job?{urlencode(query)}")

    async def _act(self, action: Action, queue: str, key: str) -> str:
        try:
            return await self._job_actions.act(action, await self._inspection.job(queue, key))
        except UserError as error:
            return str(error)

    async def retry_ticket(self, request: web.Request) -> web.Response:
        form = await request.post()
        ticket_id = int(request.match_info["ticket_id"])
        self._guard.check_token(ticket_action(ticket_id), str(form.get("token", "")))
        said = await self._in_time(self._retry(ticket_id))
        query = urlencode({"said": self._notices.keep(said)})
        raise web.HTTPSeeOther(f"/tickets/{ticket_id}?{query}")

    async def _retry(self, ticket_id: int) -> str:
        ticket = await self._tickets.retry_close(ticket_id)
        if ticket is None or ticket.status is TicketStatus.CLOSED:
            return "Tried again: the ticket is closed."
        if ticket.attention is None:
            return "Tried again: nothing stands in its way any more."
        return f"It still needs attention: {reason_words(ticket.attention, PLAIN)}."

    async def _in_time(self, action: Coroutine[None, None, str]) -> str:
        """What it says, unless that takes too long: it goes on by itself."""
        task = asyncio.create_task(action)
        self._running.add(task)
        task.add_done_callback(self._ended)
        done, _ = await asyncio.wait({task}, timeout=ACTION_TIMEOUT_S)
        return task.result() if done else "It is under way."

    def _ended(self, task: asyncio.Task[str]) -> None:
        """Its error is of no use once the page has been answered."""
        self._running.discard(task)
        if not task.cancelled():
            task.exception()

    async def end(self, _application: web.Application) -> None:
        """What is cut short here is taken up by the next start."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)


def job_action(queue: str, key: str) -> str:
    """What a token is bound to."""
    return f"job {queue} {key}"


def ticket_action(ticket_id: int) -> str:
    return f"ticket {ticket_id}"
