"""What is broken now: on every page, the worst first, with counts in the tabs."""

from __future__ import annotations

import re

import pytest
from saq.job import Status

from .web_env import WebEnv

PAGES = (
    "/",
    "/tickets",
    "/tickets/attention",
    "/deadlines",
    "/trends",
    "/jobs/delayed",
    "/nothing",
)


def problems(page: str) -> list[str]:
    banner = page.partition('<div id="health">')[2].partition("</div>")[0]
    return re.findall(r"<strong>(.*?)</strong>", banner)


def counts(page: str) -> dict[str, str]:
    nav = page.partition('<nav aria-label="Pages">')[2].partition("</nav>")[0]
    return dict(re.findall(r'>(\w+) <span class="count[^"]*">([^<]*)</span>', nav))


async def test_every_page_says_what_is_broken_and_the_worst_comes_first(web_env: WebEnv) -> None:
    for _ in range(2):
        await web_env.ask_to_close(await web_env.open())
    await web_env.note("failed")
    await web_env.take(Status.FAILED, "no")
    await web_env.execute(
        "update punctual.close_requests set auto_close_at = now() - interval '1 minute'"
    )
    await web_env.execute("""update punctual.tickets set attention = '{"code": "other"}'
                             where id = 1""")
    web_env.gateway.latency = float("inf")
    for path in PAGES:
        page = (await web_env.get(path)).text
        assert problems(page) == [
            "No worker shows a heartbeat.",
            "Discord is not connected.",
            "1 ticket is overdue.",
            "1 ticket needs a person.",
            "1 job has failed for good.",
        ], path
        assert counts(page) == {"Tickets": "2", "Attention": "1", "Timers": "2", "Jobs": "1"}


async def test_with_everything_in_order_there_is_no_banner(busy_web_env: WebEnv) -> None:
    for path in PAGES:
        assert problems((await busy_web_env.get(path)).text) == []


async def test_without_redis_that_is_said_and_no_worker_is_missed(
    web_env_without_redis: WebEnv,
) -> None:
    page = (await web_env_without_redis.get("/deadlines")).text
    assert problems(page) == ["Redis is not available."]


async def test_without_postgresql_that_comes_first(web_env: WebEnv) -> None:
    await web_env.database.close()
    for path in ("/", "/tickets", "/jobs/delayed"):
        page = (await web_env.get(path)).text
        assert problems(page)[0] == "PostgreSQL is not available.", path


@pytest.mark.parametrize("number", [999, 1_001])
async def test_many_tickets_are_not_counted_to_the_end(web_env: WebEnv, number: int) -> None:
    await web_env.execute(
        """insert into punctual.tickets (guild_id, number, opener_id)
           select 1, n, n from generate_series(1, $1) n""",
        number,
    )
    told = counts((await web_env.get("/trends")).text)["Tickets"]
    assert told == ("999" if number == 999 else "1\N{NO-BREAK SPACE}000+")
