"""What a command has at hand: the domains of the bot, in a process that runs no jobs."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from domains.database import Database
from domains.effects import EffectRunner
from domains.errors import StartupError
from domains.monitoring.checks import DatabaseUnusableError, look_at_database
from domains.monitoring.job_actions import JobActions
from domains.monitoring.timer_list import TimerList
from domains.scheduled_task import ScheduledTask
from domains.scheduled_task.inspection import Inspection
from domains.scheduled_task.job_type import JobServices
from domains.scheduled_task.jobs import discover
from domains.settings import Settings
from domains.ticket_lifecycle import LifecyclePolicy, Retention, TicketLifecycle
from domains.transcripts import TranscriptStore
from operations.no_discord import no_discord
from operations.running_servers import Addresses, addresses_of

CONNECTIONS = 2


@dataclass(frozen=True, slots=True)
class Shell:
    database: Database
    timers: TimerList
    inspection: Inspection
    job_actions: JobActions
    tickets: TicketLifecycle


@asynccontextmanager
async def shell(settings: Settings) -> AsyncGenerator[Shell]:
    """Raises StartupError if the bot's own servers do not run, or PostgreSQL cannot be used."""
    addresses = await addresses_of(settings)
    if addresses is None:
        raise StartupError(f"The bot is not running on {settings.data_dir}, nor are its servers")
    await _refuse_other_versions(addresses.database)
    async with shell_on(addresses, settings) as opened:
        yield opened


@asynccontextmanager
async def shell_on(addresses: Addresses, settings: Settings) -> AsyncGenerator[Shell]:
    """On servers that run. Migrates a database that needs it; raises StartupError."""
    database = Database(
        lambda: addresses.database,
        max_connections=CONNECTIONS,
        statement_cache=settings.database_statement_cache,
    )
    scheduled_task = ScheduledTask(database, lambda: addresses.redis)
    tickets = _tickets(settings, database, scheduled_task)
    inspection = Inspection(scheduled_task)
    await database.connect()
    try:
        try:
            await scheduled_task.connect()
        except ValueError:
            raise StartupError("REDIS_URL cannot be understood") from None
        yield Shell(
            database,
            TimerList(database, scheduled_task),
            inspection,
            JobActions(inspection, tickets, scheduled_task),
            tickets,
        )
    finally:
        await scheduled_task.shutdown()
        await database.close()


def _tickets(
    settings: Settings, database: Database, scheduled_task: ScheduledTask
) -> TicketLifecycle:
    """Its effects are never started: what is decided here, the bot tells Discord."""
    effects = EffectRunner(database)
    tickets = TicketLifecycle(
        database,
        no_discord(),
        effects,
        TranscriptStore(settings.data_dir / "transcripts"),
        LifecyclePolicy(retention=Retention.chosen_in(settings)),
    )
    scheduled_task.register(discover(JobServices(database, tickets)))
    for kind in scheduled_task.kinds:
        effects.register(kind.effect_types())
    tickets.set_scheduler(scheduled_task)
    database.on_touched = scheduled_task.on_touched
    return tickets


async def _refuse_other_versions(url: str) -> None:
    """Connecting migrates, and that is the bot's to do."""
    try:
        _, missing = await look_at_database(url)
    except DatabaseUnusableError as error:
        raise StartupError(f"DATABASE_URL: {error}") from None
    if missing:
        raise StartupError(f"The database lacks {missing} migrations: start this version's bot")


def say(line: str) -> None:
    """A line of the answer, without what would act on the terminal."""
    sys.stdout.write("".join(c if c.isprintable() else "?" for c in line) + "\n")
