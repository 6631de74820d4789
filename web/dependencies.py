"""What every page and every form is made with."""

from __future__ import annotations

from dataclasses import dataclass

from domains.monitoring.job_actions import JobActions
from domains.monitoring.monitor import Monitor
from domains.scheduled_task.inspection import Inspection
from domains.ticket_lifecycle import TicketLifecycle
from web.guard import Guard
from web.notices import Notices
from web.rendering import Renderer


@dataclass(frozen=True, slots=True)
class Dependencies:
    monitor: Monitor
    inspection: Inspection
    job_actions: JobActions
    tickets: TicketLifecycle
    guard: Guard
    renderer: Renderer
    notices: Notices
