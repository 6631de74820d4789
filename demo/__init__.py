"""`python bot.py --demo`: the same bot, unmodified, against a virtual Discord in the browser.

Needs no account, no token and no network. What it needs beyond the bot is in
requirements-demo.txt, so nothing of that is imported before it is known to be there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from importlib.util import find_spec

from discord.ext import commands

from bot import stop_signal
from domains.errors import StartupError
from domains.settings import Settings

NEEDED = ("simcord", "av", "linkify_it", "PIL", "regex")
WHERE_THEY_ARE = "'punctual[demo]'" if "." in __name__ else "-r requirements-demo.txt"
"""What pip is to install: for the installed package, or in the checkout."""

CreateBot = Callable[[Settings], commands.Bot]


async def run_demo(create_bot: CreateBot, settings: Settings) -> None:
    """Run until SIGINT or SIGTERM. Raises StartupError for what the person can fix."""
    if any(find_spec(name) is None for name in NEEDED):
        raise StartupError(f"The demo needs a few more packages: pip install {WHERE_THEY_ARE}")
    stop = stop_signal()
    serving = asyncio.create_task(_import_serve_demo()(create_bot, settings))
    await asyncio.wait({serving, stop}, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    serving.cancel()
    with suppress(asyncio.CancelledError):
        await serving


def _import_serve_demo() -> Callable[[CreateBot, Settings], Coroutine[None, None, None]]:
    """simcord tries out a client without intents when imported, and discord.py warns of that."""
    warnings = logging.getLogger("discord.state")
    warnings.disabled = True
    try:
        from demo.serving import serve_demo  # noqa: PLC0415  # before now it may be impossible
    finally:
        warnings.disabled = False
    return serve_demo
