"""Asking the opener, and what is said about it."""

from __future__ import annotations

from typing import Any

import discord

from cogs.announcements import by_dm, extension_over, in_ticket
from cogs.buttons.close_request import accept_custom_id
from cogs.cards.blocks import Card
from cogs.cards.close_request import outcome_card, question_card, reminder_card
from cogs.cards.reading import custom_ids
from cogs.discord_errors import discord_call
from cogs.text import NO_MENTIONS
from cogs.ticket_channels.direct_messages import dm_channel, no_dm_is_no_error
from cogs.ticket_channels.places import LOOK_BACK, Places, TicketChannel, messages_of, only
from domains.ticket_lifecycle.channels import Announcement, Posting
from domains.ticket_lifecycle.models import CloseRequest, GuildSettings, Ticket, TicketStatus


class AskingInChannels(Places):
    async def ask(
        self, ticket: Ticket, guild: GuildSettings, request: CloseRequest, posting: Posting
    ) -> int:
        channel = await self._channel(ticket)
        if posting.again:
            async for message in messages_of(channel, limit=LOOK_BACK):
                if self._is_mine(message) and accept_custom_id(request.id) in custom_ids(message):
                    return message.id
        async with discord_call(channel, "view_channel", "send_messages"):
            message = await channel.send(
                view=self._question(ticket, guild, request),
                allowed_mentions=only(ticket.opener_id),
                nonce=posting.nonce,
            )
        return message.id

    def _question(self, ticket: Ticket, guild: GuildSettings, request: CloseRequest) -> Card:
        return question_card(
            ticket,
            request,
            reply_keeps_open=guild.reply_keeps_open,
            max_extensions=self._max_extensions,
        )

    async def show_outcome(self, ticket: Ticket, request: CloseRequest) -> None:
        channel = await self._channel(ticket)
        await self._edit(channel, request.message_id, card=outcome_card(ticket, request))
        if ticket.status is not TicketStatus.OPEN:
            return  # the channel goes, and nobody has to wait for the rest
        await self._edit_reminder(channel, ticket, request)
        await self._edit(
            channel, request.extension_message_id, content=extension_over(ticket, request)
        )

    async def show_deadline(
        self, ticket: Ticket, guild: GuildSettings, request: CloseRequest
    ) -> None:
        channel = await self._channel(ticket)
        await self._edit(channel, request.message_id, card=self._question(ticket, guild, request))
        await self._edit_reminder(channel, ticket, request)

    async def _edit_reminder(
        self, channel: TicketChannel, ticket: Ticket, request: CloseRequest
    ) -> None:
        if request.reminder_message_id is not None:
            await self._edit(
                channel, request.reminder_message_id, card=self._reminder(ticket, request)
            )

    def _reminder(self, ticket: Ticket, request: CloseRequest) -> Card:
        return reminder_card(ticket, request, max_extensions=self._max_extensions)

    async def announce(self, ticket: Ticket, announcement: Announcement, posting: Posting) -> int:
        channel = await self._channel(ticket)
        mention_id, request = announcement.mention_id, announcement.request
        mentions = only(mention_id) if mention_id else NO_MENTIONS
        if announcement.has_buttons and request is not None:
            async with discord_call(channel, "view_channel", "send_messages"):
                message = await channel.send(
                    view=self._reminder(ticket, request),
                    allowed_mentions=mentions,
                    nonce=posting.nonce,
                )
            return message.id
        said = in_ticket(announcement, ticket, max_extensions=self._max_extensions)
        told_by = announcement.message_id
        if told_by is not None and await self._edit(channel, told_by, content=said):
            return told_by
        replied_id = request.message_id if announcement.is_reply and request is not None else None
        if posting.again and replied_id is not None:
            async for message in messages_of(channel, limit=LOOK_BACK):
                if self._is_mine(message) and _is_it(message, replied_id, said):
                    return message.id
        async with discord_call(channel, "view_channel", "send_messages"):
            message = await channel.send(
                said,
                reference=_reference(channel, replied_id),
                allowed_mentions=mentions,
                nonce=posting.nonce,
            )
        return message.id

    async def announce_by_dm(
        self, ticket: Ticket, announcement: Announcement, posting: Posting
    ) -> None:
        text = by_dm(announcement, ticket, self._guild(ticket.guild_id).name)
        async with no_dm_is_no_error(ticket), discord_call(None):
            channel = await dm_channel(self._bot, ticket)
            await channel.send(text, nonce=posting.nonce)


def _is_it(message: discord.Message, replied_id: int, said: str) -> bool:
    reference = message.reference
    return reference is not None and reference.message_id == replied_id and message.content == said


def _reference(channel: TicketChannel, message_id: int | None) -> Any:
    """What `send` takes for a reference, or for none. A request whose message was deleted is
    answered all the same."""
    if message_id is None:
        return None
    return discord.MessageReference(
        message_id=message_id,
        channel_id=channel.id,
        guild_id=channel.guild.id,
        fail_if_not_exists=False,
    )
