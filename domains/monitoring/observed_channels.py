"""Counts what Discord refuses, in the one place where the domain calls it."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import aclosing, contextmanager
from typing import cast

from domains.telemetry import Telemetry
from domains.ticket_lifecycle.channels import ChannelError, TicketChannels


def observed(channels: TicketChannels, telemetry: Telemetry) -> TicketChannels:
    """The same channels, but `telemetry` is told of every ChannelError."""
    return cast("TicketChannels", _Observed(channels, telemetry))


class _Observed:
    def __init__(self, channels: TicketChannels, telemetry: Telemetry) -> None:
        self._channels = channels
        self._telemetry = telemetry

    def __getattr__(self, name: str) -> object:
        method: Callable[..., object] = getattr(self._channels, name)

        def call(*arguments: object, **options: object) -> object:
            answer = method(*arguments, **options)
            if isinstance(answer, AsyncGenerator):
                return self._watch_all(cast("AsyncGenerator[object]", answer))
            assert inspect.isawaitable(answer)
            return self._watch(answer)

        return call

    async def _watch(self, answer: Awaitable[object]) -> object:
        with self._counting():
            return await answer

    async def _watch_all(self, items: AsyncGenerator[object]) -> AsyncGenerator[object]:
        """Closed early, it closes what it watches: there may be a connection in it."""
        with self._counting():
            async with aclosing(items):
                async for item in items:
                    yield item

    @contextmanager
    def _counting(self) -> Generator[None]:
        try:
            yield
        except ChannelError as error:
            self._telemetry.discord_refused(_word_for(error), _code_of(error))
            raise


def _word_for(error: ChannelError) -> str:
    return type(error).__name__.removesuffix("Error")


def _code_of(error: ChannelError) -> int:
    """Discord's own number for it, else the HTTP status."""
    cause = error.__cause__
    for name in ("code", "status"):
        number = getattr(cause, name, None)
        if isinstance(number, int) and number:
            return number
    return 0
