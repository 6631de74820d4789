"""Redis is killed, lost, frozen, flushed or full: deadlines hold, and its return fixes all."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import ClassVar

import pytest

from tests.faults.fault_env import FaultEnv
from tests.faults.own_servers import OwnValkey
from tests.faults.processes import busy
from tests.faults.properties import assert_kept, look, redis_agrees
from tests.waiting import eventually
from tests.wire import Call, Moment

LOSS = "Redis not available - scheduled tasks will be disabled"
RETURN = "Redis is back - scheduled tasks go on"
MEGABYTE = 1024 * 1024


class RedisFault(ABC):
    """The bot need not notice it before it wants something of Redis."""

    name: ClassVar[str]

    def __init__(self, valkey: OwnValkey) -> None:
        self.valkey = valkey

    @abstractmethod
    async def begin(self) -> None: ...

    @abstractmethod
    async def end(self) -> None: ...


class Killed(RedisFault):
    name = "killed"

    async def begin(self) -> None:
        self.valkey.kill()

    async def end(self) -> None:
        await self.valkey.restart()


class Lost(RedisFault):
    name = "killed and back empty"

    async def begin(self) -> None:
        self.valkey.kill()

    async def end(self) -> None:
        await self.valkey.restart_empty()


class Frozen(RedisFault):
    name = "frozen"

    async def begin(self) -> None:
        self.valkey.freeze()

    async def end(self) -> None:
        self.valkey.thaw()


class Full(RedisFault):
    name = "full"

    async def begin(self) -> None:
        await self.valkey.call("SET", "ballast", b"x" * MEGABYTE)
        await self.valkey.call("CONFIG", "SET", "maxmemory", MEGABYTE)

    async def end(self) -> None:
        await self.valkey.call("CONFIG", "SET", "maxmemory", 0)
        await self.valkey.call("DEL", "ballast")


class WithoutReplicas(RedisFault):
    name = "refusing writes"

    async def begin(self) -> None:
        await self.valkey.call("CONFIG", "SET", "min-replicas-to-write", 1)

    async def end(self) -> None:
        await self.valkey.call("CONFIG", "SET", "min-replicas-to-write", 0)


FAULTS: tuple[type[RedisFault], ...] = (Killed, Lost, Frozen, Full, WithoutReplicas)


def each(
    *faults: type[RedisFault], long: tuple[type[RedisFault], ...] = ()
) -> pytest.MarkDecorator:
    """Those, and the others in the long form."""
    marked = [pytest.param(fault, marks=pytest.mark.long) for fault in long]
    return pytest.mark.parametrize("fault_type", [*faults, *marked], ids=lambda fault: fault.name)


@each(Killed, Frozen, long=(WithoutReplicas, Lost, Full))
async def test_deadlines_hold_without_redis_and_all_agrees_when_it_is_back(
    fault_env: FaultEnv, fault_type: type[RedisFault]
) -> None:
    """No lateness is excused: PostgreSQL knows the deadlines."""
    fault = fault_type(fault_env.valkey)
    discord = fault_env.discord
    bot = await fault_env.start()
    due, asked_meanwhile, denied, waiting = [await fault_env.open() for _ in range(4)]
    await fault_env.ask(waiting, "1h")
    request = await fault_env.ask(denied, "1h")
    await fault_env.ask(due, "1s")
    await fault.begin()
    await fault_env.ask(asked_meanwhile, "1s")
    await discord.click(discord.customer, request, "Deny & Keep Open")
    await discord.wait_deleted(due)
    await discord.wait_deleted(asked_meanwhile)
    await fault.end()
    await bot.logged(RETURN)
    await assert_kept(fault_env)
    assert await fault_env.request_status(denied) == "denied"
    assert await fault_env.request_status(waiting) == "pending"
    assert bot.log.count(LOSS) == bot.log.count(RETURN) <= 2


async def test_deadlines_hold_though_redis_is_flushed_just_before_them(fault_env: FaultEnv) -> None:
    await fault_env.start()
    due = await fault_env.open()
    await fault_env.ask(due, "1s")
    await fault_env.valkey.call("FLUSHALL")
    await fault_env.discord.wait_deleted(due)
    await assert_kept(fault_env)


@pytest.mark.long
async def test_after_a_flush_every_timer_is_back_within_a_minute(fault_env: FaultEnv) -> None:
    await fault_env.start()
    for _ in range(5):
        await fault_env.ask(await fault_env.open(), "1h")
    await fault_env.valkey.call("FLUSHALL")

    async def agrees() -> bool:
        return not await redis_agrees(fault_env, await look(fault_env))

    await eventually(agrees, 65)


@each(Killed, long=(Frozen, WithoutReplicas))
async def test_a_fault_in_the_middle_of_a_close_leaves_no_job_behind(
    fault_env: FaultEnv, fault_type: type[RedisFault]
) -> None:
    """The job that closes a ticket ends while nobody can be told that it did."""
    fault = fault_type(fault_env.valkey)
    await fault_env.start()
    ticket = await fault_env.open()

    async def strike(_: Call) -> None:
        await fault.begin()

    fault_env.discord.on_request(
        "POST",
        f"/channels/{fault_env.helpdesk.log_channel.id}/messages",
        strike,
        moment=Moment.BEFORE,
    )
    await fault_env.ask(ticket, "1s")
    await fault_env.discord.wait_deleted(ticket)
    await fault_env.bot.logged(LOSS)
    await fault.end()
    await fault_env.bot.logged(RETURN)
    await assert_kept(fault_env, within=20)


@each(Frozen, long=(Killed, Full))
async def test_without_redis_nothing_spins_and_nothing_floods_the_log(
    fault_env: FaultEnv, fault_type: type[RedisFault]
) -> None:
    fault = fault_type(fault_env.valkey)
    bot = await fault_env.start()
    await fault_env.ask(await fault_env.open(), "1h")
    await fault.begin()
    await bot.logged(LOSS)
    lines = len(bot.lines)
    assert await busy(bot.pid, 2) < 0.15
    assert len(bot.lines) - lines <= 2
    await fault.end()
    await bot.logged(RETURN)
    await assert_kept(fault_env)


async def test_a_bot_that_starts_without_redis_takes_it_up_when_it_comes(
    fault_env: FaultEnv,
) -> None:
    bot = await fault_env.start()
    waiting, due = await fault_env.open(), await fault_env.open()
    await fault_env.ask(waiting, "1h")
    await fault_env.kill()
    fault_env.valkey.kill()
    bot = await fault_env.start()
    await fault_env.ask(due, "1s")
    await fault_env.discord.wait_deleted(due)
    await fault_env.valkey.restart_empty()
    await bot.logged("✅ Scheduled task system initialized")
    await assert_kept(fault_env)


@each(long=FAULTS)
async def test_redis_is_gone_for_twenty_seconds(
    fault_env: FaultEnv, fault_type: type[RedisFault]
) -> None:
    fault = fault_type(fault_env.valkey)
    await fault_env.start()
    tickets = [await fault_env.open() for _ in range(12)]
    for number, ticket in enumerate(tickets):
        await fault_env.ask(ticket, f"{3 + 2 * number}s")
    await fault.begin()
    await asyncio.sleep(20)
    await fault.end()
    for ticket in tickets:
        await fault_env.discord.wait_deleted(ticket, within=30)
    await assert_kept(fault_env)
