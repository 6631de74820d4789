"""What the opener of a closed ticket is told, in a direct message."""

from __future__ import annotations

from typing import Final

from cogs.buttons.open_another import OpenAnotherButton
from cogs.cards.blocks import BLUE, Card
from cogs.cards.closed import open_for
from cogs.language import opener
from cogs.text import escape
from cogs.transcript_upload import Upload
from domains.ticket_lifecycle.channels import CloseFacts
from domains.ticket_lifecycle.models import CloseCause, Ticket
from locales import text


def farewell_card(
    ticket: Ticket,
    facts: CloseFacts,
    mark: str,
    *,
    server: str,
    closed_by: str | None,
    upload: Upload,
) -> Card:
    """`closed_by` is the name of who closed it, if that was somebody else."""
    locale = opener(ticket)
    card = Card(BLUE)
    card.heading(text("closed.dm_heading", locale, number=f"{ticket.number:04d}"))
    card.text(_why(ticket, closed_by, locale))
    card.fields(
        [
            (text("closed.server", locale), escape(server, 100)),
            (text("closed.subject", locale), escape(ticket.subject)),
            (text("closed.reason", locale), escape(ticket.close_reason)),
            (text("closed.open_for", locale), open_for(ticket, facts, locale)),
        ]
    )
    card.text(text(_about_transcript(upload), locale))
    card.files(upload.files)
    card.actions(OpenAnotherButton(ticket.guild_id, locale=locale))
    card.note(mark)
    return card


_WHY: Final = {
    CloseCause.ACCEPTED: "closed.you_accepted",
    CloseCause.EXPIRED: "closed.you_were_silent",
    CloseCause.CHANNEL_DELETED: "closed.your_channel_deleted",
    CloseCause.LEFT_SERVER: "closed.your_bot_left",
}


def _why(ticket: Ticket, closed_by: str | None, locale: str) -> str:
    if ticket.close_cause is not None and (key := _WHY.get(ticket.close_cause)) is not None:
        return text(key, locale)
    if ticket.closed_by_id == ticket.opener_id:
        return text("closed.you_closed", locale)
    if closed_by is not None:
        return text("closed.closed_by", locale, by=f"**{escape(closed_by, 100)}**")
    return text("closed.support_closed", locale)


def _about_transcript(upload: Upload) -> str:
    if not upload.files:
        return "closed.ask_for_transcript"
    return "closed.your_transcript_partly" if upload.missing else "closed.your_transcript"
