"""PostgreSQL is restarted, killed or full, its wires are cut, the answer to a COMMIT is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import asyncpg
import pytest

from tests.faults.flows import (
    FLOWS,
    Accepting,
    Asking,
    Denying,
    Expiring,
    Flow,
    Opening,
    finish,
)
from tests.faults.laboratory import Laboratory
from tests.faults.processes import busy
from tests.faults.properties import assert_kept, settled
from tests.faults.proxy import PostgresProxy
from tests.waiting import eventually
from tests.wire import Call, Moment

BEFORE, AFTER = Moment.BEFORE, Moment.AFTER
MOST_STATEMENTS = 60
OURS = "tickets|close_requests|ticket_events|commit"
"""Statements about a ticket, and not the pulse or the migrations."""
CUT_ALL = """select count(pg_terminate_backend(pid)) from pg_stat_activity
    where application_name = 'punctual' and datname = current_database()"""


@pytest.fixture
async def proxy(lab: Laboratory) -> AsyncGenerator[PostgresProxy]:
    """Between the laboratory's bots and PostgreSQL."""
    async with PostgresProxy(lab.environment["DATABASE_URL"], lab.postgres.socket) as proxy:
        lab.environment["DATABASE_URL"] = proxy.url
        yield proxy
        await lab.end()


# --- statements


@dataclass(frozen=True)
class Place:
    """Where the wire is cut: at the n-th statement that matches."""

    moment: Moment
    pattern: str
    nth: int = 1


async def cut_in(lab: Laboratory, proxy: PostgresProxy, flow: Flow, place: Place) -> bool:
    """Cut the wire in the middle of what is being done, and see it through. False if there is no
    such statement."""
    await flow.prepare()
    cut = proxy.cut_at(place.pattern, place.moment, nth=place.nth)
    with lab.outage():
        await flow.begin()

        async def over() -> bool:
            return cut.made is not None or await flow.is_done()

        await eventually(over, 20)
    if cut.made is None:
        await asyncio.sleep(0.5)  # what follows the last decision, and is then seen by nobody
    proxy.disarm()
    if cut.made is None:
        return False
    if isinstance(flow, (Opening, Asking)):
        await lab.age_what_is_half_done()
        await lab.give_a_new_session()
    await settled(lab)
    await finish(flow)
    where = f"{flow.name}, cut {place.moment.name.lower()} statement {place.nth}: {cut.made[:100]}"
    # A promise for after a commit that nobody heard of is kept by the minute's reconciliation.
    await assert_kept(lab, after=where, redis=False)
    return True


def long(*values: object) -> list[object]:
    return [pytest.param(value, marks=pytest.mark.long) for value in values]


@pytest.mark.parametrize(
    "flow_type",
    [Expiring, *long(Opening, Asking, Denying, Accepting)],
    ids=lambda flow: flow.name,
)
async def test_a_commit_whose_answer_is_lost_counts_all_the_same(
    lab: Laboratory, proxy: PostgresProxy, flow_type: type[Flow]
) -> None:
    await lab.start()
    assert await cut_in(lab, proxy, flow_type(lab), Place(AFTER, "^commit"))


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize("flow_type", FLOWS, ids=lambda flow: flow.name)
async def test_a_wire_cut_at_any_statement_changes_nothing_in_the_end(
    lab: Laboratory, proxy: PostgresProxy, flow_type: type[Flow], moment: Moment
) -> None:
    await lab.start()
    for nth in range(1, MOST_STATEMENTS):
        if not await cut_in(lab, proxy, flow_type(lab), Place(moment, OURS, nth)):
            return
    raise AssertionError(f"{flow_type.name} makes more than {MOST_STATEMENTS} statements")


# --- servers


@pytest.mark.parametrize("how", ["killed", *long("restarted")])
async def test_postgresql_is_away_when_a_deadline_comes(lab: Laboratory, how: str) -> None:
    bot = await lab.start()
    due, waiting = await lab.open(), await lab.open()
    await lab.ask(waiting, "1h")
    await lab.ask(due, "2s")
    with lab.outage():
        if how == "killed":
            lab.postgres.kill()
        else:
            await lab.postgres.stop()
        status = await lab.discord.slash(lab.discord.staff, waiting, "autoclose status")
        assert status.text.startswith("The database cannot be reached at the moment.")
        lines = len(bot.lines)
        assert await busy(bot.pid, 2) < 0.15
        assert len(bot.lines) - lines <= 8
        await (lab.postgres.restart() if how == "killed" else lab.postgres.start())
    await lab.discord.wait_deleted(due, within=30)
    await assert_kept(lab)


async def test_all_connections_are_cut_in_the_middle_of_a_close(lab: Laboratory) -> None:
    await lab.start()
    ticket = await lab.open()

    async def cut(_: Call) -> None:
        await lab.value(CUT_ALL)

    lab.discord.on_request(
        "POST", f"/channels/{lab.helpdesk.log_channel.id}/messages", cut, moment=BEFORE
    )
    await lab.ask(ticket, "1s")
    with lab.outage():
        await lab.discord.wait_request("POST", f"/channels/{lab.helpdesk.log_channel.id}/messages")
    await lab.discord.wait_deleted(ticket, within=30)
    await assert_kept(lab)


@pytest.mark.long
async def test_all_connections_are_cut_again_and_again(lab: Laboratory) -> None:
    await lab.start()
    tickets = [await lab.open() for _ in range(3)]
    for ticket in tickets:
        await lab.ask(ticket, "2s")
    with lab.outage():
        for _ in range(20):
            await lab.value(CUT_ALL)
            await asyncio.sleep(0.2)
    for ticket in tickets:
        await lab.discord.wait_deleted(ticket, within=30)
    await assert_kept(lab)


@pytest.mark.long
async def test_postgresql_takes_no_more_connections_when_deadlines_come(lab: Laboratory) -> None:
    await lab.start()
    tickets = [await lab.open() for _ in range(3)]
    for ticket in tickets:
        await lab.ask(ticket, "2s")
    async with AsyncExitStack() as held:
        with lab.outage():
            try:
                while True:
                    await held.enter_async_context(lab.database())
            except asyncpg.TooManyConnectionsError:
                pass
            await asyncio.sleep(4)
            await held.aclose()
    for ticket in tickets:
        await lab.discord.wait_deleted(ticket, within=30)
    await assert_kept(lab)
