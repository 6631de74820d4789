"""Who wrote in a ticket, and when support answered: told by the ids of a transcript's messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import discord

from domains.ticket_lifecycle.models import Ticket


@dataclass(frozen=True, slots=True)
class Answer:
    """The first message of somebody other than the opener."""

    by_id: int
    after: timedelta
    """The ticket's opening."""


@dataclass(frozen=True, slots=True)
class Conversation:
    counts: Sequence[tuple[int, int]] = ()
    """Each member, and how many messages; who wrote first comes first."""
    answer: Answer | None = None


def conversation_of(
    ticket: Ticket, messages_of: Mapping[int, Sequence[int]], is_bot: Callable[[int], bool]
) -> Conversation:
    """Bots don't count."""
    people = {
        id_: sorted(ids) for id_, ids in messages_of.items() if id_ and ids and not is_bot(id_)
    }
    in_order = sorted(people, key=lambda user_id: people[user_id][0])
    others = [user_id for user_id in in_order if user_id != ticket.opener_id]
    answer = None
    if others:
        first = discord.utils.snowflake_time(people[others[0]][0])
        answer = Answer(others[0], first - ticket.opened_at)
    return Conversation([(user_id, len(people[user_id])) for user_id in in_order], answer)
