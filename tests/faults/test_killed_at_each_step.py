"""The bot is killed just before or just after one request to Discord takes effect, its answer
lost; and all ends as if it had not been."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from tests.faults.fault_env import FaultEnv
from tests.faults.flows import (
    FLOWS,
    Accepting,
    Asked,
    Asking,
    Closing,
    Denying,
    Expiring,
    Extending,
    Flow,
    Opening,
    finish,
)
from tests.faults.kills import KillAt
from tests.faults.properties import assert_kept, settled
from tests.waiting import eventually
from tests.wire import Moment

BEFORE, AFTER = Moment.BEFORE, Moment.AFTER
MAX_REQUESTS = 40


@dataclass(frozen=True)
class Instant:
    moment: Moment
    method: str = "*"
    path: str = "**"
    nth: int = 1

    def __str__(self) -> str:
        return f"{self.moment.name.lower()} request {self.nth} of {self.method} {self.path}"


SEND = ("POST", "/channels/*/messages")
EDIT = ("PATCH", "/channels/*/messages/*")
DELETE = ("DELETE", "/channels/*")

SHORT: dict[type[Flow], tuple[Instant, ...]] = {
    Opening: (Instant(AFTER, "POST", "/guilds/*/channels"), Instant(AFTER, *SEND)),
    Asking: (Instant(AFTER, *SEND),),
    Denying: (Instant(BEFORE, *EDIT), Instant(AFTER, *SEND)),
    Extending: (Instant(AFTER, *SEND),),
    Accepting: (Instant(AFTER, *SEND, nth=2),),
    Closing: (Instant(AFTER, "POST", "/webhooks/**"),),
    Expiring: (Instant(AFTER, *SEND), Instant(AFTER, *DELETE)),
}
"""The instants at which most is half done; the long form goes through all there are."""


async def struck(flow: Flow, kill: KillAt) -> bool:
    """Do it until the bot is dead; False if it makes no such request."""
    await flow.begin()

    async def over() -> bool:
        return kill.struck is not None or await flow.is_done()

    await eventually(over, 20)
    if kill.struck is None:
        await asyncio.sleep(0.5)  # what follows the last decision, and is then seen by nobody
    return kill.struck is not None


async def killed_and_restarted(fault_env: FaultEnv, flow: Flow, instant: Instant) -> bool:
    """False if the bot makes no such request, and so was not killed."""
    await flow.prepare()
    with KillAt(
        fault_env, instant.moment, nth=instant.nth, method=instant.method, path=instant.path
    ) as kill:
        if not await struck(flow, kill):
            return False
    await fault_env.bury()
    await fault_env.age_what_is_half_done()
    await fault_env.start()
    await settled(fault_env)
    await finish(flow)
    killed = f"{flow.name}, killed {instant} ({kill.struck})"
    await assert_kept(fault_env, after=killed)
    if flow.replies is not None:
        assert isinstance(flow, Asked)
        assert len(fault_env.record.replies(flow.request.id)) == flow.replies, killed
    return True


@pytest.mark.parametrize("flow_type", SHORT, ids=lambda flow: flow.name)
async def test_a_kill_where_most_is_half_done_changes_nothing_in_the_end(
    fault_env: FaultEnv, flow_type: type[Flow]
) -> None:
    await fault_env.start()
    for instant in SHORT[flow_type]:
        assert await killed_and_restarted(fault_env, flow_type(fault_env), instant), str(instant)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("flow_type", FLOWS, ids=lambda flow: flow.name)
async def test_a_kill_at_any_request_changes_nothing_in_the_end(
    fault_env: FaultEnv, flow_type: type[Flow]
) -> None:
    await fault_env.start()
    for moment in Moment:
        for nth in range(1, MAX_REQUESTS):
            if not await killed_and_restarted(
                fault_env, flow_type(fault_env), Instant(moment, nth=nth)
            ):
                break
        else:
            raise AssertionError(f"{flow_type.name} makes more than {MAX_REQUESTS} requests")
    await assert_kept(fault_env)
