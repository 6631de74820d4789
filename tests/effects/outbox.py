"""An outbox whose effects write down that they were done, fail, or are held up, as a test says."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import timedelta
from typing import ClassVar

from domains.database import Database, Transaction
from domains.effects import Effect, EffectRunner, EffectType, store
from domains.effects.effect import AfterDelivery, Lane
from domains.effects.store import PendingEffect


class Told(EffectType):
    """Something that is only said."""

    kind: ClassVar[str] = "told"

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    async def deliver(self, effect: Effect) -> AfterDelivery | None:
        return await self._outbox.do(effect)

    async def failed(self, effect: Effect, error: Exception, *, needs_person: bool) -> None:
        self._outbox.failed.append((effect.subject_id, needs_person))


class Essential(Told):
    kind: ClassVar[str] = "essential"
    essential: ClassVar[bool] = True


class Aside(Told):
    kind: ClassVar[str] = "aside"
    lane: ClassVar[Lane] = Lane.ATTENTION


class Outbox:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.begun: list[tuple[int, int]] = []
        """Each (ticket, subject), in order."""
        self.nonces: list[str] = []
        self.recorded: list[tuple[int, int]] = []
        """What was written with the end of the effect."""
        self.failed: list[tuple[int, bool]] = []
        self.errors: defaultdict[int, list[Exception]] = defaultdict(list)
        """By subject: what is raised, once each."""
        self.held: dict[int, asyncio.Event] = {}
        """By subject: who comes waits for it."""
        self._runners: list[EffectRunner] = []
        self.runner = self.process()

    def process(self, **limits: int) -> EffectRunner:
        """The runner of a process; with limits of its own, if given."""
        runner = EffectRunner(self.database, **limits)  # type: ignore[arg-type]
        runner.register([Told(self), Essential(self), Aside(self)])
        self._runners.append(runner)
        return runner

    async def stop(self) -> None:
        for event in self.held.values():
            event.set()
        for runner in self._runners:
            await runner.stop(timedelta(seconds=5))

    async def ticket(self, guild_id: int = 1) -> int:
        return await self.database.pool.fetchval(
            """insert into punctual.tickets (guild_id, number, opener_id, subject)
               select $1, count(*) + 1, 10, '' from punctual.tickets returning id""",
            guild_id,
        )

    async def add(
        self, ticket_id: int, *subjects: int, kind: str = "told", lane: Lane = Lane.STORY
    ) -> None:
        async with self.database.transaction() as transaction:
            for subject in subjects:
                await store.add(transaction.connection, ticket_id, kind, subject, lane=lane)

    async def do(self, effect: Effect) -> AfterDelivery:
        self.begun.append((effect.ticket_id, effect.subject_id))
        self.nonces.append(effect.nonce)
        if (event := self.held.get(effect.subject_id)) is not None:
            await event.wait()
        if self.errors[effect.subject_id]:
            raise self.errors[effect.subject_id].pop(0)

        async def record(_: Transaction) -> None:
            self.recorded.append((effect.ticket_id, effect.subject_id))

        return record

    def hold(self, subject: int) -> asyncio.Event:
        self.held[subject] = asyncio.Event()
        return self.held[subject]

    async def pending(self, ticket_id: int) -> list[PendingEffect]:
        async with self.database.connection() as connection:
            return list(await store.of_ticket(connection, ticket_id))

    async def is_empty(self) -> bool:
        return not await self.database.pool.fetchval("select exists (select from punctual.effects)")

    async def due_in(self, ticket_id: int) -> timedelta:
        return await self.database.pool.fetchval(
            """select due_at - clock_timestamp() from punctual.effects where ticket_id = $1
               order by lane, id limit 1""",
            ticket_id,
        )

    async def make_due(self) -> None:
        await self.database.pool.execute("update punctual.effects set due_at = now()")

    async def leases_run_out(self) -> None:
        await self.database.pool.execute(
            "update punctual.effects set lease_until = now() - interval '1 second'"
        )
