"""The operator's view, wired: what the settings ask for is served, and nothing else."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager

from aiohttp import web

from domains.addresses import is_loopback
from domains.database import Database
from domains.disk_space import DiskSpace
from domains.monitoring.bulk_retry import BulkRetry
from domains.monitoring.figure_keeper import keep_figures
from domains.monitoring.gateway import Gateway
from domains.monitoring.job_actions import JobActions
from domains.monitoring.metrics import Metrics
from domains.monitoring.monitor import Monitor, PostgreSQLAwayError
from domains.monitoring.names import Names
from domains.monitoring.ticket_actions import TicketActions
from domains.redaction import passwords_in
from domains.scheduled_task import ScheduledTask
from domains.scheduled_task.inspection import Inspection
from domains.settings import Settings
from domains.tasks import cancel, detached
from domains.ticket_lifecycle import TicketLifecycle
from domains.ticket_lifecycle.models import Operator
from web.dashboard import dashboard
from web.dependencies import Dependencies
from web.guard import Guard
from web.notices import Notices
from web.own_address import require_own_address
from web.probes import Probes
from web.rendering import Renderer
from web.serving import listening

log = logging.getLogger(__name__)


def require_own_addresses(settings: Settings) -> None:
    """Before anything is contacted. Raises StartupError for a host that is not this machine's."""
    if settings.dashboard_password is not None:
        require_own_address(settings.dashboard_host, "DASHBOARD_HOST")
    if settings.metrics_port is not None:
        require_own_address(settings.metrics_host, "METRICS_HOST")


class OperatorsView:
    def __init__(
        self,
        settings: Settings,
        *,
        database: Database,
        scheduled_task: ScheduledTask,
        tickets: TicketLifecycle,
        gateway: Gateway,
        names: Names,
        metrics: Metrics,
        addresses: Callable[[], Iterable[str]],
        disk_space: DiskSpace | None = None,
    ) -> None:
        """`addresses` are the servers', whose passwords no page must show."""
        self._settings = settings
        self._tickets = tickets
        self._scheduled_task = scheduled_task
        self._database = database
        self._names = names
        self._metrics = metrics
        self._addresses = addresses
        self._inspection = Inspection(scheduled_task)
        self._monitor = Monitor(
            database,
            scheduled_task,
            self._inspection,
            gateway,
            tickets.discord_status,
            disk_space=disk_space or DiskSpace(settings.data_dir),
        )
        self.dashboard_port: int | None = None
        self.metrics_port: int | None = None
        """Where they listen, while they do."""

    @asynccontextmanager
    async def serving(self) -> AsyncGenerator[None]:
        """Raises StartupError where a port cannot be had."""
        settings = self._settings
        async with AsyncExitStack() as stack:
            if settings.metrics_port is not None:
                try:
                    await self._metrics.begin(self._monitor)
                except PostgreSQLAwayError as error:
                    log.info("Closes are counted from the first scrape on: %s", error)
                self.metrics_port = await stack.enter_async_context(
                    listening(
                        Probes(self._monitor, self._metrics).application(),
                        settings.metrics_host,
                        settings.metrics_port,
                        "METRICS",
                    )
                )
            if settings.dashboard_password is not None:
                keeping = detached(keep_figures(self._database))
                stack.push_async_callback(cancel, keeping)
                self.dashboard_port = await stack.enter_async_context(
                    listening(
                        await self.dashboard(settings.dashboard_password.get_secret_value()),
                        settings.dashboard_host,
                        settings.dashboard_port,
                        "DASHBOARD",
                    )
                )
                log.info("Dashboard: http://%s:%s/", settings.dashboard_host, self.dashboard_port)
                if not is_loopback(settings.dashboard_host):
                    log.warning("The dashboard is not encrypted: put a proxy with TLS before it")
            yield

    async def dashboard(self, password: str) -> web.Application:
        settings = self._settings
        hosts = None
        if is_loopback(settings.dashboard_host):
            hosts = {"127.0.0.1", "localhost", "::1", settings.dashboard_host}
        renderer = Renderer(lambda: self._all_secrets(password), self._names)
        await asyncio.to_thread(renderer.compile)
        return dashboard(
            Dependencies(
                monitor=self._monitor,
                inspection=self._inspection,
                job_actions=JobActions(self._inspection, self._tickets, self._scheduled_task),
                ticket_actions=TicketActions(self._tickets),
                bulk_retry=BulkRetry(self._database, self._tickets, self._inspection),
                tickets=self._tickets,
                names=self._names,
                operator=Operator(settings.dashboard_user),
                guard=Guard(settings.dashboard_user, password, hosts),
                renderer=renderer,
                notices=Notices(),
            )
        )

    def _all_secrets(self, password: str) -> Iterable[str]:
        yield password
        if self._settings.discord_token is not None:
            yield self._settings.discord_token.get_secret_value()
        for address in self._addresses():
            yield from passwords_in(address)
