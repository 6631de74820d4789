"""What an operator may do to a job: which actions are possible, why others are not, and
doing them.

A job is only an alarm. To cancel one whose close request is still pending means to withdraw the
request, or reconciliation would set it again; and before its deadline no alarm closes a ticket.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from domains.errors import UserError
from domains.scheduled_task.inspection import Inspection, JobState, JobView
from domains.scheduled_task.jobs.auto_close import AutoClose
from domains.ticket_lifecycle import TicketLifecycle
from domains.ticket_lifecycle.models import (
    CloseRequest,
    RequestStatus,
    Ticket,
    TicketStatus,
)

OPERATOR_ID = 0
"""Operators have no Discord account."""


class Action(StrEnum):
    RETRY = "retry"
    RUN_NOW = "run-now"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class ActionOption:
    action: Action
    label: str
    explanation: str
    """What it does; where it is not possible, why."""
    possible: bool = True


class ActionNotPossibleError(UserError):
    pass


@dataclass(frozen=True, slots=True)
class _Case:
    """A job, and for an auto-close what PostgreSQL says of its ticket."""

    job: JobView
    ticket: Ticket | None = None
    request: CloseRequest | None = None
    left: timedelta | None = None

    @property
    def is_pending(self) -> bool:
        """Whether this is the alarm of a request that still waits for its deadline."""
        request = self.request
        if request is None or request.auto_close_at is None:
            return False
        return (
            request.status is RequestStatus.PENDING
            and self.ticket is not None
            and self.ticket.status is TicketStatus.OPEN
            and not self.ticket.exclude_from_autoclose
        )

    @property
    def is_early(self) -> bool:
        return self.is_pending and self.left is not None and self.left > timedelta(0)

    @property
    def is_closing(self) -> bool:
        return self.ticket is not None and self.ticket.status is TicketStatus.CLOSING


class JobActions:
    def __init__(self, inspection: Inspection, tickets: TicketLifecycle) -> None:
        self._inspection = inspection
        self._tickets = tickets

    async def options(self, job: JobView) -> Sequence[ActionOption]:
        case = await self._case(job)
        return [_retry(case), _run_now(case), _cancel(case)]

    async def act(self, action: Action, job: JobView) -> str:
        """Do it, and say what was done. Raises ActionNotPossible, or JobMovedOn if the
        job was faster."""
        case = await self._case(job)
        match action:
            case Action.RETRY:
                _insist(_retry(case))
                return await self._do_retry(case)
            case Action.RUN_NOW:
                _insist(_run_now(case))
                await self._inspection.run_now(job)
                return f"{job.key} runs now."
            case Action.CANCEL:
                _insist(_cancel(case))
                return await self._do_cancel(case)

    async def _case(self, job: JobView) -> _Case:
        request_id = job.payload.get("close_request_id")
        ticket_id = job.payload.get("ticket_id")
        if job.name != AutoClose.name or not isinstance(ticket_id, int):
            return _Case(job)
        ticket = await self._tickets.ticket(ticket_id)
        if not isinstance(request_id, int):
            return _Case(job, ticket)
        return _Case(
            job,
            ticket,
            await self._tickets.close_request(request_id),
            await self._tickets.time_left(request_id),
        )

    async def _do_retry(self, case: _Case) -> str:
        job = case.job
        if case.ticket is not None and case.ticket.attention is not None:
            # Else the job would leave the ticket to the person it asked for.
            await self._tickets.clear_attention(case.ticket.id)
        await self._inspection.requeue(job)
        return f"{job.key} is tried again, with all its attempts."

    async def _do_cancel(self, case: _Case) -> str:
        job = case.job
        if not case.is_pending:
            await self._inspection.remove(job)
            return f"{job.key} is removed."
        assert case.request is not None
        request = case.request
        await self._tickets.withdraw_close_request(request.ticket_id, OPERATOR_ID, request.id)
        if case.ticket is not None and case.ticket.attention is not None:
            await self._tickets.clear_attention(request.ticket_id)
        if job.state is JobState.FAILED:
            await self._inspection.remove(job)
        return f"The close request of ticket {request.ticket_id} is withdrawn, and its alarm off."


def _insist(option: ActionOption) -> None:
    if not option.possible:
        raise ActionNotPossibleError(option.explanation)


_NO_RETRY = {
    JobState.WAITING: "It waits for a free worker already.",
    JobState.ACTIVE: "It is running, and is never started twice.",
    JobState.DELAYED: "It has not failed: it waits for its time.",
    JobState.COMPLETED: "It has succeeded.",
}


def _retry(case: _Case) -> ActionOption:
    job = case.job
    if job.state is JobState.FAILED:
        text = "Queues it anew, with all its attempts."
        if case.ticket is not None and case.ticket.attention:
            text += " The ticket's call for attention is taken back."
        return ActionOption(Action.RETRY, "Retry", text)
    if job.waits_for_retry:
        text = "It is tried again at its time; to bring that forward, run it now."
        return ActionOption(Action.RETRY, "Retry", text, possible=False)
    return ActionOption(Action.RETRY, "Retry", _NO_RETRY[job.state], possible=False)


def _run_now(case: _Case) -> ActionOption:
    if case.job.state is not JobState.DELAYED:
        text = "Only a delayed job can be brought forward."
        return ActionOption(Action.RUN_NOW, "Run now", text, possible=False)
    if case.is_early:
        text = (
            "Nothing closes a ticket before its deadline: the job would see that it is early and "
            "go back to wait. To close it now, use /close in the ticket."
        )
        return ActionOption(Action.RUN_NOW, "Run now", text, possible=False)
    if case.job.waits_for_retry:
        text = (
            f"Attempts that failed: {case.job.attempts} of {case.job.max_attempts}. The next "
            "comes now instead of at its time."
        )
        return ActionOption(Action.RUN_NOW, "Run now", text)
    return ActionOption(Action.RUN_NOW, "Run now", "Moves its due time to this moment.")


def _cancel(case: _Case) -> ActionOption:
    job = case.job
    if job.state is JobState.ACTIVE:
        text = "It is running; what it has begun, it ends."
        return ActionOption(Action.CANCEL, "Cancel", text, possible=False)
    if case.is_pending:
        text = (
            "Withdraws the close request it belongs to: the ticket stays open, and the member is "
            "shown so. Its alarm alone cannot be cancelled, since it would be set again."
        )
        return ActionOption(Action.CANCEL, "Withdraw the close request", text)
    if job.state in (JobState.COMPLETED, JobState.FAILED):
        return ActionOption(Action.CANCEL, "Remove", "Forgets this record. Nothing else changes.")
    if case.is_closing:
        text = (
            "The ticket's time was up and its close has begun; it is taken up again whatever "
            "becomes of this job."
        )
        return ActionOption(Action.CANCEL, "Cancel", text, possible=False)
    return ActionOption(Action.CANCEL, "Cancel", "Removes it before it runs.")
