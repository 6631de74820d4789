"""The commands, as arguments of bot.py."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Coroutine

from domains.errors import StartupError, UserError
from domains.logs import configure_logging
from domains.monitoring.job_actions import Action
from domains.settings import load_settings
from operations import jobs
from operations.check import check
from operations.cleanup import cleanup
from operations.health import health
from operations.postgres import PROGRAMS, postgres
from operations.timers import timers

ACTIONS = {"retry": Action.RETRY, "remove": Action.CANCEL}


def add_commands(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("check", help="is everything there? one line each; exit status 0, 1 or 2")
    commands.add_parser("health", help="does the bot run, and is it connected? exit status 0 or 1")
    listing = commands.add_parser("timers", help="what will close when")
    listing.add_argument("--json", action="store_true", dest="as_json")
    cleaning = commands.add_parser("cleanup", help="delete now what is older than it is kept")
    cleaning.add_argument("--dry-run", action="store_true", help="only say how much that is")
    verbs = commands.add_parser("jobs", help="look at failed jobs, retry or remove one")
    verbs = verbs.add_subparsers(dest="verb", metavar="failed|retry|remove", required=True)
    verbs.add_parser("failed", help="list them, newest first")
    for verb, text in (
        ("retry", "queue a failed job anew, with all its attempts"),
        ("remove", "take a job out of its queue; a pending close request is withdrawn"),
    ):
        verbs.add_parser(verb, help=text).add_argument("key", metavar="KEY")
    programs = commands.add_parser("postgres", help="psql or pg_dump on the bot's database")
    programs.add_argument("program", choices=PROGRAMS)
    programs.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...")


def run_command(options: argparse.Namespace) -> int:
    """The exit status. Raises StartupError for what the operator can fix."""
    configure_logging("WARNING")
    try:
        return asyncio.run(_chosen(options))
    except UserError as error:
        raise StartupError(str(error)) from error


def _chosen(options: argparse.Namespace) -> Coroutine[None, None, int]:  # noqa: PLR0911  # a table
    if options.command == "check":
        return check()
    if options.command == "health":
        return health()
    settings = load_settings()
    if options.command == "timers":
        return timers(settings, as_json=options.as_json)
    if options.command == "cleanup":
        return cleanup(settings, dry_run=options.dry_run)
    if options.command == "postgres":
        return postgres(settings, options.program, options.arguments)
    if options.verb == "failed":
        return jobs.failed(settings)
    return jobs.act(settings, ACTIONS[options.verb], options.key)
