"""All timers of all kinds, as PostgreSQL wants them: looked for, listed, and fired."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from domains.database import Database
from domains.scheduled_task import timer_store
from domains.scheduled_task.job_type import NotDueError
from domains.scheduled_task.timer import Timer
from domains.scheduled_task.timer_store import Wanted
from domains.ticket_lifecycle.transitions import TICKET

if TYPE_CHECKING:
    from domains.scheduled_task.timer_kind import TimerKind

PAGE = 1_000
TOO_EARLY = timedelta(milliseconds=5)
NOTHING: Mapping[int, timedelta] = {}


class Timers:
    def __init__(self, database: Database) -> None:
        self._database = database

    # --- for the scheduler

    async def of_owners(
        self, kinds: Sequence[TimerKind], owner_ids: Sequence[int]
    ) -> Sequence[Timer]:
        if not kinds or not owner_ids:
            return ()
        async with self._database.connection() as connection:
            return await timer_store.of_owners(connection, _wanted(kinds), owner_ids)

    async def pages(self, kind: TimerKind) -> AsyncIterator[Sequence[Timer]]:
        last = 0
        while True:
            async with self._database.connection() as connection:
                page = await timer_store.after(connection, _wanted_of(kind), last, PAGE)
            if not page:
                return
            yield page
            last = page[-1].subject_id

    async def overdue(self, kind: TimerKind, overdue_for: timedelta, limit: int) -> Sequence[Timer]:
        async with self._database.connection() as connection:
            return await timer_store.overdue(connection, _wanted_of(kind), overdue_for, limit)

    async def unwanted(self, kind: TimerKind, keys: Sequence[str]) -> Sequence[str]:
        """Which of these jobs of the kind nothing in PostgreSQL asks for any more."""
        subjects = {subject for key in keys if (subject := kind.subject_of(key)) is not None}
        async with self._database.connection() as connection:
            timers = await timer_store.of_subjects(connection, _wanted_of(kind), sorted(subjects))
        wanted = {timer.key for timer in timers}
        return [key for key in keys if key not in wanted]

    # --- firing

    async def fire(self, kind: TimerKind, subject_id: int) -> bool:
        """Decide this timer, and with it others of the kind that are due. False if it is not
        wanted. Raises NotDue if it has to come again."""
        wanted = _wanted_of(kind)
        async with self._database.transaction() as transaction:
            transaction.follow_lazily()
            connection = transaction.connection
            locked = await timer_store.lock_owner(connection, wanted, kind.owner_table, subject_id)
            if kind.batch > 1:
                others = Wanted(kind.name, kind.taken_along or kind.wanted)
                locked += await timer_store.lock_due(
                    connection, others, kind.owner_table, kind.batch
                )
            now = self._database.clock.moment()
            timers = await timer_store.of_subjects(connection, wanted, sorted(set(locked)))
            due = [timer for timer in timers if timer.due <= now]
            own = next((timer for timer in timers if timer.subject_id == subject_id), None)
            postponed = await kind.fire(transaction, due) if due else NOTHING
        if own is not None and own not in due:
            raise NotDueError(max(own.due - self._database.clock.moment(), TOO_EARLY))
        if (again := postponed.get(subject_id)) is not None:
            raise NotDueError(again)
        return own is not None

    # --- for people

    async def of_guild(
        self, kinds: Sequence[TimerKind], guild_id: int, limit: int, offset: int = 0
    ) -> tuple[Sequence[Timer], int]:
        """A page of the guild's timers, soonest first, and how many there are in all."""
        async with self._database.connection() as connection:
            return await timer_store.of_guild(connection, _listed(kinds), guild_id, limit, offset)

    async def tickets_of_guild(
        self, kinds: Sequence[TimerKind], guild_id: int, limit: int, offset: int = 0
    ) -> tuple[Sequence[int], int]:
        """A page of the guild's tickets that need a person, and then of those that have a timer,
        soonest first; and how many there are in all."""
        of_tickets = _listed([kind for kind in kinds if kind.owner == TICKET])
        async with self._database.connection() as connection:
            return await timer_store.tickets_of_guild(
                connection, of_tickets, guild_id, limit, offset
            )

    async def soonest(
        self, kinds: Sequence[TimerKind], limit: int, offset: int = 0
    ) -> Sequence[Timer]:
        """A page of all timers there are."""
        async with self._database.connection() as connection:
            return await timer_store.soonest(connection, _listed(kinds), limit, offset)

    async def count(self, kinds: Sequence[TimerKind]) -> int:
        async with self._database.connection() as connection:
            return await timer_store.count(connection, _listed(kinds))

    async def due_counts(
        self, kinds: Sequence[TimerKind], times: Sequence[datetime]
    ) -> Sequence[int]:
        """How many are wanted from each of these times, which rise, to the next."""
        async with self._database.connection() as connection:
            return await timer_store.due_counts(connection, _wanted(kinds), times)


def _wanted_of(kind: TimerKind) -> Wanted:
    return Wanted(kind.name, kind.wanted)


def _wanted(kinds: Sequence[TimerKind]) -> list[Wanted]:
    return [_wanted_of(kind) for kind in kinds]


def _listed(kinds: Sequence[TimerKind]) -> list[Wanted]:
    return [Wanted(kind.name, kind.listed or kind.wanted) for kind in kinds]
