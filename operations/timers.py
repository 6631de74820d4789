"""`python bot.py timers`: what is due when, of every kind, soonest first."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from datetime import UTC, datetime

from domains.monitoring.models import TimerLine
from domains.monitoring.timer_list import TimerList
from domains.settings import Settings
from operations.shell import say, shell

PAGE = 1_000


async def timers(settings: Settings, *, as_json: bool) -> int:
    async with shell(settings) as opened:
        now = datetime.fromtimestamp(opened.database.clock.now(), UTC)
        lines = [line async for line in _all(opened.timers)]
    if as_json:
        say(json.dumps([_as_json(line, now) for line in lines]))
        return 0
    for line in lines:
        ticket = line.ticket
        say(
            f"{line.timer.due:%Y-%m-%d %H:%M:%S} UTC  {line.timer.kind:13}  {line.state(now):9} "
            f"ticket {ticket.id} (#{ticket.name}, guild {ticket.guild_id})"
        )
    say(f"{len(lines)} timers")
    return 0


async def _all(timers: TimerList) -> AsyncGenerator[TimerLine]:
    offset = 0
    while page := await timers.page(PAGE, offset):
        for line in page:
            yield line
        offset += PAGE


def _as_json(line: TimerLine, now: datetime) -> dict[str, object]:
    ticket, timer = line.ticket, line.timer
    return {
        "kind": timer.kind,
        "due": timer.due.isoformat(),
        "seconds_left": round((timer.due - now).total_seconds(), 3),
        "state": line.state(now),
        "ticket_id": ticket.id,
        "number": ticket.number,
        "guild_id": ticket.guild_id,
        "channel_id": ticket.channel_id,
        "attention": ticket.attention,
        "payload": timer.payload,
    }
