"""An environment for web tests: tickets and a scheduler on real servers, their pages over HTTP,
and Discord in memory."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from html import unescape
from typing import Any

import aiohttp
from pydantic import SecretStr
from saq.job import Status

from domains.database import Database
from domains.effects import EffectRunner
from domains.monitoring.metrics import Metrics
from domains.monitoring.observed_channels import observed
from domains.scheduled_task import ScheduledTask
from domains.scheduled_task.inspection import Inspection, JobView
from domains.scheduled_task.job_type import TICKET_LIFECYCLE, JobServices
from domains.scheduled_task.jobs.auto_close import AutoClose
from domains.settings import Settings
from domains.ticket_lifecycle import TicketLifecycle
from domains.ticket_lifecycle.models import Ticket
from domains.transcripts import TranscriptStore
from tests.fakes import FakeTicketChannels
from tests.scheduled_task.job_types import Note, request
from web import OperatorsView

USER = "admin"
PASSWORD = "a-password-for-the-dashboard"
TOKEN = "a-discord-token-that-nobody-must-see"
GUILD_ID = 1
STAFF_ID = 200

Headers = Mapping[str, str]


def basic(user: str = USER, password: str = PASSWORD) -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"}


@dataclass
class Answer:
    status: int
    text: str
    headers: Mapping[str, str]


@dataclass
class FakeGateway:
    ready: bool = True
    latency: float = 0.042

    def is_ready(self) -> bool:
        return self.ready


@dataclass
class FakeNames:
    """By their ids; nobody is known unless a test says so."""

    of_servers: dict[int, str] = field(default_factory=dict[int, str])
    of_members: dict[int, str] = field(default_factory=dict[int, str])
    of_channels: dict[int, str] = field(default_factory=dict[int, str])

    def server(self, guild_id: int, /) -> str | None:
        return self.of_servers.get(guild_id)

    def member(self, guild_id: int, user_id: int, /) -> str | None:
        return self.of_members.get(user_id)

    def channel(self, guild_id: int, channel_id: int, /) -> str | None:
        return self.of_channels.get(channel_id)

    def servers(self) -> Mapping[int, str]:
        return self.of_servers

    def members_named(self, text: str, limit: int, /) -> Sequence[int]:
        return [id_ for id_, name in self.of_members.items() if text in name][:limit]


@dataclass
class WebEnv:
    database: Database
    settings: Settings
    channels: FakeTicketChannels
    gateway: FakeGateway
    names: FakeNames
    scheduler: ScheduledTask
    lifecycle: TicketLifecycle
    notes: Note
    metrics: Metrics
    view: OperatorsView
    http: aiohttp.ClientSession
    password: str = PASSWORD
    openers: list[int] = field(default_factory=list[int])

    # --- over HTTP

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.view.dashboard_port}{path}"

    async def ask(
        self,
        method: str,
        path: str,
        headers: Headers | None = None,
        *,
        port: int | None = None,
        **more: Any,
    ) -> Answer:
        """As it is answered: redirects are not followed."""
        url = f"http://127.0.0.1:{port or self.view.dashboard_port}{path}"
        async with self.http.request(
            method, url, headers=headers, allow_redirects=False, **more
        ) as response:
            text = await response.text(errors="replace")
            return Answer(response.status, text, response.headers)

    async def get(self, path: str) -> Answer:
        return await self.ask("GET", path, basic(password=self.password))

    async def probe(self, path: str) -> Answer:
        return await self.ask("GET", path, port=self.view.metrics_port)

    async def page_of(self, key: str) -> Answer:
        return await self.get(job_path(key))

    async def press(self, key: str, action: str, page: str | None = None) -> str:
        """Press a button of a job's page (as it was, if `page` is given), and read the notice."""
        page = page or (await self.page_of(key)).text
        form = {
            "queue": TICKET_LIFECYCLE,
            "key": key,
            "token": token_in(page),
            "action": action,
        }
        answer = await self.ask("POST", "/job", basic(), data=form)
        assert answer.status == 303, answer.text
        after = await self.get(answer.headers["Location"])
        assert after.status == 200
        return notice_in(after.text)

    async def confirm(self, path: str, **fields: str) -> str:
        """Say yes on a page that asks, and read the notice on the page that follows."""
        form = form_in((await self.get(path)).text) | fields
        answer = await self.ask("POST", path.partition("?")[0], basic(), data=form)
        assert answer.status == 303, answer.text
        after = await self.get(answer.headers["Location"])
        assert after.status == 200
        return notice_in(after.text)

    # --- tickets and jobs

    async def open(self, subject: str = "help") -> Ticket:
        self.openers.append(1_000 + len(self.openers))
        return await self.lifecycle.open_ticket(GUILD_ID, self.openers[-1], subject)

    async def ask_to_close(self, ticket: Ticket, hours: float = 1.0) -> str:
        """Returns the job's id."""
        _, job_id = await self.lifecycle.request_close(ticket.id, STAFF_ID, "done?", hours)
        assert job_id is not None
        return job_id

    async def note(self, key: str, due: float = 0) -> str:
        """A job that has nothing to do with tickets."""
        assert await self.scheduler.enqueue(self.notes, request(key, due)) == key
        return key

    async def job(self, key: str) -> JobView:
        return await Inspection(self.scheduler).find(key)

    async def take(self, status: Status = Status.ACTIVE, error: str | None = None) -> str:
        """Do a worker's part by hand with the next job in the queue: take it, and leave it running
        or end it so."""
        queue = self.scheduler.queues[TICKET_LIFECYCLE]
        job = await queue.dequeue(timeout=1)
        assert job is not None
        job.attempts += 1
        job.started = 1
        await queue.update(job, status=Status.ACTIVE)
        if status is not Status.ACTIVE:
            await queue.finish(job, status, error=error)
        return job.key

    async def fail_once(self, delay_s: float = 60) -> str:
        """As `take`, but the job waits for its next attempt."""
        queue = self.scheduler.queues[TICKET_LIFECYCLE]
        job = await queue.dequeue(timeout=1)
        assert job is not None
        job.attempts += 1
        job.retry_delay = delay_s
        await queue.retry(job, "Traceback\nRuntimeError: the first attempt failed")
        return job.key

    async def make_due(self, key: str) -> None:
        """Let its time come, in Redis only."""
        queue = self.scheduler.queues[TICKET_LIFECYCLE]
        await queue.redis.execute_command(  # pyright: ignore[reportUnknownMemberType]
            "ZADD", queue.namespace("incomplete"), "XX", 1, queue.job_id(key)
        )
        await queue.promote_due()

    async def execute(self, statement: str, *values: object) -> None:
        async with self.database.connection() as connection:
            await connection.execute(statement, *values)


def job_path(key: str) -> str:
    return f"/job?queue={TICKET_LIFECYCLE}&key={key}"


def token_in(page: str) -> str:
    found = re.search(r'name="token" value="([0-9a-f]{64})"', page)
    assert found is not None, page
    return found[1]


def form_in(page: str) -> dict[str, str]:
    """What the form of a page sends without anything being typed."""
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page)
    return {name: unescape(value) for name, value in fields}


def notice_in(page: str) -> str:
    found = re.search(r'<p class="notice \w+" role="status">(.*?)</p>', page, re.DOTALL)
    assert found is not None, page
    return unescape(re.sub("<[^>]*>", "", found[1]))


@asynccontextmanager
async def open_web_env(
    database: Database,
    settings: Settings,
    *,
    workers: bool = True,
    password: str | None = PASSWORD,
    dashboard_port: int = 0,
    metrics_port: int | None = 0,
) -> AsyncGenerator[WebEnv]:
    """Without workers, jobs stay where they are until the test moves them."""
    settings = settings.model_copy(
        update={
            "dashboard_password": SecretStr(password) if password else None,
            "dashboard_port": dashboard_port,
            "discord_token": SecretStr(TOKEN),
            "metrics_port": metrics_port,
        }
    )
    metrics, channels, notes = Metrics(), FakeTicketChannels(), Note()
    gateway, names = FakeGateway(), FakeNames()
    scheduler = ScheduledTask(database, lambda: settings.redis_address, telemetry=metrics)
    effects = EffectRunner(database, telemetry=metrics)
    lifecycle = TicketLifecycle(
        database,
        observed(channels, metrics),
        effects,
        TranscriptStore(settings.data_dir / "transcripts"),
    )
    scheduler.register([AutoClose(JobServices(database, lifecycle)), notes])
    scheduler.heartbeat = lifecycle.record_heartbeat
    lifecycle.set_scheduler(scheduler)
    database.on_touched = scheduler.on_touched
    view = OperatorsView(
        settings,
        database=database,
        scheduled_task=scheduler,
        tickets=lifecycle,
        gateway=gateway,
        names=names,
        metrics=metrics,
        addresses=lambda: (settings.database_address or "", settings.redis_address or ""),
    )
    try:
        await scheduler.connect()
        await lifecycle.record_heartbeat()
        if workers:
            await scheduler.initialize()
            effects.start()
        async with view.serving(), aiohttp.ClientSession() as http:
            yield WebEnv(
                database,
                settings,
                channels,
                gateway,
                names,
                scheduler,
                lifecycle,
                notes,
                metrics,
                view,
                http,
                password or "",
            )
    finally:
        await scheduler.shutdown()
        await effects.stop(timedelta(seconds=1))
