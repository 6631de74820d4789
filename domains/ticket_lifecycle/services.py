"""What the use cases of a ticket share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from domains.database import Database
from domains.effects import EffectRunner
from domains.policy import Policy
from domains.settings import Settings
from domains.ticket_lifecycle.channels import TicketChannels
from domains.ticket_lifecycle.discord_status import DiscordStatus
from domains.transcripts import TranscriptStore


@dataclass(frozen=True, slots=True)
class Retention:
    """How long things are kept after their end, in days; 0 is for ever."""

    transcript_days: int = 0
    ticket_days: int = 0
    left_server_days: int = 30

    @staticmethod
    def chosen_in(settings: Settings) -> Retention:
        return Retention(settings.transcript_days, settings.ticket_days, settings.left_server_days)


@dataclass(frozen=True, slots=True)
class LifecyclePolicy:
    """The operator's choices that this domain acts on."""

    max_open_tickets: int = 5
    open_cooldown: timedelta = timedelta(0)
    min_close_delay: timedelta = timedelta(minutes=1)
    close_at_once_without_timer: bool = False
    """What `AUTO_CLOSE_WITHOUT_REDIS=immediate` means: no timer, no waiting."""
    outage_grace: timedelta = timedelta(minutes=10)
    max_extensions: int = 3
    retention: Retention = Retention()

    def effective(self, server: Policy) -> Policy:
        """What a server has set, else what the operator has."""
        return server.over(
            Policy(max_open_per_member=self.max_open_tickets, cooldown=self.open_cooldown)
        )


class Scheduler(Protocol):
    """What tickets ask of whoever keeps their timers. They never set one: it is derived."""

    async def auto_close_job(self, ticket_id: int) -> str | None:
        """The id of the job that waits for the ticket's deadline; None while there is none."""
        ...

    async def delete_finished_jobs(self, ticket_ids: Sequence[int]) -> None:
        """What is still kept of their jobs; nothing while Redis is away, and then it expires."""
        ...


ForgetJobs = Callable[[Sequence[int]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Services:
    database: Database
    channels: TicketChannels
    effects: EffectRunner
    transcripts: TranscriptStore
    status: DiscordStatus
    policy: LifecyclePolicy
