"""What an operator may do to a job: which actions are possible, why others are not, and
doing them.

A job is only an alarm. To cancel one whose close request is still pending means to withdraw the
request, or reconciliation would set it again; and before its deadline no alarm closes a ticket.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import cast

from domains.errors import OperatorError
from domains.scheduled_task import ScheduledTask
from domains.scheduled_task.inspection import Inspection, JobState, JobView
from domains.scheduled_task.jobs.auto_close import AutoClose
from domains.scheduled_task.timer import Timer
from domains.ticket_lifecycle import TicketLifecycle
from domains.ticket_lifecycle.models import Ticket

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


class ActionNotPossibleError(OperatorError):
    pass


@dataclass(frozen=True, slots=True)
class _Case:
    """A job, and what PostgreSQL says of the timer it is the alarm of."""

    job: JobView
    now: datetime
    ticket: Ticket | None = None
    timer: Timer | None = None
    """None if nothing asks for the job any more."""

    @property
    def is_early(self) -> bool:
        return self.timer is not None and self.timer.due > self.now


class JobActions:
    def __init__(
        self, inspection: Inspection, tickets: TicketLifecycle, scheduled_task: ScheduledTask
    ) -> None:
        self._inspection = inspection
        self._tickets = tickets
        self._scheduled_task = scheduled_task

    async def options(self, job: JobView) -> Sequence[ActionOption]:
        case = await self._case(job)
        return [_retry(case), _run_now(case), _cancel(case)]

    async def act(self, action: Action, job: JobView, user_id: int = OPERATOR_ID) -> str:
        """Do it, and say what was done. Raises ActionNotPossible, or JobMovedOn if the
        job was faster."""
        case = await self._case(job)
        match action:
            case Action.RETRY:
                _insist(_retry(case))
                return await self._do_retry(case, user_id)
            case Action.RUN_NOW:
                _insist(_run_now(case))
                await self._inspection.run_now(job)
                return f"{job.key} runs now."
            case Action.CANCEL:
                _insist(_cancel(case))
                return await self._do_cancel(case, user_id)

    async def _case(self, job: JobView) -> _Case:
        now = self._tickets.now()
        ticket_id = job.payload.get("ticket_id")
        return _Case(
            job,
            now,
            await self._tickets.ticket(ticket_id) if isinstance(ticket_id, int) else None,
            await self._timer_of(job),
        )

    async def _timer_of(self, job: JobView) -> Timer | None:
        kinds = [kind for kind in self._scheduled_task.kinds if kind.owns(job.key)]
        if job.subject_id is None:
            return None
        timers = await self._scheduled_task.timers.of_owners(kinds, [job.subject_id])
        return next((timer for timer in timers if timer.key == job.key), None)

    async def _do_retry(self, case: _Case, user_id: int) -> str:
        job = case.job
        await self._inspection.requeue(job)
        if case.ticket is not None and case.ticket.attention is not None:
            await self._tickets.retry_close(case.ticket.id, user_id)
        return f"{job.key} is tried again, with all its attempts."

    async def _do_cancel(self, case: _Case, user_id: int) -> str:
        job, timer = case.job, case.timer
        if timer is None:
            await self._inspection.remove(job)
            return f"{job.key} is removed."
        request_id = cast("int", timer.payload["close_request_id"])
        await self._tickets.withdraw_close_request(timer.owner_id, user_id, request_id)
        if job.state is JobState.FAILED:
            await self._inspection.remove(job)
        return f"The close request of ticket {timer.owner_id} is withdrawn, and its alarm off."


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
            text += " What keeps its ticket from closing is tried again, too."
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
        is_close = case.job.name == AutoClose.name
        what = "closes a ticket before its deadline" if is_close else "happens before its time"
        text = f"Nothing {what}: the job would see that it is early and go back to wait."
        if is_close:
            text += " To close it now, close its ticket."
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
    if case.timer is not None and job.name != AutoClose.name:
        text = "It belongs to a timer that is still wanted, and would be set again."
        return ActionOption(Action.CANCEL, "Cancel", text, possible=False)
    if case.timer is not None:
        text = (
            "Withdraws the close request it belongs to: the ticket stays open, and the member is "
            "shown so. Its alarm alone cannot be cancelled, since it would be set again."
        )
        return ActionOption(Action.CANCEL, "Withdraw the close request", text)
    if job.state in (JobState.COMPLETED, JobState.FAILED):
        return ActionOption(Action.CANCEL, "Remove", "Forgets this record. Nothing else changes.")
    return ActionOption(Action.CANCEL, "Cancel", "Removes it before it runs.")
