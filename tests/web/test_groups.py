"""What failed, by its error and its server, and trying all of a group again."""

from __future__ import annotations

import json
import re
from html import unescape

from saq.job import Status

from domains.scheduled_task.inspection import JobState
from domains.scheduled_task.job_type import JobRequest

from .web_env import WebEnv, basic, form_in


def groups(page: str) -> list[tuple[str, str, str]]:
    """Code, server and how many."""
    found = re.findall(
        r'<span class="key">([^<]*)</span>.*?(?:title="server (\d+)"|no server).*?'
        r'<td class="figure"[^>]*>(\d+)</td>',
        page,
        re.DOTALL,
    )
    return [(unescape(code), server, number) for code, server, number in found]


async def troubled(web_env: WebEnv) -> None:
    """Three tickets that need a person, one of them in another server, and one that fails."""
    missing = {"code": "permission_missing", "permissions": ["Manage Channels"]}
    reasons = (
        missing,
        {"code": "keeps_failing", "step": "log-close", "error": missing},
        {"code": "server_full", "text": "no room"},
        None,
    )
    for number, reason in enumerate(reasons):
        ticket = await web_env.open(f"ticket {number}")
        await web_env.execute(
            "update punctual.tickets set attention = $2::jsonb, guild_id = $3 where id = $1",
            ticket.id,
            reason and json.dumps(reason),
            2 if number == 2 else 1,
        )
        await web_env.execute(
            """insert into punctual.effects (guild_id, ticket_id, kind, failures, error, due_at)
               values (1, $1, 'log-close', 3, '{"code": "discord_failed", "text": "503"}',
                       now() + interval '1 hour')""",
            ticket.id,
        )


async def still_failing(web_env: WebEnv) -> int:
    async with web_env.database.connection() as connection:
        return await connection.fetchval("select count(*) from punctual.effects where failures > 0")


async def test_tickets_are_grouped_and_a_group_is_tried_again_once_it_is_confirmed(
    web_env: WebEnv,
) -> None:
    await troubled(web_env)
    page = (await web_env.get("/tickets/attention")).text
    assert groups(page) == [
        ("permission_missing", "1", "2"),
        ("discord_failed", "1", "1"),
        ("server_full", "2", "1"),
    ]
    path = "/retry?what=tickets&code=permission_missing&server=1"
    assert "Retry 2 tickets?" in (await web_env.get(path)).text
    assert await still_failing(web_env) == 4
    assert await web_env.confirm(path) == "2 tickets are tried again."
    assert await still_failing(web_env) == 2
    assert await web_env.confirm("/retry?what=tickets&server=2") == "1 ticket is tried again."
    for ticket_id in (1, 2, 3):
        last = (await web_env.lifecycle.events(ticket_id))[-1]
        assert (last.event, last.operator) == ("retried", "admin")


async def test_failed_jobs_are_grouped_and_tried_again(web_env: WebEnv) -> None:
    ticket = await web_env.open()
    for key, error in (("a", "OSError: 1"), ("b", "OSError: 2"), ("c", "x.y.KeyError: 'k'")):
        job = JobRequest(key, 0, ticket.id, {"key": key, "ticket_id": ticket.id})
        assert await web_env.scheduler.enqueue(web_env.notes, job)
        await web_env.take(Status.FAILED, f"Traceback\n{error}")
    await web_env.note("d")
    await web_env.take(Status.FAILED, "Traceback\nOSError: of no ticket")
    page = (await web_env.get("/jobs/failed")).text
    assert groups(page) == [("OSError", "1", "2"), ("OSError", "", "1"), ("KeyError", "1", "1")]
    said = await web_env.confirm("/retry?what=jobs&code=OSError&server=1")
    assert said == "2 jobs are tried again."
    states = [(await web_env.job(key)).state for key in "abcd"]
    waiting, failed = JobState.WAITING, JobState.FAILED
    assert states == [waiting, waiting, failed, failed]
    assert await web_env.confirm("/retry?what=jobs") == "2 jobs are tried again."


async def test_a_group_is_tried_again_only_with_its_own_token(web_env: WebEnv) -> None:
    await troubled(web_env)
    form = form_in((await web_env.get("/retry?what=tickets&code=server_full&server=2")).text)
    for forged in (
        form | {"token": ""},
        form | {"server": ""},
        form | {"code": ""},
        form | {"code": "permission_missing"},
        form | {"what": "jobs"},
    ):
        assert (await web_env.ask("POST", "/retry", basic(), data=forged)).status == 403
    for nonsense in ({}, form | {"what": "all"}, form | {"server": "one"}):
        assert (await web_env.ask("POST", "/retry", basic(), data=nonsense)).status == 404
    for path in ("/retry", "/retry?what=x", "/retry?what=tickets&server=x"):
        assert (await web_env.get(path)).status == 404
    hostile = "/retry?what=tickets&code=%00%27%3Cscript%3E"
    assert "<script>" not in (await web_env.get(hostile)).text
    assert await still_failing(web_env) == 4
