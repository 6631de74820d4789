"""Numbers, logs, and why a ticket did not close."""
