"""What an operator can know: numbers, states, and why a ticket did not close.

Nothing is imported here, so that the domains that are watched may import `telemetry` alone.
"""
