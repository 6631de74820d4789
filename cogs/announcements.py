"""What is said in a ticket, or to its opener, by the keys that the domain uses."""

from __future__ import annotations

from cogs.language import opener
from cogs.text import DiscordStyle, escape, when
from domains.ticket_lifecycle.channels import Announcement
from domains.ticket_lifecycle.models import CloseRequest, RequestStatus, Ticket
from locales import text


def in_ticket(announcement: Announcement, ticket: Ticket, *, max_extensions: int = 0) -> str:
    """`announcements.{key}`, in the opener's language."""
    locale, style = opener(ticket), DiscordStyle(opener(ticket))
    request = announcement.request
    said = text(
        f"announcements.{announcement.key}",
        locale,
        mention=style.user(announcement.mention_id or 0),
        opener=style.user(ticket.opener_id),
        by=_by(request, style),
        deadline=_deadline(request),
        left=_left(request, ticket, max_extensions),
    )
    return said[:1].upper() + said[1:]


def by_dm(announcement: Announcement, ticket: Ticket, server: str) -> str:
    """`announcements.{key}_dm`."""
    return text(
        f"announcements.{announcement.key}_dm",
        opener(ticket),
        channel=f"<#{ticket.channel_id}>",
        server=escape(server, 100),
        deadline=_deadline(announcement.request),
    )


def extension_over(ticket: Ticket, request: CloseRequest) -> str:
    """Instead of the announcement of more time, once its deadline has no meaning any more."""
    locale = opener(ticket)
    by = DiscordStyle(locale).user(request.extended_by_id)
    return text("announcements.extension_over", locale, by=by)


def _by(request: CloseRequest | None, style: DiscordStyle) -> str:
    """Who did what is told: ended the request, or moved its deadline."""
    if request is None:
        return ""
    is_pending = request.status is RequestStatus.PENDING
    return style.user(request.extended_by_id if is_pending else request.resolved_by_id)


def _deadline(request: CloseRequest | None) -> str:
    return when(request.auto_close_at) if request and request.auto_close_at else ""


def _left(request: CloseRequest | None, ticket: Ticket, max_extensions: int) -> str:
    if request is None:
        return ""
    locale, who = opener(ticket), f"<@{ticket.opener_id}>"
    left = max(0, max_extensions - request.extensions)
    if not left:
        return text("announcements.no_extension_left", locale, opener=who)
    return text("announcements.extensions_left", locale, count=left, opener=who)
