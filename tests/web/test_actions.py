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
from domains.scheduled_task.job_type import TICKET_LIFECYCLE
from domains.scheduled_task.redis_client import RedisClient
from domains.ticket_lifecycle.channels import DiscordFailedError, PermissionMissingError
from domains.ticket_lifecycle.models import RequestStatus, Ticket, TicketStatus
from tests.waiting import eventually

from .office import Office, basic, token_in

LATER = 4_000_000_000.0
KEY = "a note"
FAILURE = "Traceback\nRuntimeError: it failed"


# --- a job that has nothing to do with tickets, in each state


async def waiting(office: Office) -> None:
    await office.note(KEY)


async def delayed(office: Office) -> None:
    await office.note(KEY, LATER)


async def between_attempts(office: Office) -> None:
    await office.note(KEY)
    await office.fail_once()


async def active(office: Office) -> None:
    await office.note(KEY)
    await office.take()


async def completed(office: Office) -> None:
    await office.note(KEY)
    await office.take(Status.COMPLETE)


async def failed(office: Office) -> None:
    await office.note(KEY)
    await office.take(Status.FAILED, FAILURE)


State = Callable[[Office], Awaitable[None]]
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


async def state_of(office: Office) -> JobState | None:
    try:
        return (await office.job(KEY)).state
    except UnknownJobError:
        return None


async def times_queued(office: Office) -> int:
    """How often it would be started: once at most, whatever was pressed."""
    queue = office.scheduler.queues[TICKET_LIFECYCLE]
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
    office: Office, state: State, action: str, expected: JobState | str | None
) -> None:
    await state(office)
    before = await state_of(office)
    page = (await office.page_of(KEY)).text
    offered = f'value="{action}" disabled' not in page
    assert offered == (expected != SAME)
    said = await office.press(KEY, action)
    assert said
    assert await state_of(office) == (before if expected == SAME else expected)
    assert await times_queued(office) <= 1


async def test_a_failed_job_is_tried_again_with_all_its_attempts(office: Office) -> None:
    await failed(office)
    await office.press(KEY, "retry")
    job = await office.job(KEY)
    assert (job.attempts, job.attempts_at_most, job.error) == (0, 4, None)
    assert job.payload == {"key": KEY}
    assert await office.take() == KEY
    counts = await office.scheduler.counts()
    assert (counts.active, counts.failed) == (1, 0)


async def test_a_job_between_attempts_keeps_its_attempts_when_brought_forward(
    office: Office,
) -> None:
    await between_attempts(office)
    await office.press(KEY, "run-now")
    assert (await office.job(KEY)).attempts == 1


@pytest.mark.parametrize(("state", "action"), [(failed, "retry"), (delayed, "run-now")])
async def test_ten_presses_at_once_start_a_job_once(
    office: Office, state: State, action: str
) -> None:
    await state(office)
    page = (await office.page_of(KEY)).text
    await asyncio.gather(*(office.press(KEY, action, page) for _ in range(10)))
    assert await times_queued(office) == 1
    assert (await office.scheduler.counts()).waiting == 1


@pytest.mark.parametrize("action", ["retry", "run-now", "cancel"])
async def test_a_page_that_is_out_of_date_does_not_start_a_running_job_again(
    office: Office, action: str
) -> None:
    await delayed(office)
    page = (await office.page_of(KEY)).text
    await office.make_due(KEY)
    await office.take()
    assert await office.press(KEY, action, page)
    assert await state_of(office) is JobState.ACTIVE
    assert await times_queued(office) == 1


@pytest.mark.parametrize("state", [waiting, active, completed, failed])
async def test_what_was_delayed_when_it_was_looked_at_is_looked_at_again_when_it_is_moved(
    office: Office, state: State
) -> None:
    """The look and the act are two round trips; the script that acts looks once more."""
    await state(office)
    before = await office.job(KEY)
    looked_at = replace(before, state=JobState.DELAYED)
    with pytest.raises(JobMovedOnError):
        await Inspection(office.scheduler).run_now(looked_at)
    assert await office.job(KEY) == before
    assert await times_queued(office) <= 1


async def test_ten_retries_that_looked_at_once_queue_a_job_once(office: Office) -> None:
    await failed(office)
    # Each opens its connection, so that none is late for the race.
    looked_at, *_ = await asyncio.gather(*(office.job(KEY) for _ in range(10)))
    inspection = Inspection(office.scheduler)
    answers = await asyncio.gather(
        *(inspection.requeue(looked_at) for _ in range(10)), return_exceptions=True
    )
    assert answers.count(None) == 1
    assert sum(isinstance(answer, JobMovedOnError) for answer in answers) == 9
    assert await times_queued(office) == 1


async def test_a_running_job_is_not_forgotten(office: Office) -> None:
    await active(office)
    running = await office.job(KEY)
    for state in (JobState.ACTIVE, JobState.FAILED):
        with pytest.raises(JobMovedOnError):
            await Inspection(office.scheduler).remove(replace(running, state=state))
    assert await office.job(KEY) == running


@pytest.mark.parametrize("action", ["retry", "run-now", "cancel"])
async def test_an_action_on_a_job_that_is_gone_says_so(office: Office, action: str) -> None:
    await delayed(office)
    page = (await office.page_of(KEY)).text
    await office.scheduler.remove(office.notes, KEY)
    assert await office.press(KEY, action, page) == f"There is no job {KEY} (any more)."


async def test_a_job_of_an_unknown_type_is_not_tried_again(office: Office) -> None:
    await failed(office)
    queue = office.scheduler.queues[TICKET_LIFECYCLE]
    record = await queue.redis.get(queue.job_id(KEY))
    await queue.redis.set(queue.job_id(KEY), record.replace(b'"note"', b'"forgotten"'))
    assert "Unknown job type: forgotten" in await office.press(KEY, "retry")
    assert await state_of(office) is JobState.FAILED


async def test_a_record_that_cannot_be_read_can_be_seen_and_removed(office: Office) -> None:
    await failed(office)
    queue = office.scheduler.queues[TICKET_LIFECYCLE]
    await queue.redis.set(queue.job_id(KEY), b"\xff{")
    assert "cannot be read" in (await office.page_of(KEY)).text
    assert "cannot be read" in (await office.get("/jobs/failed")).text
    await office.press(KEY, "retry")
    assert await state_of(office) is JobState.FAILED
    await office.press(KEY, "cancel")
    assert await state_of(office) is None


# --- the alarm of a ticket


async def pass_the_deadline(office: Office, ticket: Ticket) -> str:
    """In PostgreSQL and in Redis; returns the job that belongs to the new deadline."""
    await office.execute(
        """update close_requests set auto_close_at =
               date_trunc('milliseconds', now() - interval '5 seconds')
           where ticket_id = $1 and status = 'pending'""",
        ticket.id,
    )
    await office.scheduler.cancel_auto_close_for_ticket(ticket.id)
    job_id = await office.scheduler.schedule_auto_close(ticket.id, 0)
    assert job_id is not None
    return job_id


async def status(office: Office, ticket: Ticket) -> tuple[TicketStatus, RequestStatus]:
    found = await office.lifecycle.ticket(ticket.id)
    request = await office.lifecycle.latest_request(ticket.id)
    assert found is not None
    assert request is not None
    return found.status, request.status


async def test_nothing_brings_a_ticket_before_its_deadline(office: Office) -> None:
    ticket = await office.open()
    key = await office.ask_to_close(ticket)
    assert "Nothing closes a ticket before its deadline" in (await office.page_of(key)).text
    due = (await office.job(key)).due
    assert "before its deadline" in await office.press(key, "run-now")
    assert (await office.job(key)).due == due


async def test_an_overdue_alarm_can_be_run_now(office: Office) -> None:
    ticket = await office.open()
    await office.ask_to_close(ticket)
    key = await pass_the_deadline(office, ticket)
    assert await office.press(key, "run-now") == f"{key} runs now."
    assert (await office.job(key)).state is JobState.WAITING


async def test_cancelling_an_alarm_withdraws_the_request_so_that_nothing_sets_it_again(
    office: Office,
) -> None:
    ticket = await office.open()
    key = await office.ask_to_close(ticket)
    assert "Withdraw the close request" in (await office.page_of(key)).text
    assert "withdrawn" in await office.press(key, "cancel")
    assert await status(office, ticket) == (TicketStatus.OPEN, RequestStatus.WITHDRAWN)
    await office.scheduler.reconcile()
    assert await Inspection(office.scheduler).about(ticket.id) == []
    assert (1, "withdrawn") in office.channels.outcomes
    assert "an operator" in (await office.get(f"/tickets/{ticket.id}")).text


async def test_an_alarm_that_nothing_asks_for_any_more_is_just_removed(office: Office) -> None:
    ticket = await office.open()
    old = await office.ask_to_close(ticket, hours=2)
    await office.execute(
        "update close_requests set auto_close_at = auto_close_at + interval '1 hour'"
    )
    assert "Withdraw" not in (await office.page_of(old)).text
    assert await office.press(old, "cancel") == f"{old} is removed."
    assert await status(office, ticket) == (TicketStatus.OPEN, RequestStatus.PENDING)


async def test_a_close_that_has_begun_cannot_be_cancelled_but_tried_at_once(
    office: Office,
) -> None:
    ticket = await office.open()
    await office.ask_to_close(ticket)
    key = await pass_the_deadline(office, ticket)
    office.channels.failures["log_close"] = [DiscordFailedError("503")]
    with pytest.raises(DiscordFailedError):
        await office.lifecycle.auto_close(ticket.id)
    await office.make_due(key)
    await office.fail_once()
    page = (await office.page_of(key)).text
    assert "its close has begun" in page
    assert "has begun" in await office.press(key, "cancel")
    assert await office.press(key, "run-now") == f"{key} runs now."


async def test_a_failed_close_is_tried_again_and_needs_no_attention_any_more(
    office: Office,
) -> None:
    ticket = await office.open()
    await office.ask_to_close(ticket)
    key = await pass_the_deadline(office, ticket)
    office.channels.failures["opener_wrote_after"] = [PermissionMissingError("no permission")]
    await office.lifecycle.auto_close(ticket.id)
    await office.make_due(key)
    await office.take(Status.FAILED, FAILURE)
    assert "call for attention is taken back" in (await office.page_of(key)).text
    await office.press(key, "retry")
    found = await office.lifecycle.ticket(ticket.id)
    assert found is not None
    assert found.attention is None
    assert (await office.job(key)).state is JobState.WAITING


async def test_a_failed_alarm_is_withdrawn_with_its_record_and_its_call_for_attention(
    office: Office,
) -> None:
    ticket = await office.open()
    await office.ask_to_close(ticket)
    key = await pass_the_deadline(office, ticket)
    await office.lifecycle.give_up_auto_close(ticket.id, "it keeps failing")
    await office.make_due(key)
    await office.take(Status.FAILED, FAILURE)
    await office.press(key, "cancel")
    assert await status(office, ticket) == (TicketStatus.OPEN, RequestStatus.WITHDRAWN)
    found = await office.lifecycle.ticket(ticket.id)
    assert found is not None
    assert found.attention is None
    assert await Inspection(office.scheduler).about(ticket.id) == []


async def test_with_workers_a_failed_close_that_is_tried_again_closes_the_ticket(
    busy_office: Office,
) -> None:
    office = busy_office
    ticket = await office.open()
    await office.ask_to_close(ticket)
    office.channels.failures["opener_wrote_after"] = [PermissionMissingError("no permission")]
    await office.execute("update close_requests set auto_close_at = now() - interval '2 seconds'")

    async def needs_attention() -> bool:
        found = await office.lifecycle.ticket(ticket.id)
        return found is not None and found.attention is not None

    async def is_closed() -> bool:
        return (await status(office, ticket))[0] is TicketStatus.CLOSED

    await eventually(needs_attention)
    page = (await office.get("/tickets/attention")).text
    assert "no permission" in page
    answer = await office.ask(
        "POST", f"/tickets/{ticket.id}/retry", basic(), data={"token": token_in(page)}
    )
    assert answer.status == 303
    assert "Tried again: closed." in (await office.get(answer.headers["Location"])).text
    await eventually(is_closed)


async def test_without_postgresql_every_action_says_so(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    ticket = await office.open()
    key = await office.ask_to_close(ticket)
    form = {"queue": TICKET_LIFECYCLE, "key": key, "action": "cancel"}
    job = form | {"token": token_in((await office.page_of(key)).text)}
    await office.execute("update tickets set attention = 'look'")
    retry = {"token": token_in((await office.get(f"/tickets/{ticket.id}")).text)}
    office.database.pool.terminate()
    for answer in (
        await office.ask("POST", "/job", basic(), data=job),
        await office.ask("POST", f"/tickets/{ticket.id}/retry", basic(), data=retry),
    ):
        assert answer.status == 503
        assert "PostgreSQL is not available at the moment." in answer.text
    assert "Traceback" not in caplog.text


async def test_a_retry_of_a_ticket_says_what_still_keeps_it(office: Office) -> None:
    ticket = await office.open()
    await office.ask_to_close(ticket)
    await pass_the_deadline(office, ticket)
    refusals = [PermissionMissingError("no permission"), PermissionMissingError("still none")]
    office.channels.failures["opener_wrote_after"] = list[Exception](refusals)
    await office.lifecycle.auto_close(ticket.id)
    page = (await office.get(f"/tickets/{ticket.id}")).text
    answer = await office.ask(
        "POST", f"/tickets/{ticket.id}/retry", basic(), data={"token": token_in(page)}
    )
    after = (await office.get(answer.headers["Location"])).text
    assert "It still needs attention." in after
    assert "A person is needed: still none" in after
