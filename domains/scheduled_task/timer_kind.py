"""What a timer kind is: its name, the SELECT of what PostgreSQL wants, and what happens then.

A new one is one file in `jobs/`. Everything that schedules, lists, repairs or explains timers goes
over all kinds; docs/new-job-type.md shows how to write one.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from domains.database import Transaction
from domains.effects import EffectType
from domains.scheduled_task.job_type import JobServices, JobType, Payload
from domains.scheduled_task.timer import Timer
from domains.scheduled_task.timers import Timers

_KEY = re.compile(r"(?P<kind>[a-z][a-z-]*)-(?P<subject>\d{1,18})-(?P<due>\d{1,15})", re.ASCII)


class TimerPayload(BaseModel):
    """What travels through Redis. A newer version may carry more than is read here."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: int = 1

    @property
    def subject_id(self) -> int:
        raise NotImplementedError


class TimerKind(JobType):
    wanted: ClassVar[str]
    """The timers there ought to be now: `subject_id` (in the key), `owner_id`, `guild_id`, `due`
    and `payload` (jsonb, for `payload_type`). `due` must not be earlier than whole milliseconds."""
    listed: ClassVar[str | None] = None
    """What people are shown, where that is more than what is wanted: timers that are held up,
    too. The same columns."""
    payload_type: ClassVar[type[TimerPayload]]
    owner: ClassVar[str] = "ticket"
    """Whose change may change the timer: the word that `Transaction.touch` is given."""
    owner_table: ClassVar[str] = "punctual.tickets"
    """Where the owner's row is locked while a timer fires."""
    due_is_indexed: ClassVar[bool] = False
    """Whether the overdue ones are found without reading the others: then a timer whose job was
    lost is found within seconds, else by the next reconciliation."""
    batch: ClassVar[int] = 1
    """How many that are due may fire at once; more than one needs that index, too."""
    taken_along: ClassVar[str | None] = None
    """Which of those that are due fire together with another, where that is less than what is
    wanted: none that only waits for something. The same columns."""

    def __init__(self, services: JobServices) -> None:
        super().__init__(services)
        self._timers = Timers(services.database)

    @abstractmethod
    async def fire(
        self, transaction: Transaction, timers: Sequence[Timer]
    ) -> Mapping[int, timedelta]:
        """Their time has come: decide it, in milliseconds, and leave the rest to effects.

        The timers have been read anew, and their owners are locked. Returns the subjects that
        could not be decided yet, and how soon they come again.
        """

    async def before_firing(self) -> None:  # optional
        """Raise AwayError while nothing can be decided."""

    async def nothing_to_do(self, payload: TimerPayload) -> None:  # optional
        """The timer is no longer wanted: say so in the log."""

    def effect_types(self) -> Sequence[EffectType]:
        """Effects that only this kind writes."""
        return ()

    async def run(self, payload: Payload) -> None:
        read = self.payload_type.model_validate(payload)
        await self.before_firing()
        if not await self._timers.fire(self, read.subject_id):
            await self.nothing_to_do(read)

    def owns(self, key: str) -> bool:
        return self.subject_of(key) is not None

    def subject_of(self, key: str) -> int | None:
        """Which subject a job's key names, if it is a job of this kind."""
        match = _KEY.fullmatch(key)
        return int(match["subject"]) if match and match["kind"] == self.name else None
