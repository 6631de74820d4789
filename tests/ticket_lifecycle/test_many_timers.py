"""Twenty thousand timers: found in pages, each once, and decided by the hundred."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from domains.database import Database
from domains.scheduled_task.timer_kind import TimerKind
from tests.ticket_lifecycle.helpdesk import STAFF_ID, HelpDesk

if TYPE_CHECKING:
    from domains.database import Connection

MANY = 10_000
PAGE = 1_000


class CountingDatabase(Database):
    def __init__(self, url: str) -> None:
        super().__init__(lambda: url)
        self.queries: list[str] = []

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[Connection]:
        async with super().connection() as connection:
            with connection.query_logger(lambda record: self._note(record.query)):
                yield connection

    def _note(self, query: str) -> None:
        if "close_requests" in query:  # and not the driver's own looking up of types
            self.queries.append(query)


@pytest.fixture
async def counting(database_url: str) -> AsyncGenerator[CountingDatabase]:
    database = CountingDatabase(database_url)
    await database.connect()
    yield database
    await database.close()


@pytest.fixture
async def busy_desk(desk: HelpDesk, counting: CountingDatabase) -> HelpDesk:
    """Twenty thousand overdue requests: every other, and of the odd ones those that need a
    person, are wanted; the rest is closed, excluded, denied or untimed."""
    await counting.pool.execute(
        """with new as (
               insert into punctual.tickets (guild_id, number, channel_id, opener_id, status,
                                    exclude_from_autoclose, attention)
               select 1, n, n, 10, case when n % 8 = 1 then 'closed' else 'open' end,
                      n % 8 = 3, case when n % 8 = 5 then '{"code": "unexpected"}'::jsonb end
               from generate_series(1, $1::bigint * 2) n returning id, number)
           insert into punctual.close_requests (ticket_id, requested_by_id, auto_close_at, status)
           select id, 20, case when number % 16 <> 15 then now() - number * interval '1 second' end,
                  case when number % 16 = 7 then 'denied' else 'pending' end
           from new""",
        MANY,
    )
    return desk.elsewhere(counting)


@pytest.fixture
def auto_close(busy_desk: HelpDesk) -> TimerKind:
    return busy_desk.kind("auto-close")


async def test_every_timer_is_on_one_page_and_each_page_is_one_query(
    busy_desk: HelpDesk, counting: CountingDatabase, auto_close: TimerKind
) -> None:
    counting.queries.clear()
    pages = [page async for page in busy_desk.timers.pages(auto_close)]
    assert all(0 < len(page) <= PAGE for page in pages)
    assert len(counting.queries) == len(pages) + 1
    found = [timer.owner_id for page in pages for timer in page]
    wanted = await counting.pool.fetch(
        "select id from punctual.tickets where number % 2 = 0 or number % 8 = 5 order by id"
    )
    assert found == [row["id"] for row in wanted]


async def test_a_page_of_overdue_timers_is_one_query_and_has_the_oldest(
    busy_desk: HelpDesk, counting: CountingDatabase, auto_close: TimerKind
) -> None:
    counting.queries.clear()
    page = await busy_desk.timers.overdue(auto_close, timedelta(), 500)
    assert len(page) == 500
    assert len(counting.queries) == 1
    assert [timer.due for timer in page] == sorted(timer.due for timer in page)
    oldest = await counting.pool.fetchval("select min(auto_close_at) from punctual.close_requests")
    assert page[0].due == oldest


async def test_all_that_is_overdue_is_decided_five_hundred_at_a_time(
    busy_desk: HelpDesk, counting: CountingDatabase, auto_close: TimerKind
) -> None:
    """Nothing is left over, and nothing that is not wanted is touched."""
    await counting.pool.execute("update punctual.close_requests set read_at = now()")
    await busy_desk.listen()
    await counting.pool.execute("update punctual.close_requests set read_at = now()")
    fired = 0
    while page := await busy_desk.timers.overdue(auto_close, timedelta(), 1):
        assert await busy_desk.timers.fire(auto_close, page[0].subject_id)
        fired += 1
    assert fired <= MANY * 5 // 4 // 500 + 1
    rows = await counting.pool.fetch(
        """select t.number % 2 = 0 or t.number % 8 = 5 as wanted, t.status = 'closing' as closing,
                  count(*) from punctual.tickets t group by 1, 2"""
    )
    assert {(row["wanted"], row["closing"]) for row in rows} == {(True, True), (False, False)}


async def test_timers_overdue_for_a_while_are_told_from_those_that_just_rang(
    busy_desk: HelpDesk, auto_close: TimerKind
) -> None:
    page = await busy_desk.timers.overdue(auto_close, timedelta(seconds=19_000), MANY)
    assert 626 <= len(page) < 750, "the clock goes on meanwhile"


async def test_which_tickets_have_a_timer_is_one_query(
    busy_desk: HelpDesk, counting: CountingDatabase, auto_close: TimerKind
) -> None:
    rows = await counting.pool.fetch("select id from punctual.tickets order by id")
    ids = [row["id"] for row in rows]
    counting.queries.clear()
    timers = await busy_desk.timers.of_owners([auto_close], [*ids, 999_999_999])
    assert len(counting.queries) == 1
    assert len(timers) == MANY * 5 // 4
    assert await busy_desk.timers.of_owners([auto_close], []) == ()


async def test_timers_are_those_of_pending_timed_requests_of_open_included_tickets(
    desk: HelpDesk,
) -> None:
    kept, excluded, denied, closed, untimed = [await desk.open() for _ in range(5)]
    for ticket in (kept, excluded, denied, closed):
        await desk.ask(ticket, hours=1)
    await desk.ask(untimed, hours=None)
    await desk.lifecycle.exclude_from_autoclose(excluded.id, STAFF_ID)
    await desk.lifecycle.cancel_close_request(denied.id, STAFF_ID)
    await desk.close(closed)
    everyone = [ticket.id for ticket in (kept, excluded, denied, closed, untimed)]
    assert [timer.owner_id for timer in await desk.timers_of_kind()] == [kept.id]
    timers = await desk.timers.of_owners([desk.kind("auto-close")], everyone)
    assert [timer.owner_id for timer in timers] == [kept.id]
