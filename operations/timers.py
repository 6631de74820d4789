"""`python bot.py timers`: what is due when, of every kind, soonest first."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from datetime import UTC, datetime

from domains.formatting import PlainStyle, reason_words
from domains.monitoring.models import TimerLine
from domains.monitoring.timer_list import TimerList
from domains.scheduled_task.scheduled_task import AUTO_CLOSE
from domains.settings import Settings
from operations.shell import say, shell

PAGE = 50_000
"""Each page is cut from all that there is, so there should be few."""


async def timers(settings: Settings, *, as_json: bool) -> int:
    async with shell(settings) as opened:
        now = datetime.fromtimestamp(opened.database.clock.now(), UTC)
        lines = [line async for line in _all(opened.timers)]
    if as_json:
        say(json.dumps([_as_json(line, now) for line in lines]))
        return 0
    for line in lines:
        say(
            f"{line.timer.due:%Y-%m-%d %H:%M:%S} UTC  {line.timer.kind:13}  {line.state(now):9} "
            f"{_about(line)}"
        )
    say(f"{len(lines)} timers")
    return 0


async def _all(timers: TimerList) -> AsyncGenerator[TimerLine]:
    offset = 0
    while page := await timers.page(PAGE, offset):
        for line in page:
            yield line
        offset += PAGE


def _about(line: TimerLine) -> str:
    ticket, timer = line.ticket, line.timer
    if ticket is None:
        return f"{timer.subject_id} (guild {timer.guild_id})"
    return f"ticket {ticket.id} (#{ticket.name}, guild {ticket.guild_id})"


def _as_json(line: TimerLine, now: datetime) -> dict[str, object]:
    ticket, timer = line.ticket, line.timer
    attention = ticket.attention if ticket else None
    return {
        "kind": timer.kind,
        "due": timer.due.isoformat(),
        "closes_at": timer.due.isoformat() if timer.kind == AUTO_CLOSE else None,
        "seconds_left": round((timer.due - now).total_seconds(), 3),
        "state": line.state(now),
        "ticket_id": ticket.id if ticket else None,
        "number": ticket.number if ticket else None,
        "guild_id": timer.guild_id,
        "channel_id": ticket.channel_id if ticket else None,
        "close_request_id": timer.payload.get("close_request_id"),
        "attention": reason_words(attention, PlainStyle()) if attention else None,
        "payload": timer.payload,
    }
