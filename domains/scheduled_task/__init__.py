"""The integrated scheduler: delayed jobs on Redis, whose truth is in PostgreSQL."""

from domains.scheduled_task.saq_version import require_saq

try:
    from domains.scheduled_task.scheduled_task import JobCounts, ScheduledTask
except Exception:
    require_saq()  # with a version that is far off not even the import succeeds
    raise

__all__ = ["JobCounts", "ScheduledTask", "require_saq"]
