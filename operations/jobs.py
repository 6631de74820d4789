"""`python bot.py jobs`: the failed ones, and what may be done to one."""

from __future__ import annotations

from domains.monitoring.job_actions import Action
from domains.scheduled_task.inspection import JobState
from domains.settings import Settings
from operations.shell import say, shell

PAGE = 200


async def failed(settings: Settings) -> int:
    """Newest first."""
    offset = 0
    async with shell(settings) as opened:
        while True:
            jobs, total = await opened.inspection.page(JobState.FAILED, offset, PAGE)
            for job in jobs:
                ended = f"{job.finished_at:%Y-%m-%d %H:%M:%S} UTC" if job.finished_at else "-"
                say(f"{job.key}  {ended}  {job.attempts} attempts  {job.error_line}")
            offset += PAGE
            if offset >= total:
                break
    say(f"{total} failed jobs")
    return 0


async def act(settings: Settings, action: Action, key: str) -> int:
    """Raises a UserError that says why not."""
    async with shell(settings) as opened:
        say(await opened.job_actions.act(action, await opened.inspection.find(key)))
    return 0
