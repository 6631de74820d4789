"""Ten thousand timers: found in pages, each once, with one query a page."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from domains.database import Database
from domains.ticket_lifecycle.models import CloseTimer, Ticket
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
    """Ten thousand overdue requests, and as many that are not to be found."""
    await counting.pool.execute(
        """with new as (
               insert into punctual.tickets (guild_id, number, channel_id, opener_id, status,
                                    exclude_from_autoclose, attention)
               select 1, n, n, 10, case when n % 8 = 1 then 'closed' else 'open' end,
                      n % 8 = 3, case when n % 8 = 5 then 'the bot lacks a permission' end
               from generate_series(1, $1::bigint * 2) n returning id, number)
           insert into punctual.close_requests (ticket_id, requested_by_id, auto_close_at, status)
           select id, 20, case when number % 16 <> 15 then now() - number * interval '1 second' end,
                  case when number % 16 = 7 then 'denied' else 'pending' end
           from new""",
        MANY,
    )
    return desk.elsewhere(counting)


async def all_timers(desk: HelpDesk) -> list[list[CloseTimer]]:
    pages: list[list[CloseTimer]] = []
    last = 0
    while page := list(await desk.lifecycle.timers_after(last, PAGE)):
        pages.append(page)
        last = page[-1].close_request_id
    return pages


async def test_every_timer_is_on_one_page_and_each_page_is_one_query(
    busy_desk: HelpDesk, counting: CountingDatabase
) -> None:
    counting.queries.clear()
    pages = await all_timers(busy_desk)
    assert all(0 < len(page) <= PAGE for page in pages)
    assert len(counting.queries) == len(pages) + 1
    found = {timer.close_request_id for page in pages for timer in page}
    assert len(found) == MANY
    wanted = await counting.pool.fetch(
        "select r.id from punctual.close_requests r join punctual.tickets t on t.id = r.ticket_id"
        " where t.number % 2 = 0"
    )
    assert found == {row["id"] for row in wanted}


async def test_a_page_of_overdue_timers_is_one_query_and_has_the_oldest(
    busy_desk: HelpDesk, counting: CountingDatabase
) -> None:
    counting.queries.clear()
    page = await busy_desk.lifecycle.overdue_timers(timedelta(), 500)
    assert len(page) == 500
    assert len(counting.queries) == 1
    assert [timer.auto_close_at for timer in page] == sorted(timer.auto_close_at for timer in page)
    oldest = await counting.pool.fetchval("select min(auto_close_at) from punctual.close_requests")
    assert page[0].auto_close_at == oldest


async def test_overdue_timers_are_all_found_as_they_are_dealt_with(
    busy_desk: HelpDesk, counting: CountingDatabase
) -> None:
    found: set[int] = set()
    while page := await busy_desk.lifecycle.overdue_timers(timedelta(), 500):
        ids = [timer.close_request_id for timer in page]
        assert found.isdisjoint(ids)
        found.update(ids)
        await counting.pool.execute(
            "update punctual.close_requests set status = 'expired' where id = any($1::bigint[])",
            ids,
        )
    assert len(found) == MANY


async def test_timers_overdue_for_a_while_are_told_from_those_that_just_rang(
    busy_desk: HelpDesk,
) -> None:
    page = await busy_desk.lifecycle.overdue_timers(timedelta(seconds=19_000), MANY)
    assert 501 <= len(page) < 600, "the clock goes on meanwhile"


async def test_which_tickets_have_a_timer_is_one_query(
    busy_desk: HelpDesk, counting: CountingDatabase
) -> None:
    rows = await counting.pool.fetch("select id from punctual.tickets order by id")
    ids = [row["id"] for row in rows]
    counting.queries.clear()
    timers = await busy_desk.lifecycle.wanted_timers([*ids, 999_999_999])
    assert len(counting.queries) == 1
    assert MANY <= len(timers) < MANY * 2
    assert await busy_desk.lifecycle.wanted_timers([]) == []


# --- which timers there are


async def timed(desk: HelpDesk, hours: float = 1) -> Ticket:
    ticket = await desk.open()
    await desk.ask(ticket, hours)
    return ticket


def tickets_of(timers: Sequence[CloseTimer]) -> list[int]:
    return sorted(timer.ticket_id for timer in timers)


async def test_timers_are_those_of_pending_timed_requests_of_open_included_tickets(
    desk: HelpDesk,
) -> None:
    kept = await timed(desk)
    excluded, denied, closed = await timed(desk), await timed(desk), await timed(desk)
    untimed = await desk.open()
    await desk.ask(untimed, hours=None)
    await desk.lifecycle.exclude_from_autoclose(excluded.id, STAFF_ID)
    await desk.lifecycle.cancel_close_request(denied.id, STAFF_ID)
    await desk.lifecycle.close_ticket(closed.id, STAFF_ID)
    everyone = [ticket.id for ticket in (kept, excluded, denied, closed, untimed)]
    assert tickets_of(await desk.lifecycle.timers_after(0, 10)) == [kept.id]
    assert tickets_of(await desk.lifecycle.wanted_timers(everyone)) == [kept.id]
    assert tickets_of(list(desk.timers.scheduled.values())) == [kept.id]
    for ticket_id in everyone:
        timer = await desk.lifecycle.timer_of_ticket(ticket_id)
        assert (timer is not None) == (ticket_id == kept.id)


async def test_a_timer_that_needs_a_person_is_kept_and_not_rung(desk: HelpDesk) -> None:
    """Its job must not be removed as an orphan, nor run again and again."""
    ticket = await timed(desk)
    (request,) = await desk.requests(ticket)
    await desk.run_out(request)
    await desk.lifecycle.give_up_auto_close(ticket.id, "Discord did not answer")
    assert await desk.lifecycle.overdue_timers(timedelta(), 10) == []
    assert await desk.lifecycle.timers_after(0, 10) == []
    assert tickets_of(await desk.lifecycle.wanted_timers([ticket.id])) == [ticket.id]
