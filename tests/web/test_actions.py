"""What the buttons of a job do, in every state that it may be in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import cast

import pytest
from saq.job import Status

from domains.scheduled_task.inspection import (
    Inspection,
    JobMovedOnError,
    JobState,
    UnknownJobError,
)
from domains.scheduled_task.job_type import TICKET_LIFECYCLE, JobServices
from domains.scheduled_task.jobs.send_reminder import SendReminder
from domains.scheduled_task.redis_client import RedisClient
from domains.ticket_lifecycle.channels import DiscordFailedError, PermissionMissingError
from domains.ticket_lifecycle.models import RequestStatus, Ticket, TicketStatus
from tests.waiting import eventually

from .web_env import STAFF_ID, WebEnv, basic, form_in, token_in

LATER = 4_000_000_000.0
KEY = "a note"
FAILURE = "Traceback\nRuntimeError: it failed"


# --- a job that has nothing to do with tickets, in each state


async def waiting(web_env: WebEnv) -> None:
    await web_env.note(KEY)


async def delayed(web_env: WebEnv) -> None:
    await web_env.note(KEY, LATER)


async def between_attempts(web_env: WebEnv) -> None:
    await web_env.note(KEY)
    await web_env.fail_once()


async def active(web_env: WebEnv) -> None:
    await web_env.note(KEY)
    await web_env.take()


async def completed(web_env: WebEnv) -> None:
    await web_env.note(KEY)
    await web_env.take(Status.COMPLETE)


async def failed(web_env: WebEnv) -> None:
    await web_env.note(KEY)
    await web_env.take(Status.FAILED, FAILURE)


State = Callable[[WebEnv], Awaitable[None]]
GONE = None
SAME = "nothing was done"
EXPECTED: list[tuple[State, str, JobState | str | None]] = [
    (waiting, "retry", SAME),
    (waiting, "run-now", SAME),
    (waiting, "cancel", GONE),
    (delayed, "retry", SAME),
    (delayed, "run-now", JobState.WAITING),
    (delayed, "cancel", GONE),
    (between_attempts, "retry", SAME),
    (between_attempts, "run-now", JobState.WAITING),
    (between_attempts, "cancel", GONE),
    (active, "retry", SAME),
    (active, "run-now", SAME),
    (active, "cancel", SAME),
    (completed, "retry", SAME),
    (completed, "run-now", SAME),
    (completed, "cancel", GONE),
    (failed, "retry", JobState.WAITING),
    (failed, "run-now", SAME),
    (failed, "cancel", GONE),
]


async def state_of(web_env: WebEnv) -> JobState | None:
    try:
        return (await web_env.job(KEY)).state
    except UnknownJobError:
        return None


async def times_queued(web_env: WebEnv) -> int:
    """How often it would be started: once at most, whatever was pressed."""
    queue = web_env.scheduler.queues[TICKET_LIFECYCLE]
    client = cast("RedisClient", queue.redis)
    ids = await client.lrange(queue.namespace("queued"), 0, -1)
    ids += await client.lrange(queue.namespace("active"), 0, -1)
    return ids.count(queue.job_id(KEY).encode())


@pytest.mark.parametrize(
    ("state", "action", "expected"),
    EXPECTED,
    ids=[f"{action} a job that is {state.__name__}" for state, action, _ in EXPECTED],
)
async def test_an_action_in_a_state(
    web_env: WebEnv, state: State, action: str, expected: JobState | str | None
) -> None:
    await state(web_env)
    before = await state_of(web_env)
    page = (await web_env.page_of(KEY)).text
    offered = f'value="{action}" disabled' not in page
    assert offered == (expected != SAME)
    said = await web_env.press(KEY, action)
    assert said
    assert await state_of(web_env) == (before if expected == SAME else expected)
    assert await times_queued(web_env) <= 1


async def test_a_failed_job_is_tried_again_with_all_its_attempts(web_env: WebEnv) -> None:
    await failed(web_env)
    await web_env.press(KEY, "retry")
    job = await web_env.job(KEY)
    assert (job.attempts, job.max_attempts, job.error) == (0, 4, None)
    assert job.payload == {"key": KEY}
    assert await web_env.take() == KEY
    counts = await web_env.scheduler.counts()
    assert (counts.active, counts.failed) == (1, 0)


async def test_a_job_between_attempts_keeps_its_attempts_when_brought_forward(
    web_env: WebEnv,
) -> None:
    await between_attempts(web_env)
    await web_env.press(KEY, "run-now")
    assert (await web_env.job(KEY)).attempts == 1


@pytest.mark.parametrize(("state", "action"), [(failed, "retry"), (delayed, "run-now")])
async def test_ten_presses_at_once_start_a_job_once(
    web_env: WebEnv, state: State, action: str
) -> None:
    await state(web_env)
    page = (await web_env.page_of(KEY)).text
    await asyncio.gather(*(web_env.press(KEY, action, page) for _ in range(10)))
    assert await times_queued(web_env) == 1
    assert (await web_env.scheduler.counts()).waiting == 1


@pytest.mark.parametrize("action", ["retry", "run-now", "cancel"])
async def test_a_page_that_is_out_of_date_does_not_start_a_running_job_again(
    web_env: WebEnv, action: str
) -> None:
    await delayed(web_env)
    page = (await web_env.page_of(KEY)).text
    await web_env.make_due(KEY)
    await web_env.take()
    assert await web_env.press(KEY, action, page)
    assert await state_of(web_env) is JobState.ACTIVE
    assert await times_queued(web_env) == 1


@pytest.mark.parametrize("state", [waiting, active, completed, failed])
async def test_what_was_delayed_when_it_was_looked_at_is_looked_at_again_when_it_is_moved(
    web_env: WebEnv, state: State
) -> None:
    """The look and the act are two round trips; the script that acts looks once more."""
    await state(web_env)
    before = await web_env.job(KEY)
    looked_at = replace(before, state=JobState.DELAYED)
    with pytest.raises(JobMovedOnError):
        await Inspection(web_env.scheduler).run_now(looked_at)
    assert await web_env.job(KEY) == before
    assert await times_queued(web_env) <= 1


async def test_ten_retries_that_looked_at_once_queue_a_job_once(web_env: WebEnv) -> None:
    await failed(web_env)
    # Each opens its connection, so that none is late for the race.
    looked_at, *_ = await asyncio.gather(*(web_env.job(KEY) for _ in range(10)))
    inspection = Inspection(web_env.scheduler)
    answers = await asyncio.gather(
        *(inspection.requeue(looked_at) for _ in range(10)), return_exceptions=True
    )
    assert answers.count(None) == 1
    assert sum(isinstance(answer, JobMovedOnError) for answer in answers) == 9
    assert await times_queued(web_env) == 1


async def test_a_running_job_is_not_forgotten(web_env: WebEnv) -> None:
    await active(web_env)
    running = await web_env.job(KEY)
    for state in (JobState.ACTIVE, JobState.FAILED):
        with pytest.raises(JobMovedOnError):
            await Inspection(web_env.scheduler).remove(replace(running, state=state))
    assert await web_env.job(KEY) == running


@pytest.mark.parametrize("action", ["retry", "run-now", "cancel"])
async def test_an_action_on_a_job_that_is_gone_says_so(web_env: WebEnv, action: str) -> None:
    await delayed(web_env)
    page = (await web_env.page_of(KEY)).text
    await web_env.scheduler.queues[TICKET_LIFECYCLE].cancel(KEY)
    assert await web_env.press(KEY, action, page) == f"There is no job {KEY} (any more)."


async def test_a_job_of_an_unknown_type_is_not_tried_again(web_env: WebEnv) -> None:
    await failed(web_env)
    queue = web_env.scheduler.queues[TICKET_LIFECYCLE]
    record = await queue.redis.get(queue.job_id(KEY))
    await queue.redis.set(queue.job_id(KEY), record.replace(b'"note"', b'"forgotten"'))
    assert "Unknown job type: forgotten" in await web_env.press(KEY, "retry")
    assert await state_of(web_env) is JobState.FAILED


async def test_a_record_that_cannot_be_read_can_be_seen_and_removed(web_env: WebEnv) -> None:
    await failed(web_env)
    queue = web_env.scheduler.queues[TICKET_LIFECYCLE]
    await queue.redis.set(queue.job_id(KEY), b"\xff{")
    assert "cannot be read" in (await web_env.page_of(KEY)).text
    assert "cannot be read" in (await web_env.get("/jobs/failed")).text
    await web_env.press(KEY, "retry")
    assert await state_of(web_env) is JobState.FAILED
    await web_env.press(KEY, "cancel")
    assert await state_of(web_env) is None


# --- the alarm of a ticket


async def pass_the_deadline(web_env: WebEnv, ticket: Ticket) -> str:
    """In PostgreSQL and in Redis; returns the job that belongs to the new deadline."""
    await web_env.execute(
        """update punctual.close_requests set auto_close_at =
               date_trunc('milliseconds', now() - interval '5 seconds')
           where ticket_id = $1 and status = 'pending'""",
        ticket.id,
    )
    await web_env.scheduler.cancel_auto_close_for_ticket(ticket.id)
    job_id = await web_env.scheduler.schedule_auto_close(ticket.id, 0)
    assert job_id is not None
    return job_id


async def status(web_env: WebEnv, ticket: Ticket) -> tuple[TicketStatus, RequestStatus]:
    found = await web_env.lifecycle.ticket(ticket.id)
    request = await web_env.lifecycle.latest_request(ticket.id)
    assert found is not None
    assert request is not None
    return found.status, request.status


async def test_nothing_brings_a_ticket_before_its_deadline(web_env: WebEnv) -> None:
    ticket = await web_env.open()
    key = await web_env.ask_to_close(ticket)
    assert "Nothing closes a ticket before its deadline" in (await web_env.page_of(key)).text
    due = (await web_env.job(key)).due
    assert "before its deadline" in await web_env.press(key, "run-now")
    assert (await web_env.job(key)).due == due


async def test_an_overdue_alarm_can_be_run_now(web_env: WebEnv) -> None:
    ticket = await web_env.open()
    await web_env.ask_to_close(ticket)
    key = await pass_the_deadline(web_env, ticket)
    assert await web_env.press(key, "run-now") == f"{key} runs now."
    assert (await web_env.job(key)).state is JobState.WAITING


async def test_cancelling_an_alarm_withdraws_the_request_so_that_nothing_sets_it_again(
    web_env: WebEnv,
) -> None:
    ticket = await web_env.open()
    key = await web_env.ask_to_close(ticket)
    assert "Withdraw the close request" in (await web_env.page_of(key)).text
    assert "withdrawn" in await web_env.press(key, "cancel")
    assert await status(web_env, ticket) == (TicketStatus.OPEN, RequestStatus.WITHDRAWN)
    await web_env.scheduler.reconcile()
    assert await Inspection(web_env.scheduler).about(ticket.id) == []
    assert (1, "withdrawn") in web_env.channels.outcomes
    assert "an operator" in (await web_env.get(f"/tickets/{ticket.id}")).text


async def test_an_alarm_that_nothing_asks_for_any_more_is_just_removed(web_env: WebEnv) -> None:
    ticket = await web_env.open()
    old = await web_env.ask_to_close(ticket, hours=2)
    await web_env.execute(
        "update punctual.close_requests set auto_close_at = auto_close_at + interval '1 hour'"
    )
    assert "Withdraw" not in (await web_env.page_of(old)).text
    assert await web_env.press(old, "cancel") == f"{old} is removed."
    assert await status(web_env, ticket) == (TicketStatus.OPEN, RequestStatus.PENDING)


async def test_a_close_that_has_begun_leaves_no_job_to_act_on(web_env: WebEnv) -> None:
    """It goes on by what Discord is still to be told."""
    ticket = await web_env.open()
    await web_env.ask_to_close(ticket)
    await pass_the_deadline(web_env, ticket)
    web_env.channels.failures["log_close"] = [DiscordFailedError("503")]
    with pytest.raises(DiscordFailedError):
        await web_env.lifecycle.auto_close(ticket.id)
    assert await status(web_env, ticket) == (TicketStatus.CLOSING, RequestStatus.EXPIRED)
    assert await Inspection(web_env.scheduler).about(ticket.id) == []


async def test_the_alarm_of_another_kind_cannot_be_cancelled_while_it_is_wanted(
    web_env: WebEnv,
) -> None:
    ticket = await web_env.open()
    await web_env.ask_to_close(ticket)
    reminder = SendReminder(JobServices(web_env.database, web_env.lifecycle))
    web_env.scheduler.register([reminder])
    await web_env.scheduler.reconcile()
    (timer,) = await web_env.scheduler.timers.of_owners([reminder], [ticket.id])
    page = (await web_env.page_of(timer.key)).text
    for action, why in (("run-now", "Nothing happens before its time"), ("cancel", "set again")):
        assert f'value="{action}" disabled' in page
        assert why in await web_env.press(timer.key, action)
    assert (await web_env.job(timer.key)).state is JobState.DELAYED
    await web_env.lifecycle.exclude_from_autoclose(ticket.id, STAFF_ID)
    assert {job.name for job in await Inspection(web_env.scheduler).about(ticket.id)} == set()


async def test_a_failed_job_that_is_tried_again_takes_what_keeps_its_ticket_with_it(
    web_env: WebEnv,
) -> None:
    ticket = await web_env.open()
    await web_env.ask_to_close(ticket)
    key = await pass_the_deadline(web_env, ticket)
    web_env.lifecycle.discord_status.misses.note()  # so the channel is read
    web_env.channels.failures["opener_wrote_after"] = [PermissionMissingError(("Read Messages",))]
    await web_env.lifecycle.auto_close(ticket.id)
    await web_env.make_due(key)
    await web_env.take(Status.FAILED, FAILURE)
    page = (await web_env.page_of(key)).text
    assert "What keeps its ticket from closing is tried again, too." in page
    assert "is tried again" in await web_env.press(key, "retry", page)
    assert await status(web_env, ticket) == (TicketStatus.CLOSED, RequestStatus.EXPIRED)
    assert await Inspection(web_env.scheduler).about(ticket.id) == []


async def test_a_failed_alarm_is_withdrawn_with_its_record_and_its_call_for_attention(
    web_env: WebEnv,
) -> None:
    ticket = await web_env.open()
    await web_env.ask_to_close(ticket)
    key = await pass_the_deadline(web_env, ticket)
    await web_env.execute("""update punctual.tickets set attention = '{"code": "other"}'""")
    await web_env.make_due(key)
    await web_env.take(Status.FAILED, FAILURE)
    await web_env.press(key, "cancel")
    assert await status(web_env, ticket) == (TicketStatus.OPEN, RequestStatus.WITHDRAWN)
    found = await web_env.lifecycle.ticket(ticket.id)
    assert found is not None
    assert found.attention is None
    assert await Inspection(web_env.scheduler).about(ticket.id) == []


async def test_with_workers_a_failed_close_that_is_tried_again_closes_the_ticket(
    busy_web_env: WebEnv,
) -> None:
    web_env = busy_web_env
    ticket = await web_env.open()
    await web_env.ask_to_close(ticket)
    web_env.channels.failures["remove"] = [PermissionMissingError(("Manage Channels",))]
    await web_env.execute(
        "update punctual.close_requests set auto_close_at = now() - interval '2 seconds'"
    )

    async def needs_attention() -> bool:
        found = await web_env.lifecycle.ticket(ticket.id)
        return found is not None and found.attention is not None

    async def is_closed() -> bool:
        return (await status(web_env, ticket))[0] is TicketStatus.CLOSED

    await eventually(needs_attention)
    page = (await web_env.get("/tickets/attention")).text
    assert "the bot lacks the permission Manage Channels" in page
    said = await web_env.confirm(f"/tickets/{ticket.id}/retry")
    assert said == "Tried again: the ticket is closed."
    await eventually(is_closed)


async def test_without_postgresql_every_action_says_so(
    web_env: WebEnv, caplog: pytest.LogCaptureFixture
) -> None:
    ticket = await web_env.open()
    key = await web_env.ask_to_close(ticket)
    form = {"queue": TICKET_LIFECYCLE, "key": key, "action": "cancel"}
    job = form | {"token": token_in((await web_env.page_of(key)).text)}
    await web_env.execute("""update punctual.tickets set attention = '{"code": "other"}'""")
    retry = form_in((await web_env.get(f"/tickets/{ticket.id}/retry")).text)
    web_env.database.pool.terminate()
    for answer in (
        await web_env.ask("POST", "/job", basic(), data=job),
        await web_env.ask("POST", f"/tickets/{ticket.id}/retry", basic(), data=retry),
    ):
        assert answer.status == 503
        assert "PostgreSQL is not available at the moment." in answer.text
    assert "Traceback" not in caplog.text


async def test_a_retry_of_a_ticket_says_what_still_keeps_it(web_env: WebEnv) -> None:
    ticket = await web_env.open()
    await web_env.ask_to_close(ticket)
    await pass_the_deadline(web_env, ticket)
    refusals = [
        PermissionMissingError(("Read Messages",)),
        PermissionMissingError(("Read History",)),
    ]
    web_env.lifecycle.discord_status.misses.note()  # so the channel is read
    web_env.channels.failures["opener_wrote_after"] = list[Exception](refusals)
    await web_env.lifecycle.auto_close(ticket.id)
    said = await web_env.confirm(f"/tickets/{ticket.id}/retry")
    assert said == "It still needs attention: the bot lacks the permission Read History."
    after = (await web_env.get(f"/tickets/{ticket.id}")).text
    assert "A person is needed: the bot lacks the permission Read History." in after
