"""Writing to the opener, who may take no direct messages, or have no account any more."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import discord
from discord.ext import commands

from domains.ticket_lifecycle.channels import DiscordFailedError, PermissionMissingError
from domains.ticket_lifecycle.models import Ticket

log = logging.getLogger(__name__)


async def dm_channel(bot: commands.Bot, ticket: Ticket) -> discord.DMChannel:
    user = bot.get_user(ticket.opener_id) or await bot.fetch_user(ticket.opener_id)
    return await user.create_dm()


@asynccontextmanager
async def no_dm_is_no_error(ticket: Ticket) -> AsyncGenerator[None]:
    try:
        yield
    except PermissionMissingError:
        log.info("The opener of ticket %s takes no direct messages", ticket.id)
    except DiscordFailedError as error:
        if not is_refused(error):
            raise
        log.info("The opener of ticket %s cannot be written to: %s", ticket.id, error)


def is_refused(error: DiscordFailedError) -> bool:
    cause = error.__cause__
    return isinstance(cause, discord.HTTPException) and 400 <= cause.status < 429
