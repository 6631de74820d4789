"""The stand-in as a server: starting, stopping, and what tests may await and break in it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from aiohttp import web

from . import faults
from .call import Call
from .faults import Callback, Faults, Hook, Moment, Rule
from .gateway import Gateway, Op
from .rest import API, Rest
from .state import TOKEN, World

T = TypeVar("T")

LAUNCHER = Path(__file__).with_name("launch.py")
WAIT_TIMEOUT_S = 10.0
SHUTDOWN_SECONDS = 0.05  # after which a request still under way is cancelled


class Server:
    """Can be stopped and started again on the same port, as in an outage; it forgets nothing."""

    def __init__(self) -> None:
        self.world = World()
        self.gateway = Gateway(self.world)
        self._rest = Rest(self.world)
        self._runner: web.AppRunner | None = None
        self._port = 0

    async def start(self) -> None:
        runner = web.AppRunner(
            self._rest.application(self.gateway.handle),
            access_log=None,
            shutdown_timeout=SHUTDOWN_SECONDS,
        )
        await runner.setup()
        self._runner = runner
        await web.TCPSite(runner, "127.0.0.1", self._port).start()
        self._port = runner.addresses[0][1]
        self.world.origin = f"http://127.0.0.1:{self._port}"
        self.gateway.url = self.gateway_url

    async def stop(self) -> None:
        if self._runner is None:
            return
        runner, self._runner = self._runner, None
        await self.gateway.drop(resumable=True)
        await runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    @property
    def api_url(self) -> str:
        return self.world.origin + API

    @property
    def gateway_url(self) -> str:
        return f"ws://127.0.0.1:{self._port}/"

    @property
    def environment(self) -> dict[str, str]:
        """What a bot process must be given, apart from its own settings."""
        return {
            "WIRE_DISCORD_API": self.api_url,
            "WIRE_DISCORD_GATEWAY": self.gateway_url,
            "DISCORD_TOKEN": TOKEN,
        }

    @staticmethod
    def command_line(script: str | Path, *arguments: str) -> list[str]:
        """`python script arguments`, but with this stand-in for Discord."""
        return [sys.executable, str(LAUNCHER), str(script), *arguments]

    @property
    def requests(self) -> list[Call]:
        return self._rest.requests

    @property
    def unexpected(self) -> list[str]:
        """What the bot asked for and the stand-in can't do. A test should find it empty."""
        return self._rest.unexpected

    @property
    def violations(self) -> list[str]:
        """What Discord's OpenAPI document has against the bodies the bot sent."""
        return self._rest.violations

    @property
    def faults(self) -> Faults:
        return self._rest.faults

    def on_request(
        self,
        method: str,
        path_pattern: str,
        callback: Callback,
        *,
        moment: Moment = Moment.AFTER,
        times: int | None = 1,
    ) -> Rule:
        """Calls back just before or after a request takes effect, before the bot is answered.

        A callback that returns LOST closes the connection without an answer.
        """
        hook = Hook(method, path_pattern, times, callback=callback, moment=moment)
        return self.faults.add_hook(hook)

    def requests_to(self, method: str, path_pattern: str) -> list[Call]:
        path = faults.compile_path(path_pattern)
        return [call for call in self.requests if faults.matches(call, method, path)]

    async def until(
        self,
        condition: Callable[[], T],
        waiting_for: str = "a condition",
        *,
        within: float = WAIT_TIMEOUT_S,
    ) -> T:
        """The first truthy value of `condition`, which is looked at whenever something happens."""
        try:
            return await self.world.changes.until(condition, within=within, waiting_for=waiting_for)
        except TimeoutError as error:
            latest = ", ".join(str(call) for call in self.requests[-5:]) or "none"
            raise TimeoutError(f"{error}; latest requests: {latest}") from None

    async def wait_ready(self, *, within: float = WAIT_TIMEOUT_S) -> None:
        """Until a bot is connected, and has been sent READY and its guilds, or has resumed.

        After killing one, first `wait_gone()`: its connection may still be there for a moment.
        """
        await self.until(lambda: self.gateway.connected, "a bot to connect", within=within)

    async def wait_gone(self, *, within: float = WAIT_TIMEOUT_S) -> None:
        """Until no bot is connected."""
        await self.until(lambda: not self.gateway.connected, "the bot to disconnect", within=within)

    async def wait_request(
        self, method: str, path_pattern: str, *, count: int = 1, within: float = WAIT_TIMEOUT_S
    ) -> Call:
        """The count-th such request since the start, once it was answered."""

        def answered() -> Call | None:
            calls = [each for each in self.requests_to(method, path_pattern) if each.status]
            return calls[count - 1] if len(calls) >= count else None

        call = await self.until(answered, f"{method} {path_pattern}", within=within)
        assert call is not None
        return call

    async def drop_connections(self, *, resume: bool = True) -> None:
        """Cuts the gateway sockets. Without `resume`, the sessions are gone: op 9 to a RESUME."""
        await self.gateway.drop(resumable=resume)

    async def invalidate_sessions(self, *, resumable: bool = False) -> None:
        """Op 9 to whoever is connected."""
        self.gateway.invalidate_sessions(resumable=resumable)

    async def end_gateway(self, code: int) -> None:
        """A close code of Discord's own, such as 4004 (the token was reset)."""
        await self.gateway.close(code)

    async def ask_to_reconnect(self) -> None:
        """Op 7, as Discord sends it before it restarts a gateway."""
        self.gateway.broadcast(Op.RECONNECT)
