"""Discord, as the domain sees it, in memory: for tests of the domain alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count

from domains.ticket_lifecycle.channels import (
    Announcement,
    ChannelGoneError,
    CloseFacts,
    Posting,
    TicketNames,
)
from domains.ticket_lifecycle.models import CloseRequest, GuildSettings, Params, Ticket
from domains.transcripts import Attachment, SavedTranscript, TranscriptMessage

BOT_ID = 1


@dataclass
class FakeChannel:
    id: int
    ticket_id: int
    messages: list[TranscriptMessage] = field(default_factory=list[TranscriptMessage])


class FakeTicketChannels:
    """Keeps what was said and done. `failures` maps a method's name to what it is to raise (once
    each, in order); `before` to what is to happen just before it is carried out."""

    def __init__(self) -> None:
        self._ids = count(1_000)
        self.channels: dict[int, FakeChannel] = {}
        self.welcomed: list[int] = []
        self.asked: list[int] = []
        self.outcomes: list[tuple[int, str]] = []
        self.deadlines: list[int] = []
        self.announcements: list[tuple[int, str]] = []
        self.announced_by_dm: list[tuple[int, str]] = []
        self.changed_announcements: list[tuple[int, str]] = []
        self.mentioned: list[int | None] = []
        """By each announcement that is a message of its own."""
        self.cards: list[tuple[int, int | None]] = []
        """Each ticket whose first message was changed, and the request it tells of."""
        self.nonces: dict[str, int] = {}
        self.current = True
        """Whether all that was said has been heard."""
        self.logged: list[tuple[int, SavedTranscript | None]] = []
        self.dms: list[int] = []
        self.removed: list[int] = []
        self.attention: list[tuple[int, Params | None]] = []
        self.failures: defaultdict[str, list[Exception]] = defaultdict(list)
        self.before: dict[str, Callable[[], object]] = {}

    # --- what a test does

    def say(self, channel_id: int, author_id: int, content: str = "hello") -> int:
        """Somebody writes; returns the message's id."""
        message_id = next(self._ids)
        self.channels[channel_id].messages.append(
            TranscriptMessage(
                id=message_id,
                author_id=author_id,
                author_name=f"user {author_id}",
                author_is_bot=author_id == BOT_ID,
                sent_at=datetime.now(UTC),
                edited_at=None,
                content=content,
                embeds=(),
                attachments=(),
                reply_to_id=None,
                mentions={},
            )
        )
        return message_id

    def _enter(self, method: str) -> None:
        if (happen := self.before.get(method)) is not None:
            happen()
        if self.failures[method]:
            raise self.failures[method].pop(0)

    def _channel(self, ticket: Ticket) -> FakeChannel:
        if ticket.channel_id not in self.channels:
            raise ChannelGoneError("the channel is gone")
        return self.channels[ticket.channel_id]

    # --- what the domain asks for

    async def create(self, ticket: Ticket, guild: GuildSettings) -> int:
        self._enter("create")
        existing = await self.find(ticket)
        if existing is not None:
            return existing
        channel = FakeChannel(next(self._ids), ticket.id)
        self.channels[channel.id] = channel
        return channel.id

    async def find(self, ticket: Ticket) -> int | None:
        self._enter("find")
        return next((c.id for c in self.channels.values() if c.ticket_id == ticket.id), None)

    async def exists(self, ticket: Ticket) -> bool:
        self._enter("exists")
        return ticket.channel_id in self.channels

    async def welcome(self, ticket: Ticket, guild: GuildSettings, posting: Posting) -> int:
        self._enter("welcome")
        channel = self._channel(ticket)
        if posting.again:
            for message in channel.messages:
                if message.content == "welcome":
                    return message.id
        self.welcomed.append(ticket.id)
        return self.say(channel.id, BOT_ID, "welcome")

    async def show_card(
        self, ticket: Ticket, guild: GuildSettings, request: CloseRequest | None
    ) -> None:
        self._enter("show_card")
        self._channel(ticket)
        self.cards.append((ticket.id, None if request is None else request.id))

    async def ask(
        self, ticket: Ticket, guild: GuildSettings, request: CloseRequest, posting: Posting
    ) -> int:
        self._enter("ask")
        channel = self._channel(ticket)
        text = f"close request {request.id}"
        if posting.again:
            for message in channel.messages:
                if message.content == text:
                    return message.id
        self.asked.append(request.id)
        return self.say(channel.id, BOT_ID, text)

    async def show_outcome(self, ticket: Ticket, request: CloseRequest) -> None:
        self._enter("show_outcome")
        self._channel(ticket)
        self.outcomes.append((request.id, request.status.value))

    async def show_deadline(
        self, ticket: Ticket, guild: GuildSettings, request: CloseRequest
    ) -> None:
        self._enter("show_deadline")
        self._channel(ticket)
        self.deadlines.append(request.id)

    async def announce(self, ticket: Ticket, announcement: Announcement, posting: Posting) -> int:
        self._enter("announce")
        channel = self._channel(ticket)
        if announcement.message_id is not None:
            self.changed_announcements.append((ticket.id, announcement.key))
            return announcement.message_id
        if posting.nonce in self.nonces:
            return self.nonces[posting.nonce]
        self.announcements.append((ticket.id, announcement.key))
        self.mentioned.append(announcement.mention_id)
        message_id = self.say(channel.id, BOT_ID, announcement.key)
        self.nonces[posting.nonce] = message_id
        return message_id

    async def announce_by_dm(
        self, ticket: Ticket, announcement: Announcement, posting: Posting
    ) -> None:
        self._enter("announce_by_dm")
        self.announced_by_dm.append((ticket.id, announcement.key))

    async def is_current(self) -> bool:
        self._enter("is_current")
        return self.current

    async def opener_wrote_after(self, ticket: Ticket, message_id: int) -> int | None:
        self._enter("opener_wrote_after")
        messages = self._channel(ticket).messages
        return next(
            (m.id for m in messages if m.author_id == ticket.opener_id and m.id > message_id), None
        )

    async def names(
        self, ticket: Ticket, guild: GuildSettings, asked_by_id: int | None
    ) -> TicketNames:
        self._enter("names")
        self._channel(ticket)
        asked_by = f"user {asked_by_id}" if asked_by_id else None
        return TicketNames("A guild", ticket.name, f"user {ticket.opener_id}", None, asked_by, "en")

    async def history(self, ticket: Ticket) -> AsyncIterator[TranscriptMessage]:
        self._enter("history")
        for message in list(self._channel(ticket).messages):
            yield message

    async def download(self, attachment: Attachment) -> AsyncIterator[bytes]:
        self._enter("download")
        yield b"content"

    async def log_close(
        self,
        ticket: Ticket,
        guild: GuildSettings,
        facts: CloseFacts,
        transcript: SavedTranscript | None,
        posting: Posting,
    ) -> None:
        self._enter("log_close")
        if not (posting.again and any(ticket.id == logged for logged, _ in self.logged)):
            self.logged.append((ticket.id, transcript))

    async def dm_opener(
        self,
        ticket: Ticket,
        facts: CloseFacts,
        transcript: SavedTranscript | None,
        posting: Posting,
    ) -> None:
        self._enter("dm_opener")
        if not (posting.again and ticket.id in self.dms):
            self.dms.append(ticket.id)

    async def remove(self, ticket: Ticket) -> None:
        self._enter("remove")
        if ticket.channel_id is not None and self.channels.pop(ticket.channel_id, None):
            self.removed.append(ticket.id)

    async def ask_for_attention(
        self, ticket: Ticket, guild: GuildSettings, posting: Posting
    ) -> None:
        self._enter("ask_for_attention")
        self.attention.append((ticket.id, ticket.attention))
