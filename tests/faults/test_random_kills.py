"""Kills at any instant of a busy help desk: many tickets are at many stages when the bot dies."""

from __future__ import annotations

import asyncio
import random

import pytest

from tests.faults.fault_env import FaultEnv
from tests.faults.flows import (
    Accepting,
    Asking,
    Closing,
    Denying,
    Excluding,
    Expiring,
    Extending,
    Flow,
    Opening,
    Replying,
    finish,
)
from tests.faults.kills import SEED, KillAt
from tests.faults.properties import assert_kept, settled
from tests.waiting import eventually
from tests.wire import Moment

BUSY: tuple[type[Flow], ...] = (
    Asking,
    Denying,
    Replying,
    Extending,
    Excluding,
    Accepting,
    Closing,
    Expiring,
    Opening,
)
MAX_REQUESTS = 45
"""Of all of them together."""
MAX_TICKETS = 30


async def make_room(fault_env: FaultEnv) -> None:
    """A member may have 50 tickets open, and a category holds 50 channels."""
    for channel in fault_env.helpdesk.tickets():
        fault_env.delete_by_hand(channel)

    async def none_is_open() -> bool:
        return (
            await fault_env.value("select count(*) from punctual.tickets where status <> 'closed'")
            == 0
        )

    await eventually(none_is_open, 30)


async def busy_and_killed(fault_env: FaultEnv, chance: random.Random) -> None:
    flows = [flow_type(fault_env) for flow_type in BUSY]
    for flow in flows:
        await flow.prepare()
    nth, moment = chance.randrange(1, MAX_REQUESTS), chance.choice(list(Moment))
    with KillAt(fault_env, moment, nth=nth) as kill:
        chance.shuffle(flows)
        for flow in flows:
            await flow.begin()
            await asyncio.sleep(chance.uniform(0, 0.02))
        for _ in range(60):
            if kill.struck is not None:
                break
            await asyncio.sleep(0.05)
        else:
            fault_env.strike()  # it had done it all: then it dies idle
    await fault_env.bury()
    await fault_env.age_what_is_half_done()
    await fault_env.start()
    await settled(fault_env)
    for flow in flows:
        await finish(flow)
    await assert_kept(
        fault_env, after=f"FAULT_SEED={SEED}, killed {moment.name} request {nth} ({kill.struck})"
    )


@pytest.mark.parametrize(
    "kills", [3, pytest.param(100, marks=[pytest.mark.long, pytest.mark.timeout(1800)])]
)
async def test_kills_at_random_instants_change_nothing_in_the_end(
    fault_env: FaultEnv, kills: int
) -> None:
    chance = random.Random(SEED)
    await fault_env.start()
    for _ in range(kills):
        await busy_and_killed(fault_env, chance)
        if len(fault_env.helpdesk.tickets()) > MAX_TICKETS:
            await make_room(fault_env)
            await assert_kept(fault_env)
