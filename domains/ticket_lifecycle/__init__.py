"""Tickets: opening, asking to close, and closing, decided in PostgreSQL."""

from domains.ticket_lifecycle.lifecycle import TicketLifecycle
from domains.ticket_lifecycle.services import LifecyclePolicy, Retention

__all__ = ["LifecyclePolicy", "Retention", "TicketLifecycle"]
