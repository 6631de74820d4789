"""Figures by the hour: each event counted once, whoever counts, and kept when tickets are gone."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from domains.database import Database
from domains.monitoring.figure_keeper import count_all, count_once
from domains.monitoring.trends import Figures, Span, Trends, headline, trends
from domains.ticket_lifecycle.store import retention

NOW = datetime.now(UTC)
MIDDAY = datetime(2026, 11, 25, 12, 20, tzinfo=UTC)


async def ticket(database: Database, number: int = 1) -> int:
    async with database.connection() as connection:
        return await connection.fetchval(
            """insert into punctual.tickets (guild_id, number, opener_id, status)
               values (1, $1, 7, 'closed') returning id""",
            number,
        )


async def happen(
    database: Database, ticket_id: int, event: str, at: datetime, *late_ms: int | None
) -> None:
    async with database.connection() as connection:
        await connection.execute(
            """insert into punctual.ticket_events (ticket_id, guild_id, event, at, late_ms)
               select $1, 1, $2, $3, late from unnest($4::bigint[]) late""",
            ticket_id,
            event,
            at,
            list(late_ms or (None,)),
        )


async def seen(database: Database, now: datetime = NOW) -> Figures:
    async with database.connection() as connection:
        return await headline(connection, now)


async def over(database: Database, span: Span, now: datetime) -> Trends:
    async with database.connection() as connection:
        return await trends(connection, span, now)


async def test_each_event_counts_once_before_while_and_after_it_is_added_up(
    database: Database,
) -> None:
    """Also those that are too young to be added up, and with two that add up at once."""
    id_ = await ticket(database)
    await happen(database, id_, "expired", NOW - timedelta(hours=3), 5, 999, 1_000, 1_001)
    await happen(database, id_, "closed", NOW - timedelta(hours=2), None, 1_234)
    before = await seen(database)
    assert (before.decided.number, before.decided.on_time, before.closed) == (4, 3, 2)
    assert before.ended.by_ms == {1_300: 1}
    await asyncio.gather(*(count_once(database, 2) for _ in range(3)))
    assert await seen(database) == before
    await count_all(database)
    await happen(database, id_, "expired", NOW, 7)
    await count_all(database)
    after = await seen(database)
    assert (after.decided.number, after.decided.on_time) == (5, 4)


async def test_figures_stay_when_their_tickets_are_deleted_counted_or_not(
    database: Database,
) -> None:
    counted, uncounted = await ticket(database), await ticket(database, 2)
    await happen(database, counted, "expired", NOW - timedelta(hours=3), 5)
    await count_all(database)
    await happen(database, uncounted, "expired", NOW, 6)
    await happen(database, counted, "opened", NOW)
    before = await seen(database)
    async with database.transaction() as transaction:
        await retention.delete_tickets(transaction.connection, [counted, uncounted])
    assert await seen(database) == before
    await count_all(database)
    assert await seen(database) == before


async def test_steps_begin_at_whole_hours_and_days_and_hold_what_happened_in_them(
    database: Database,
) -> None:
    id_ = await ticket(database)
    for ago in (timedelta(0), timedelta(minutes=21), timedelta(hours=30), timedelta(days=40)):
        await happen(database, id_, "opened", MIDDAY - ago)
    day = await over(database, Span.DAY, MIDDAY)
    assert [step.opened for step in day.figures] == [0] * 22 + [1, 1]
    assert day.figures[-1].start == MIDDAY.replace(minute=0)
    week = await over(database, Span.WEEK, MIDDAY)
    assert [step.opened for step in week.figures][-6:] == [1, 0, 0, 0, 1, 1]
    month = await over(database, Span.MONTH, MIDDAY)
    assert [step.opened for step in month.figures] == [0] * 28 + [1, 2]
    assert month.total.opened == 3
