"""A world in which the process can die, or be held up, just before and just after anything that
reaches beyond PostgreSQL: Discord, the scheduler, the disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from domains.ticket_lifecycle.channels import Announcement, CloseFacts, Posting, TicketNames
from domains.ticket_lifecycle.models import CloseRequest, GuildSettings, Ticket
from domains.transcripts import (
    Attachment,
    SavedTranscript,
    TranscriptHeader,
    TranscriptMessage,
    TranscriptStore,
)
from tests.fakes import FakeTicketChannels


class Killed(BaseException):
    """The process ends here: no `except Exception` gets to see it."""


class Moment(StrEnum):
    BEFORE = "before"
    """Nothing has been done yet."""
    AFTER = "after"
    """It is done, and nobody has been told."""


Action = Callable[[], Awaitable[object]]


class Interruptions:
    def __init__(self) -> None:
        self.calls: list[str] = []
        """What was done, in order."""
        self.always: Action | None = None
        """Happens before and after everything."""
        self._once: dict[tuple[str, Moment], Action] = {}
        self._held: dict[str, asyncio.Event] = {}
        self.waiting = 0
        """How many calls are held up now."""

    def once(self, call: str, moment: Moment, action: Action) -> None:
        """Let `action` happen the next time."""
        self._once[call, moment] = action

    def kill(self, call: str, moment: Moment, death: type[BaseException] = Killed) -> None:
        """Let the process die there, the next time."""

        async def die() -> None:
            raise death

        self.once(call, moment, die)

    def hold(self, call: str) -> asyncio.Event:
        """Let Discord take its time with each such call, until the event is set or `pass_on`."""
        self._held[call] = asyncio.Event()
        return self._held[call]

    def pass_on(self) -> None:
        """Who comes from now on is not held up; who waits goes on waiting."""
        self._held.clear()

    @property
    def all_happened(self) -> bool:
        return not self._once

    @asynccontextmanager
    async def around(self, call: str) -> AsyncGenerator[None]:
        await self._happen(call, Moment.BEFORE)
        yield
        self.calls.append(call)
        await self._happen(call, Moment.AFTER)

    async def _happen(self, call: str, moment: Moment) -> None:
        if self.always is not None:
            await self.always()
        held = self._held.get(call) if moment is Moment.BEFORE else None
        if held is not None:
            self.waiting += 1
            try:
                await held.wait()
            finally:
                self.waiting -= 1
        action = self._once.pop((call, moment), None)
        if action is not None:
            await action()


class InterruptibleChannels(FakeTicketChannels):
    def __init__(self, interruptions: Interruptions) -> None:
        super().__init__()
        self._around = interruptions.around
        self.shown_deadlines: dict[int, datetime | None] = {}
        """What the message of each close request says of its deadline."""

    async def create(self, ticket: Ticket, guild: GuildSettings) -> int:
        async with self._around("create"):
            return await super().create(ticket, guild)

    async def welcome(self, ticket: Ticket, guild: GuildSettings, posting: Posting) -> int:
        async with self._around("welcome"):
            return await super().welcome(ticket, guild, posting)

    async def show_card(
        self, ticket: Ticket, guild: GuildSettings, request: CloseRequest | None
    ) -> None:
        async with self._around("show_card"):
            await super().show_card(ticket, guild, request)

    async def ask(
        self, ticket: Ticket, guild: GuildSettings, request: CloseRequest, posting: Posting
    ) -> int:
        async with self._around("ask"):
            posted_before = len(self.asked)
            message_id = await super().ask(ticket, guild, request, posting)
            if len(self.asked) > posted_before:
                self.shown_deadlines[request.id] = request.auto_close_at
            return message_id

    async def show_outcome(self, ticket: Ticket, request: CloseRequest) -> None:
        async with self._around("show_outcome"):
            await super().show_outcome(ticket, request)

    async def show_deadline(
        self, ticket: Ticket, guild: GuildSettings, request: CloseRequest
    ) -> None:
        async with self._around("show_deadline"):
            await super().show_deadline(ticket, guild, request)
            self.shown_deadlines[request.id] = request.auto_close_at

    async def announce(self, ticket: Ticket, announcement: Announcement, posting: Posting) -> int:
        async with self._around("announce"):
            return await super().announce(ticket, announcement, posting)

    async def announce_by_dm(
        self, ticket: Ticket, announcement: Announcement, posting: Posting
    ) -> None:
        async with self._around("announce_by_dm"):
            await super().announce_by_dm(ticket, announcement, posting)

    async def opener_wrote_after(self, ticket: Ticket, message_id: int) -> int | None:
        async with self._around("opener_wrote_after"):
            return await super().opener_wrote_after(ticket, message_id)

    async def names(
        self, ticket: Ticket, guild: GuildSettings, asked_by_id: int | None
    ) -> TicketNames:
        async with self._around("names"):
            return await super().names(ticket, guild, asked_by_id)

    async def history(self, ticket: Ticket) -> AsyncIterator[TranscriptMessage]:
        async with self._around("history"):
            async for message in super().history(ticket):
                yield message

    async def log_close(
        self,
        ticket: Ticket,
        guild: GuildSettings,
        facts: CloseFacts,
        transcript: SavedTranscript | None,
        posting: Posting,
    ) -> None:
        async with self._around("log_close"):
            await super().log_close(ticket, guild, facts, transcript, posting)

    async def dm_opener(
        self,
        ticket: Ticket,
        facts: CloseFacts,
        transcript: SavedTranscript | None,
        posting: Posting,
    ) -> None:
        async with self._around("dm_opener"):
            await super().dm_opener(ticket, facts, transcript, posting)

    async def remove(self, ticket: Ticket) -> None:
        async with self._around("remove"):
            await super().remove(ticket)

    async def ask_for_attention(
        self, ticket: Ticket, guild: GuildSettings, posting: Posting
    ) -> None:
        async with self._around("ask_for_attention"):
            await super().ask_for_attention(ticket, guild, posting)


class InterruptibleTranscripts(TranscriptStore):
    def __init__(self, root: Path, interruptions: Interruptions) -> None:
        super().__init__(root)
        self._around = interruptions.around

    async def save(
        self,
        header: TranscriptHeader,
        messages: AsyncIterable[TranscriptMessage],
        download: Callable[[Attachment], AsyncIterator[bytes]],
    ) -> SavedTranscript:
        async with self._around("save"):
            return await super().save(header, messages, download)
