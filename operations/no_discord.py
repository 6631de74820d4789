"""A process that is not the bot does not speak to Discord: the bot tells Discord later what was
decided."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import NoReturn, cast

from domains.ticket_lifecycle.channels import DiscordAwayError, TicketChannels


def no_discord() -> TicketChannels:
    """Every call finds Discord away. That costs no attempt: it stays on the list for the bot."""
    return cast("TicketChannels", _NoDiscord())


class _NoDiscord:
    def __getattr__(self, name: str) -> Callable[..., Coroutine[None, None, NoReturn]]:
        async def fail(*_: object, **__: object) -> NoReturn:
            raise DiscordAwayError("a command of the shell does not speak to Discord")

        return fail
