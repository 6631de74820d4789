"""`python bot.py timers`: what will close when, soonest first."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from datetime import UTC, datetime

from domains.database import Database
from domains.monitoring import sql
from domains.monitoring.models import Deadline
from domains.settings import Settings
from operations.shell import say, shell

PAGE = 1_000


async def timers(settings: Settings, *, as_json: bool) -> int:
    async with shell(settings) as opened:
        now = datetime.fromtimestamp(opened.database.clock.now(), UTC)
        deadlines = [deadline async for deadline in _all(opened.database)]
    if as_json:
        say(json.dumps([_as_json(deadline, now) for deadline in deadlines]))
        return 0
    for deadline in deadlines:
        ticket = deadline.ticket
        say(
            f"{deadline.closes_at:%Y-%m-%d %H:%M:%S} UTC  {deadline.state(now):9} "
            f"ticket {ticket.id} (#{ticket.name}, guild {ticket.guild_id})"
        )
    say(f"{len(deadlines)} timers")
    return 0


async def _all(database: Database) -> AsyncGenerator[Deadline]:
    offset = 0
    async with database.connection() as connection:
        while page := await sql.deadlines(connection, PAGE, offset):
            for deadline in page:
                yield deadline
            offset += PAGE


def _as_json(deadline: Deadline, now: datetime) -> dict[str, object]:
    ticket = deadline.ticket
    return {
        "ticket_id": ticket.id,
        "number": ticket.number,
        "guild_id": ticket.guild_id,
        "channel_id": ticket.channel_id,
        "close_request_id": deadline.close_request_id,
        "closes_at": deadline.closes_at.isoformat(),
        "seconds_left": round((deadline.closes_at - now).total_seconds(), 3),
        "state": deadline.state(now),
        "attention": ticket.attention,
    }
