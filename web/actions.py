"""The forms: POST only, with the token of exactly this action, answered by a redirect to a page
that is there, which says what was done."""

from __future__ import annotations

from urllib.parse import urlencode

from aiohttp import web

from domains.errors import UserError
from domains.monitoring.job_actions import Action
from domains.monitoring.ticket_actions import TicketAction
from domains.scheduled_task.inspection import UnknownJobError
from domains.ticket_lifecycle.models import Ticket, TicketStatus
from domains.ticket_lifecycle.text_input import MAX_REASON_LENGTH
from web.dependencies import Dependencies
from web.notices import Notice, Tone
from web.page_maker import number_in
from web.running import Running
from web.ticket_pages import action_named


class Actions:
    def __init__(self, dependencies: Dependencies, running: Running) -> None:
        self._inspection = dependencies.inspection
        self._job_actions = dependencies.job_actions
        self._ticket_actions = dependencies.ticket_actions
        self._tickets = dependencies.tickets
        self._operator = dependencies.operator
        self._guard = dependencies.guard
        self._notices = dependencies.notices
        self._running = running

    # --- a job

    async def act_on_job(self, request: web.Request) -> web.Response:
        form = await request.post()
        queue, key, action, token = (
            str(form.get(name, "")) for name in ("queue", "key", "action", "token")
        )
        self._guard.check_token(job_action(queue, key), token)
        if action not in list(Action):
            raise web.HTTPBadRequest(text="There is no such action.\n")
        notice, after = await self._running.within_time(
            self._act_on_job(Action(action), queue, key), job_page(queue, key)
        )
        raise self._notices.see(after, notice)

    async def _act_on_job(self, action: Action, queue: str, key: str) -> tuple[Notice, str]:
        """What it says, and where that is read: a job that is gone has no page."""
        try:
            job = await self._inspection.job(queue, key)
        except UnknownJobError as error:
            return Notice(Tone.NEUTRAL, str(error)), "/jobs/delayed"
        try:
            notice = Notice(Tone.GOOD, await self._job_actions.act(action, job, self._operator))
        except UserError as error:
            notice = Notice(Tone.BAD, str(error))
        try:
            await self._inspection.job(queue, key)
        except UnknownJobError:
            ticket_id = job.payload.get("ticket_id")
            if isinstance(ticket_id, int) and await self._tickets.ticket(ticket_id):
                return notice, f"/tickets/{ticket_id}"
            return notice, f"/jobs/{job.state.value}"
        return notice, job_page(queue, key)

    # --- a ticket

    async def act_on_ticket(self, request: web.Request) -> web.Response:
        form = await request.post()
        ticket_id = int(request.match_info["ticket_id"])
        action = action_named(request.match_info["action"])
        request_id = str(form.get("request", ""))
        self._guard.check_token(
            ticket_action(ticket_id, action, request_id), str(form.get("token", ""))
        )
        reason = str(form.get("reason", "")).strip()[:MAX_REASON_LENGTH]
        act = self._act_on_ticket(ticket_id, action, number_in(request_id), reason or None)
        notice, after = await self._running.within_time(act, f"/tickets/{ticket_id}")
        raise self._notices.see(after, notice)

    async def _act_on_ticket(
        self, ticket_id: int, action: TicketAction, request_id: int | None, reason: str | None
    ) -> tuple[Notice, str]:
        try:
            ticket = await self._ticket_actions.act(
                action, ticket_id, self._operator, request_id=request_id, reason=reason
            )
        except UserError as error:
            return Notice(Tone.BAD, str(error)), f"/tickets/{ticket_id}"
        if ticket is None:
            return Notice(Tone.GOOD, key="gone"), "/tickets"
        return _said(action, ticket), f"/tickets/{ticket_id}"


def _said(action: TicketAction, ticket: Ticket) -> Notice:
    if ticket.attention is not None:
        values = {"attention": ticket.attention}
        return Notice(Tone.BAD, key="still_needs_attention", values=values)
    if action is TicketAction.RETRY:
        is_closed = ticket.status is TicketStatus.CLOSED
        return Notice(Tone.GOOD, key="retry_closed" if is_closed else "retry_free")
    return Notice(Tone.GOOD, key=action.value, values={"status": ticket.status.value})


def job_page(queue: str, key: str) -> str:
    return f"/job?{urlencode({'queue': queue, 'key': key})}"


def job_action(queue: str, key: str) -> str:
    """What a token is bound to."""
    return f"job {queue} {key}"


def ticket_action(ticket_id: int, action: str, request_id: str) -> str:
    return f"ticket {ticket_id} {action} {request_id}"
