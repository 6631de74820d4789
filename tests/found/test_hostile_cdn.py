"""Whatever the server of the attachments does, the close goes on, and the page says what is not
in it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.faults.fault_env import FaultEnv
from tests.found.cdn import a_cdn, attach
from tests.waiting import eventually
from tests.wire import Channel

MIB = 1024 * 1024
BEFORE_IT_IS_NOTICED = 8 * MIB
"""What may lie in the buffers of a socket when its other end stops reading."""


async def closed_page(fault_env: FaultEnv, ticket: Channel, within: float) -> str:
    """The saved page, once the channel is gone."""
    fault_env.discord.begin_slash(fault_env.discord.staff, ticket, "close")
    await fault_env.discord.wait_deleted(ticket, within=within)
    await fault_env.closed(ticket)
    return saved_page(fault_env)


def saved_page(fault_env: FaultEnv) -> str:
    data = Path(fault_env.environment["DATA_DIR"])
    (page,) = data.glob("transcripts/*/*/index.html")
    return page.read_text()


def not_saved(page: str) -> int:
    return page.count("not saved: ")


async def test_no_answer_of_the_file_server_keeps_a_ticket_open(fault_env: FaultEnv) -> None:
    await fault_env.start()
    ticket = await fault_env.open()
    async with a_cdn() as cdn:
        await attach(fault_env.discord, ticket, cdn, "451", "500", "reset", "short", "good")
        page = await closed_page(fault_env, ticket, 30)
    assert not_saved(page) == 4
    assert "good.txt" in page
    assert {kind: cdn.asked[kind] for kind in ("451", "500", "short", "good")} == {
        "451": 1,
        "500": 2,
        "short": 2,
        "good": 1,
    }


async def test_a_file_without_an_end_is_cut_off_at_the_limit(fault_env: FaultEnv) -> None:
    """It was once read whole, into memory."""
    await fault_env.start()
    ticket = await fault_env.open()
    async with a_cdn() as cdn:
        await attach(fault_env.discord, ticket, cdn, "endless", "bomb")
        page = await closed_page(fault_env, ticket, 30)
    assert not_saved(page) == 2
    assert "it is larger than 25.0 MiB" in page
    assert cdn.sent["endless"] < 25 * MIB + BEFORE_IT_IS_NOTICED


async def test_a_network_that_is_away_for_a_while_costs_no_attachment(
    fault_env: FaultEnv,
) -> None:
    """What no server can be asked for now is asked for again once Discord is there."""
    discord = fault_env.discord
    await fault_env.start()
    ticket = await fault_env.open()
    async with a_cdn() as cdn:
        await attach(discord, ticket, cdn, "good", "held")
        discord.begin_slash(discord.staff, ticket, "close")
        await eventually(lambda: bool(cdn.asked["held"]))
        await discord.stop()
        cdn.released.set()
        await asyncio.sleep(3)  # longer than both attempts take
        cdn.is_back = True
        await discord.start()
        await discord.wait_deleted(ticket, within=30)
        await fault_env.closed(ticket)
    assert not_saved(saved_page(fault_env)) == 0
    assert cdn.asked["good"] == 1


@pytest.mark.long
async def test_thirty_attachments_of_a_server_that_does_all_it_can_are_closed_in_two_minutes(
    fault_env: FaultEnv,
) -> None:
    await fault_env.start()
    ticket = await fault_env.open()
    kinds = ["drip"] * 18 + ["451", "endless", "silent", "500", "reset", "short"] * 2
    async with a_cdn() as cdn:
        for first in range(0, len(kinds), 10):
            await attach(fault_env.discord, ticket, cdn, *kinds[first : first + 10])
        page = await closed_page(fault_env, ticket, 120)
    assert not_saved(page) == 30
    for reason in ("451", "larger than", "too slow"):
        assert reason in page
