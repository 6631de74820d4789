"""PostgreSQL is restarted, killed or full, its wires are cut, the answer to a COMMIT is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import asyncpg
import pytest

from tests.faults.fault_env import FaultEnv
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
from tests.faults.processes import busy
from tests.faults.properties import assert_kept, settled
from tests.faults.proxy import PostgresProxy
from tests.waiting import eventually
from tests.wire import Call, Moment

BEFORE, AFTER = Moment.BEFORE, Moment.AFTER
MAX_STATEMENTS = 150
OURS = (
    r"(?s)^commit|^(?!with recursive|with given_back|select e\.due_at"
    r"|update punctual\.effects set lease_until).*(tickets|close_requests|ticket_events|effects)"
)
"""Statements about a ticket, and not the heartbeat, the migrations, or what looks for effects and
renews their leases as long as the bot lives."""
CUT_ALL = """select count(pg_terminate_backend(pid)) from pg_stat_activity
    where application_name = 'punctual' and datname = current_database()"""


@pytest.fixture
async def proxy(fault_env: FaultEnv) -> AsyncGenerator[PostgresProxy]:
    """Between the bots and PostgreSQL."""
    async with PostgresProxy(
        fault_env.environment["DATABASE_URL"], fault_env.postgres.socket
    ) as proxy:
        fault_env.environment["DATABASE_URL"] = proxy.url
        yield proxy
        await fault_env.end()


# --- statements


@dataclass(frozen=True)
class Place:
    """Where the wire is cut: at the n-th statement that matches."""

    moment: Moment
    pattern: str
    nth: int = 1


async def cut_in(fault_env: FaultEnv, proxy: PostgresProxy, flow: Flow, place: Place) -> bool:
    """Cut the wire in the middle of what is being done, and see it through. False if there is no
    such statement."""
    await flow.prepare()
    cut = proxy.cut_at(place.pattern, place.moment, nth=place.nth)
    with fault_env.outage():
        await flow.begin()

        async def over() -> bool:
            return cut.made is not None or await flow.is_done()

        await eventually(over, 20)
    if cut.made is None:
        await asyncio.sleep(0.5)  # what follows the last decision, and is then seen by nobody
    proxy.disarm()
    if cut.made is None:
        return False
    await settled(fault_env)
    await finish(flow)
    where = f"{flow.name}, cut {place.moment.name.lower()} statement {place.nth}: {cut.made[:100]}"
    # A promise for after a commit that nobody heard of is kept by the minute's reconciliation.
    await assert_kept(fault_env, after=where, redis=False)
    return True


def long(*values: object) -> list[object]:
    return [pytest.param(value, marks=pytest.mark.long) for value in values]


@pytest.mark.parametrize(
    "flow_type",
    [Expiring, *long(Opening, Asking, Denying, Accepting)],
    ids=lambda flow: flow.name,
)
async def test_a_commit_whose_answer_is_lost_counts_all_the_same(
    fault_env: FaultEnv, proxy: PostgresProxy, flow_type: type[Flow]
) -> None:
    await fault_env.start()
    assert await cut_in(fault_env, proxy, flow_type(fault_env), Place(AFTER, "^commit"))


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize("flow_type", FLOWS, ids=lambda flow: flow.name)
async def test_a_wire_cut_at_any_statement_changes_nothing_in_the_end(
    fault_env: FaultEnv, proxy: PostgresProxy, flow_type: type[Flow], moment: Moment
) -> None:
    await fault_env.start()
    for nth in range(1, MAX_STATEMENTS):
        if not await cut_in(fault_env, proxy, flow_type(fault_env), Place(moment, OURS, nth)):
            return
    raise AssertionError(f"{flow_type.name} makes more than {MAX_STATEMENTS} statements")


# --- servers


@pytest.mark.parametrize("how", ["killed", *long("restarted")])
async def test_postgresql_is_away_when_a_deadline_comes(fault_env: FaultEnv, how: str) -> None:
    bot = await fault_env.start()
    due, waiting = await fault_env.open(), await fault_env.open()
    await fault_env.ask(waiting, "1h")
    await fault_env.ask(due, "2s")
    with fault_env.outage():
        if how == "killed":
            fault_env.postgres.kill()
        else:
            await fault_env.postgres.stop()
        status = await fault_env.discord.slash(fault_env.discord.staff, waiting, "autoclose status")
        assert status.text.startswith("I can't reach the database right now.")
        lines = len(bot.lines)
        assert await busy(bot.pid, 2) < 0.15
        assert len(bot.lines) - lines <= 8
        await (fault_env.postgres.restart() if how == "killed" else fault_env.postgres.start())
    await fault_env.discord.wait_deleted(due, within=30)
    await assert_kept(fault_env)


async def test_all_connections_are_cut_in_the_middle_of_a_close(fault_env: FaultEnv) -> None:
    await fault_env.start()
    ticket = await fault_env.open()

    async def cut(_: Call) -> None:
        await fault_env.value(CUT_ALL)

    fault_env.discord.on_request(
        "POST", f"/channels/{fault_env.helpdesk.log_channel.id}/messages", cut, moment=BEFORE
    )
    await fault_env.ask(ticket, "1s")
    with fault_env.outage():
        await fault_env.discord.wait_request(
            "POST", f"/channels/{fault_env.helpdesk.log_channel.id}/messages"
        )
    await fault_env.discord.wait_deleted(ticket, within=30)
    await assert_kept(fault_env)


@pytest.mark.long
async def test_all_connections_are_cut_again_and_again(fault_env: FaultEnv) -> None:
    await fault_env.start()
    tickets = [await fault_env.open() for _ in range(3)]
    for ticket in tickets:
        await fault_env.ask(ticket, "2s")
    with fault_env.outage():
        for _ in range(20):
            await fault_env.value(CUT_ALL)
            await asyncio.sleep(0.2)
    for ticket in tickets:
        await fault_env.discord.wait_deleted(ticket, within=30)
    await assert_kept(fault_env)


@pytest.mark.long
async def test_postgresql_takes_no_more_connections_when_deadlines_come(
    fault_env: FaultEnv,
) -> None:
    await fault_env.start()
    tickets = [await fault_env.open() for _ in range(3)]
    for ticket in tickets:
        await fault_env.ask(ticket, "2s")
    async with AsyncExitStack() as held:
        with fault_env.outage():
            try:
                while True:
                    await held.enter_async_context(fault_env.database())
            except asyncpg.TooManyConnectionsError:
                pass
            await asyncio.sleep(4)
            await held.aclose()
    for ticket in tickets:
        await fault_env.discord.wait_deleted(ticket, within=30)
    await assert_kept(fault_env)
