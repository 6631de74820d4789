"""Making what users typed safe to show, and the few things that are said in several places."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime

import discord

import locales

NO_MENTIONS = discord.AllowedMentions.none()

_URL = re.compile(r"(https?://[^\s<>*`|~\[\]\\]+)")
_FORMATTING = re.compile(r"([\\*_~`|>\[\]<#@])")
_LIST = re.compile(r"^([-+])")


def escape(text: str | None, limit: int = 1024) -> str:
    """One line that Discord shows as it was typed: no formatting, no mentions, no timestamps, no
    invisible characters that turn the direction of writing. Links stay links."""
    one_line = " ".join((text or "").split())
    visible = "".join(c for c in one_line if unicodedata.category(c) not in {"Cc", "Cf", "Cs"})
    parts = _URL.split(visible)
    parts[::2] = [_FORMATTING.sub(r"\\\1", part) for part in parts[::2]]
    return shorten(_LIST.sub(r"\\\1", "".join(parts)), limit)


def shorten(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip("\\") + "…"


def when(moment: datetime) -> str:
    """`Tuesday, 24 November 2026 12:00 (in 3 hours)`, in the reader's own time zone."""
    return f"{discord.utils.format_dt(moment, 'F')} ({discord.utils.format_dt(moment, 'R')})"


@dataclass(frozen=True, slots=True)
class DiscordStyle:
    """How people, moments and typed words stand in a message."""

    locale: str

    def user(self, user_id: int | None) -> str:
        if user_id is None:
            return locales.text("people.bot", self.locale)
        return f"<@{user_id}>" if user_id else locales.text("people.operator", self.locale)

    def moment(self, moment: datetime) -> str:
        return when(moment)

    def text(self, text: str) -> str:
        return escape(text)
