"""The demo, wired: a fresh folder -> the bot -> the virtual Discord -> the front page."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import simcord
from discord.ext import commands

from demo.clock import catch_up
from demo.demo_guild import build_demo_guild
from demo.drawing import draw_mentions_in_embeds
from demo.folder import fresh_folder
from demo.front_page import front_page, wanted_port
from demo.preview_controller import PreviewController
from domains.settings import Settings
from domains.transcripts import TranscriptStore

MIN_CLOSE_DELAY_S = 5
SETTLE_TIMEOUT_S = 20.0
"""How long a press of a button may take here before simcord calls the bot stuck."""


async def serve_demo(create_bot: Callable[[Settings], commands.Bot], settings: Settings) -> None:
    """Run until cancelled. It shuts down in the reverse of the order that is read here."""
    port = wanted_port()
    draw_mentions_in_embeds()
    async with AsyncExitStack() as running:
        data_dir = running.enter_context(fresh_folder(settings.data_dir))
        bot = create_bot(_for_the_demo(settings, data_dir))
        env = await running.enter_async_context(
            # What the bot answers with a sentence is no reason to end the demo with a traceback.
            simcord.run(bot, check_errors=False, settle_timeout=SETTLE_TIMEOUT_S)
        )
        running.push_async_callback(bot.close)
        catch_up(env)
        demo_guild = await build_demo_guild(env)
        preview_controller = await running.enter_async_context(PreviewController(env, demo_guild))
        transcripts = TranscriptStore(data_dir / "transcripts")
        url = await running.enter_async_context(
            front_page(demo_guild, preview_controller, transcripts, port)
        )
        print(f"Punctual demo: {url}", flush=True)  # noqa: T201  # what the person waits for
        await preview_controller.keep_up()


def _for_the_demo(settings: Settings, data_dir: Path) -> Settings:
    """The operator's settings, but for servers and data of its own, and short deadlines."""
    return settings.model_copy(
        update={
            "database_url": None,
            "redis_url": None,
            "redis_host": None,
            "data_dir": data_dir,
            "min_close_delay": MIN_CLOSE_DELAY_S,
            "open_cooldown": 0,
        }
    )
