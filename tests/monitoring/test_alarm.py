"""The sentence about a timer's job, in every state that the job may be in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domains.formatting import PlainStyle
from domains.monitoring.alarm import alarm_words
from domains.scheduled_task.inspection import JobState, JobView
from domains.scheduled_task.timer import Timer

DUE = datetime(2030, 1, 1, 12, tzinfo=UTC)
EARLY, LATE = DUE - timedelta(hours=1), DUE + timedelta(seconds=5)
TIMER = Timer("auto-close", 7, 7, 1, DUE, {})
JOB = JobView("ticket-lifecycle", TIMER.key, JobState.DELAYED, due=DUE)
FAILED = JobView("ticket-lifecycle", TIMER.key, JobState.FAILED, error="Traceback\na.BadError: no")
RETRIED = replace(FAILED, state=JobState.DELAYED, attempts=1, due=LATE)


def words(*jobs: JobView, now: datetime = EARLY) -> str:
    return alarm_words(TIMER, jobs, now, PlainStyle())


@pytest.mark.parametrize(
    ("job", "said"),
    [
        (JOB, "Its alarm is set."),
        (replace(JOB, state=JobState.WAITING), "Its job waits for a free worker."),
        (replace(JOB, state=JobState.ACTIVE), "Its job is running."),
        (FAILED, "Its job has failed for good: BadError: no"),
        (RETRIED, "The next attempt comes 2030-01-01 12:00:05 UTC, after: BadError: no"),
    ],
)
def test_its_job_is_told_by_its_state(job: JobView, said: str) -> None:
    assert words(job) == said


def test_a_job_that_is_missing_is_given_again() -> None:
    assert words() == "Its alarm is missing; reconciliation sets it within a minute."
    assert words(now=LATE) == (
        "It has no job; the watch over deadlines gives it one within seconds."
    )


def test_a_job_that_was_put_off_comes_back() -> None:
    job = replace(JOB, due=LATE + timedelta(seconds=10))
    assert words(job, now=LATE) == "Its job comes back 2030-01-01 12:00:15 UTC."


def test_the_jobs_of_other_timers_say_nothing_of_this_one() -> None:
    reminder = replace(JOB, key="send-reminder-7-1893499200000")
    earlier = replace(JOB, key="auto-close-7-1000", state=JobState.FAILED, error="no")
    assert words(reminder, earlier).startswith("Its alarm is missing")
    assert words(reminder, earlier, JOB) == "Its alarm is set."


def test_without_redis_postgresql_keeps_it() -> None:
    def without_redis(now: datetime) -> str:
        return alarm_words(TIMER, None, now, PlainStyle())

    assert without_redis(EARLY) == "Redis is away, so PostgreSQL keeps the deadline."
    assert "takes it up within seconds" in without_redis(LATE)
