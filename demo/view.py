"""What the front page shows at this moment, as its templates read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import simcord

from demo.demo_guild import ClosedTicket, DemoGuild, Person, closed_tickets, deadline_of
from demo.preview_controller import PreviewController


class Step(IntEnum):
    """Of the walk-through, in order."""

    OPEN = 1
    ASK = 2
    WAIT = 3
    READ = 4


@dataclass(frozen=True, slots=True)
class ViewLink:
    """What a button asks for: a channel, seen by somebody."""

    person: Person
    channel: simcord.ChannelHandle

    def __str__(self) -> str:
        return f"{self.person.name}:{self.channel.id}"


@dataclass(frozen=True, slots=True)
class ChannelRow:
    link: ViewLink
    is_new: bool
    closes_at: int | None


@dataclass(frozen=True, slots=True)
class View:
    now: ViewLink
    moves: int
    people: Sequence[ViewLink]
    channels: Sequence[ChannelRow]
    closed: Sequence[ClosedTicket]
    step: Step
    newest_ticket: simcord.ChannelHandle | None


def view_of(demo_guild: DemoGuild, preview_controller: PreviewController) -> View:
    shown = demo_guild.channel(preview_controller.channel_id) or demo_guild.log
    rows = [
        ChannelRow(
            ViewLink(preview_controller.viewer, channel),
            is_new=channel.id not in preview_controller.visited,
            closes_at=deadline_of(channel),
        )
        for channel in demo_guild.channels()
        if preview_controller.viewer.sees(channel)
    ]
    tickets = demo_guild.tickets()
    closed = closed_tickets(demo_guild.log)
    return View(
        now=ViewLink(preview_controller.viewer, shown),
        moves=preview_controller.moves,
        people=[
            ViewLink(person, shown if person.sees(shown) else demo_guild.welcome)
            for person in demo_guild.people
        ],
        channels=rows,
        closed=closed,
        step=_step(tickets, closed),
        newest_ticket=tickets[-1] if tickets else None,
    )


def _step(tickets: Sequence[simcord.ChannelHandle], closed: Sequence[ClosedTicket]) -> Step:
    """What there is to do next."""
    if any(deadline_of(ticket) for ticket in tickets):
        return Step.WAIT
    if tickets:
        return Step.ASK
    return Step.READ if closed else Step.OPEN
