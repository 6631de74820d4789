"""`auto-close`: closes a ticket whose opener has not answered in time."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import ClassVar

from domains.database import DatabaseUnavailable
from domains.scheduled_task.job_type import (
    AwayError,
    JobRequest,
    JobType,
    NoRetryError,
    NotDueError,
    Payload,
    RunPolicy,
)
from domains.ticket_lifecycle import TicketLifecycle
from domains.ticket_lifecycle.channels import DiscordAwayError
from domains.ticket_lifecycle.models import AutoCloseOutcome, CloseTimer

log = logging.getLogger(__name__)

PAGE = 1_000
OVERDUE_FOR = timedelta(seconds=1)
"""The worker is given this long before the deadline watch looks at a timer."""
AWAY_FOR_S = 3.0
TOO_EARLY = timedelta(seconds=1)

_KEY = re.compile(r"auto-close-(\d{1,18})-(\d{1,15})", re.ASCII)


def auto_close_job(timer: CloseTimer) -> JobRequest:
    """The key is a function of the row: enqueueing twice is enqueueing once, cancelling needs no
    stored id, and a changed deadline is another job."""
    return JobRequest(
        key=f"auto-close-{timer.ticket_id}-{timer.due_ms}",
        due=timer.due_ms / 1000,
        subject_id=timer.ticket_id,
        payload={
            "ticket_id": timer.ticket_id,
            "close_request_id": timer.close_request_id,
        },
    )


class AutoClose(JobType):
    name: ClassVar[str] = "auto-close"
    policy: ClassVar[RunPolicy] = RunPolicy(keep_completed=False)

    @property
    def _tickets(self) -> TicketLifecycle:
        return self.services.ticket_lifecycle

    async def run(self, payload: Payload) -> None:
        ticket_id, close_request_id = _ids(payload)
        log.info("🤖 Processing auto-close for ticket %s", ticket_id)
        try:
            outcome = await self._tickets.auto_close(ticket_id, close_request_id)
        except DatabaseUnavailable:
            raise  # said once, by the scheduler
        except DiscordAwayError as error:
            raise await self._discord_is_away() from error
        except Exception as error:
            # The line is the contract; the traceback stays with the job.
            log.error("❌ Failed to auto-close ticket %s: %s", ticket_id, _one_line(error))
            raise
        match outcome:
            case AutoCloseOutcome.CLOSED:
                log.info("✅ Successfully auto-closed ticket %s", ticket_id)
            case AutoCloseOutcome.NEEDS_ATTENTION:
                ticket = await self._tickets.ticket(ticket_id)
                why = (ticket.attention if ticket else None) or outcome.value
                log.error("❌ Failed to auto-close ticket %s: %s", ticket_id, why)
                raise NoRetryError(why)
            case AutoCloseOutcome.NOT_DUE if not self._tickets.discord_status.connected:
                raise await self._discord_is_away()  # long enough for a grace
            case AutoCloseOutcome.NOT_DUE:
                raise NotDueError(await self._time_left(close_request_id))
            case _:
                log.info("Nothing to auto-close in ticket %s: %s", ticket_id, outcome.value)

    async def _discord_is_away(self) -> AwayError:
        """The slot is held meanwhile: however many jobs there are, few of them keep trying."""
        await self._tickets.discord_status.wait(AWAY_FOR_S)
        return AwayError("Discord is away")

    async def _time_left(self, close_request_id: int | None) -> timedelta:
        left = await self._tickets.time_left(close_request_id) if close_request_id else None
        return left if left is not None and left > timedelta(0) else TOO_EARLY

    async def give_up(self, payload: Payload, error: Exception) -> None:
        ticket_id, _ = _ids(payload)
        await self._tickets.give_up_auto_close(ticket_id, _one_line(error))

    async def timer_of_ticket(self, ticket_id: int) -> CloseTimer | None:
        return await self._tickets.timer_of_ticket(ticket_id)

    async def expected(self) -> AsyncIterator[Sequence[JobRequest]]:
        last = 0
        while page := await self._tickets.timers_after(last, PAGE):
            yield [auto_close_job(timer) for timer in page]
            last = page[-1].close_request_id

    async def overdue(self, limit: int) -> Sequence[JobRequest]:
        timers = await self._tickets.overdue_timers(OVERDUE_FOR, limit)
        return [auto_close_job(timer) for timer in timers]

    def owns(self, key: str) -> bool:
        return _KEY.fullmatch(key) is not None

    async def orphans(self, keys: Sequence[str]) -> Sequence[str]:
        ticket_ids = {int(match[1]) for key in keys if (match := _KEY.fullmatch(key))}
        wanted = {
            auto_close_job(timer).key
            for timer in await self._tickets.wanted_timers(sorted(ticket_ids))
        }
        return [key for key in keys if key not in wanted]

    async def record_heartbeat(self) -> None:
        await self._tickets.record_heartbeat()

    async def resume(self) -> None:
        await self._tickets.resume_unfinished()


def _ids(payload: Payload) -> tuple[int, int | None]:
    """A payload of another version may lack the request's id, or carry more than is read here."""
    ticket_id = payload.get("ticket_id")
    close_request_id = payload.get("close_request_id")
    if not isinstance(ticket_id, int):
        raise ValueError(f"auto-close needs a ticket_id, not {ticket_id!r}")
    return ticket_id, close_request_id if isinstance(close_request_id, int) else None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
