"""Somebody's own bot with tickets in it, in a virtual Discord. Prints what happened, as JSON.

The test puts a `bot.py` beside this file: the code that README.md shows.
"""

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path

import discord
import punctual
import simcord
from aiohttp import BasicAuth, ClientSession

import bot
import cogs
import domains.settings
import web

INTENTS = discord.Intents(guilds=True, guild_messages=True, message_content=True)


class HostBot(bot.MyBot):
    async def setup_hook(self) -> None:
        await self.add_cog(cogs.Hello())
        await super().setup_hook()


async def main() -> dict[str, object]:
    host = HostBot("!", intents=INTENTS)
    async with simcord.run(host) as env:
        try:
            happened = await a_ticket(env, host)
            happened["dashboard"] = await look_at_dashboard(host.punctual)
        finally:
            await host.close()
    return happened | {
        "owners": [module.OWNER for module in (bot, cogs, domains.settings, web)],
        "leaked": leaked(),
    }


async def a_ticket(env: simcord.Env, host: HostBot) -> dict[str, object]:
    """From its opening to the end of its timer."""
    guild = env.create_guild("The guild")
    support = guild.create_role("Support")
    managers = guild.create_role("Managers", permissions=discord.Permissions(manage_guild=True))
    hidden = {guild.default_role: discord.PermissionOverwrite(view_channel=False)}
    viewers = (support, host.user)
    visible = dict.fromkeys(viewers, discord.PermissionOverwrite(view_channel=True))
    lobby = guild.create_text_channel("lobby")
    logs = guild.create_text_channel("logs", overwrites=hidden | visible)
    boss = guild.add_member(env.create_user("boss"), roles=[managers, support])
    amy = guild.add_member(env.create_user("amy"))

    await boss.slash(lobby, "setup", support_role=support, log_channel=logs)
    await boss.slash(lobby, "panel")
    panel = next(message for message in lobby.history() if message.components)
    shown = await amy.click(panel, label="Open a ticket")
    await amy.submit_modal(shown, {"subject": "The printer is on fire"})
    ticket = next(c for c in guild.channels.values() if c.name == "ticket-0001")
    await boss.slash(ticket, "closerequest", close_delay="1s")
    await until(lambda: ticket.id not in env.backend.channels)
    await env.settle()
    hello = await boss.slash(lobby, "hello")
    return {
        "transcripts": sum(len(message.attachments) for message in logs.history()),
        "hello": hello.response.content if hello.response else None,
    }


async def look_at_dashboard(tickets: punctual.Punctual) -> int:
    url = f"http://127.0.0.1:{tickets.operators_view.dashboard_port}/"
    async with (
        ClientSession(auth=BasicAuth("admin", "a secret of the host")) as session,
        session.get(url) as page,
    ):
        return page.status


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(400):
        if condition():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it did not come true within 20 s")


def leaked() -> list[str]:
    """Modules of the wheel that are not inside the package."""
    wheel = Path(punctual.__file__).parent.parent
    return [
        name
        for name, module in sys.modules.items()
        if name.partition(".")[0] != "punctual"
        and (file := getattr(module, "__file__", None)) is not None
        and Path(file).is_relative_to(wheel)
    ]


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main())))  # noqa: T201  # the test reads it
