"""Starts the scheduler once Discord is ready: its jobs need Discord."""

from __future__ import annotations

from discord.ext import commands

from domains.scheduled_task import ScheduledTask


class Scheduling(commands.Cog, name="Punctual: scheduling"):
    def __init__(self, scheduled_task: ScheduledTask) -> None:
        self._scheduled_task = scheduled_task

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        """Discord says so at every new session, so all of this may be done many times."""
        await self._scheduled_task.initialize()
        await self._scheduled_task.cleanup_orphaned_jobs()
        await self._scheduled_task.reconcile()
