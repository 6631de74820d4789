"""Why a ticket will close, does not, or did, in one sentence."""

from __future__ import annotations

import pytest
from domains.monitoring.diagnosis import diagnose
from saq.job import Status

from domains.scheduled_task.inspection import Inspection, RedisAwayError
from domains.ticket_lifecycle.channels import DiscordFailedError, PermissionMissingError
from domains.ticket_lifecycle.models import Ticket
from tests.web.web_env import STAFF_ID, WebEnv


async def why(web_env: WebEnv, ticket: Ticket) -> str:
    found = await web_env.lifecycle.ticket(ticket.id)
    assert found is not None
    try:
        jobs = await Inspection(web_env.scheduler).about(ticket.id)
    except RedisAwayError:
        jobs = None
    return diagnose(
        found,
        await web_env.lifecycle.latest_request(ticket.id),
        await web_env.lifecycle.events(ticket.id),
        jobs,
        found.opened_at,
    )


async def pass_the_deadline(web_env: WebEnv) -> None:
    """A minute before the moment that `why` takes for now."""
    await web_env.execute(
        """update punctual.close_requests set auto_close_at = t.opened_at - interval '1 minute'
           from punctual.tickets t where t.id = ticket_id and close_requests.status = 'pending'"""
    )


async def test_a_ticket_that_nobody_asked_to_close(web_env: WebEnv) -> None:
    ticket = await web_env.open()
    assert (
        await why(web_env, ticket) == "It does not close by itself: nobody has asked to close it."
    )


async def test_a_pending_close(web_env: WebEnv) -> None:
    ticket = await web_env.open()
    await web_env.ask_to_close(ticket, hours=2)
    told = await why(web_env, ticket)
    assert told == "It closes in 2 hours, unless the opener answers. Its alarm is set."


async def test_a_pending_close_whose_alarm_was_lost(web_env: WebEnv) -> None:
    ticket = await web_env.open()
    await web_env.ask_to_close(ticket)
    await web_env.scheduler.cancel_auto_close_for_ticket(ticket.id)
    assert "Its alarm is missing" in await why(web_env, ticket)


async def test_a_pending_close_without_redis(web_env_without_redis: WebEnv) -> None:
    ticket = await web_env_without_redis.open()
    await web_env_without_redis.lifecycle.request_close(ticket.id, STAFF_ID, None, 1)
    assert "PostgreSQL keeps the deadline" in await why(web_env_without_redis, ticket)


async def test_a_request_without_a_timer(web_env: WebEnv) -> None:
    ticket = await web_env.open()
    await web_env.lifecycle.request_close(ticket.id, STAFF_ID)
    assert "has no timer" in await why(web_env, ticket)


async def test_a_request_that_the_opener_was_not_shown(web_env: WebEnv) -> None:
    ticket = await web_env.open()
    await web_env.ask_to_close(ticket)
    await web_env.execute("update punctual.close_requests set announced = false")
    assert "Its time does not run yet" in await why(web_env, ticket)


async def test_an_excluded_ticket(web_env: WebEnv) -> None:
    ticket = await web_env.open()
    await web_env.ask_to_close(ticket)
    await web_env.lifecycle.exclude_from_autoclose(ticket.id, STAFF_ID)
    assert "excluded from auto-close" in await why(web_env, ticket)


async def test_an_answer_of_the_openers(web_env: WebEnv) -> None:
    ticket = await web_env.open()
    await web_env.ask_to_close(ticket)
    await web_env.lifecycle.cancel_close_request(ticket.id, ticket.opener_id)
    assert "the last request was denied" in await why(web_env, ticket)
    await web_env.ask_to_close(ticket)
    assert ticket.channel_id is not None
    message = web_env.channels.say(ticket.channel_id, ticket.opener_id)
    await web_env.lifecycle.note_opener_reply(1, ticket.channel_id, ticket.opener_id, message)
    assert "the opener wrote in the ticket" in await why(web_env, ticket)


async def test_what_keeps_an_overdue_ticket(web_env: WebEnv) -> None:
    ticket = await web_env.open()
    key = await web_env.ask_to_close(ticket)
    await pass_the_deadline(web_env)
    overdue = "Its time was up 1 minute ago. "
    assert (
        await why(web_env, ticket)
        == overdue + "Its job is set for another time; the watch takes it up."
    )
    await web_env.make_due(key)
    assert await why(web_env, ticket) == overdue + "Its job waits for a free worker."
    await web_env.fail_once()
    assert "after: RuntimeError: the first attempt failed" in await why(web_env, ticket)
    await web_env.make_due(key)
    await web_env.take()
    assert await why(web_env, ticket) == overdue + "It is being closed at this moment."


async def test_an_overdue_ticket_whose_job_failed_or_is_gone(web_env: WebEnv) -> None:
    ticket = await web_env.open()
    key = await web_env.ask_to_close(ticket)
    await pass_the_deadline(web_env)
    await web_env.make_due(key)
    await web_env.take(Status.FAILED, "Traceback\nmodule.path.SomeError: no")
    assert "failed for good: SomeError: no" in await why(web_env, ticket)
    await Inspection(web_env.scheduler).remove(await web_env.job(key))
    assert "It has no job" in await why(web_env, ticket)


async def test_a_ticket_that_needs_a_person(web_env: WebEnv) -> None:
    ticket = await web_env.open()
    await web_env.ask_to_close(ticket)
    await pass_the_deadline(web_env)
    web_env.channels.failures["opener_wrote_after"] = [PermissionMissingError("no permission X")]
    await web_env.lifecycle.auto_close(ticket.id)
    assert await why(web_env, ticket) == "A person is needed: no permission X"


async def test_a_close_that_is_half_done(web_env: WebEnv) -> None:
    ticket = await web_env.open()
    web_env.channels.failures["log_close"] = [DiscordFailedError("503")]
    with pytest.raises(DiscordFailedError):
        await web_env.lifecycle.close_ticket(ticket.id, STAFF_ID)
    told = await why(web_env, ticket)
    assert told.startswith(
        "It is being closed; done so far: the transcript. Attempts that failed: 1 of 4, the last "
        "with DiscordFailedError: 503. The next is due at "
    )


async def test_a_ticket_that_closed_in_time(web_env: WebEnv) -> None:
    ticket = await web_env.open()
    await web_env.ask_to_close(ticket)
    await web_env.execute(
        "update punctual.close_requests set auto_close_at = now() - interval '1 second'"
    )
    await web_env.lifecycle.auto_close(ticket.id)
    await web_env.execute("update punctual.ticket_events set late_ms = 7 where late_ms is not null")
    told = await why(web_env, ticket)
    assert told == (
        "It is closed: the opener did not answer in time, and the close began 7 ms after the "
        "deadline."
    )


async def test_a_ticket_that_was_closed_by_command(web_env: WebEnv) -> None:
    ticket = await web_env.open()
    await web_env.lifecycle.close_ticket(ticket.id, STAFF_ID)
    assert await why(web_env, ticket) == "It is closed: somebody closed it by command."
