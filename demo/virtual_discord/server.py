"""The virtual Discord at an address of this machine, for one bot that has its token."""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from aiohttp import web

from demo.virtual_discord.backend import VirtualBackend
from demo.virtual_discord.changes import ChangeSignal
from demo.virtual_discord.gateway import Gateway
from demo.virtual_discord.rest import API, Rest

HOST = "127.0.0.1"
SHUTDOWN_TIMEOUT_S = 1.0


class VirtualDiscord:
    def __init__(self) -> None:
        self.token = ".".join(secrets.token_urlsafe(12) for _ in range(3))
        self.changes = ChangeSignal()
        """Of anything that a person here could see."""
        self.backend = VirtualBackend()
        self.gateway = Gateway(self.backend, self.token, self.changes)
        self._rest = Rest(self.backend, self.token, self.changes)
        self.origin = ""

    @asynccontextmanager
    async def serving(self) -> AsyncGenerator[None]:
        runner = web.AppRunner(
            self._rest.application(self.gateway.handle),
            access_log=None,
            shutdown_timeout=SHUTDOWN_TIMEOUT_S,
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, HOST, 0).start()
            port = runner.addresses[0][1]
            self.origin = self.backend.files.origin = f"http://{HOST}:{port}"
            self.gateway.url = self.gateway_url
            yield
        finally:
            self.gateway.drop()
            await runner.cleanup()

    @property
    def api_url(self) -> str:
        return self.origin + API

    @property
    def gateway_url(self) -> str:
        return f"ws{self.origin.removeprefix('http')}/gateway"

    @property
    def is_cut(self) -> bool:
        return self.gateway.is_cut

    def cut(self) -> None:
        """As if the network were down: connections end, and new ones are refused."""
        self._rest.is_cut = self.gateway.is_cut = True
        self.gateway.drop()

    def restore(self) -> None:
        self._rest.is_cut = self.gateway.is_cut = False
        self.changes.notify()
