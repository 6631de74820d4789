"""What the bot posts: each message that tells of a ticket, made from the domain's rows."""

from __future__ import annotations

import discord

from cogs.text import DiscordStyle, escape, when
from domains.formatting import PlainStyle, cause_words, reason_words
from domains.ticket_lifecycle.models import (
    CloseRequest,
    RequestStatus,
    Ticket,
    TicketStatus,
)
from domains.transcripts import SavedTranscript
from locales import DEFAULT_LOCALE

BLUE = discord.Colour.blurple()
GREEN = discord.Colour.green()
AMBER = discord.Colour.orange()
RED = discord.Colour.red()
GREY = discord.Colour.greyple()


def welcome(ticket: Ticket, mark: str) -> discord.Embed:
    embed = discord.Embed(
        title=f"Ticket #{ticket.number:04d}",
        description=(
            "Describe what you need, as exactly as you can; support has been told.\n"
            "When all is done, close the ticket with `/close`."
        ),
        colour=BLUE,
    )
    embed.add_field(name="Subject", value=escape(ticket.subject) or "—", inline=False)
    return embed.set_footer(text=mark)


def close_request(ticket: Ticket, request: CloseRequest) -> discord.Embed:
    """The pending request: who asks, why, and when the ticket closes by itself."""
    embed = discord.Embed(
        title="May this ticket be closed?",
        description=f"<@{request.requested_by_id}> asks to close this ticket.",
        colour=AMBER,
    )
    if request.reason:
        embed.add_field(name="Reason", value=escape(request.reason), inline=False)
    if request.auto_close_at is not None:
        embed.add_field(name="Closes", value=_deadline(ticket, request), inline=False)
    return embed


def _deadline(ticket: Ticket, request: CloseRequest) -> str:
    assert request.auto_close_at is not None
    if ticket.exclude_from_autoclose:
        return "Only when you accept: this ticket is excluded from auto-close."
    return f"{when(request.auto_close_at)}, unless you answer before that."


_OUTCOMES = {
    RequestStatus.ACCEPTED: ("Accepted", "{by} accepted; the ticket is being closed.", GREEN),
    RequestStatus.DENIED: ("Denied", "{by} wants to keep this ticket open.", GREY),
    RequestStatus.EXPIRED: ("Time is up", "Nobody answered; the ticket is being closed.", RED),
    RequestStatus.WITHDRAWN: (
        "Withdrawn",
        "{by} withdrew the request; the ticket stays open.",
        GREY,
    ),
    RequestStatus.ANSWERED: ("Answered", "{by} wrote; the ticket stays open.", GREY),
    RequestStatus.SUPERSEDED: ("Replaced", "There is a newer request below.", GREY),
    RequestStatus.CLOSED: ("Closed", "The ticket was closed another way.", GREY),
}


def close_request_outcome(request: CloseRequest) -> discord.Embed:
    title, text, colour = _OUTCOMES[request.status]
    sentence = text.format(by=DiscordStyle(DEFAULT_LOCALE).user(request.resolved_by_id))
    embed = discord.Embed(
        title=f"Close request: {title.lower()}",
        description=sentence[0].upper() + sentence[1:],
        colour=colour,
    )
    if request.reason:
        embed.add_field(name="Reason", value=escape(request.reason), inline=False)
    return embed


def _cause(ticket: Ticket) -> str:
    by = f"<@{ticket.closed_by_id}>" if ticket.closed_by_id else "nobody"
    words = cause_words(
        ticket.close_cause.value if ticket.close_cause else "command",
        by,
        DiscordStyle(DEFAULT_LOCALE),
    )
    return words[0].upper() + words[1:]


def close_log(
    ticket: Ticket, transcript: SavedTranscript | None, note: str | None, mark: str
) -> discord.Embed:
    """`note` is about the transcript."""
    embed = discord.Embed(title=f"Ticket #{ticket.number:04d} closed", colour=RED)
    embed.add_field(name="Opened by", value=f"<@{ticket.opener_id}>")
    embed.add_field(name="Closed", value=_cause(ticket))
    embed.add_field(
        name="Opened", value=discord.utils.format_dt(ticket.opened_at, "f"), inline=False
    )
    if ticket.subject:
        embed.add_field(name="Subject", value=escape(ticket.subject), inline=False)
    if ticket.close_reason:
        embed.add_field(name="Reason", value=escape(ticket.close_reason), inline=False)
    embed.add_field(name="Transcript", value=_transcript(transcript, note), inline=False)
    return embed.set_footer(text=mark)


def _transcript(transcript: SavedTranscript | None, note: str | None) -> str:
    if transcript is None:
        return "None: the channel was gone before it could be saved."
    text = f"{transcript.message_count} messages, {len(transcript.attachments)} attachments"
    if transcript.missed:
        text += f", {len(transcript.missed)} attachments could not be saved"
    return f"{text}\n{note}" if note else text


def close_dm(ticket: Ticket, guild_name: str, mark: str) -> discord.Embed:
    embed = discord.Embed(
        title=f"Your ticket #{ticket.number:04d} was closed",
        description=f"In **{escape(guild_name, 100)}**. {_cause(ticket)}.",
        colour=RED,
    )
    if ticket.subject:
        embed.add_field(name="Subject", value=escape(ticket.subject), inline=False)
    if ticket.close_reason:
        embed.add_field(name="Reason", value=escape(ticket.close_reason), inline=False)
    return embed.set_footer(text=mark)


def attention(ticket: Ticket, mark: str) -> discord.Embed:
    why = escape(reason_words(ticket.attention or {}, PlainStyle()))
    what = "be closed" if ticket.status is TicketStatus.CLOSING else "be closed in time"
    where = f"<#{ticket.channel_id}>" if ticket.channel_id else f"#{ticket.name}"
    embed = discord.Embed(
        title=f"Ticket #{ticket.number:04d} needs attention",
        description=f"{where} cannot {what}: {why}",
        colour=RED,
    )
    return embed.set_footer(text=mark)
