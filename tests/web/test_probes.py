"""What machines ask: alive, ready, and the numbers."""

from __future__ import annotations

import pytest

from domains.database import Database
from domains.errors import StartupError
from domains.settings import Settings
from tests.waiting import eventually

from .web_env import WebEnv, open_web_env


async def test_a_running_process_is_alive_whatever_it_lacks(web_env_without_redis: WebEnv) -> None:
    await web_env_without_redis.database.close()
    web_env_without_redis.gateway.ready = False
    answer = await web_env_without_redis.probe("/healthz")
    assert (answer.status, answer.text) == (200, "ok\n")


async def test_it_is_ready_when_everything_is_there(web_env: WebEnv) -> None:
    answer = await web_env.probe("/readyz")
    assert (answer.status, answer.text) == (200, "postgresql: ok\nredis: ok\ndiscord: ok\n")


async def test_without_redis_it_is_not_ready_and_says_so(web_env_without_redis: WebEnv) -> None:
    answer = await web_env_without_redis.probe("/readyz")
    assert answer.status == 503
    assert "redis: not available" in answer.text
    assert "postgresql: ok" in answer.text


async def test_without_postgresql_it_is_not_ready_and_says_so(web_env: WebEnv) -> None:
    await web_env.database.close()
    answer = await web_env.probe("/readyz")
    assert answer.status == 503
    assert "postgresql: does not answer" in answer.text


@pytest.mark.parametrize(
    ("ready", "latency"), [(False, 0.1), (True, float("inf")), (True, float("nan"))]
)
async def test_without_discord_it_is_not_ready_and_says_so(
    web_env: WebEnv, ready: bool, latency: float
) -> None:
    web_env.gateway.ready, web_env.gateway.latency = ready, latency
    answer = await web_env.probe("/readyz")
    assert (answer.status, "discord: not connected" in answer.text) == (503, True)


async def test_before_the_scheduler_has_started_it_is_not_ready(web_env: WebEnv) -> None:
    await web_env.scheduler.shutdown()
    answer = await web_env.probe("/readyz")
    assert answer.status == 503
    assert "redis: not looked at yet; the scheduler waits for Discord\n" in answer.text


async def test_probes_know_nothing_of_the_dashboard(web_env: WebEnv) -> None:
    for path in ("/", "/jobs/delayed", "/static/dashboard.css"):
        assert (await web_env.probe(path)).status == 404


async def test_without_a_port_there_are_no_probes(database: Database, settings: Settings) -> None:
    async with open_web_env(database, settings, workers=False, metrics_port=None) as web_env:
        assert web_env.view.metrics_port is None


async def test_a_port_that_is_taken_stops_the_start_with_one_line(
    web_env: WebEnv, database: Database, settings: Settings
) -> None:
    taken = web_env.view.metrics_port
    with pytest.raises(StartupError, match=r"^METRICS_PORT: cannot listen on"):
        async with open_web_env(database, settings, workers=False, metrics_port=taken):
            pass


async def test_the_numbers_are_text_that_prometheus_reads(web_env: WebEnv) -> None:
    await web_env.note("a note", 4_000_000_000.0)
    answer = await web_env.probe("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    lines = answer.text.splitlines()
    assert 'punctual_jobs{queue="ticket-lifecycle",state="delayed"} 1.0' in lines
    assert 'punctual_up{dependency="redis"} 1.0' in lines
    assert "punctual_gateway_latency_seconds 0.042" in lines


async def test_numbers_that_cannot_be_read_are_left_out_not_zero(
    web_env_without_redis: WebEnv,
) -> None:
    lines = (await web_env_without_redis.probe("/metrics")).text
    assert "punctual_jobs{" not in lines
    assert 'punctual_up{dependency="redis"} 0.0' in lines
    assert "punctual_overdue_tickets 0.0" in lines
    await web_env_without_redis.database.close()
    lines = (await web_env_without_redis.probe("/metrics")).text
    assert "punctual_overdue_tickets 0.0" not in lines
    assert 'punctual_up{dependency="postgresql"} 0.0' in lines


async def test_a_close_is_in_the_numbers_with_what_was_told_and_how_late_it_was(
    busy_web_env: WebEnv,
) -> None:
    web_env = busy_web_env
    ticket = await web_env.open()
    await web_env.ask_to_close(ticket)
    await web_env.execute(
        "update punctual.close_requests set auto_close_at = now() - interval '3 seconds'"
    )

    async def all_is_counted() -> bool:
        text = (await web_env.probe("/metrics")).text
        return all(
            line in text
            for line in (
                "punctual_close_lateness_seconds_count 1.0",
                'punctual_close_lateness_seconds_bucket{le="2.5"} 0.0',
                "punctual_close_end_lateness_seconds_count 1.0",
                'punctual_close_end_lateness_seconds_bucket{le="2.5"} 0.0',
                'punctual_effect_seconds_count{kind="save-transcript"} 1.0',
                'punctual_effect_seconds_count{kind="remove-channel"} 1.0',
                'punctual_job_outcomes_total{job="auto-close",outcome="complete"} 1.0',
            )
        )

    await eventually(all_is_counted)
