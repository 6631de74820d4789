"""`cleanup-old-tickets`: every night, what is older than it is kept goes.

The job only has it begun: deleting files takes its time, and must keep no other job waiting. For
as long as somebody is at it the row's time lies ahead, so a cleanup that was killed begins anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import ClassVar

from domains.database import Transaction
from domains.scheduled_task.job_type import RunPolicy
from domains.scheduled_task.timer import Timer
from domains.scheduled_task.timer_kind import TimerKind, TimerPayload
from domains.ticket_lifecycle.clean_up import AT_IT
from domains.ticket_lifecycle.store import retention


class CleanupPayload(TimerPayload):
    @property
    def subject_id(self) -> int:
        return 1


class CleanupOldTickets(TimerKind):
    name: ClassVar[str] = "cleanup-old-tickets"
    policy: ClassVar[RunPolicy] = RunPolicy(timeout=timedelta(minutes=1))
    payload_type: ClassVar[type[TimerPayload]] = CleanupPayload
    owner: ClassVar[str] = "cleanup"
    owner_table: ClassVar[str] = "punctual.cleanup"
    wanted: ClassVar[str] = """
        select c.id as subject_id, c.id as owner_id, 0::bigint as guild_id, c.due_at as due,
               json_build_object('version', 1)::text as payload
        from punctual.cleanup c where c.due_at is not null"""

    async def fire(
        self,
        transaction: Transaction,
        timers: Sequence[Timer],  # noqa: ARG002  # there is only one
    ) -> Mapping[int, timedelta]:
        await retention.postpone(transaction.connection, AT_IT)
        transaction.touch(self.owner, 1)
        transaction.after_commit(self._start)
        return {}

    async def _start(self) -> None:
        self.services.ticket_lifecycle.cleanup.start()
