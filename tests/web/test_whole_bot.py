"""The view inside the whole bot, on a virtual Discord: started with it, and ended with it."""

from __future__ import annotations

import aiohttp
import discord
import pytest
import simcord
from pydantic import SecretStr

from bot import PunctualBot, create_bot
from domains.settings import Settings

from .web_env import PASSWORD, basic


def view_of(bot: PunctualBot) -> tuple[int | None, int | None]:
    view = bot._punctual.operators_view  # pyright: ignore[reportPrivateUsage]
    return view.dashboard_port, view.metrics_port


@pytest.fixture
def watched(settings: Settings) -> Settings:
    """As an operator would, but with ports that are free."""
    return settings.model_copy(
        update={
            "dashboard_password": SecretStr(PASSWORD),
            "dashboard_port": 0,
            "metrics_port": 0,
        }
    )


async def test_the_view_lives_as_long_as_the_bot(watched: Settings) -> None:
    bot = create_bot(watched)
    async with simcord.run(bot) as env, aiohttp.ClientSession() as http:
        guild = env.create_guild("Guild")
        lobby = guild.create_text_channel("lobby")
        support = guild.create_role("Support")
        powers = discord.Permissions(administrator=True)
        boss = guild.add_member(
            env.create_user("boss"), roles=[guild.create_role("Admin", permissions=powers)]
        )
        amy = guild.add_member(env.create_user("amy"))
        await boss.slash(lobby, "setup", support_role=support)
        await boss.slash(lobby, "panel", channel=lobby)
        assert lobby.last_message is not None
        pressed = await amy.click(lobby.last_message, label="Open a ticket")
        await amy.submit_modal(pressed, {"subject": "The printer is on fire"})
        await boss.slash(guild.channels["ticket-0001"], "closerequest", close_delay="2h")

        dashboard, probes = view_of(bot)
        async with http.get(f"http://127.0.0.1:{dashboard}/", headers=basic()) as response:
            assert response.status == 200
            assert "The printer is on fire" in await response.text()
        async with http.get(f"http://127.0.0.1:{dashboard}/") as response:
            assert response.status == 401
        async with http.get(f"http://127.0.0.1:{probes}/readyz") as response:
            assert (response.status, await response.text()) == (
                200,
                "postgresql: ok\nredis: ok\ndiscord: ok\n",
            )
        await bot.close()
        for port in (dashboard, probes):
            with pytest.raises(aiohttp.ClientConnectorError):
                await http.get(f"http://127.0.0.1:{port}/")


async def test_unasked_for_the_bot_listens_nowhere(settings: Settings) -> None:
    bot = create_bot(settings)
    async with simcord.run(bot):
        assert view_of(bot) == (None, None)
        await bot.close()
