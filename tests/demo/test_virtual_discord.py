"""The virtual Discord as a bot meets it: over HTTP and WebSocket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from typing import Any

import aiohttp
import pytest
from aiohttp import ClientSession, ClientWebSocketResponse
from simcord.enums import ComponentType

from demo.guild import DemoGuild, build_guild
from demo.virtual_discord import Actor, Failure, Interactions, VirtualDiscord

INTENTS = 1 | 1 << 9 | 1 << 15  # guilds, guild messages, message content
BUTTON = {"type": ComponentType.BUTTON, "style": 1, "label": "Go", "custom_id": "go"}


@pytest.fixture
async def discord() -> AsyncGenerator[VirtualDiscord]:
    discord = VirtualDiscord()
    async with discord.serving():
        yield discord


@pytest.fixture
def guild(discord: VirtualDiscord) -> DemoGuild:
    return build_guild(discord.backend)


@pytest.fixture
async def session(discord: VirtualDiscord) -> AsyncGenerator[ClientSession]:
    headers = {"Authorization": f"Bot {discord.token}"}
    async with ClientSession(headers=headers) as session:
        yield session


class Bot:
    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self._socket = socket
        self.sequence = 0

    @classmethod
    async def connected(cls, session: ClientSession, discord: VirtualDiscord) -> Bot:
        bot = cls(await session.ws_connect(discord.gateway_url))
        await bot.send(2, {"token": discord.token, "intents": INTENTS})
        return bot

    async def send(self, op: int, data: Mapping[str, object]) -> None:
        await self._socket.send_str(json.dumps({"op": op, "d": data}))

    async def event(self, name: str) -> Mapping[str, Any]:
        """The next of this name."""
        async with asyncio.timeout(5):
            while True:
                frame = await self._socket.receive_json()
                self.sequence = frame.get("s") or self.sequence
                if frame.get("t") == name:
                    return frame["d"]


async def test_what_a_bot_missed_is_told_when_it_resumes(
    discord: VirtualDiscord, guild: DemoGuild, session: ClientSession
) -> None:
    bot = await Bot.connected(session, discord)
    session_id = (await bot.event("READY"))["session_id"]
    await bot.event("GUILD_CREATE")

    discord.cut()
    discord.backend.create_message(guild.welcome_id, guild.person("casey").id, "meanwhile")
    with pytest.raises(aiohttp.ClientError):
        await session.get(f"{discord.api_url}/users/@me")
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await session.ws_connect(discord.gateway_url)

    discord.restore()
    again = Bot(await session.ws_connect(discord.gateway_url))
    resume = {"token": discord.token, "session_id": session_id, "seq": bot.sequence}
    await again.send(6, resume)
    assert (await again.event("MESSAGE_CREATE"))["content"] == "meanwhile"
    await again.event("RESUMED")


async def test_an_interaction_is_in_the_language_of_who_acts(
    discord: VirtualDiscord, guild: DemoGuild, session: ClientSession
) -> None:
    people = Interactions(discord.backend, discord.gateway, discord.changes)
    row = {"type": ComponentType.ACTION_ROW, "components": [BUTTON]}
    message = discord.backend.create_message(
        guild.welcome_id, discord.backend.bot_user.id, "?", components=[row]
    )
    actor = Actor(guild.person("casey").id, guild.welcome_id, "de")
    assert (await people.press(actor, message.id, "go")).failure is Failure.OFFLINE

    bot = await Bot.connected(session, discord)
    await bot.event("GUILD_CREATE")
    guild.speak("fr")
    pressing = asyncio.create_task(people.press(actor, message.id, "go"))
    said = await bot.event("INTERACTION_CREATE")
    assert (said["locale"], said["guild_locale"]) == ("de", "fr")
    answer = {"type": 4, "data": {"content": "yes", "flags": 64}}
    callback = f"{discord.api_url}/interactions/{said['id']}/{said['token']}/callback"
    async with session.post(callback, json=answer) as response:
        assert response.status == 200
    assert (await pressing).failure is None
    casey, sam = guild.person("casey"), guild.person("sam")
    assert [each.content for each in guild.messages(casey, guild.welcome_id)] == ["?", "yes"]
    assert [each.content for each in guild.messages(sam, guild.welcome_id)] == ["?"]


async def test_a_message_that_is_sent_again_with_its_nonce_is_the_same(
    discord: VirtualDiscord, guild: DemoGuild, session: ClientSession
) -> None:
    body = {"content": "once", "nonce": "n", "enforce_nonce": True}
    ids: set[str] = set()
    for _ in range(2):
        async with session.post(
            f"{discord.api_url}/channels/{guild.welcome_id}/messages", json=body
        ) as response:
            ids.add((await response.json())["id"])
    assert len(ids) == 1


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [("/channels/1/messages", 404, 10003), ("/soundboard-default-sounds", 501, 0)],
)
async def test_errors_are_discords(
    discord: VirtualDiscord, session: ClientSession, path: str, status: int, code: int
) -> None:
    async with session.get(discord.api_url + path) as response:
        assert (response.status, (await response.json())["code"]) == (status, code)


async def test_nobody_without_the_token_is_let_in(
    discord: VirtualDiscord, guild: DemoGuild
) -> None:
    async with ClientSession(headers={"Authorization": "Bot a.b.c"}) as stranger:
        async with stranger.get(f"{discord.api_url}/users/@me") as response:
            assert response.status == 401
        socket = await stranger.ws_connect(discord.gateway_url)
        await socket.send_str(json.dumps({"op": 2, "d": {"token": "a.b.c", "intents": INTENTS}}))
        while not socket.closed:
            await socket.receive()
        assert socket.close_code == 4004
