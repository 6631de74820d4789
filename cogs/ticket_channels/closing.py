"""The end of a ticket: log, direct message, channel; and calls for a person."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from http import HTTPStatus

import discord

from cogs.cards.attention import attention_card
from cogs.cards.blocks import Card
from cogs.cards.closed import log_card
from cogs.cards.conversation import conversation_of
from cogs.cards.farewell import farewell_card
from cogs.discord_errors import CALL_S, UPLOAD_BYTES_PER_S, discord_call
from cogs.language import of_server, opener
from cogs.text import NO_MENTIONS
from cogs.ticket_channels.direct_messages import dm_channel, is_refused, no_dm_is_no_error
from cogs.ticket_channels.places import Places, TicketChannel
from cogs.ticket_channels.threads import has_private_threads
from cogs.transcript_upload import Upload, prepare, without_files
from domains.ticket_lifecycle.channels import (
    ChannelError,
    ChannelGoneError,
    CloseFacts,
    DiscordFailedError,
    DiscordSlowError,
    Posting,
)
from domains.ticket_lifecycle.models import GuildSettings, Ticket
from domains.transcripts import SavedTranscript

log = logging.getLogger(__name__)


class ClosingChannels(Places):
    async def log_close(
        self,
        ticket: Ticket,
        guild: GuildSettings,
        facts: CloseFacts,
        transcript: SavedTranscript | None,
        posting: Posting,
    ) -> None:
        channel = await self._log_channel(guild)
        if channel is None:
            return
        if posting.again and await self._posted_before(channel, self._mark(ticket)):
            return
        conversation = conversation_of(
            ticket, transcript.messages_of if transcript else {}, partial(self._is_bot, channel)
        )
        locale = of_server(guild, channel.guild)

        async def post(upload: Upload) -> None:
            card = log_card(
                ticket,
                facts,
                self._mark(ticket),
                locale,
                transcript=transcript,
                conversation=conversation,
                upload=upload,
            )
            await _post(channel, card, upload, posting)

        upload = await asyncio.to_thread(prepare, ticket.name, transcript)
        try:
            await post(upload)
        except DiscordFailedError as error:
            if transcript is None or not _is_too_large(error):
                raise
            await post(without_files(transcript))

    def _is_bot(self, channel: TicketChannel, user_id: int) -> bool:
        """As far as is known: members who have not been seen may be anything."""
        user = channel.guild.get_member(user_id) or self._bot.get_user(user_id)
        return user is not None and user.bot

    async def dm_opener(
        self,
        ticket: Ticket,
        facts: CloseFacts,
        transcript: SavedTranscript | None,
        posting: Posting,
    ) -> None:
        server = self._guild(ticket.guild_id)
        if transcript is not None and not await self._may_be_shared(ticket):
            transcript = None
        async with no_dm_is_no_error(ticket):
            async with discord_call(None):
                channel = await dm_channel(self._bot, ticket)
            if posting.again and await self._posted_before(channel, self._mark(ticket)):
                return

            closed_by = await self._closed_by(server, ticket)

            async def post(upload: Upload) -> None:
                card = farewell_card(
                    ticket,
                    facts,
                    self._mark(ticket),
                    server=server.name,
                    closed_by=closed_by,
                    upload=upload,
                )
                await _post(channel, card, upload, posting)

            upload = await asyncio.to_thread(prepare, ticket.name, transcript)
            try:
                await post(upload)
            except DiscordFailedError as error:
                if not (upload.files and _is_about_files(error)):
                    raise
                log.info("Ticket %s: the opener gets no transcript: %s", ticket.id, error)
                await post(Upload())

    async def _closed_by(self, server: discord.Guild, ticket: Ticket) -> str | None:
        """By name: a mention of somebody whom the opener does not know shows a number."""
        if not ticket.closed_by_id or ticket.closed_by_id == ticket.opener_id:
            return None
        return await self._name_of(server, ticket.closed_by_id, opener(ticket))

    async def _may_be_shared(self, ticket: Ticket) -> bool:
        """Not what support wrote among themselves. Of a channel that is gone nobody knows."""
        if (has_private := self._private_threads.take(ticket.id)) is not None:
            return not has_private
        try:
            return not await has_private_threads(await self._channel(ticket))
        except ChannelError:
            return False

    async def remove(self, ticket: Ticket) -> None:
        try:
            channel = await self._channel(ticket)
            if isinstance(channel, discord.Thread):
                async with discord_call(channel, "manage_threads"):
                    await channel.edit(archived=True, locked=True, reason="The ticket is closed")
            else:
                async with discord_call(channel, "view_channel", "manage_channels"):
                    await channel.delete(reason="The ticket is closed")
        except ChannelGoneError:
            log.info("The channel of ticket %s is gone already", ticket.id)

    async def ask_for_attention(
        self, ticket: Ticket, guild: GuildSettings, posting: Posting
    ) -> None:
        """In the ticket itself where there is no log channel that can be written to."""
        failure: ChannelError = ChannelGoneError("there is no channel to say it in")
        for find in (partial(self._log_channel, guild), partial(self._channel_or_none, ticket)):
            try:
                channel = await find()
                if channel is None:
                    continue
                locale = of_server(guild, channel.guild)
                async with discord_call(channel, "view_channel", "send_messages"):
                    await channel.send(
                        view=attention_card(ticket, self._mark(ticket), locale),
                        allowed_mentions=NO_MENTIONS,
                        nonce=posting.nonce,
                    )
            except ChannelError as error:
                failure = error
            else:
                return
        raise failure


async def _post(
    channel: TicketChannel | discord.DMChannel, card: Card, upload: Upload, posting: Posting
) -> None:
    place = None if isinstance(channel, discord.DMChannel) else channel
    needed = ("view_channel", "send_messages", "attach_files")
    async with discord_call(place, *needed, seconds=CALL_S + upload.size / UPLOAD_BYTES_PER_S):
        await channel.send(
            view=card,
            files=list(upload.files),
            allowed_mentions=NO_MENTIONS,
            nonce=posting.nonce,
        )


def _is_about_files(error: DiscordFailedError) -> bool:
    """Perhaps: Discord refused it, or it took too long. What else goes wrong passes."""
    return isinstance(error, DiscordSlowError) or is_refused(error)


def _is_too_large(error: DiscordFailedError) -> bool:
    cause = error.__cause__
    return (
        isinstance(cause, discord.HTTPException)
        and cause.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    )
