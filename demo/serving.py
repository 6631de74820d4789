"""The demo, wired: a fresh folder -> the servers -> the virtual Discord -> the bot -> the page."""

from __future__ import annotations

import secrets
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from pydantic import SecretStr

from demo import opening_scene
from demo.bot_process import BotProcess
from demo.browser import open_page, sits_at_a_screen
from demo.chaos import Chaos
from demo.folder import fresh_folder
from demo.guided_steps import GuidedSteps
from demo.guild import build_guild
from demo.observer import observing
from demo.page import page_served, wanted_port
from demo.services import Dashboard, DemoServices
from demo.virtual_discord import Interactions, VirtualDiscord
from demo.words import DEFAULT, Words
from domains.errors import StartupError
from domains.settings import Settings
from domains.tasks import cancel, detached
from domains.transcripts import TranscriptStore
from embedded import EmbeddedServers, EmbeddedServersError
from operations.running_servers import Addresses

MIN_CLOSE_DELAY_S = 5
MAX_OPEN_TICKETS = 50
START_TIMEOUT_S = 60.0
HOST = "127.0.0.1"


@asynccontextmanager
async def demo_running(settings: Settings, *, browser: bool) -> AsyncGenerator[str]:
    """Gives the page's URL. It shuts down in the reverse of the order that is read here."""
    port = wanted_port()
    async with AsyncExitStack() as running:
        data_dir = running.enter_context(fresh_folder(settings.data_dir))
        servers = EmbeddedServers(data_dir)
        try:
            await running.enter_async_context(servers)
        except EmbeddedServersError as error:
            raise StartupError(str(error)) from error
        running.push_async_callback(cancel, detached(servers.keep_running()))
        discord = VirtualDiscord()
        await running.enter_async_context(discord.serving())
        guild = build_guild(discord.backend)
        dashboard = Dashboard(HOST, _free_port(), settings.dashboard_user, secrets.token_hex(8))
        own = _for_the_demo(settings, data_dir, servers, discord.token, dashboard)
        addresses = Addresses(servers.database_url, servers.redis_url)
        observer = await running.enter_async_context(
            observing(addresses, own, guild, discord.changes)
        )
        bot = BotProcess(own, discord.api_url, discord.gateway_url, discord.changes.notify)
        await running.enter_async_context(bot.running())
        chaos = Chaos(bot, servers, discord, discord.changes.notify)
        running.push_async_callback(chaos.stop)
        interactions = Interactions(discord.backend, discord.gateway, discord.changes)
        steps = GuidedSteps(guild, discord, interactions)
        await _until_connected(discord)
        await opening_scene.play(guild, steps, interactions, Words(DEFAULT))
        services = DemoServices(
            guild=guild,
            discord=discord,
            interactions=interactions,
            steps=steps,
            observer=observer,
            chaos=chaos,
            bot=bot,
            transcripts=TranscriptStore(data_dir / "transcripts"),
            dashboard=dashboard,
        )
        url = await running.enter_async_context(page_served(services, port))
        _announce(url)
        if browser and sits_at_a_screen():
            running.push_async_callback(cancel, detached(open_page(url)))
        yield url


def _announce(url: str) -> None:
    """The URL is what the person waits for, and stands alone for who reads it with a program."""
    print(f"Punctual demo: {url}", flush=True)  # noqa: T201
    if sys.stdout.isatty():
        print("Press Ctrl+C to stop it.", flush=True)  # noqa: T201


async def _until_connected(discord: VirtualDiscord) -> None:
    connected = await discord.changes.until(
        lambda: discord.gateway.connected and bool(discord.backend.commands), START_TIMEOUT_S
    )
    if not connected:
        raise StartupError("The demo's bot does not start; see what it says above")


def _for_the_demo(
    settings: Settings,
    data_dir: Path,
    servers: EmbeddedServers,
    token: str,
    dashboard: Dashboard,
) -> Settings:
    """The operator's settings, but for servers, addresses and data of its own, and short
    deadlines."""
    return settings.model_copy(
        update={
            "discord_token": SecretStr(token),
            "database_url": SecretStr(servers.database_url),
            "redis_url": SecretStr(servers.redis_url),
            "redis_host": None,
            "data_dir": data_dir,
            "min_close_delay": MIN_CLOSE_DELAY_S,
            "open_cooldown": 0,
            "max_open_tickets": MAX_OPEN_TICKETS,
            "dashboard_host": dashboard.host,
            "dashboard_port": dashboard.port,
            "dashboard_user": dashboard.user,
            "dashboard_password": SecretStr(dashboard.password),
            "metrics_port": None,
        }
    )


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as free:
        return free.getsockname()[1]
