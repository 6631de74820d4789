"""The integrated scheduler: delayed jobs on Redis, whose truth is in PostgreSQL."""

from domains.scheduled_task.scheduled_task import JobCounts, ScheduledTask

__all__ = ["JobCounts", "ScheduledTask"]
