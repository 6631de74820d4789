"""Answering interactions: within three seconds, privately, and in one sentence if it went wrong."""

from __future__ import annotations

import logging
import secrets
from typing import Any

import discord
from discord import app_commands

from cogs.language import reader
from cogs.text import NO_MENTIONS, escape
from domains.database import DatabaseUnavailable
from domains.disk_space import NoRoomError
from domains.errors import UserError
from domains.ticket_lifecycle.channels import ChannelError, PermissionMissingError
from locales import DEFAULT_LOCALE, Text

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
    await reply_ephemeral_if_possible(interaction, sentence(error, reader(interaction)))


def sentence(error: BaseException, locale: str = DEFAULT_LOCALE) -> str:
    """What the one who asked reads."""
    return _text_of(error).with_typed(escape).in_locale(locale)


def _text_of(error: BaseException) -> Text:  # noqa: PLR0911  # a table
    """What is unexpected goes to the log with the id that is shown."""
    if isinstance(error, app_commands.CommandInvokeError):
        error = error.original
    match error:
        case UserError():
            return error.text
        case app_commands.MissingPermissions():
            return Text("errors.need_manage_server")
        case app_commands.NoPrivateMessage():
            return Text("errors.server_only")
        case app_commands.CheckFailure():
            return Text("errors.not_allowed")
        case app_commands.TransformerError():
            return Text("errors.bad_value")
        case PermissionMissingError():
            return Text("errors.bot_cannot", {"why": error.text})
        case ChannelError():
            return Text("errors.discord_refused", {"why": error.text})
        case NoRoomError():
            return Text("errors.disk_full")
        case discord.HTTPException(code=(40060 | 10062)):
            log.warning(
                "An interaction was answered elsewhere, or too late: is there a second bot?"
            )
            return Text("errors.too_late")
        case _ if isinstance(error, DatabaseUnavailable):
            log.warning("A command failed because PostgreSQL is away: %s", error)
            return Text("errors.database_away")
        case _:
            error_id = secrets.token_hex(4)
            log.error("Unexpected error %s", error_id, exc_info=error)
            return Text("errors.unexpected", {"id": error_id})
