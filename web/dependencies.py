"""What every page and every form is made with."""

from __future__ import annotations

from dataclasses import dataclass

from domains.monitoring.bulk_retry import BulkRetry
from domains.monitoring.job_actions import JobActions
from domains.monitoring.monitor import Monitor
from domains.monitoring.names import Names
from domains.monitoring.ticket_actions import TicketActions
from domains.scheduled_task.inspection import Inspection
from domains.ticket_lifecycle import TicketLifecycle
from domains.ticket_lifecycle.models import Operator
from web.guard import Guard
from web.notices import Notices
from web.rendering import Renderer


@dataclass(frozen=True, slots=True)
class Dependencies:
    monitor: Monitor
    inspection: Inspection
    job_actions: JobActions
    ticket_actions: TicketActions
    bulk_retry: BulkRetry
    tickets: TicketLifecycle
    names: Names
    operator: Operator
    """Who is logged in: there is one."""
    guard: Guard
    renderer: Renderer
    notices: Notices
