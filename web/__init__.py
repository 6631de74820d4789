"""The operator's view: a dashboard for people, and probes and metrics for machines.

Two listeners of the bot's own process. Neither is started unless it is asked for: no password, no
dashboard; no port, no metrics.
"""

from web.operators_view import OperatorsView, require_own_addresses

__all__ = ["OperatorsView", "require_own_addresses"]
