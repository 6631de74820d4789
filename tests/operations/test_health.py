"""`python bot.py health`: whether a bot runs and hears Discord, for a container's health check."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedded import EmbeddedServers
from tests.web.web_env import WebEnv

from .conftest import TOKEN, Typed

HEARTBEAT = """insert into punctual.heartbeat (seen_at)
    values (clock_timestamp() - $1::float8 * interval '1 second')
    on conflict (only_row) do update set seen_at = excluded.seen_at"""


@pytest.mark.parametrize(
    ("silence", "status", "line"),
    [
        (0, 0, "ok: running, and connected to Discord"),
        (20, 0, "ok: running, and connected to Discord"),
        (120, 1, "FAILED: not running and connected to Discord since 2 minutes"),
    ],
)
async def test_a_bot_that_was_here_a_moment_ago_is_healthy(
    typed: Typed, web_env: WebEnv, silence: float, status: int, line: str
) -> None:
    await web_env.execute(HEARTBEAT, silence)
    typed.settings["DISCORD_TOKEN"] = None  # it is not needed
    ran = await typed("health")
    assert (ran.status, ran.err) == (status, "")
    [only] = ran.lines
    assert only.startswith(line)


async def test_where_no_bot_ever_ran_nothing_is_healthy(typed: Typed, web_env: WebEnv) -> None:
    await web_env.execute("delete from punctual.heartbeat")
    ran = await typed("health")
    assert (ran.status, ran.out, ran.err) == (
        1,
        "FAILED: no bot has ever run on this database\n",
        "",
    )


async def test_a_health_check_starts_no_servers(typed: Typed, tmp_path: Path) -> None:
    typed.settings["DATABASE_URL"] = typed.settings["REDIS_URL"] = None
    ran = await typed("health")
    assert (ran.status, ran.out) == (1, f"FAILED: no bot is running on {tmp_path}/data\n")
    assert not (tmp_path / "data").exists()
    async with EmbeddedServers(tmp_path / "data", durable=False):
        ran = await typed("health")
    assert (ran.status, ran.out) == (1, "FAILED: no bot has ever run on this database\n")


async def test_docker_never_sees_2(typed: Typed) -> None:
    typed.settings["MIN_CLOSE_DELAY"] = "soon"
    ran = await typed("health")
    assert (ran.status, len(ran.lines)) == (1, 1)
    assert ran.lines[0].startswith("FAILED: MIN_CLOSE_DELAY: ")
    assert ran.err == ""


async def test_a_database_that_is_away_is_said_without_its_password(typed: Typed) -> None:
    typed.settings["MIN_CLOSE_DELAY"] = None
    typed.settings["DATABASE_URL"] = "postgresql://bot:hunter2@127.0.0.1:1/x"
    ran = await typed("health")
    assert (ran.status, len(ran.lines)) == (1, 1)
    assert ran.lines[0].startswith("FAILED: PostgreSQL cannot be used: ")
    assert not [secret for secret in ("hunter2", TOKEN) if secret in ran.out + ran.err]
