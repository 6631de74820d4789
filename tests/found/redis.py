"""Timers in Redis, by the end of their keys: what stands before it is the installation's."""

from __future__ import annotations

from tests.faults.fault_env import FaultEnv, timer_key
from tests.found import sql
from tests.wire import Channel


async def key_of_timer(fault_env: FaultEnv, channel: Channel) -> str:
    request = await sql.latest_request(fault_env, channel)
    assert request.auto_close_at is not None
    return timer_key(request.ticket_id, request.auto_close_at)


async def has_job(fault_env: FaultEnv, key: str) -> bool:
    return bool(await fault_env.valkey.call("KEYS", f"*{key}"))
