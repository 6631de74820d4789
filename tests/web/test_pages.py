"""What the pages show: everything, in order, harmless, and nothing that is secret."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from html import unescape
from itertools import chain
from urllib.parse import urlsplit

import pytest
from saq.job import Status

from domains.database import Database
from domains.scheduled_task.inspection import JobState
from domains.scheduled_task.job_type import TICKET_LIFECYCLE, JobRequest
from domains.scheduled_task.queues.queue import FAILED
from domains.settings import Settings
from domains.ticket_lifecycle.channels import DiscordFailedError, PermissionMissingError
from tests.waiting import eventually
from web.pages import PAGE

from .web_env import PASSWORD, TOKEN, WebEnv, job_path, open_web_env

PAGES = (
    "/",
    "/trends",
    "/tickets",
    "/deadlines",
    "/tickets/attention",
    *(f"/jobs/{state.value}" for state in JobState),
    "/search?q=1",
)
HOSTILE = "</bdi><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}\"'&\u202e"
LATER = 4_000_000_000.0


async def a_bit_of_everything(web_env: WebEnv) -> list[str]:
    """Jobs in all states, tickets in trouble; returns the pages about single ones."""
    ticket = await web_env.open(HOSTILE[:200])
    alarm = await web_env.ask_to_close(ticket)
    await web_env.execute("update punctual.close_requests set reason = $1", HOSTILE)
    stuck = await web_env.open("stuck")
    await web_env.ask_to_close(stuck)
    hostile = json.dumps({"code": "other", "text": HOSTILE})
    await web_env.execute(
        "update punctual.tickets set attention = $2::jsonb where id = $1", stuck.id, hostile
    )
    await web_env.execute(
        """insert into punctual.ticket_events (ticket_id, guild_id, event, late_ms, detail, params)
           values ($1, 1, 'expired', 4, null, null), ($1, 1, 'closing', null, $2, null),
                  ($1, 1, 'close_failed', null, null, $3::jsonb)""",
        stuck.id,
        HOSTILE,
        hostile,
    )
    await web_env.execute(
        """insert into punctual.effects (guild_id, ticket_id, kind, failures, error)
           values (1, $1, 'welcome', 0, null), (1, $1, 'log-close', 2, $2::jsonb)""",
        stuck.id,
        hostile,
    )
    for key, status in (("failed", Status.FAILED), ("completed", Status.COMPLETE)):
        await web_env.note(key)
        await web_env.take(status, f"Traceback\nRuntimeError: {HOSTILE}")
    await web_env.note("retried")
    await web_env.fail_once()
    await web_env.note("active")
    await web_env.take()
    await web_env.note(HOSTILE)
    await web_env.note("delayed", LATER)
    keys = ("failed", "completed", "retried", "active", "delayed", alarm)
    return [*map(job_path, keys), f"/tickets/{ticket.id}", f"/tickets/{stuck.id}"]


async def test_every_page_is_there_with_nothing_to_show(web_env: WebEnv) -> None:
    for path in PAGES:
        assert (await web_env.get(path)).status == 200, path


async def test_every_page_is_there_with_everything_to_show(web_env: WebEnv) -> None:
    for path in (*PAGES, *await a_bit_of_everything(web_env)):
        answer = await web_env.get(path)
        assert answer.status == 200, path
        assert answer.headers["Content-Type"].split(";")[0] == "text/html"


async def test_what_people_typed_is_shown_and_does_nothing(web_env: WebEnv) -> None:
    paths = (*PAGES, *await a_bit_of_everything(web_env))
    pages = {path: await web_env.get(path) for path in paths}
    for path, answer in pages.items():
        assert "<script>" not in answer.text, path
        assert "<img src=x" not in answer.text, path
        assert "49" not in re.findall(r"img[^&]*onerror=alert\(2\)&gt;(\d+)", answer.text)
    hostile = ("/deadlines", "/tickets/attention", "/jobs/waiting", "/jobs/failed", paths[-1])
    for path in hostile:
        assert "<script>alert(1)</script>" in unescape(pages[path].text), path


async def test_a_job_with_a_hostile_key_can_be_reached_and_acted_on(web_env: WebEnv) -> None:
    key = await web_env.note(HOSTILE + "/../#?&+", LATER)
    listed = (await web_env.get("/jobs/delayed")).text
    link = re.search(r'class="key" href="([^"]+)"', listed)
    assert link is not None
    page = (await web_env.get(unescape(link[1]))).text
    assert key in unescape(page)
    assert await web_env.press(key, "run-now", page) == f"{key} runs now."


async def test_no_secret_is_on_any_page(web_env: WebEnv) -> None:
    passwords = [
        urlsplit(url or "").password
        for url in (web_env.settings.database_address, web_env.settings.redis_address)
    ]
    secrets = [PASSWORD, TOKEN, *(password for password in passwords if password)]
    assert len(secrets) == 4
    await web_env.note("leaky")
    await web_env.take(Status.FAILED, f"Traceback\nOSError: cannot reach {' or '.join(secrets)}")
    paths = (*PAGES, job_path("leaky"), *await a_bit_of_everything(web_env))
    for path in paths:
        text = unescape((await web_env.get(path)).text)
        assert not [secret for secret in secrets if secret in text], path
    assert "cannot reach *** or ***" in (await web_env.page_of("leaky")).text
    for path in ("/healthz", "/readyz", "/metrics"):
        text = (await web_env.probe(path)).text
        assert not [secret for secret in secrets if secret in text], path


AWKWARD = "pä<&>\"'\\s\t🔑word"


async def test_a_password_with_special_characters_is_on_no_page_in_any_spelling(
    database: Database, settings: Settings
) -> None:
    async with open_web_env(database, settings, password=AWKWARD, workers=False) as web_env:
        said = f"in an address {AWKWARD}, in a repr {AWKWARD!r}, in JSON {json.dumps(AWKWARD)}"
        for key in ("leaky", "leaky later"):
            job = JobRequest(key, LATER, 1, {"key": AWKWARD, "said": said})
            assert await web_env.scheduler.enqueue(web_env.notes, job)
        await web_env.make_due("leaky")
        await web_env.take(Status.FAILED, f"Traceback\nOSError: {said}")
        for path in ("/jobs/failed", job_path("leaky")):
            text = (await web_env.get(path)).text
            assert "in an address ***, in a repr" in text, path
            # Its parts without anything to escape are left by whatever spelling is overlooked.
            assert "word" not in text.replace("password", ""), path


async def test_nothing_is_loaded_from_elsewhere_and_nothing_runs_inline(web_env: WebEnv) -> None:
    for path in (*PAGES, *await a_bit_of_everything(web_env)):
        answer = await web_env.get(path)
        loads = re.findall(r'<(?:script|link|img)[^>]*(?:src|href)="([^"]*)"', answer.text)
        assert loads
        for address in loads:
            assert address.startswith("/"), path
            assert (await web_env.get(address)).status == 200, address
        assert not re.search(r"<style|\sstyle=|<script(?![^>]*src=)|\son\w+=\"", answer.text), path


# --- lists


async def test_delayed_jobs_come_by_their_due_time(web_env: WebEnv) -> None:
    for key, due in (("third", LATER + 2), ("first", LATER), ("second", LATER + 1)):
        await web_env.note(key, due)
    assert keys_on((await web_env.get("/jobs/delayed")).text) == ["first", "second", "third"]


async def test_finished_jobs_come_newest_first(web_env: WebEnv) -> None:
    for key in ("first", "second", "third"):
        await web_env.note(key)
        await web_env.take(Status.FAILED, "no")
    assert keys_on((await web_env.get("/jobs/failed")).text) == ["third", "second", "first"]


async def test_lists_come_in_pages_that_together_are_the_whole(web_env: WebEnv) -> None:
    wanted = [f"note-{number:03d}" for number in range(2 * PAGE + 5)]
    for number, key in enumerate(wanted):
        await web_env.note(key, LATER + number)
    pages = [keys_on((await web_env.get(f"/jobs/delayed?page={n}")).text) for n in (1, 2, 3, 4)]
    assert [len(page) for page in pages] == [PAGE, PAGE, 5, 0]
    assert list(chain.from_iterable(pages)) == wanted
    assert "Page 2 of 3" in (await web_env.get("/jobs/delayed?page=2")).text


async def test_what_has_outlived_its_time_is_on_no_page(web_env: WebEnv) -> None:
    queue = web_env.scheduler.queues[TICKET_LIFECYCLE]
    for key, age in (("kept", timedelta(0)), ("expired", FAILED.age + timedelta(minutes=1))):
        await web_env.note(key)
        await web_env.take(Status.FAILED, "no")
        ended_at = queue.now() - age.total_seconds()
        await queue.redis.zadd(queue.namespace("failed"), {queue.job_id(key): ended_at})
    assert keys_on((await web_env.get("/jobs/failed")).text) == ["kept"]


@pytest.mark.parametrize("page", ["0", "-1", "x", "", "9" * 30, "1e3", "999999"])
async def test_a_page_number_that_is_none_is_harmless(web_env: WebEnv, page: str) -> None:
    for path in ("/jobs/delayed", "/deadlines", "/tickets/attention"):
        assert (await web_env.get(f"{path}?page={page}")).status == 200


async def test_a_state_that_there_is_not_is_not_found(web_env: WebEnv) -> None:
    assert (await web_env.get("/jobs/exploded")).status == 404


@pytest.mark.parametrize("asked", ["{number}", "%23{number:04d}", "ticket-{number:04d}", "%20{id}"])
async def test_tickets_and_their_jobs_are_found_by_number_and_by_id(
    web_env: WebEnv, asked: str
) -> None:
    for _ in range(12):
        await web_env.open()
    ticket = await web_env.open("this one")
    key = await web_env.ask_to_close(ticket)
    await web_env.execute("update punctual.tickets set number = 77 where id = $1", ticket.id)
    page = (await web_env.get(f"/search?q={asked.format(number=77, id=ticket.id)}")).text
    assert "this one" in page
    assert keys_on(page) == [key]


async def test_a_failed_job_is_found_by_its_ticket_though_it_is_in_no_index(
    web_env: WebEnv,
) -> None:
    ticket = await web_env.open()
    key = await web_env.ask_to_close(ticket)
    await web_env.make_due(key)
    await web_env.take(Status.FAILED, "no")
    assert keys_on((await web_env.get(f"/search?q={ticket.id}")).text) == [key]


@pytest.mark.parametrize(
    "asked", ["", "nothing", "9" * 18, "9" * 40, "'; drop table punctual.tickets"]
)
async def test_a_search_that_finds_nothing_says_so(web_env: WebEnv, asked: str) -> None:
    answer = await web_env.get(f"/search?q={asked}")
    assert answer.status == 200
    assert "No ticket has this number or id." in answer.text


def keys_on(page: str) -> list[str]:
    return re.findall(r'<a class="key" href="[^"]*">([^<]*)</a>', page)


# --- the overview


async def test_the_overview_counts_and_tells_what_closes_next(web_env: WebEnv) -> None:
    soon, later = await web_env.open("soon"), await web_env.open("later")
    await web_env.ask_to_close(later, hours=30)
    await web_env.ask_to_close(soon, hours=2)
    await web_env.note("failed")
    await web_env.take(Status.FAILED, "no")
    page = (await web_env.get("/")).text
    counts = dict(re.findall(r"<dt>(\w+)</dt><dd><a href=\"/jobs/\w+\">(\d+)</a>", page))
    assert counts == {
        "waiting": "0",
        "delayed": "2",
        "active": "0",
        "completed": "0",
        "failed": "1",
    }
    assert page.index("soon") < page.index("later")
    bars = [int(number) for number in re.findall(r"<title>\w+ \d\d:\d\d UTC: (\d+)</title>", page)]
    assert sum(bars) == 2


async def test_the_overview_tells_how_late_closes_were(web_env: WebEnv) -> None:
    ticket = await web_env.open()
    late = [1_000 * n for n in range(1, 101)]
    await web_env.execute(
        """insert into punctual.ticket_events (ticket_id, guild_id, event, late_ms)
           select $1, 1, event, late_ms * factor
           from unnest($2::bigint[]) as late_ms,
                (values ('expired', 1), ('closed', 2)) as events (event, factor)""",
        ticket.id,
        late,
    )
    page = (await web_env.get("/")).text
    tiles = dict(re.findall(r"<dt>(\w+ late, \w+)</dt><dd>([^<]*)</dd>", page))
    assert tiles == {
        "Decided late, p50": "50 s",
        "Decided late, p99": "1 min 39 s",
        "Gone late, p50": "1 min 40 s",
        "Gone late, p99": "3 min 20 s",
    }


async def test_the_overview_tells_what_is_overdue_and_what_needs_a_person(web_env: WebEnv) -> None:
    overdue, stuck = await web_env.open(), await web_env.open("stuck one")
    for ticket in (overdue, stuck):
        await web_env.ask_to_close(ticket)
    await web_env.execute(
        "update punctual.close_requests set auto_close_at = now() - interval '1 minute'"
    )
    web_env.lifecycle.discord_status.misses.note()  # so the channel is read
    web_env.channels.failures["opener_wrote_after"] = [PermissionMissingError(("Read Messages",))]
    await web_env.lifecycle.auto_close(stuck.id)
    page = (await web_env.get("/")).text
    assert re.search(r"<dt>Overdue</dt><dd>1</dd>", page)
    assert re.search(r"<dt>Need attention</dt><dd><a[^>]*>1</a></dd>", page)
    assert "the bot lacks the permission Read Messages" in page


async def test_who_waits_for_a_person_is_told_since_when_longest_first(web_env: WebEnv) -> None:
    first, second = await web_env.open("waits longest"), await web_env.open("waits too")
    await web_env.execute("""update punctual.tickets set attention = '{"code": "other"}'""")
    for ticket in (second, first):
        await web_env.execute(
            """insert into punctual.ticket_events (ticket_id, guild_id, event)
               values ($1, 1, 'attention')""",
            ticket.id,
        )
    await web_env.execute(
        "update punctual.ticket_events set at = now() - interval '3 hours' where ticket_id = $1",
        first.id,
    )
    page = (await web_env.get("/tickets/attention")).text
    assert page.index("waits longest") < page.index("waits too")
    assert "3 h ago" in page


async def test_the_overview_shows_the_heartbeat_of_the_workers(busy_web_env: WebEnv) -> None:
    async def a_worker_shows_its_heartbeat() -> bool:
        return bool(re.search(r"heartbeat \d\.\d s ago", (await busy_web_env.get("/")).text))

    await eventually(a_worker_shows_its_heartbeat)


async def test_without_redis_the_pages_say_so_and_what_postgresql_knows(
    web_env_without_redis: WebEnv,
) -> None:
    web_env = web_env_without_redis
    ticket = await web_env.open("still here")
    await web_env.lifecycle.request_close(ticket.id, 1, None, 5)
    overview = await web_env.get("/")
    assert overview.status == 200
    assert "Redis is not available" in overview.text
    assert "still here" in overview.text
    assert re.search(r"<title>\w+ \d\d:\d\d UTC: 1</title>", overview.text)
    assert (
        "Redis is away, so PostgreSQL keeps the deadline."
        in (await web_env.get(f"/tickets/{ticket.id}")).text
    )
    assert (await web_env.get("/deadlines")).status == 200
    for path in ("/jobs/delayed", "/job?queue=x&key=y"):
        answer = await web_env.get(path)
        assert (answer.status, "Redis is not available" in answer.text) == (503, True)


async def test_before_the_scheduler_has_started_the_pages_do_not_blame_redis(
    web_env: WebEnv,
) -> None:
    await web_env.scheduler.shutdown()
    overview = (await web_env.get("/")).text
    assert "The scheduler has not started yet: it waits for Discord." in overview
    assert "not available" not in overview
    for path in ("/jobs/delayed", "/job?queue=x&key=y"):
        answer = await web_env.get(path)
        assert (answer.status, "it waits for Discord" in answer.text) == (503, True)


async def test_without_postgresql_the_pages_say_so(web_env: WebEnv) -> None:
    await web_env.database.close()
    overview = await web_env.get("/")
    assert overview.status == 200
    assert "PostgreSQL is not available" in overview.text
    for path in ("/deadlines", "/tickets/1", "/tickets/attention", "/search?q=1"):
        assert (await web_env.get(path)).status == 503
    assert (await web_env.get("/jobs/delayed")).status == 200


async def test_without_postgresql_a_job_still_tells_what_redis_knows(web_env: WebEnv) -> None:
    key = await web_env.ask_to_close(await web_env.open("the subject"))
    await web_env.make_due(key)
    await web_env.fail_once()
    web_env.database.pool.terminate()
    answer = await web_env.page_of(key)
    assert answer.status == 200
    assert "RuntimeError: the first attempt failed" in answer.text
    assert "PostgreSQL is not available; nothing can be done" in answer.text
    assert "<button name=" not in answer.text


async def test_while_discord_is_away_the_overview_says_so(web_env: WebEnv) -> None:
    web_env.gateway.latency = float("inf")
    assert "not connected" in (await web_env.get("/")).text


# --- single pages


async def test_the_page_of_a_job_tells_it_all(web_env: WebEnv) -> None:
    ticket = await web_env.open("the subject")
    key = await web_env.ask_to_close(ticket)
    await web_env.make_due(key)
    await web_env.fail_once()
    page = unescape(re.sub("</?(?:bdi|span)[^>]*>", "", (await web_env.page_of(key)).text))
    for told in (
        "1 of 4, waiting for the next",
        "RuntimeError: the first attempt failed",
        f'"ticket_id": {ticket.id}',
        "the subject",
        "user 200 asked to close it",
    ):
        assert told in page


async def test_the_page_of_a_ticket_tells_whether_it_will_close_and_of_its_alarm(
    web_env: WebEnv,
) -> None:
    ticket = await web_env.open()
    await web_env.ask_to_close(ticket)
    page = unescape((await web_env.get(f"/tickets/{ticket.id}")).text)
    assert re.search(r"It closes 2[^,]+ UTC, as user 200 asked, unless the member answers.", page)
    assert "Its alarm is set." in page
    await web_env.lifecycle.exclude_from_autoclose(ticket.id, 200)
    page = unescape((await web_env.get(f"/tickets/{ticket.id}")).text)
    assert "It doesn't close by itself: user 200 excluded it from auto-close." in page
    assert "alarm" not in page


async def test_the_page_of_a_ticket_tells_what_discord_is_still_to_be_told(
    web_env: WebEnv,
) -> None:
    ticket = await web_env.open()
    web_env.channels.failures["log_close"] = [DiscordFailedError("no answer")]
    with pytest.raises(DiscordFailedError):
        await web_env.lifecycle.close_ticket(ticket.id, 200)
    page = unescape((await web_env.get(f"/tickets/{ticket.id}")).text)
    assert "It's being closed; done so far: the transcript." in page
    assert "1 of 4 attempts failed, with: no answer." in page
    told = page.partition("Still to be told to Discord")[2].partition("Jobs")[0]
    assert re.search(r"the log message.*failed 1 ×: no answer.*next.*in \d+ s", told, re.DOTALL)
    assert "the channel's end" in told


async def test_a_job_that_is_not_there_is_not_found(web_env: WebEnv) -> None:
    for path in (job_path("nothing"), "/job", "/job?queue=nothing&key=x", "/tickets/999"):
        assert (await web_env.get(path)).status == 404


async def test_times_are_machine_readable_and_in_utc(web_env: WebEnv) -> None:
    ticket = await web_env.open()
    await web_env.ask_to_close(ticket, hours=1)
    page = (await web_env.get("/deadlines")).text
    found = re.search(r'<time datetime="([^"]+)">[^<]* UTC</time>', page)
    assert found is not None
    left = datetime.fromisoformat(found[1]) - datetime.now(UTC)
    assert timedelta(minutes=59) < left < timedelta(minutes=61)
    assert "in 59 min" in page


async def test_an_unexpected_failure_shows_no_traceback(
    web_env: WebEnv, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: object) -> None:
        raise KeyError("an inside thing")

    monkeypatch.setattr("domains.monitoring.timer_list.TimerList.count", fail)
    answer = await web_env.get("/deadlines")
    assert answer.status == 500
    assert "inside" not in answer.text
    assert "Traceback" not in answer.text
    assert "an inside thing" in caplog.text
