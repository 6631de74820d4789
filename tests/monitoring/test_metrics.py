"""What is counted, and that the alerts and the Grafana board ask for nothing else."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from saq.job import Status

from domains.database import Database
from domains.monitoring import sql
from domains.monitoring.metrics import OUTCOMES, Metrics
from domains.monitoring.trends import LatenessFigures
from domains.scheduled_task.job_type import TICKET_LIFECYCLE, NotDueError
from domains.settings import Settings
from domains.ticket_lifecycle.channels import DiscordFailedError, PermissionMissingError
from tests.waiting import eventually
from tests.web.web_env import WebEnv, open_web_env

DOCS = Path(__file__).parents[2] / "docs"
NAME = re.compile(r"\b(?:punctual|process)_[a-z_]+\b")


async def numbers(web_env: WebEnv) -> dict[str, float]:
    """The samples of a scrape, by name and labels."""
    text = (await web_env.probe("/metrics")).text
    samples = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in samples}


def outcomes_of(job: str, outcome: str) -> str:
    return f'punctual_job_outcomes_total{{job="{job}",outcome="{outcome}"}}'


# --- counting


async def test_attempts_are_counted_by_how_they_ended(web_env: WebEnv) -> None:
    for key in ("one", "two", "three"):
        await web_env.note(key)
    queue = web_env.scheduler.queues[TICKET_LIFECYCLE]
    # The queues of the workers tell; here a worker's part is done by hand.
    queue._telemetry = web_env.metrics  # pyright: ignore[reportPrivateUsage]
    await web_env.fail_once()
    await web_env.take(Status.COMPLETE)
    await web_env.take(Status.FAILED, "no")
    found = await numbers(web_env)
    for outcome in ("retried", "complete", "failed"):
        assert found[outcomes_of("note", outcome)] == 1


async def test_every_job_type_has_each_outcome_from_the_start_so_that_its_first_is_an_increase(
    web_env_without_redis: WebEnv,
) -> None:
    """A series that appears with 1 has not increased: the alert would miss the first failure."""
    found = await numbers(web_env_without_redis)
    for name in ("auto-close", "note"):
        for outcome in OUTCOMES:
            assert found[outcomes_of(name, outcome)] == 0


async def test_a_job_that_came_too_early_is_not_counted_as_tried_again(
    busy_web_env: WebEnv,
) -> None:
    ticket = await busy_web_env.open()
    key = await busy_web_env.ask_to_close(ticket)
    await busy_web_env.make_due(key)

    async def it_has_gone_back() -> bool:
        job = await busy_web_env.job(key)
        return NotDueError.__name__ in (job.error or "")

    await eventually(it_has_gone_back)
    assert (await numbers(busy_web_env))[outcomes_of("auto-close", "retried")] == 0


async def test_what_ends_while_redis_is_away_is_counted_too(
    database: Database, settings: Settings
) -> None:
    nowhere = settings.model_copy(
        update={"redis_url": None, "redis_host": "127.0.0.1", "redis_port": 1}
    )
    async with open_web_env(database, nowhere) as web_env:
        ticket = await web_env.open()
        await web_env.lifecycle.request_close(ticket.id, 1, None, 1)
        await web_env.execute("update punctual.close_requests set auto_close_at = now()")

        async def it_is_counted() -> bool:
            return (await numbers(web_env))[outcomes_of("auto-close", "complete")] == 1

        await eventually(it_is_counted)


async def test_outages_are_counted_once_each(web_env: WebEnv) -> None:
    before = await numbers(web_env)
    assert before['punctual_outages_total{dependency="redis"}'] == 0
    redis = web_env.scheduler._redis  # pyright: ignore[reportPrivateUsage]
    assert redis is not None
    health = redis.health
    for _ in range(3):
        health.report(ConnectionError("gone"))
    await health.check()
    health.report(ConnectionError("gone again"))
    assert (await numbers(web_env))['punctual_outages_total{dependency="redis"}'] == 2


async def test_what_discord_refuses_is_counted_by_its_code(web_env: WebEnv) -> None:
    ticket = await web_env.open()

    class ForbiddenError(Exception):
        code, status = 50013, 403

    refused = PermissionMissingError(("Manage Channels",))
    refused.__cause__ = ForbiddenError()
    web_env.channels.failures["ask"] = [refused, DiscordFailedError("no answer")]
    for _ in range(2):
        with pytest.raises(Exception, match="I couldn't ask"):
            await web_env.lifecycle.request_close(ticket.id, 1, None, 1)
    found = await numbers(web_env)
    assert found['punctual_discord_errors_total{code="50013",error="PermissionMissing"}'] == 1
    assert found['punctual_discord_errors_total{code="0",error="DiscordFailed"}'] == 1


async def test_lateness_is_counted_from_the_start_of_the_process_and_each_close_once(
    web_env: WebEnv, database: Database
) -> None:
    ticket = await web_env.open()

    async def close_late(*late_ms: int, event: str = "expired") -> None:
        await web_env.execute(
            """insert into punctual.ticket_events (ticket_id, guild_id, event, at, late_ms)
               select $1, 1, $3, now() - interval '5 seconds', unnest($2::bigint[])""",
            ticket.id,
            list(late_ms),
            event,
        )

    await close_late(1, 2, 3)
    async with database.connection() as connection:
        assert await sql.newest_event(connection) > 0
    await web_env.metrics.begin(web_env.view._monitor)  # pyright: ignore[reportPrivateUsage]
    await close_late(20, 700, 90_000)
    scrapes = await asyncio.gather(*(numbers(web_env) for _ in range(5)))
    assert scrapes[-1]["punctual_close_lateness_seconds_count"] == 3
    assert scrapes[-1]["punctual_close_lateness_seconds_sum"] == pytest.approx(90.72)
    assert scrapes[-1]['punctual_close_lateness_seconds_bucket{le="1.0"}'] == 2
    await close_late(5)
    await close_late(3_000, event="closed")
    found = await numbers(web_env)
    assert found["punctual_close_lateness_seconds_count"] == 4
    assert found["punctual_close_end_lateness_seconds_count"] == 1
    assert found["punctual_close_end_lateness_seconds_sum"] == 3


async def test_overdue_is_what_nothing_came_for(web_env: WebEnv) -> None:
    overdue, excluded, stuck, unasked, early = [await web_env.open() for _ in range(5)]
    for ticket in (overdue, excluded, stuck, unasked, early):
        await web_env.ask_to_close(ticket)
    await web_env.execute(
        """update punctual.close_requests set auto_close_at = now() - interval '5 s'
           where ticket_id <> $1""",
        early.id,
    )
    await web_env.execute(
        "update punctual.tickets set exclude_from_autoclose = true where id = $1", excluded.id
    )
    await web_env.execute(
        """update punctual.tickets set attention = '{"code": "other"}' where id = $1""", stuck.id
    )
    await web_env.execute(
        """insert into punctual.effects (guild_id, ticket_id, kind, subject_id)
           select 1, ticket_id, 'ask', id from punctual.close_requests where ticket_id = $1""",
        unasked.id,
    )
    found = await numbers(web_env)
    assert found["punctual_overdue_tickets"] == 1
    assert found["punctual_attention_tickets"] == 1
    assert found['punctual_overdue_timers{kind="auto-close"}'] == 2
    assert found['punctual_timers{kind="auto-close"}'] == 5


async def test_what_discord_is_still_to_be_told_is_counted_by_its_state(web_env: WebEnv) -> None:
    ticket = await web_env.open()
    await web_env.execute(
        """insert into punctual.effects (guild_id, ticket_id, kind, failures, lease_until)
           values (1, $1, 'waits', 0, null), (1, $1, 'was left', 0, now() - interval '1 s'),
                  (1, $1, 'has failed', 2, null), (1, $1, 'is done', 1, now() + interval '1 h')""",
        ticket.id,
    )
    found = await numbers(web_env)
    states = {"waiting": 2, "failed": 1, "in_progress": 1}
    for state, number in states.items():
        assert found[f'punctual_effects_pending{{state="{state}"}}'] == number


def test_each_telemetry_has_a_registry_of_its_own() -> None:
    """Or a second bot in the process could not be made."""
    assert Metrics() is not Metrics()


def test_a_percentile_is_a_lateness_that_there_was() -> None:
    def lateness(*late_ms: int) -> LatenessFigures:
        return LatenessFigures(Counter(late_ms))

    assert lateness().percentile(50) is None
    assert lateness(7).percentile(50) == lateness(7).percentile(99) == 7
    assert lateness(*range(100, 0, -1)).percentile(50) == 50
    assert lateness(*range(100, 0, -1)).percentile(99) == 99
    assert lateness(3, 1, 2).percentile(100) == 3


# --- what others ask for


@pytest.fixture
async def known(busy_web_env: WebEnv) -> set[str]:
    """All names in a scrape after everything has happened once."""
    web_env = busy_web_env
    ticket = await web_env.open()
    await web_env.ask_to_close(ticket)
    web_env.channels.failures["show_outcome"] = [DiscordFailedError("no")]
    await web_env.execute(
        "update punctual.close_requests set auto_close_at = now() - interval '3 seconds'"
    )

    async def it_has_closed() -> bool:
        return (await numbers(web_env))["punctual_close_end_lateness_seconds_count"] > 0

    await eventually(it_has_closed)
    return {name.partition("{")[0] for name in await numbers(web_env)}


def board() -> dict[str, Any]:
    return json.loads((DOCS / "grafana.json").read_text(encoding="utf-8"))


def alerts() -> list[dict[str, Any]]:
    rules = yaml.safe_load((DOCS / "alerts.yml").read_text(encoding="utf-8"))
    return [rule for group in rules["groups"] for rule in group["rules"]]


async def test_every_metric_that_an_alert_names_exists(known: set[str]) -> None:
    named = {name for rule in alerts() for name in NAME.findall(rule["expr"])}
    assert len(named) > 5
    assert named <= known


async def test_every_metric_that_the_board_names_exists(known: set[str]) -> None:
    asked = [target["expr"] for panel in board()["panels"] for target in panel["targets"]]
    named = {name for expression in asked for name in NAME.findall(expression)}
    assert len(named) > 8
    assert named <= known


def test_every_alert_says_what_it_means() -> None:
    for rule in alerts():
        assert rule["alert"].startswith("Punctual")
        assert rule["labels"]["severity"] in ("page", "warn")
        assert rule["annotations"]["summary"]


def test_the_boards_panels_are_told_apart_and_do_not_overlap() -> None:
    panels = board()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24
