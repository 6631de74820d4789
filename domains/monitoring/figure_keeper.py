"""Adds up what has happened, in the background, so that pages need not."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

from domains.database import Database, DatabaseUnavailable
from domains.ticket_lifecycle.store import figures

log = logging.getLogger(__name__)

EVERY_S = 60.0
BATCH = 5_000
PAUSE_S = 0.05
KEPT = timedelta(days=400)


async def keep_figures(database: Database) -> None:
    """For ever: to be run as a task. Any number of processes may; one at a time does it."""
    while True:
        pause_s = EVERY_S
        try:
            pause_s = PAUSE_S if await count_once(database) else EVERY_S
        except DatabaseUnavailable as error:
            log.debug("Figures are added up later: %s", error)
        except Exception:
            log.exception("Adding up figures failed; it is tried again")
        await asyncio.sleep(pause_s)


async def count_once(database: Database, batch: int = BATCH) -> bool:
    """True if there may be more to count."""
    async with database.transaction() as transaction:
        more = await figures.count_more(transaction.connection, batch)
        if not more:
            await figures.delete_before(transaction.connection, KEPT)
    return more
