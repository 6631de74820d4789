"""Answering interactions: within three seconds, privately, and in one sentence if it went wrong."""

from __future__ import annotations

import logging
import secrets
from dataclasses import replace
from typing import Any

import discord
from discord import app_commands

from cogs.text import NO_MENTIONS, escape
from domains.database import DatabaseUnavailable
from domains.disk_space import NoRoomError
from domains.errors import UserError
from domains.ticket_lifecycle.admission import BlockedError
from domains.ticket_lifecycle.channels import ChannelError, PermissionMissingError

log = logging.getLogger(__name__)

Interaction = discord.Interaction[Any]


async def reply_ephemeral(interaction: Interaction, text: str) -> None:
    """Tell only the one who asked, whether or not the interaction was deferred."""
    if interaction.response.is_done():
        await interaction.followup.send(text, ephemeral=True, allowed_mentions=NO_MENTIONS)
    else:
        await interaction.response.send_message(text, ephemeral=True, allowed_mentions=NO_MENTIONS)


async def reply_ephemeral_if_possible(interaction: Interaction, text: str) -> None:
    """For replies after the channel may be gone: then a failed reply is ignored."""
    try:
        await reply_ephemeral(interaction, text)
    except discord.HTTPException as error:
        log.debug("Nobody reads %r any more: %s", text, error)


async def answer_error(interaction: Interaction, error: BaseException) -> None:
    """The one place that turns an exception into a sentence."""
    await reply_ephemeral_if_possible(interaction, sentence(error))


def sentence(error: BaseException) -> str:  # noqa: PLR0911, PLR0912  # a table
    """What the user reads; what is unexpected goes to the log with the id that the user sees."""
    if isinstance(error, app_commands.CommandInvokeError):
        error = error.original
    match error:
        case BlockedError(block=block):
            return str(BlockedError(replace(block, reason=escape(block.reason))))
        case UserError():
            return str(error)
        case app_commands.MissingPermissions():
            return "You need the permission Manage Server for that."
        case app_commands.NoPrivateMessage():
            return "This works only in a server."
        case app_commands.CheckFailure():
            return "You may not do that."
        case app_commands.TransformerError():
            return "I cannot use that value here; choose one that is offered."
        case PermissionMissingError():
            return f"I cannot do that: {error}."
        case ChannelError():
            return f"Discord would not do that just now ({error}). It is tried again by itself."
        case NoRoomError():
            return "The bot's disk is full. This is done by itself as soon as there is room again."
        case discord.HTTPException(code=(40060 | 10062)):
            log.warning(
                "An interaction was answered elsewhere, or too late: is there a second bot?"
            )
            return "That took too long. Try again."
        case _ if isinstance(error, DatabaseUnavailable):
            log.warning("A command failed because PostgreSQL is away: %s", error)
            return "The database cannot be reached at the moment. Try again in a minute."
        case _:
            error_id = secrets.token_hex(4)
            log.error("Unexpected error %s", error_id, exc_info=error)
            return f"Something went wrong. If it happens again, report the id `{error_id}`."
