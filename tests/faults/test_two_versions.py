"""An upgrade without a stop: an older and a newer version run side by side on one database, whose
migrations only add. Nobody notices: no error, no late close."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from tests.faults.fault_env import READY, FaultEnv
from tests.faults.properties import assert_kept
from tests.process.bot_process import ROOT, BotProcess, start_bot
from tests.wire import Channel

PROGRAM = ("cogs", "demo", "domains", "embedded", "locales", "migrations", "operations", "web")
MIGRATION = "9000_pre_more.sql"
ADDS = """
alter table tickets add column mood text not null default 'calm', add column channel_name text;
alter table close_requests add column tone jsonb not null default '{}';
alter table guild_settings add column later_policy jsonb not null default '{}';
alter table effects add column priority integer not null default 0;
alter table ticket_events add column weather text;
alter table heartbeat add column shard integer;
create table moods (ticket_id bigint primary key references tickets (id) on delete cascade);
create index tickets_by_mood on tickets (mood);
"""
ROUNDS = 6
ERRORS = ("Traceback", "❌", "Unexpected error", "cached statement", "Something went wrong")


@pytest.mark.long
async def test_an_older_and_a_newer_version_run_side_by_side_without_an_error(
    fault_env: FaultEnv, tmp_path: Path
) -> None:
    newer = _newer_version(tmp_path / "newer")
    await fault_env.start()
    tickets = await _load(fault_env)
    await _start(fault_env, newer)
    tickets += await _load(fault_env)
    assert await fault_env.value(
        "select count(*) from punctual.schema_migrations where name = $1", MIGRATION
    )
    [older, _] = fault_env.bots
    assert await older.terminate() == 0
    tickets += await _load(fault_env)
    await _start(fault_env, ROOT)  # somebody goes back, or a second host is slower to follow
    tickets += await _load(fault_env)
    for ticket in tickets:
        await fault_env.closed(ticket, within=20)
    await assert_kept(fault_env)
    late = await fault_env.value(
        "select max(late_ms) from punctual.ticket_events where event = 'expired'"
    )
    assert isinstance(late, int)
    assert late < 2_000
    for bot in fault_env.bots:
        assert not any(word in bot.log for word in ERRORS), bot.log


def _newer_version(root: Path) -> Path:
    """This program, and one migration that it does not have."""
    for name in PROGRAM:
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "bot.py", root)
    (root / "migrations" / MIGRATION).write_text(ADDS, encoding="utf-8")
    return root


async def _start(fault_env: FaultEnv, root: Path) -> BotProcess:
    """Beside those that run; tickets are opened and closed meanwhile."""
    bot = await start_bot(fault_env.discord, fault_env.environment, root=root)
    fault_env.bots.append(bot)
    ready = asyncio.create_task(bot.logged(READY))
    while not ready.done():
        await _one(fault_env)
    await ready
    return bot


async def _load(fault_env: FaultEnv) -> list[Channel]:
    return [await _one(fault_env) for _ in range(ROUNDS)]


async def _one(fault_env: FaultEnv) -> Channel:
    ticket = await fault_env.open()
    await fault_env.ask(ticket, "1s")
    return ticket
