"""What the domains report while they work, for metrics.

Only what cannot be read afterwards, from PostgreSQL or Redis, is told here. Telling is quick,
never fails, and nothing depends on it.
"""

from __future__ import annotations

from typing import Final, Protocol


class Telemetry(Protocol):
    def effect_done(self, kind: str, seconds: float) -> None:
        """Discord has been told something, and it took so long."""
        ...

    def job_ended(self, name: str, outcome: str) -> None:
        """A job is over (`complete`, `failed`, `aborted`), or comes again (`retried`)."""
        ...

    def dependency_lost(self, dependency: str) -> None:
        """An outage has begun."""
        ...

    def discord_refused(self, error: str, code: int) -> None:
        """A call to Discord failed: our word for it, and Discord's (0 if there is none)."""
        ...


class NoTelemetry:
    """Counts nothing."""

    def effect_done(self, kind: str, seconds: float) -> None:
        pass

    def job_ended(self, name: str, outcome: str) -> None:
        pass

    def dependency_lost(self, dependency: str) -> None:
        pass

    def discord_refused(self, error: str, code: int) -> None:
        pass


NO_TELEMETRY: Final = NoTelemetry()
