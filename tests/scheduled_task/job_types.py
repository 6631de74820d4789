"""Job types for tests, whose runs can be counted and whose truth is a dictionary."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import ClassVar

from domains.scheduled_task.job_type import JobRequest, JobType, Payload, RunPolicy

Act = Callable[[str], Awaitable[None]]
"""What a job is to do; it gets its key."""


async def nothing(key: str) -> None:
    return


async def fail(key: str) -> None:
    raise RuntimeError(f"{key} failed")


class Note(JobType):
    """Notes its runs. It needs no services."""

    name: ClassVar[str] = "note"

    def __init__(self, act: Act = nothing) -> None:
        self.act = act
        self.runs: Counter[str] = Counter()
        self.given_up: list[tuple[str, str]] = []

    async def run(self, payload: Payload) -> None:
        key = str(payload["key"])
        self.runs[key] += 1
        await self.act(key)

    async def give_up(self, payload: Payload, error: Exception) -> None:
        self.given_up.append((str(payload["key"]), str(error)))


class ForgottenNote(Note):
    """Nobody wants to know of its successes."""

    name: ClassVar[str] = "forgotten-note"
    policy: ClassVar[RunPolicy] = RunPolicy(keep_completed=False)


class FailingOnce(Note):
    """Fails for good at its first attempt."""

    name: ClassVar[str] = "failing-once"
    policy: ClassVar[RunPolicy] = RunPolicy(retry_delays=())

    def __init__(self) -> None:
        super().__init__(fail)


class WantedNote(Note):
    """`wanted` plays PostgreSQL's part: a job that is not in it has no reason to be."""

    name: ClassVar[str] = "wanted-note"

    def __init__(self, clock: Callable[[], float], act: Act = nothing) -> None:
        super().__init__(act)
        self._clock = clock
        self.wanted: dict[str, JobRequest] = {}

    def want(self, *requests: JobRequest) -> None:
        self.wanted.update({request.key: request for request in requests})

    async def run(self, payload: Payload) -> None:
        await super().run(payload)
        self.wanted.pop(str(payload["key"]), None)

    async def expected(self) -> AsyncIterator[Sequence[JobRequest]]:
        yield list(self.wanted.values())

    async def overdue(self, limit: int) -> Sequence[JobRequest]:
        now = self._clock()
        return [request for request in self.wanted.values() if request.due <= now][:limit]

    def owns(self, key: str) -> bool:
        return key.startswith("wanted-")

    async def orphans(self, keys: Sequence[str]) -> Sequence[str]:
        return [key for key in keys if key not in self.wanted]


def request(key: str, due: float = 0, subject_id: int = 1) -> JobRequest:
    """Due at once, if nothing else is said."""
    return JobRequest(key, due, subject_id, {"key": key})
