"""What this domain needs from Discord, and how Discord says no.

Implemented once, in `cogs`; faked in the tests of the domain. Every method may raise the errors
below, and none of them is ever called inside a database transaction.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from domains.ticket_lifecycle.models import CloseRequest, GuildSettings, Ticket
from domains.transcripts import Attachment, SavedTranscript, TranscriptMessage


class ChannelError(Exception):
    """Discord said no."""


class ChannelGoneError(ChannelError):
    """There is no such channel any more."""


class PermissionMissingError(ChannelError):
    """The bot may not do this. The text names the permission and the place."""


class ChannelLimitError(ChannelError):
    """The guild has no room for another channel. The text is a sentence."""


class DiscordFailedError(ChannelError):
    """Discord did not answer, or answered with an error of its own: worth another try."""


class DiscordAwayError(DiscordFailedError):
    """There is no connection to Discord at all."""


@dataclass(frozen=True, slots=True)
class TicketNames:
    """The names that a transcript shows, as they are while the channel still stands."""

    guild: str
    channel: str
    opener: str
    closed_by: str | None


class TicketChannels(Protocol):
    async def create(self, ticket: Ticket, guild: GuildSettings) -> int:
        """Make the private channel and return its id. A second call for one ticket finds the
        first one's channel."""
        ...

    async def find(self, ticket: Ticket) -> int | None:
        """The channel that an earlier `create` made, if it stands."""
        ...

    async def exists(self, ticket: Ticket) -> bool:
        """False only if Discord says so."""
        ...

    async def welcome(self, ticket: Ticket, guild: GuildSettings, *, again: bool) -> None:
        """Post the first message; `again` looks for one that was posted before a crash."""
        ...

    async def ask(self, ticket: Ticket, request: CloseRequest, *, again: bool) -> int:
        """Post the close request with its buttons and return the message's id."""
        ...

    async def show_outcome(self, ticket: Ticket, request: CloseRequest) -> None:
        """Make the request's message tell how it ended, without buttons."""
        ...

    async def show_deadline(self, ticket: Ticket, request: CloseRequest) -> None:
        """Make the request's message tell its new deadline."""
        ...

    async def announce(self, ticket: Ticket, text: str) -> None:
        """Post a sentence in the ticket, without pings."""
        ...

    async def announce_extension(self, ticket: Ticket, request: CloseRequest) -> None:
        """Tell the one who asked that the deadline was moved, and to when."""
        ...

    async def announce_grace(self, ticket: Ticket, request: CloseRequest) -> None:
        """Say in the ticket that the bot was away, and when the ticket closes now."""
        ...

    async def opener_wrote_after(self, ticket: Ticket, message_id: int) -> int | None:
        """The id of a message of the opener's newer than `message_id`, or None."""
        ...

    async def names(self, ticket: Ticket) -> TicketNames: ...

    def history(self, ticket: Ticket) -> AsyncIterator[TranscriptMessage]:
        """All messages, oldest first."""
        ...

    async def download(self, attachment: Attachment) -> bytes: ...

    async def log_close(
        self,
        ticket: Ticket,
        guild: GuildSettings,
        transcript: SavedTranscript | None,
        *,
        again: bool,
    ) -> None:
        """Post the close in the log channel; `again` looks for one posted before a crash."""
        ...

    async def dm_opener(self, ticket: Ticket, *, again: bool) -> None:
        """Tell the opener. A closed DM, or an opener who left, is no error."""
        ...

    async def remove(self, ticket: Ticket) -> None:
        """Delete the channel, or lock and archive the thread. Already gone is success."""
        ...

    async def ask_for_attention(self, ticket: Ticket, guild: GuildSettings) -> None:
        """Say in the log channel what keeps the ticket from closing, with a Retry button."""
        ...
