"""The scheduler's side of Redis: its queues, under the installation's id, and whether it is there.

Whoever asks for something says what holds while Redis is away.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import TypeVar

from redis.exceptions import RedisError

from domains.database import Database
from domains.scheduled_task.queues import PunctualQueue
from domains.scheduled_task.redis_client import RedisClient, connect
from domains.scheduled_task.redis_health import RedisHealth
from domains.telemetry import Telemetry

log = logging.getLogger(__name__)

PRODUCER_TIMEOUT_S = 2.0
T = TypeVar("T")


class RedisQueues:
    """For one run: made when the database is connected, gone when the scheduler shuts down."""

    def __init__(
        self, database: Database, url: str, names: Collection[str], telemetry: Telemetry
    ) -> None:
        self._database = database
        self._url = url
        self._telemetry = telemetry
        self._clients: list[RedisClient] = []
        producer = self._client(PRODUCER_TIMEOUT_S)
        self.health = RedisHealth(
            producer,
            database.installation_id,
            on_loss=lambda: telemetry.dependency_lost("redis"),
        )
        self.by_name: Mapping[str, PunctualQueue] = {
            name: self._queue(producer, name) for name in names
        }

    def _client(self, socket_timeout: float) -> RedisClient:
        client = connect(self._url, socket_timeout=socket_timeout)
        self._clients.append(client)
        return client

    def _queue(self, client: RedisClient, name: str) -> PunctualQueue:
        return PunctualQueue(
            client,
            name,
            installation_id=self._database.installation_id,
            clock=self._database.clock.now,
            telemetry=self._telemetry,
        )

    def for_worker(self, name: str, socket_timeout: float) -> PunctualQueue:
        """A blocked dequeue holds its connection, so a worker has a client of its own."""
        return self._queue(self._client(socket_timeout), name)

    @property
    def available(self) -> bool:
        return self.health.available

    async def attempt(self, action: Callable[[], Awaitable[T]], otherwise: T) -> T:
        """`otherwise` while Redis is away, and where it refuses."""
        if not self.available:
            return otherwise
        try:
            return await action()
        except (RedisError, OSError) as error:
            if not self.health.report(error):
                log.error("Redis refused something: %s", error)
            return otherwise

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()
        self._clients.clear()
