"""What is said in a ticket, or to its opener, by the keys that the domain uses."""

from __future__ import annotations

from typing import Final

from cogs.text import escape, when
from domains.ticket_lifecycle.channels import Announcement
from domains.ticket_lifecycle.models import Ticket

IN_TICKET: Final = {
    "answered": "<@{opener}> wrote, so this ticket stays open: the timer is off.",
    "extended": "{mention} more time was asked for: this ticket now closes {deadline}.",
    "grace": (
        "{mention} I was away when this ticket's time ran out. It closes {deadline}, unless you "
        "answer before that."
    ),
    "reminder": "{mention} Still there? This ticket closes {deadline} unless you answer.",
}
BY_DM: Final = {
    "reminder": (
        "Still there? Your ticket {channel} in **{server}** closes {deadline} unless you answer."
    ),
}


def in_ticket(announcement: Announcement, ticket: Ticket) -> str:
    return IN_TICKET[announcement.key].format(
        mention=f"<@{announcement.mention_id}>",
        opener=ticket.opener_id,
        deadline=_deadline(announcement),
    )


def by_dm(announcement: Announcement, ticket: Ticket, server: str) -> str:
    return BY_DM[announcement.key].format(
        channel=f"<#{ticket.channel_id}>",
        server=escape(server, 100),
        deadline=_deadline(announcement),
    )


def _deadline(announcement: Announcement) -> str:
    request = announcement.request
    return when(request.auto_close_at) if request and request.auto_close_at else ""
