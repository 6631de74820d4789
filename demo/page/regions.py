"""The parts of the page that change, as HTML: each is sent anew when it has become another."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from simcord.backend.models import Channel, Message
from simcord.enums import ChannelType

from demo.chaos import OUTAGE_S, Blow
from demo.guided_steps import CUSTOMER, SUPPORT
from demo.guild import Person
from demo.observer import TicketTruth
from demo.page import commands
from demo.page.conversation import conversation, message_view
from demo.page.looking import DM, Looking
from demo.page.rendering import Templates
from demo.page.ticket_view import (
    card_lines,
    deadline_of,
    focus,
    result_of,
    struck_at,
    what_was_done,
)
from demo.services import DemoServices
from demo.words import Words
from domains.ticket_lifecycle.models import TicketStatus

SHOWN_EVENTS = 8
CLOSED = "closed"
"""The last event of a ticket; the one before it is the decision."""
OUTAGES = (Blow.STOP_POSTGRES, Blow.CUT_DISCORD)


@dataclass(frozen=True, slots=True)
class Place:
    """A line of the list of channels."""

    place: str
    name: str
    unread: int
    is_current: bool
    deadline: int | None
    """Milliseconds since the epoch."""


class Regions:
    def __init__(self, services: DemoServices, templates: Templates) -> None:
        self._services = services
        self._templates = templates
        self._seen: dict[tuple[str, int], int] = {}
        """By person and channel, the last message that was shown."""

    def see_all(self) -> None:
        """What there is when the visitor comes is nothing new."""
        for person in self._services.guild.people:
            for channel in self._channels(person):
                self._see(person, channel)

    def render(self, looking: Looking) -> dict[str, str]:
        channel = looking.channel(self._services.guild)
        if channel is not None:
            self._see(looking.person, channel)
        truth = self._services.observer.truth
        here = channel.id if channel is not None else _id_of(looking)
        ticket = focus(truth, here, looking.about)
        context: dict[str, Any] = {
            "t": looking.words,
            "person": looking.person,
            "people": self._services.guild.people,
            "names": self._services.guild.names(),
            "guild": self._services.guild,
            "roles": self._services.discord.backend.get_guild(
                self._services.guild.id
            ).roles.values(),
            "channels": self._services.guild.channels_of(looking.person),
            "place": looking.place,
            "channel": channel,
        }
        return {
            "people": self._render("people", context),
            "places": self._render("places", context | {"places": self._places(looking), "dm": DM}),
            "heading": self._render("heading", context | {"gone": truth.of_channel(here or 0)}),
            "messages": self._messages(looking, channel, context),
            "truth": self._truth(looking.words, ticket, context),
            "proof": self._proof(looking.words, ticket, context),
            "steps": self._steps(ticket, context),
            "about": str(ticket.ticket.id) if ticket is not None else "",
            "commands": self._commands(looking, channel),
        }

    def _render(self, template: str, context: Mapping[str, object]) -> str:
        return self._templates.render(template, context)

    # --- people and places

    def _places(self, looking: Looking) -> Sequence[Place]:
        truth, guild = self._services.observer.truth, self._services.guild
        places: list[Place] = []
        for channel in guild.channels_of(looking.person):
            deadline = deadline_of(truth.of_channel(channel.id))
            places.append(
                Place(
                    str(channel.id),
                    channel.name or "",
                    self._unread(looking.person, channel),
                    looking.place == str(channel.id),
                    round(deadline.timestamp() * 1000) if deadline else None,
                )
            )
        dm = guild.dm_of(looking.person)
        unread = self._unread(looking.person, dm) if dm is not None else 0
        return [*places, Place(DM, "", unread, looking.place == DM, None)]

    def _channels(self, person: Person) -> list[Channel]:
        dm = self._services.guild.dm_of(person)
        return self._services.guild.channels_of(person) + ([dm] if dm is not None else [])

    def _see(self, person: Person, channel: Channel) -> None:
        self._seen[person.name, channel.id] = channel.last_message_id or 0

    def _unread(self, person: Person, channel: Channel) -> int:
        seen = self._seen.get((person.name, channel.id), 0)
        messages = self._services.guild.messages(person, channel.id)
        return sum(1 for each in messages if each.id > seen and each.author_id != person.id)

    # --- Discord

    def _messages(
        self, looking: Looking, channel: Channel | None, context: Mapping[str, object]
    ) -> str:
        guild, truth = self._services.guild, self._services.observer.truth
        if channel is not None:
            messages = conversation(guild, looking.person, channel.id)
            return self._render("messages", {**context, "messages": messages})
        gone = truth.of_channel(_id_of(looking) or 0)
        exists = (_id_of(looking) or 0) in guild.backend.channels
        if gone is None or exists:
            key = "no_dm" if looking.place == DM else "not_yours"
            return self._render("nothing", {**context, "key": key})
        return self._end(gone, context)

    def _end(self, gone: TicketTruth, context: Mapping[str, object]) -> str:
        """What is left of a ticket whose channel is gone."""
        guild = self._services.guild
        support, opener = guild.person(SUPPORT), guild.person_of(gone.ticket.opener_id)
        dm = guild.dm_of(opener) if opener is not None else None
        log = _about(gone, guild.messages(support, guild.log_id))
        told = _about(gone, guild.messages(opener, dm.id)) if opener and dm else None
        return self._render(
            "end",
            {
                **context,
                "ticket": gone.ticket,
                "is_timed": result_of(gone, ()) is not None,
                "opener": opener,
                "support": support,
                "log": message_view(guild, support, log) if log else None,
                "told": message_view(guild, opener, told) if told and opener else None,
                "dm": DM,
            },
        )

    def _commands(self, looking: Looking, channel: Channel | None) -> str:
        """For the composer, as JSON."""
        if channel is None:
            return "null"
        place = self._place_name(looking, channel)
        composer = commands.composer(self._services.guild, looking, channel, place)
        return json.dumps(composer, ensure_ascii=False)

    @staticmethod
    def _place_name(looking: Looking, channel: Channel) -> str:
        is_dm = channel.type == ChannelType.DM
        return looking.words("dm_with") if is_dm else f"#{channel.name}"

    # --- the truth

    def _truth(
        self, words: Words, ticket: TicketTruth | None, context: Mapping[str, object]
    ) -> str:
        truth, struck = self._services.observer.truth, self._services.chaos.struck
        result = result_of(ticket, struck) if ticket is not None else None
        return self._render(
            "truth",
            {
                **context,
                "truth": ticket,
                "deadline": deadline_of(ticket),
                "is_postgres_away": truth.is_postgres_away,
                "events": ticket.events[-SHOWN_EVENTS:] if ticket is not None else (),
                "result": result,
                "card": " · ".join(card_lines(ticket.ticket.name, result, words))
                if ticket is not None and result is not None
                else "",
                "life": self._services.bot.life,
                "is_connected": self._services.discord.gateway.connected,
            },
        )

    def _proof(
        self, words: Words, ticket: TicketTruth | None, context: Mapping[str, object]
    ) -> str:
        chaos = self._services.chaos
        felt = {each.blow: each.at for each in chaos.struck if chaos.is_felt(each.blow)}
        until = {
            blow: round((at + timedelta(seconds=OUTAGE_S)).timestamp() * 1000)
            for blow, at in felt.items()
            if blow in OUTAGES
        }
        struck = struck_at(ticket, chaos.struck) if ticket is not None else ()
        return self._render(
            "proof",
            {
                **context,
                "blows": list(Blow),
                "felt": felt,
                "until": until,
                "runs": deadline_of(ticket) is not None,
                "done": what_was_done(struck, words),
            },
        )

    def _steps(self, ticket: TicketTruth | None, context: Mapping[str, object]) -> str:
        """Buttons that could do nothing are disabled."""
        openable = ticket if ticket and ticket.ticket.status is TicketStatus.OPEN else None
        has_deadline = deadline_of(openable) is not None
        customers = self._services.guild.person(CUSTOMER)
        is_theirs = openable is not None and openable.ticket.opener_id == customers.id
        step = 3 if has_deadline and is_theirs else 2 if is_theirs else 1
        return self._render("steps", {**context, "step": step})


def _id_of(looking: Looking) -> int | None:
    return None if looking.place == DM else int(looking.place)


def _about(gone: TicketTruth, messages: Sequence[Message]) -> Message | None:
    """The bot's message about the end: it has the transcript; else it is the first one since."""
    for message in reversed(messages):
        if any(each["filename"].startswith(gone.ticket.name) for each in message.attachments):
            return message
    decided = [event.at for event in gone.events if event.event != CLOSED]
    since = decided[-1].isoformat() if decided else ""
    return next((each for each in messages if each.timestamp >= since), None)
