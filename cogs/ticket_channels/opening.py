"""A ticket's channel, and its first message."""

from __future__ import annotations

import logging

import discord

from cogs.cards.ticket import ticket_card
from cogs.discord_errors import INVALID_FORM, discord_call
from cogs.text import escape
from cogs.ticket_channels.overwrites import hidden, overwrites_of, require_manage_channels
from cogs.ticket_channels.places import Places
from domains.ticket_lifecycle.channels import (
    CategoriesFullError,
    ChannelError,
    ChannelGoneError,
    Posting,
)
from domains.ticket_lifecycle.models import CloseRequest, GuildSettings, Ticket

log = logging.getLogger(__name__)

CATEGORY_NAME = "Tickets"
MAX_CATEGORIES = 10


class OpeningChannels(Places):
    async def create(self, ticket: Ticket, guild: GuildSettings) -> int:
        server = self._guild(ticket.guild_id)
        async with (
            self._category_locks[server.id],
            discord_call(server, "manage_channels", "manage_roles"),
        ):
            channel = await self._create_in_category(server, ticket, guild)
        return channel.id

    async def _create_in_category(
        self, server: discord.Guild, ticket: Ticket, guild: GuildSettings
    ) -> discord.TextChannel:
        """A full category is answered with a second one: react to Discord's error, don't count."""
        first = server.get_channel(guild.category_id) if guild.category_id else None
        base = first.name if isinstance(first, discord.CategoryChannel) else CATEGORY_NAME
        for n in range(1, MAX_CATEGORIES + 1):
            name = base if n == 1 else f"{base} {n}"
            category = (
                first
                if n == 1 and isinstance(first, discord.CategoryChannel)
                else discord.utils.get(server.categories, name=name)
            )
            require_manage_channels(category or server)
            if category is None:
                category = await server.create_category(
                    name,
                    overwrites=hidden(server),
                    reason="Room for tickets",
                )
            try:
                return await server.create_text_channel(
                    ticket.name,
                    category=category,
                    overwrites=overwrites_of(server, ticket, guild),
                    topic=f"{escape(ticket.subject, 500)} · {self._mark(ticket)}",
                    reason=f"Ticket {ticket.number}",
                )
            except discord.HTTPException as error:
                if error.code != INVALID_FORM or "parent_id" not in str(error):
                    raise
                log.info("Category %s of guild %s is full", category.name, server.id)
        raise CategoriesFullError(
            "all categories for tickets are full; ask an admin to make room, or to set another "
            "one with `/setup category`"
        )

    async def find(self, ticket: Ticket) -> int | None:
        """The mark alone is not enough: once a database is lost, ids begin anew, and an old channel
        of the same mark is another member's."""
        mark = self._mark(ticket)
        for channel in self._guild(ticket.guild_id).text_channels:
            if (
                channel.topic is not None
                and channel.topic.endswith(mark)
                and any(who.id == ticket.opener_id for who in channel.overwrites)
            ):
                return channel.id
        return None

    async def exists(self, ticket: Ticket) -> bool:
        try:
            await self._channel(ticket)
        except ChannelGoneError:
            return False
        except ChannelError as error:
            log.debug("Whether ticket %s has a channel is not known: %s", ticket.id, error)
        return True

    async def welcome(self, ticket: Ticket, guild: GuildSettings, posting: Posting) -> int:
        channel = await self._channel(ticket)
        if posting.again:
            posted = await self._posted_before(channel, self._mark(ticket))
            if posted is not None:
                return posted.id
        roles = [discord.Object(role_id) for role_id in guild.support_role_ids]
        mentions = " ".join(f"<@&{role_id}>" for role_id in guild.support_role_ids)
        card = ticket_card(
            ticket,
            None,
            self._mark(ticket),
            has_support=bool(roles),
            above=f"<@{ticket.opener_id}> {mentions}".strip(),
        )
        async with discord_call(channel, "view_channel", "send_messages"):
            message = await channel.send(
                view=card,
                allowed_mentions=discord.AllowedMentions(
                    everyone=False, users=[discord.Object(ticket.opener_id)], roles=roles
                ),
                nonce=posting.nonce,
            )
        return message.id

    async def show_card(
        self, ticket: Ticket, guild: GuildSettings, request: CloseRequest | None
    ) -> None:
        channel = await self._channel(ticket)
        has_support = bool(guild.support_role_ids)
        card = ticket_card(ticket, request, self._mark(ticket), has_support=has_support)
        await self._edit(channel, ticket.card_message_id, card=card)
