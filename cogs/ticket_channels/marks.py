"""What tells, in a message or in a channel's topic, which ticket it is about.

Ids alone begin anew in an emptied database, and are others in another installation.
"""

from __future__ import annotations

import discord

from domains.ticket_lifecycle.models import Ticket


def mark_of(ticket: Ticket, installation_id: str) -> str:
    return f"{mark_prefix(installation_id)}{ticket.token}"


def mark_prefix(installation_id: str) -> str:
    """With which all our marks begin."""
    return f"Ref {installation_id}-"


def is_marked(channel: object, installation_id: str) -> bool:
    """Another process may have opened this ticket a moment ago: its topic says that it is ours."""
    place = channel.parent if isinstance(channel, discord.Thread) else channel
    topic = place.topic if isinstance(place, discord.TextChannel) else None
    return topic is not None and mark_prefix(installation_id) in topic
