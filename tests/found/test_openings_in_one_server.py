"""However many open tickets in one server: nobody in another one waits for them."""

from __future__ import annotations

import asyncio

from tests.faults.fault_env import FaultEnv
from tests.found.server import Server, begin_open, wait_opened

MEMBERS, SLOW_S, SOON_S = 14, 2.0, 8.0


async def test_slow_openings_in_one_server_hold_up_none_in_another(fault_env: FaultEnv) -> None:
    discord = fault_env.discord
    await fault_env.start()
    panel = await fault_env.panel()
    server = await Server.settle_in(discord)
    discord.faults.add("POST", f"/guilds/{discord.guild.id}/channels", hang=SLOW_S, times=None)
    for number in range(MEMBERS):
        await begin_open(discord, panel, discord.add_member(f"member{number}"))
    await asyncio.sleep(1)  # so that they all stand in line
    await begin_open(discord, server.panel, server.member)
    channel = await wait_opened(discord, server.member, within=SOON_S)
    await discord.wait_message(channel, "It is broken")
