"""What the front page shows at this moment, as its templates read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import simcord

from demo.stage import Stage
from demo.world import ClosedTicket, Person, World, closed_tickets, deadline_of


class Step(IntEnum):
    """Of the walk-through, in order."""

    OPEN = 1
    ASK = 2
    WAIT = 3
    READ = 4


@dataclass(frozen=True, slots=True)
class Look:
    """What a button asks for: a channel, seen by somebody."""

    person: Person
    channel: simcord.ChannelHandle

    def __str__(self) -> str:
        return f"{self.person.name}:{self.channel.id}"


@dataclass(frozen=True, slots=True)
class ChannelRow:
    look: Look
    is_new: bool
    closes_at: int | None


@dataclass(frozen=True, slots=True)
class View:
    now: Look
    moves: int
    people: Sequence[Look]
    channels: Sequence[ChannelRow]
    closed: Sequence[ClosedTicket]
    step: Step
    newest_ticket: simcord.ChannelHandle | None


def view_of(world: World, stage: Stage) -> View:
    shown = world.channel(stage.channel_id) or world.log
    rows = [
        ChannelRow(
            Look(stage.viewer, channel),
            is_new=channel.id not in stage.visited,
            closes_at=deadline_of(channel),
        )
        for channel in world.channels()
        if stage.viewer.sees(channel)
    ]
    tickets = world.tickets()
    closed = closed_tickets(world.log)
    return View(
        now=Look(stage.viewer, shown),
        moves=stage.moves,
        people=[
            Look(person, shown if person.sees(shown) else world.welcome) for person in world.people
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
