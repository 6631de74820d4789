"""A stranger who opens connections makes nothing late, fills no log, and keeps nobody out."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import aiohttp
import pytest

from tests.faults.conftest import Measured
from tests.faults.descriptors import (
    descriptor_limits,
    limit_descriptors,
    no_new_descriptors,
    soft_limit_for_children,
)
from tests.faults.fault_env import FaultEnv
from tests.faults.processes import busy
from tests.faults.strangers import (
    GUESSES,
    HALF_A_BODY,
    HALF_A_REQUEST,
    IDLE,
    METRICS,
    NO_REQUEST,
    READY,
    strangers,
)
from tests.found.server import free_port
from tests.process.bot_process import BotProcess
from tests.waiting import eventually

PASSWORD = "a password for the dashboard"
OPERATOR = {"Authorization": aiohttp.encode_basic_auth("admin", PASSWORD)}
COMMON_SOFT_LIMIT = 1_024
MAX_LOG_LINES = 100
MAX_CORE_SHARE = 0.5
MAX_LATE_MS = 1_000
LATENESS = "select late_ms from punctual.ticket_events where event = $1 and late_ms is not null"


@dataclass(frozen=True)
class Attack:
    connections: int
    descriptors: int
    tickets: int


SHORT = Attack(connections=400, descriptors=256, tickets=3)
LONG = Attack(connections=2_000, descriptors=1_024, tickets=50)


async def answer(
    port: int, path: str, headers: dict[str, str] | None = None, *, of: str = "127.0.0.1"
) -> int:
    """The status, on a connection of its own, from one of this machine's addresses."""
    timeout = aiohttp.ClientTimeout(total=30)
    connector = aiohttp.TCPConnector(local_addr=(of, 0))
    async with (
        aiohttp.ClientSession(connector=connector, timeout=timeout) as http,
        http.get(f"http://127.0.0.1:{port}{path}", headers=headers) as response,
    ):
        await response.read()
        return response.status


async def start(fault_env: FaultEnv, dashboard: int, metrics: int) -> BotProcess:
    return await fault_env.start(
        DASHBOARD_PASSWORD=PASSWORD, DASHBOARD_PORT=str(dashboard), METRICS_PORT=str(metrics)
    )


def percentile_99(values: list[int]) -> int:
    return sorted(values)[max(0, round(len(values) * 0.99) - 1)]


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "attack", [SHORT, pytest.param(LONG, marks=pytest.mark.long)], ids=["short", "long"]
)
async def test_a_stranger_who_only_opens_connections_makes_nothing_late(
    fault_env: FaultEnv, measured: Measured, attack: Attack
) -> None:
    dashboard, metrics = free_port(), free_port()
    bot = await start(fault_env, dashboard, metrics)
    limit_descriptors(bot.pid, attack.descriptors)
    tickets = [await fault_env.open() for _ in range(attack.tickets)]
    lines = len(bot.lines)
    kinds = (IDLE, HALF_A_REQUEST, HALF_A_BODY, NO_REQUEST)
    async with strangers((dashboard, metrics), kinds, attack.connections) as crowd:
        await eventually(lambda: crowd.opened >= attack.connections, 60)
        for ticket in tickets:
            await fault_env.ask(ticket, "2s")
        assert await answer(dashboard, "/", OPERATOR) == 200
        assert await answer(metrics, "/readyz") == 200
        async with asyncio.TaskGroup() as group:
            for ticket in tickets:
                group.create_task(fault_env.discord.wait_deleted(ticket, within=30))
        for ticket in tickets:
            await fault_env.closed(ticket)
        assert await answer(dashboard, "/", OPERATOR) == 200
    told = [line for line in bot.lines[lines:] if "ticket" not in line]
    assert len(told) < MAX_LOG_LINES
    lateness = {
        event: percentile_99([row["late_ms"] for row in await fault_env.rows(LATENESS, event)])
        for event in ("expired", "closed")
    }
    measured(
        f"{attack.connections} connections, {attack.descriptors} descriptors: {len(told)} lines "
        f"in the log, lateness p99 {lateness['expired']} ms decided, {lateness['closed']} ms closed"
    )
    if attack is LONG:
        assert lateness["expired"] < MAX_LATE_MS


@pytest.mark.long
async def test_a_stranger_who_asks_all_the_time_makes_nothing_late(
    fault_env: FaultEnv, measured: Measured
) -> None:
    dashboard, metrics = free_port(), free_port()
    bot = await start(fault_env, dashboard, metrics)
    tickets = [await fault_env.open() for _ in range(30)]
    lines = len(bot.lines)
    kinds = (METRICS, READY, GUESSES, NO_REQUEST)
    async with strangers((dashboard, metrics), kinds, 200, reopen_s=0.0) as crowd:
        cost = await busy(bot.pid, 5)
        for ticket in tickets:
            await fault_env.ask(ticket, "2s")
        for ticket in tickets:
            await fault_env.closed(ticket, within=60)
        assert await answer(dashboard, "/", OPERATOR, of="127.0.0.2") == 200
    told = [line for line in bot.lines[lines:] if "ticket" not in line]
    assert len(told) < MAX_LOG_LINES
    late = percentile_99([row["late_ms"] for row in await fault_env.rows(LATENESS, "expired")])
    measured(f"{crowd.opened} answers: {cost:.0%} of a core, lateness p99 {late} ms decided")
    assert late < MAX_LATE_MS


async def test_who_connects_while_no_descriptor_is_left_fills_no_log_and_is_served_later(
    fault_env: FaultEnv,
) -> None:
    dashboard, metrics = free_port(), free_port()
    with soft_limit_for_children(COMMON_SOFT_LIMIT):
        bot = await start(fault_env, dashboard, metrics)
    soft, hard = descriptor_limits(bot.pid)
    assert soft > COMMON_SOFT_LIMIT or soft == hard
    lines = len(bot.lines)
    async with strangers((dashboard, metrics), (IDLE,), 50):
        with no_new_descriptors(bot.pid):
            cost = await busy(bot.pid, 3)
        assert await answer(dashboard, "/", OPERATOR) == 200
        assert await answer(metrics, "/healthz") == 200
    assert sum("no connection can be taken" in line for line in bot.lines) == 2
    assert len(bot.lines) - lines < MAX_LOG_LINES
    assert cost < MAX_CORE_SHARE
