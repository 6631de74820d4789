"""Discord's refusals in the words of the domain, in one place."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import aiohttp
import discord

from domains.ticket_lifecycle.channels import (
    ChannelGoneError,
    ChannelLimitError,
    DiscordFailedError,
    DiscordSlowError,
    PermissionMissingError,
)
from locales import DEFAULT_LOCALE

log = logging.getLogger(__name__)

CALL_S = 10.0
UPLOAD_BYTES_PER_S = 100_000
UNKNOWN_GUILD = 10004
UNKNOWN_CHANNEL = 10003
UNKNOWN_MESSAGE = 10008
GUILD_FULL = 30013
INVALID_FORM = 50035

Place = discord.abc.GuildChannel | discord.Thread | discord.Guild


@asynccontextmanager
async def discord_call(
    place: Place | None, *permissions: str, seconds: float = CALL_S
) -> AsyncGenerator[None]:
    """Around one call: what discord.py raises becomes a ChannelError.

    `permissions` are what the call needs. It may take so many `seconds`: discord.py has no limit
    of its own, and while one request hangs it sends no other to the same place.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except discord.NotFound as error:
        if error.code in (UNKNOWN_CHANNEL, UNKNOWN_GUILD):
            raise ChannelGoneError("the channel is gone") from error
        raise DiscordFailedError(_text(error)) from error
    except discord.Forbidden as error:
        raise permission_missing(place, permissions) from error
    except discord.HTTPException as error:
        if error.code == GUILD_FULL:
            raise ChannelLimitError(
                "this server has as many channels as Discord allows; delete some first."
            ) from error
        raise DiscordFailedError(_text(error)) from error
    except TimeoutError as error:
        raise DiscordSlowError(seconds) from error
    except (discord.RateLimited, aiohttp.ClientError, OSError) as error:
        raise DiscordFailedError(_text(error)) from error
    except (KeyError, TypeError, ValueError) as error:
        if not (where := _where_answer_is_read(error)):
            raise
        log.warning(
            "Discord's answer makes no sense: %s: %s (%s)", type(error).__name__, error, where
        )
        raise DiscordFailedError("its answer made no sense") from error


def _where_answer_is_read(error: Exception) -> str:
    """Empty for an error of our own. discord.py takes every answer with the status 200 for what it
    expects, even the page of a proxy."""
    frames = [
        (frame.f_globals.get("__name__", "").split(".")[0], frame.f_code.co_filename, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    while frames and frames[-1][0] == "json":
        frames.pop()
    package, file, line = frames[-1]
    return f"{file}:{line}" if package == "discord" else ""


def _text(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def permission_codes(place: Place | None, permissions: Sequence[str]) -> tuple[str, ...]:
    """As `permissions.po` has them: a server's settings and a channel's call one differently."""
    if isinstance(place, discord.Guild):
        return tuple(permissions)
    return tuple("manage_permissions" if name == "manage_roles" else name for name in permissions)


def permission_missing(place: Place | None, needed: Sequence[str]) -> PermissionMissingError:
    """Names what the bot lacks, from what is known of its permissions there."""
    codes = permission_codes(place, missing_permissions(place, needed) or list(needed))
    if place is None:
        return PermissionMissingError(codes, None)
    return PermissionMissingError(
        codes, place.name if isinstance(place, discord.Guild) else f"#{place.name}"
    )


def describe_missing_permissions(
    place: Place | None, needed: Sequence[str], locale: str = DEFAULT_LOCALE
) -> str:
    """As plain text: a place's name is as somebody typed it."""
    return permission_missing(place, needed).text.in_locale(locale)


def missing_permissions(place: Place | None, needed: Sequence[str]) -> list[str]:
    """Which of these the bot has not, as far as is known."""
    if place is None:
        return list(needed)
    is_server = isinstance(place, discord.Guild)
    own = place.me.guild_permissions if is_server else place.permissions_for(place.guild.me)
    return [name for name in needed if not getattr(own, name)]
