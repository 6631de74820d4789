"""Job types for tests, whose runs can be counted; and a timer kind with a table of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import ClassVar, cast

from domains.database import Database, Transaction
from domains.scheduled_task.job_type import JobRequest, JobServices, JobType, Payload, RunPolicy
from domains.scheduled_task.timer import Timer
from domains.scheduled_task.timer_kind import TimerKind, TimerPayload
from domains.ticket_lifecycle import TicketLifecycle

HOUR = timedelta(hours=1)

Act = Callable[[str], Awaitable[None]]
"""What a job is to do; it gets its key."""


async def nothing(key: str) -> None:
    return


async def fail(key: str) -> None:
    raise RuntimeError(f"{key} failed")


class Note(JobType):
    """Notes its runs. It needs no services."""

    name: ClassVar[str] = "note"

    def __init__(self, act: Act = nothing) -> None:
        self.act = act
        self.runs: Counter[str] = Counter()
        self.given_up: list[tuple[str, str]] = []

    async def run(self, payload: Payload) -> None:
        key = str(payload["key"])
        self.runs[key] += 1
        await self.act(key)

    async def give_up(self, payload: Payload, error: Exception) -> None:
        self.given_up.append((str(payload["key"]), str(error)))


class ForgottenNote(Note):
    """Nobody wants to know of its successes."""

    name: ClassVar[str] = "forgotten-note"
    policy: ClassVar[RunPolicy] = RunPolicy(keep_completed=False)


class FailingOnce(Note):
    """Fails for good at its first attempt."""

    name: ClassVar[str] = "failing-once"
    policy: ClassVar[RunPolicy] = RunPolicy(retry_delays=())

    def __init__(self) -> None:
        super().__init__(fail)


def request(key: str, due: float = 0, subject_id: int = 1) -> JobRequest:
    """Due at once, if nothing else is said."""
    return JobRequest(key, due, subject_id, {"key": key})


# --- a timer kind


class AlarmPayload(TimerPayload):
    alarm_id: int

    @property
    def subject_id(self) -> int:
        return self.alarm_id


class Alarm(TimerKind):
    """Rings once for each row of a table of the test's own, which is its truth."""

    name: ClassVar[str] = "alarm"
    policy: ClassVar[RunPolicy] = RunPolicy(keep_completed=False)
    payload_type: ClassVar[type[TimerPayload]] = AlarmPayload
    owner: ClassVar[str] = "alarm"
    owner_table: ClassVar[str] = "scratch.alarms"
    due_is_indexed: ClassVar[bool] = True
    wanted: ClassVar[str] = """
        select id as subject_id, id as owner_id, guild_id, due,
               json_build_object('alarm_id', id)::text as payload
        from scratch.alarms where not 'alarm' = any(rung)"""

    def __init__(self, database: Database, act: Act = nothing) -> None:
        super().__init__(JobServices(database, cast("TicketLifecycle", None)))
        self.act = act
        self.rings: list[list[int]] = []
        """Which rang, in each transaction."""
        self.postponed: dict[int, timedelta] = {}
        self.in_vain: list[int] = []

    async def fire(
        self, transaction: Transaction, timers: Sequence[Timer]
    ) -> Mapping[int, timedelta]:
        for timer in timers:
            await self.act(timer.key)
        ids = [timer.subject_id for timer in timers if timer.subject_id not in self.postponed]
        await transaction.connection.execute(
            "update scratch.alarms set rung = rung || $2::text where id = any($1::bigint[])",
            ids,
            self.name,
        )
        transaction.touch(self.owner, *ids)
        self.rings.append(ids)
        return self.postponed

    async def nothing_to_do(self, payload: TimerPayload) -> None:
        self.in_vain.append(payload.subject_id)


class HiddenAlarm(Alarm):
    """Its overdue ones are found only by reading all."""

    name: ClassVar[str] = "hidden-alarm"
    due_is_indexed: ClassVar[bool] = False
    wanted: ClassVar[str] = Alarm.wanted.replace("'alarm'", "'hidden-alarm'")


class AlarmsAtOnce(Alarm):
    """Many that are due ring in one transaction."""

    batch: ClassVar[int] = 100


class Alarms:
    """The table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def make_table(self) -> None:
        await self._database.pool.execute(
            """drop schema if exists scratch cascade;
               create schema scratch;
               create table scratch.alarms (
                   id bigint primary key, due timestamptz not null, guild_id bigint not null,
                   rung text[] not null default '{}')"""
        )

    async def set(self, *ids: int, after: timedelta = HOUR, guild_id: int = 1) -> None:
        """Set anew, or moved; behind everybody's back."""
        await self._database.pool.execute(SET_ALARMS, list(ids), after, guild_id)

    async def set_and_touch(self, *ids: int, after: timedelta = HOUR) -> None:
        """As a use case would do it."""
        async with self._database.transaction() as transaction:
            await transaction.connection.execute(SET_ALARMS, list(ids), after, 1)
            transaction.touch(Alarm.owner, *ids)

    async def remove(self, *ids: int) -> None:
        await self._database.pool.execute(
            "delete from scratch.alarms where id = any($1::bigint[])", list(ids)
        )


SET_ALARMS = """
    insert into scratch.alarms (id, due, guild_id)
    select id, date_trunc('milliseconds', now() + $2::interval), $3 from unnest($1::bigint[]) id
    on conflict (id) do update set due = excluded.due, rung = '{}'"""
