"""`auto-close`: closes a ticket whose opener has not answered in time."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import ClassVar

from domains.database import Transaction
from domains.error_codes import one_line
from domains.scheduled_task.job_type import JobServices, Payload, RunPolicy
from domains.scheduled_task.timer import Timer
from domains.scheduled_task.timer_kind import TimerKind, TimerPayload

log = logging.getLogger(__name__)

READING = timedelta(minutes=5)
"""The channel is being read, and whoever has read it decides at once: the job is only the net."""
UNDECIDED = timedelta(seconds=1)
"""After an outage, the grace comes first."""


class AutoClosePayload(TimerPayload):
    ticket_id: int
    close_request_id: int | None = None

    @property
    def subject_id(self) -> int:
        return self.ticket_id


class AutoClose(TimerKind):
    name: ClassVar[str] = "auto-close"
    policy: ClassVar[RunPolicy] = RunPolicy(keep_completed=False, timeout=timedelta(minutes=1))
    payload_type: ClassVar[type[TimerPayload]] = AutoClosePayload
    batch: ClassVar[int] = 500
    listed: ClassVar[str | None] = """
        select r.ticket_id as subject_id, r.ticket_id as owner_id, t.guild_id,
               r.auto_close_at as due,
               json_build_object('version', 1, 'ticket_id', r.ticket_id,
                                 'close_request_id', r.id)::text as payload
        from punctual.close_requests r join punctual.tickets t on t.id = r.ticket_id
        where r.status = 'pending' and r.auto_close_at is not null and t.status <> 'closed'"""
    wanted: ClassVar[str] = f"""{listed}
          and t.status = 'open' and not t.exclude_from_autoclose
          and not exists (select from punctual.effects e
                          where e.ticket_id = r.ticket_id and e.subject_id = r.id
                            and e.kind in ('ask', 'announce-grace'))"""
    taken_along: ClassVar[str | None] = f"""{wanted}
          and not exists (select from punctual.effects e
                          where e.ticket_id = r.ticket_id and e.subject_id = r.id
                            and e.kind = 'read-replies')"""
    """Whoever is reading a ticket decides it."""
    due_is_indexed: ClassVar[bool] = True

    def __init__(self, services: JobServices) -> None:
        super().__init__(services)
        self._undecided = set[str]()
        """Which the log has told of: while PostgreSQL takes no writes they come each second."""

    async def before_firing(self) -> None:
        await self.services.ticket_lifecycle.require_current()

    async def fire(
        self, transaction: Transaction, timers: Sequence[Timer]
    ) -> Mapping[int, timedelta]:
        for timer in timers:
            if timer.key not in self._undecided:
                log.info("🤖 Processing auto-close for ticket %s", timer.subject_id)
        self._undecided.update(timer.key for timer in timers)
        ids = [timer.subject_id for timer in timers]
        decision = await self.services.ticket_lifecycle.decide_expiry(transaction, ids)
        self._undecided.difference_update(timer.key for timer in timers)
        return {
            id_: READING if id_ in decision.being_read else UNDECIDED
            for id_ in ids
            if id_ not in decision.closing
        }

    async def nothing_to_do(self, payload: TimerPayload) -> None:
        assert isinstance(payload, AutoClosePayload)
        why = await self.services.ticket_lifecycle.why_not_expired(
            payload.ticket_id, payload.close_request_id
        )
        log.info("Nothing to auto-close in ticket %s: %s", payload.ticket_id, why.value)

    async def give_up(self, payload: Payload, error: Exception) -> None:
        log.error(
            "❌ Failed to auto-close ticket %s: %s", payload.get("ticket_id"), one_line(error)
        )
