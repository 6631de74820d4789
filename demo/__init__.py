"""`python bot.py --demo`: the same bot, unmodified, against a virtual Discord in the browser.

Needs no account, no token and no network. This process has the servers, the virtual Discord and the
page; the bot is a process of its own, so that it can be killed. What it needs beyond the bot is in
requirements-demo.txt, so nothing of that is imported before it is known to be there.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import AbstractAsyncContextManager, suppress
from importlib.util import find_spec

from bot import stop_signal
from domains.errors import StartupError
from domains.settings import Settings

NEEDED = ("simcord",)
WHERE_THEY_ARE = "'punctual[demo]'" if "." in __name__ else "-r requirements-demo.txt"
"""What pip is to install: for the installed package, or in the checkout."""


async def run_demo(settings: Settings, *, browser: bool) -> None:
    """Run until SIGINT or SIGTERM. Raises StartupError for what the person can fix."""
    if any(find_spec(name) is None for name in NEEDED):
        raise StartupError(f"The demo needs a few more packages: pip install {WHERE_THEY_ARE}")
    stop = stop_signal()
    serving = asyncio.create_task(_serve(settings, browser=browser))
    await asyncio.wait({serving, stop}, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    serving.cancel()
    with suppress(asyncio.CancelledError):
        await serving


async def _serve(settings: Settings, *, browser: bool) -> None:
    async with _import_demo_running(settings, browser=browser):
        await asyncio.Event().wait()


def _import_demo_running(settings: Settings, *, browser: bool) -> AbstractAsyncContextManager[str]:
    """simcord tries out a client without intents when imported, and discord.py warns of that."""
    warnings = logging.getLogger("discord.state")
    warnings.disabled = True
    try:
        from demo.serving import demo_running  # noqa: PLC0415  # before now it may be impossible
    finally:
        warnings.disabled = False
    return demo_running(settings, browser=browser)
