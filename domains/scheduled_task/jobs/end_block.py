"""`end-block`: the end of a member's block. It counts no more from its last moment on, whatever
becomes of this timer, which takes its row away."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import ClassVar

from domains.database import Transaction
from domains.scheduled_task.job_type import RunPolicy
from domains.scheduled_task.timer import Timer
from domains.scheduled_task.timer_kind import TimerKind, TimerPayload
from domains.ticket_lifecycle.block_member import BLOCK
from domains.ticket_lifecycle.store import blocks

log = logging.getLogger(__name__)


class EndBlockPayload(TimerPayload):
    block_id: int

    @property
    def subject_id(self) -> int:
        return self.block_id


class EndBlock(TimerKind):
    name: ClassVar[str] = "end-block"
    policy: ClassVar[RunPolicy] = RunPolicy(keep_completed=False, timeout=timedelta(minutes=1))
    payload_type: ClassVar[type[TimerPayload]] = EndBlockPayload
    owner: ClassVar[str] = BLOCK
    owner_table: ClassVar[str] = "punctual.blocks"
    wanted: ClassVar[str] = """
        select b.id as subject_id, b.id as owner_id, b.guild_id, b.ends_at as due,
               json_build_object('version', 1, 'block_id', b.id)::text as payload
        from punctual.blocks b where b.ends_at is not null"""
    due_is_indexed: ClassVar[bool] = True
    batch: ClassVar[int] = 100

    async def fire(
        self, transaction: Transaction, timers: Sequence[Timer]
    ) -> Mapping[int, timedelta]:
        ids = [timer.subject_id for timer in timers]
        await blocks.end(transaction.connection, ids)
        transaction.touch(BLOCK, *ids)
        log.info("Blocks that are over: %s", ", ".join(map(str, ids)))
        return {}
