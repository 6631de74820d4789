"""After an outage nobody finds their ticket slammed shut.

A heartbeat in PostgreSQL tells how long nobody was there. If that was longer than the grace, the
requests that ran out meanwhile get a new deadline, one after the other so that Discord's limits
hold; the channel is told, unless the opener has written meanwhile: then they have answered.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from domains.effects import store as effects
from domains.formatting import duration
from domains.ticket_lifecycle.effect_kinds import EffectKind
from domains.ticket_lifecycle.services import Services
from domains.ticket_lifecycle.store import events, heartbeat, requests
from domains.ticket_lifecycle.transitions import TICKET

log = logging.getLogger(__name__)

STAGGER = timedelta(seconds=1)
"""Between two closes of one guild: its log channel takes five messages in five seconds."""
SHORTEST_OUTAGE = timedelta(seconds=5)
"""A few missed heartbeats are no outage."""


class Grace:
    def __init__(self, services: Services) -> None:
        self._services = services

    async def record_heartbeat(self) -> None:
        """To be called every few seconds, several times within the grace; the first call after
        an outage grants the grace. One process does it, in one transaction with its heartbeat. A
        bot without a gateway connection does not count as alive: no button works then."""
        status, grace = self._services.status, self._services.policy.outage_grace
        if not status.connected:
            return
        unrecorded = status.misses.unrecorded
        if unrecorded.missed.guild_ids:
            # Not in the transaction below: whoever holds one of these rows must not hold up the
            # heartbeats of other processes.
            async with self._services.database.connection() as connection:
                await requests.set_unread(connection, unrecorded.missed.guild_ids)
        moved: list[tuple[int, int]] = []
        async with self._services.database.transaction() as transaction:
            silence = await heartbeat.record(
                transaction.connection, missed_everywhere=unrecorded.missed.everywhere
            )
            if grace and silence is not None and silence > max(grace, SHORTEST_OUTAGE):
                moved += await heartbeat.grant_grace(transaction.connection, grace, STAGGER)
            if moved and silence is not None:
                tickets = [ticket_id for ticket_id, _ in moved]
                await events.add_many(
                    transaction.connection,
                    "grace",
                    [(ticket_id, None) for ticket_id in tickets],
                    params={"outage_seconds": round(silence.total_seconds())},
                )
                await effects.add_about(transaction.connection, EffectKind.ANNOUNCE_GRACE, moved)
                transaction.touch(TICKET, *tickets)
        status.misses.recorded(unrecorded)
        if moved and silence is not None:
            log.warning(
                "Nobody was here for %s; %d overdue tickets get a grace of %s",
                duration(silence),
                len(moved),
                duration(grace),
            )
