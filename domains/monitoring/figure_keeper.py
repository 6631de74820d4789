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
        try:
            await count_all(database)
        except DatabaseUnavailable as error:
            log.debug("Figures are added up later: %s", error)
        except Exception:
            log.exception("Adding up figures failed; it is tried again")
        await asyncio.sleep(EVERY_S)


async def count_all(database: Database) -> None:
    """With pauses: after a long time there is much to count."""
    more = True
    while more:
        more = await count_once(database)
        await asyncio.sleep(PAUSE_S)


async def count_once(database: Database, batch: int = BATCH) -> bool:
    """True if there may be more to count."""
    async with database.transaction() as transaction:
        more = await figures.count_more(transaction.connection, batch)
        if not more:
            await figures.delete_before(transaction.connection, KEPT)
    return more
