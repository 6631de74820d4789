"""Tickets: opening, asking to close, and closing, decided in PostgreSQL."""

from domains.ticket_lifecycle.lifecycle import LifecyclePolicy, TicketLifecycle

__all__ = ["LifecyclePolicy", "TicketLifecycle"]
