"""What this domain needs from Discord, and how Discord says no.

Implemented once, in `cogs`; faked in the tests of the domain. Every method may raise the errors
below, and none of them is ever called inside a database transaction.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from domains.absence import AwayError
from domains.formatting import reason_text
from domains.ticket_lifecycle.models import CloseRequest, GuildSettings, Ticket
from domains.transcripts import Attachment, SavedTranscript, TranscriptMessage
from locales import Text


class ChannelError(Exception):
    """Discord said no. str() is for the log; people read `text`."""

    code = "discord_refused"

    @property
    def params(self) -> Mapping[str, object]:
        return {"text": str(self)}

    @property
    def text(self) -> Text:
        """Without a full stop."""
        return reason_text({"code": self.code, **self.params})


class ChannelGoneError(ChannelError):
    """There is no such channel any more."""

    code = "channel_gone"


class PermissionMissingError(ChannelError):
    """The bot may not do this."""

    code = "permission_missing"

    def __init__(self, permissions: tuple[str, ...], place: str | None = None) -> None:
        """Permissions as `permissions.po` has them; `place` is `#channel` or a server's name."""
        super().__init__(permissions, place)
        self.permissions = permissions
        self.place = place

    def __str__(self) -> str:
        return str(self.text)

    @property
    def params(self) -> Mapping[str, object]:
        return {"permissions": list(self.permissions), "place": self.place}


class ChannelLimitError(ChannelError):
    """The guild has no room for another channel."""

    code = "server_full"


class CategoriesFullError(ChannelError):
    """All the categories for tickets are full."""

    code = "categories_full"


class DiscordFailedError(ChannelError):
    """Discord did not answer, or answered with an error of its own: worth another try."""

    code = "discord_failed"


class DiscordSlowError(DiscordFailedError):
    """Discord took longer than we wait."""

    code = "discord_slow"

    def __init__(self, seconds: float) -> None:
        super().__init__(f"Discord did not do it within {seconds:g} s")
        self.seconds = seconds

    @property
    def params(self) -> Mapping[str, object]:
        return {"seconds": f"{self.seconds:g}"}


class DiscordAwayError(AwayError, DiscordFailedError):
    """There is no connection to Discord at all."""

    code = "discord_away"


class ServerAwayError(DiscordAwayError):
    """Discord has not told of this server yet, or says that it is not available."""

    code = "server_away"
    retry_after = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class TicketNames:
    """The names that a transcript shows, as they are while the channel still stands."""

    guild: str
    channel: str
    opener: str
    closed_by: str | None
    asked_by: str | None
    locale: str
    """The server's language."""


@dataclass(frozen=True, slots=True)
class Posting:
    """How a message is kept from being posted twice."""

    nonce: str
    """With it Discord takes the message once, within some minutes."""
    again: bool
    """It may have been posted before a crash: look for it first."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """Something to be said, by its key; the words are made where it is said."""

    key: str
    mention_id: int | None = None
    """Who is pinged."""
    request: CloseRequest | None = None
    """What it is about."""
    has_buttons: bool = False
    """Whether the request's buttons stand below it."""
    is_reply: bool = False
    """Whether it is a reply to the request's message."""
    message_id: int | None = None
    """The message that says it already, and is to be changed: nobody is pinged then."""


@dataclass(frozen=True, slots=True)
class CloseFacts:
    """How a close came about, besides what the ticket tells."""

    decided_at: datetime | None
    asked_by_id: int | None
    """Who asked the opener, if it is a close request that closes the ticket."""
    late_ms: int | None
    """Of a timed close: from the deadline to the decision."""
    is_shareable: bool
    """Whether the opener may be given the whole transcript: not what others took back."""


class TicketChannels(Protocol):
    async def create(self, ticket: Ticket, guild: GuildSettings) -> int:
        """Make the private channel and return its id."""
        ...

    async def find(self, ticket: Ticket) -> int | None:
        """The channel that an earlier `create` made, if it stands."""
        ...

    async def exists(self, ticket: Ticket) -> bool:
        """False only if Discord says so."""
        ...

    async def welcome(self, ticket: Ticket, guild: GuildSettings, posting: Posting) -> int:
        """Post the first message, which tells the ticket's state, and return its id."""
        ...

    async def show_card(
        self, ticket: Ticket, guild: GuildSettings, request: CloseRequest | None
    ) -> None:
        """Make the first message tell the ticket's state; `request` is the pending one."""
        ...

    async def ask(
        self, ticket: Ticket, guild: GuildSettings, request: CloseRequest, posting: Posting
    ) -> int:
        """Post the close request with its buttons and return the message's id."""
        ...

    async def show_outcome(self, ticket: Ticket, request: CloseRequest) -> None:
        """Make the request's messages tell how it ended, without buttons."""
        ...

    async def show_deadline(
        self, ticket: Ticket, guild: GuildSettings, request: CloseRequest
    ) -> None:
        """Make the request's messages tell its deadline, and whether it holds."""
        ...

    async def announce(self, ticket: Ticket, announcement: Announcement, posting: Posting) -> int:
        """Say it in the ticket, pinging only whom it mentions; returns the message's id."""
        ...

    async def announce_by_dm(
        self, ticket: Ticket, announcement: Announcement, posting: Posting
    ) -> None:
        """Say it to the opener alone. A closed DM, or an opener who left, is no error."""
        ...

    async def is_current(self) -> bool:
        """Whether all that Discord has said up to now has been heard."""
        ...

    async def opener_wrote_after(self, ticket: Ticket, message_id: int) -> int | None:
        """The id of a message of the opener's newer than `message_id`, in the ticket or in a
        thread of it, or None."""
        ...

    async def names(
        self, ticket: Ticket, guild: GuildSettings, asked_by_id: int | None
    ) -> TicketNames:
        """`asked_by_id` is who asked to close it, if that is how it ended."""
        ...

    def history(self, ticket: Ticket) -> AsyncIterator[TranscriptMessage]:
        """All messages, oldest first; those of each thread after the ticket's own."""
        ...

    def download(self, attachment: Attachment) -> AsyncIterator[bytes]:
        """Piece by piece. AttachmentUnavailable and DownloadFailed are about this attachment; a
        ChannelError says that Discord itself is away."""
        ...

    async def log_close(
        self,
        ticket: Ticket,
        guild: GuildSettings,
        facts: CloseFacts,
        transcript: SavedTranscript | None,
        posting: Posting,
    ) -> None:
        """Post the close in the log channel."""
        ...

    async def dm_opener(
        self,
        ticket: Ticket,
        facts: CloseFacts,
        transcript: SavedTranscript | None,
        posting: Posting,
    ) -> None:
        """Tell the opener. A closed DM, or an opener who left, is no error."""
        ...

    async def remove(self, ticket: Ticket) -> None:
        """Delete the channel, or lock and archive the thread. Already gone is success."""
        ...

    async def ask_for_attention(
        self, ticket: Ticket, guild: GuildSettings, posting: Posting
    ) -> None:
        """Say in the log channel what keeps the ticket from closing, with a Retry button."""
        ...
