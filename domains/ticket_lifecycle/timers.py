"""What this domain needs from a scheduler. Losing a timer is harmless: PostgreSQL has the truth."""

from __future__ import annotations

from typing import Protocol

from domains.ticket_lifecycle.models import CloseTimer


class CloseTimers(Protocol):
    async def schedule(self, timer: CloseTimer) -> str | None:
        """The job's id, or None when it could not be scheduled. Never raises for want of Redis.
        Scheduling a timer twice is scheduling it once."""
        ...

    async def cancel(self, timer: CloseTimer) -> bool:
        """True if the job was removed before it ran."""
        ...
