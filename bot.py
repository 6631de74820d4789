"""Punctual, wired: settings -> servers -> database -> domains -> bot. The only composition root.

python bot.py           runs the bot; needs DISCORD_TOKEN
python bot.py --demo    runs it against a virtual Discord in the browser; needs nothing
python bot.py check     and other questions of an operator: see --help
"""

from __future__ import annotations

import sys

if sys.version_info < (3, 11):  # noqa: UP036  # it is read by older ones, to say so
    sys.stderr.write("punctual: Python 3.11 or newer is needed; see README.md\n")
    sys.exit(2)

import argparse
import asyncio
import logging
import signal
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta

import aiohttp
import discord
from discord.ext import commands
from pydantic import SecretStr

from cogs import add_cogs
from cogs.known_names import KnownNames
from cogs.ticket_channels import DiscordTicketChannels
from domains.data_dir import require_data_dir
from domains.database import Database, Subject
from domains.descriptor_limit import raise_descriptor_limit
from domains.discord_token import looks_like_a_token
from domains.disk_reserve import DiskReserve
from domains.disk_space import MIB, DiskSpace
from domains.effects import EffectRunner
from domains.env_file import exposed_env_file
from domains.errors import WRONG_SETTING, StartupError
from domains.logs import configure_logging, startup_failure
from domains.monitoring.metrics import Metrics
from domains.monitoring.observed_channels import observed
from domains.program import version
from domains.scheduled_task import ScheduledTask, require_saq
from domains.scheduled_task.job_type import JobServices
from domains.scheduled_task.jobs import discover
from domains.scheduled_task.redis_check import require_redis_url
from domains.scheduled_task.scheduled_task import GRACE
from domains.settings import Settings, load_settings, wanted_log_format
from domains.tasks import cancel, detached
from domains.ticket_lifecycle import LifecyclePolicy, Retention, TicketLifecycle
from domains.transcripts import Limits, Room, TranscriptStore
from embedded import EmbeddedServers, EmbeddedServersError
from operations import add_commands, run_command
from web import OperatorsView, require_own_addresses

log = logging.getLogger("punctual")

PROGRAM = "punctual" if __package__ else "python bot.py"
"""How it was started: as the installed package, or from the checkout."""

MAX_RATELIMIT_TIMEOUT_S = 60.0
"""discord.py would wait for as long as Discord says; a job is better off trying again."""
AUTHENTICATION_FAILED = 4004
"""The code with which Discord ends a connection whose token is not valid any more."""


class Punctual:
    """The ticket system of one bot: its own, or one that somebody already has.

    `await start()` in the bot's `setup_hook`; in its `close`, wrap the bot's own closing in
    `async with closing()`, which is also right after a start that failed.
    """

    def __init__(self, bot: commands.Bot, settings: Settings) -> None:
        """Contacts nothing. Raises StartupError if another version of SAQ is installed."""
        require_saq()
        self._bot = bot
        self._settings = settings
        self._servers = EmbeddedServers(
            settings.data_dir,
            postgres=settings.database_address is None,
            valkey=settings.redis_address is None,
        )
        self._resources = AsyncExitStack()
        has_own_servers = settings.database_address is None or settings.redis_address is None
        self._reserve = DiskReserve(settings.data_dir) if has_own_servers else None
        self.disk_space = DiskSpace(
            settings.data_dir, min_free_bytes=settings.min_free_mb * MIB, reserve=self._reserve
        )
        if settings.redis_address is not None:
            require_redis_url(settings.redis_address)
        metrics = Metrics()
        self.database = Database(
            self._database_url, statement_cache=settings.database_statement_cache
        )
        self.effects = EffectRunner(self.database, telemetry=metrics)
        self.scheduled_task = ScheduledTask(
            self.database,
            self._redis_url,
            concurrency=settings.worker_concurrency,
            telemetry=metrics,
        )
        channels = DiscordTicketChannels(
            bot, lambda: self.database.installation_id, max_extensions=settings.max_extensions
        )
        transcripts = settings.data_dir / "transcripts"
        self.ticket_lifecycle = TicketLifecycle(
            self.database,
            observed(channels, metrics),
            self.effects,
            TranscriptStore(
                transcripts,
                Limits(total_bytes=settings.max_ticket_files_mb * MIB),
                room=Room(transcripts, self.disk_space, settings.max_files_mb * MIB or None),
            ),
            LifecyclePolicy(
                max_open_tickets=settings.max_open_tickets,
                open_cooldown=timedelta(seconds=settings.open_cooldown),
                min_close_delay=timedelta(seconds=settings.min_close_delay),
                close_at_once_without_timer=settings.auto_close_without_redis == "immediate",
                outage_grace=timedelta(seconds=settings.outage_grace),
                max_extensions=settings.max_extensions,
                retention=Retention.chosen_in(settings),
            ),
        )
        connect_domains(self.database, self.ticket_lifecycle, self.scheduled_task, self.effects)
        self.operators_view = OperatorsView(
            settings,
            database=self.database,
            scheduled_task=self.scheduled_task,
            tickets=self.ticket_lifecycle,
            gateway=bot,
            names=KnownNames(bot),
            metrics=metrics,
            disk_space=self.disk_space,
            addresses=lambda: (self._database_url(), self._redis_url()),
        )

    def _database_url(self) -> str:
        return self._settings.database_address or self._servers.database_url

    def _redis_url(self) -> str:
        return self._settings.redis_address or self._servers.redis_url

    async def start(self) -> None:
        """Servers, database, cogs. Raises StartupError, and then leaves nothing running."""
        require_data_dir(self._settings.data_dir)
        async with AsyncExitStack() as resources:
            if self._settings.database_address is None or self._settings.redis_address is None:
                try:
                    await resources.enter_async_context(self._servers)
                except EmbeddedServersError as error:
                    raise StartupError(str(error)) from error
                watchdog = detached(self._servers.keep_running())
                resources.push_async_callback(cancel, watchdog)
            if self._reserve is not None:
                resources.callback(self._reserve.give_up)
            disk_watch = detached(self.disk_space.keep_watching())
            resources.push_async_callback(cancel, disk_watch)
            await self.database.connect()
            resources.push_async_callback(self.database.close)
            await self.ticket_lifecycle.channel_index.load()
            await self.scheduled_task.connect()
            resources.push_async_callback(self.scheduled_task.shutdown)
            await resources.enter_async_context(self.operators_view.serving())
            await add_cogs(
                self._bot, self.ticket_lifecycle, self.scheduled_task, self.effects, self.disk_space
            )
            self._resources = resources.pop_all()

    @asynccontextmanager
    async def closing(self) -> AsyncGenerator[None]:
        """Shut down around the bot's own closing: the scheduler before it, since running jobs
        still need Discord, the database and the servers after it. Safe to do twice."""
        await asyncio.gather(
            self.scheduled_task.shutdown(),
            self.effects.stop(GRACE),
            self.ticket_lifecycle.cleanup.stop(),
        )
        try:
            yield
        finally:
            await self._resources.aclose()


def connect_domains(
    database: Database,
    tickets: TicketLifecycle,
    scheduled_task: ScheduledTask,
    effects: EffectRunner,
) -> None:
    """Who follows whom: after a commit the effects are told, and the timers follow."""

    async def follow(touched: Sequence[Subject], *, lazily: bool) -> None:
        effects.wake()
        await scheduled_task.on_touched(touched, lazily=lazily)

    job_types = discover(JobServices(database, tickets))
    scheduled_task.register(job_types)
    scheduled_task.heartbeat = tickets.record_heartbeat
    for kind in scheduled_task.kinds:
        effects.register(kind.effect_types())
    tickets.set_scheduler(scheduled_task)
    database.on_touched = follow


class PunctualBot(commands.Bot):
    def __init__(self, settings: Settings) -> None:
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            intents=discord.Intents(guilds=True, guild_messages=True, message_content=True),
            allowed_mentions=discord.AllowedMentions.none(),
            chunk_guilds_at_startup=False,
            max_ratelimit_timeout=MAX_RATELIMIT_TIMEOUT_S,
        )
        self._punctual = Punctual(self, settings)
        self.scheduled_task = self._punctual.scheduled_task
        self.ticket_lifecycle = self._punctual.ticket_lifecycle
        self.effects = self._punctual.effects

    async def setup_hook(self) -> None:
        await self._punctual.start()
        await self.tree.sync()

    async def close(self) -> None:
        async with self._punctual.closing():
            await super().close()


def create_bot(settings: Settings) -> PunctualBot:
    """Build the whole bot without any I/O; `setup_hook`, `on_ready` and `close` do the rest."""
    return PunctualBot(settings)


def require_usable(settings: Settings) -> SecretStr:
    """What the bot, other than a command, needs to be right, while nothing is contacted yet.
    Raises StartupError; returns the token."""
    if settings.discord_token is None:
        raise StartupError(
            "DISCORD_TOKEN is not set: put it into .env (README.md says where to get one), "
            f"or try the bot without one: {PROGRAM} --demo",
            status=WRONG_SETTING,
        )
    if not looks_like_a_token(settings.discord_token.get_secret_value()):
        raise StartupError(
            "DISCORD_TOKEN: it is no bot's token, which has three parts with dots between them",
            status=WRONG_SETTING,
        )
    require_data_dir(settings.data_dir)
    require_own_addresses(settings)
    return settings.discord_token


async def serve(settings: Settings) -> None:
    """Run until SIGINT or SIGTERM. Raises StartupError for what an operator can fix."""
    token = require_usable(settings).get_secret_value()
    async with create_bot(settings) as bot:
        running = asyncio.create_task(_run(bot, token))
        stop = stop_signal()
        await asyncio.wait({running, stop}, return_when=asyncio.FIRST_COMPLETED)
        if not running.done():
            log.info("Shutting down")
            if not bot.is_ready():
                running.cancel()
            await bot.close()
        stop.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def _run(bot: PunctualBot, token: str) -> None:
    try:
        await bot.start(token)
    except discord.LoginFailure:
        raise StartupError(
            "DISCORD_TOKEN: Discord does not accept it", status=WRONG_SETTING
        ) from None
    except discord.PrivilegedIntentsRequired:
        raise StartupError(
            "The Message Content Intent is off: switch it on for the bot in the developer portal"
        ) from None
    except discord.ConnectionClosed as error:
        raise StartupError(_why_discord_ended(error), status=WRONG_SETTING) from None
    except (aiohttp.ClientError, OSError) as error:
        raise StartupError(f"Discord cannot be reached: {error}") from None


def _why_discord_ended(error: discord.ConnectionClosed) -> str:
    """Discord ends a connection for good only for what an operator has to change."""
    if error.code == AUTHENTICATION_FAILED:
        return "DISCORD_TOKEN: Discord does not accept it any more"
    return (
        f"Discord has ended the connection for good ({error.code}): {error.reason or 'no reason'}"
    )


def stop_signal() -> asyncio.Task[None]:
    """Done at the first SIGINT or SIGTERM. A second SIGINT interrupts in the ordinary way."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()

    def stop() -> None:
        stopped.set()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)

    with suppress(NotImplementedError):  # Windows: there Ctrl+C raises KeyboardInterrupt
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop)

    async def wait() -> None:
        await stopped.wait()

    return asyncio.create_task(wait())


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog=PROGRAM.removeprefix("python "), description="A punctual ticket bot."
    )
    parser.add_argument(
        "--demo", action="store_true", help="run against a virtual Discord in the browser"
    )
    parser.add_argument(
        "--no-browser",
        dest="browser",
        action="store_false",
        help="with --demo: do not open the page, only print its address",
    )
    parser.add_argument("--version", action="store_true", help="say which version this is")
    add_commands(parser)
    options = parser.parse_args(arguments)
    if options.version:
        print(f"punctual {version()}")  # noqa: T201
        return 0
    try:
        if options.command is not None:
            return run_command(options)
        settings = load_settings()
        configure_logging(settings.log_level, settings.log_format)
        raise_descriptor_limit()
        exposed = exposed_env_file()
        if exposed is not None:
            log.warning("%s can be read by every user of this machine: chmod 600 it", exposed)
        if options.demo:
            from demo import run_demo  # noqa: PLC0415  # its packages are needed by nobody else

            asyncio.run(run_demo(settings, browser=options.browser))
        else:
            asyncio.run(serve(settings))
    except StartupError as error:
        line = startup_failure(error, wanted_log_format())
        print(line, file=sys.stderr)  # noqa: T201  # the operator's one line
        return error.status
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
