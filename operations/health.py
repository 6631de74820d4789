"""`python bot.py health`: one line and an exit status, as a container's health check wants it.

Nothing is started and Discord is not asked: a bot that is connected says so in PostgreSQL every few
seconds.
"""

from __future__ import annotations

from domains.errors import StartupError
from domains.monitoring.checks import DEPENDENCY_FAILED, Check, check_bot
from domains.settings import load_settings
from operations.running_servers import database_of
from operations.shell import say


async def health() -> int:
    """0 or 1: Docker reserves 2, even for a wrong setting."""
    look = await _look()
    say(f"{'FAILED' if look.status else 'ok'}: {look.text}")
    return look.status


async def _look() -> Check:
    try:
        settings = load_settings()
        database = await database_of(settings)
    except StartupError as error:
        return Check("bot", str(error), DEPENDENCY_FAILED)
    if database is None:
        return Check("bot", f"no bot is running on {settings.data_dir}", DEPENDENCY_FAILED)
    return await check_bot(database)
