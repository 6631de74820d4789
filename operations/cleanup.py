"""`python bot.py cleanup`: what the bot does every night, now; or only how much there is to do."""

from __future__ import annotations

from domains.settings import Settings
from operations.shell import say, shell


async def cleanup(settings: Settings, *, dry_run: bool) -> int:
    """Exit status 1 if something could not be deleted."""
    for name in ("transcript_days", "ticket_days", "left_server_days"):
        days = getattr(settings, name)
        say(f"{name.upper():17} {f'{days} days' if days else 'for ever'}")
    async with shell(settings) as opened:
        done = await opened.tickets.cleanup.run(dry_run=dry_run)
    say(f"{'Would delete' if dry_run else 'Deleted'}: {done}")
    return 1 if done.failed else 0
