"""How the log looks. Called once by the program, never on import: a host bot has its own."""

from __future__ import annotations

import logging

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


def configure_logging(level: str) -> None:
    logging.basicConfig(level=level, format=FORMAT, force=True)
    # The scheduler says in its own words what SAQ would say again, with tracebacks.
    logging.getLogger("saq").setLevel(logging.CRITICAL)
    logging.getLogger("discord").setLevel(
        logging.WARNING if level in ("WARNING", "ERROR") else logging.INFO
    )
    logging.getLogger("discord.client").addFilter(_not_about_voice)
    logging.getLogger("asyncio").setLevel(logging.WARNING)


def _not_about_voice(record: logging.LogRecord) -> bool:
    """discord.py warns at every start that voice needs packages that a ticket bot does not."""
    return "voice will NOT be supported" not in record.getMessage()
