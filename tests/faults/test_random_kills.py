"""Kills at any instant of a busy help desk: many tickets are at many stages when the bot dies."""

from __future__ import annotations

import asyncio
import random

import pytest

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
from tests.faults.laboratory import Laboratory
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
MOST_REQUESTS = 45
"""Of all of them together."""
MOST_TICKETS = 30


async def make_room(lab: Laboratory) -> None:
    """A member may have 50 tickets open, and a category holds 50 channels."""
    for channel in lab.helpdesk.tickets():
        lab.delete_by_hand(channel)

    async def none_is_open() -> bool:
        return await lab.value("select count(*) from tickets where status <> 'closed'") == 0

    await eventually(none_is_open, 30)


async def busy_and_killed(lab: Laboratory, chance: random.Random) -> None:
    flows = [flow_type(lab) for flow_type in BUSY]
    for flow in flows:
        await flow.prepare()
    nth, moment = chance.randrange(1, MOST_REQUESTS), chance.choice(list(Moment))
    with KillAt(lab, moment, nth=nth) as kill:
        chance.shuffle(flows)
        for flow in flows:
            await flow.begin()
            await asyncio.sleep(chance.uniform(0, 0.02))
        for _ in range(60):
            if kill.struck is not None:
                break
            await asyncio.sleep(0.05)
        else:
            lab.strike()  # it had done it all: then it dies idle
    await lab.bury()
    await lab.age_what_is_half_done()
    await lab.start()
    await settled(lab)
    for flow in flows:
        await finish(flow)
    await assert_kept(
        lab, after=f"FAULT_SEED={SEED}, killed {moment.name} request {nth} ({kill.struck})"
    )


@pytest.mark.parametrize(
    "kills", [3, pytest.param(100, marks=[pytest.mark.long, pytest.mark.timeout(1800)])]
)
async def test_kills_at_random_instants_change_nothing_in_the_end(
    lab: Laboratory, kills: int
) -> None:
    chance = random.Random(SEED)
    await lab.start()
    for _ in range(kills):
        await busy_and_killed(lab, chance)
        if len(lab.helpdesk.tickets()) > MOST_TICKETS:
            await make_room(lab)
            await assert_kept(lab)
