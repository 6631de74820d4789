"""Delivers effects: with slots of its own, in order for each ticket, fair between guilds.

A row is leased while somebody is at it. The lease is renewed every second, so the work of a
process that was killed is taken up by another within seconds, and that of a slow one is not.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from domains.absence import means_away, retry_after
from domains.database import Database, DatabaseUnavailable, Subject
from domains.effects import store
from domains.effects.effect import Effect, EffectType, GaveUpError, Lane, NeedsPersonError
from domains.error_codes import error_code
from domains.logs import log_about
from domains.retry_policy import MAX_ATTEMPTS, QUICK_RETRY_DELAYS, delay_after
from domains.tasks import cancel, detached, wait_at_most
from domains.telemetry import NO_TELEMETRY, Telemetry

if TYPE_CHECKING:
    from domains.database import Connection

log = logging.getLogger(__name__)

MAX_CONCURRENT = 64
MAX_CONCURRENT_A_GUILD = 8
"""Of one guild, over all processes: its log channel alone takes five messages in five seconds."""
LEASE = timedelta(seconds=5)
RENEW_EVERY_S = 1.0
UNHELD_AFTER = timedelta(seconds=2)
"""What is leased to this process and not renewed for so long is done by nobody: PostgreSQL went
away just when it was taken, or when it was to be given back. It is given back then."""
KEPT_FREE = 4
"""One slot in so many is only for a guild that has none yet: others' slow closes cannot fill it."""
POLL_EVERY_S = 1.0
"""For what another process has written. What this one writes wakes it."""
POLL_SOONEST_S = 0.05
LOOK_AGAIN = timedelta(minutes=15)
"""What waits for a person is tried again now and then: it may have been seen to."""
GUILDS_A_LOOK = 200
MAX_ERRORS_KEPT = 1_000
ELSEWHERE_POLL_S = 0.1
FOLLOW_POLL_S = 0.02


class LeaseLostError(Exception):
    """Somebody else took it for lost, and does it again."""


class EffectRunner:
    def __init__(
        self,
        database: Database,
        *,
        max_concurrent: int = MAX_CONCURRENT,
        max_concurrent_a_guild: int = MAX_CONCURRENT_A_GUILD,
        telemetry: Telemetry = NO_TELEMETRY,
    ) -> None:
        self._database = database
        self._max_concurrent = max_concurrent
        self._max_concurrent_a_guild = max_concurrent_a_guild
        self._telemetry = telemetry
        self._types: dict[str, EffectType] = {}
        self._optional = list[str]()
        """The kinds that are given up rather than hold up an essential one."""
        self._token = secrets.token_hex(8)
        self._running: dict[tuple[int, int], asyncio.Task[None]] = {}
        self._held: set[int] = set()
        """The effects that are being done: only their leases are renewed."""
        self._errors: dict[tuple[int, int], BaseException] = {}
        """What kept the last effect of a lane from being done, for who waits for it; the latest
        only, since mostly nobody does."""
        self._background: list[asyncio.Task[None]] = []
        self._woken = asyncio.Event()
        self._last_guild = 0
        self._away_until = 0.0

    def register(self, types: Sequence[EffectType]) -> None:
        """Say how effects are done; to be called once, before anything is delivered."""
        self._types.update({type_.kind: type_ for type_ in types})
        self._optional = [kind for kind, type_ in self._types.items() if not type_.essential]

    # --- life

    def start(self) -> None:
        """Safe to call many times."""
        if not self._background:
            self._background = [detached(self._keep_claiming()), detached(self._keep_leases())]

    async def stop(self, grace: timedelta) -> None:
        """Let what is under way finish; give the rest back. Safe to call twice."""
        [claiming, leases] = self._background or [None, None]
        self._background = []
        if claiming is not None:
            await cancel(claiming)
        if self._running:
            _, late = await asyncio.wait(set(self._running.values()), timeout=grace.total_seconds())
            await cancel(*late)
        if leases is not None:
            await cancel(leases)
            await self._release()

    async def _release(self) -> None:
        try:
            async with self._database.connection() as connection:
                await store.release(connection, self._token)
        except DatabaseUnavailable:
            log.debug("Leases run out by themselves: PostgreSQL is away")

    async def on_touched(self, _: Sequence[Subject]) -> None:
        """A transaction may have written effects."""
        self.wake()

    def wake(self) -> None:
        self._woken.set()

    # --- taking

    async def _keep_claiming(self) -> None:
        while True:
            pause = POLL_EVERY_S
            try:
                self._woken.clear()
                pause = await self._claim()
            except DatabaseUnavailable as error:
                log.debug("No effects are taken while PostgreSQL is away: %s", error)
            except Exception:
                log.exception("Taking effects failed; it is tried again")
            await wait_at_most(self._woken, pause)

    async def _claim(self) -> float:
        """Returns how long to wait before the next look."""
        free = self._max_concurrent - len(self._running)
        if free <= 0:
            return POLL_EVERY_S  # whoever ends wakes us
        shared = max(0, free - self._max_concurrent // KEPT_FREE)
        async with self._database.connection() as connection:
            guild_ids = await store.guilds_with_due(connection, self._last_guild, GUILDS_A_LOOK)
            effects = await self._take(connection, guild_ids, shared, self._max_concurrent_a_guild)
            if len(effects) == shared:
                effects += await self._take(connection, guild_ids, free - shared, 1)
            more = len(guild_ids) == GUILDS_A_LOOK  # behind guilds that have no slot free
            if not effects and (more or self._last_guild):
                self._last_guild = guild_ids[-1] if more else 0  # once round
                return POLL_SOONEST_S
            next_due = None if effects else await store.next_due(connection)
        for effect in effects:
            self._last_guild = max(self._last_guild, effect.guild_id)
            self._begin(effect)
        if effects:
            return POLL_SOONEST_S
        if next_due is None or next_due <= timedelta(0):
            return POLL_EVERY_S  # what is due has to wait for its guild's turn
        return min(POLL_EVERY_S, max(POLL_SOONEST_S, next_due.total_seconds()))

    async def _take(
        self,
        connection: Connection,
        guild_ids: Sequence[int],
        at_most: int,
        at_most_a_guild: int,
    ) -> list[Effect]:
        if not at_most or not guild_ids:
            return []
        return await store.claim(
            connection,
            guild_ids=guild_ids,
            kinds=self._types,
            token=self._token,
            lease=LEASE,
            at_most=at_most,
            at_most_a_guild=at_most_a_guild,
        )

    def _begin(self, effect: Effect) -> asyncio.Task[None]:
        place = effect.ticket_id, self._lane(effect)
        task = detached(self._run_on(effect))
        self._running[place] = task
        task.add_done_callback(lambda ended: self._ended(place, ended))
        return task

    def _ended(self, place: tuple[int, int], task: asyncio.Task[None]) -> None:
        if self._running.get(place) is task:
            del self._running[place]
        error = None if task.cancelled() else task.exception()
        if error is None:
            self._errors.pop(place, None)
        else:
            self._errors.pop(place, None)
            self._errors[place] = error
            if len(self._errors) > MAX_ERRORS_KEPT:
                del self._errors[next(iter(self._errors))]
        self.wake()

    def _lane(self, effect: Effect) -> Lane:
        return self._types[effect.kind].lane

    async def _keep_leases(self) -> None:
        while True:
            await asyncio.sleep(RENEW_EVERY_S)
            try:
                async with self._database.connection() as connection:
                    await store.renew(connection, self._token, self._held, LEASE)
                    if await store.give_back(
                        connection, self._token, self._held, LEASE - UNHELD_AFTER
                    ):
                        self.wake()
            except DatabaseUnavailable:
                continue
            except Exception:
                log.exception("The leases of effects could not be renewed")

    # --- doing

    async def deliver(self, ticket_id: int, lane: Lane = Lane.STORY) -> None:
        """Do what is on the ticket's list now, out of its turn, and wait for it. Raises what
        kept an effect from being done; that it is tried again is seen to, unless it is a
        GaveUpError. Cancelling this stops the waiting only."""
        while True:
            task = self._running.get((ticket_id, lane)) or await self._begin_next(ticket_id, lane)
            if task is not None:
                await asyncio.wait({task})
                if not task.cancelled() and (error := task.exception()) is not None:
                    raise error
            elif await self._is_in_progress(ticket_id, lane):
                await asyncio.sleep(ELSEWHERE_POLL_S)
            elif isinstance(self._errors.get((ticket_id, lane)), GaveUpError):
                raise self._errors.pop((ticket_id, lane))  # its turn came first
            else:
                return

    async def follow(self, ticket_id: int, lane: Lane = Lane.STORY) -> None:
        """Wait while it is done in its turn; raises as `deliver` does. Where the runner does not
        run yet, it is delivered."""
        if not self._background:
            await self.deliver(ticket_id, lane)
            return
        place = ticket_id, lane
        self._errors.pop(place, None)
        self.wake()
        while True:
            if (task := self._running.get(place)) is not None:
                await asyncio.wait({task})
            elif (error := self._errors.get(place)) is not None:
                raise error
            elif await self._is_in_progress(ticket_id, lane):
                await asyncio.sleep(FOLLOW_POLL_S)
            else:
                return

    async def _begin_next(self, ticket_id: int, lane: Lane) -> asyncio.Task[None] | None:
        effect = await self._claim_next(ticket_id, lane)
        return None if effect is None else self._begin(effect)

    async def _claim_next(self, ticket_id: int, lane: Lane) -> Effect | None:
        async with self._database.connection() as connection:
            return await store.claim_of_ticket(
                connection, ticket_id, lane, kinds=self._types, token=self._token, lease=LEASE
            )

    async def _is_in_progress(self, ticket_id: int, lane: Lane) -> bool:
        async with self._database.connection() as connection:
            return await store.is_in_progress(connection, ticket_id, lane, self._types)

    async def _run_on(self, effect: Effect) -> None:
        """This one, and then what follows in the ticket's list."""
        log_about(ticket_id=effect.ticket_id)
        next_one: Effect | None = effect
        while next_one is not None:
            self._held.add(next_one.id)
            try:
                if not await self._perform(next_one):
                    return
            finally:
                self._held.discard(next_one.id)
            next_one = await self._claim_next(effect.ticket_id, self._lane(effect))

    async def _perform(self, effect: Effect) -> bool:
        """True if it is off the list. Raises what the effect raised, once that is recorded."""
        type_ = self._types[effect.kind]
        began = time.perf_counter()
        try:
            then = await type_.deliver(effect)
            async with self._database.transaction() as transaction:
                transaction.follow_lazily()
                if then is not None:
                    await store.lock_ticket(transaction.connection, effect.ticket_id)
                if not await store.finish(transaction.connection, effect, self._token):
                    raise LeaseLostError
                if then is not None:
                    await then(transaction)
        except LeaseLostError:
            log.info("%s of ticket %s is done by somebody else", effect.kind, effect.ticket_id)
            return False
        except GaveUpError:
            await self._drop(effect)
            raise
        except Exception as error:
            if not await self._dropped_after(type_, effect, error):
                raise
        else:
            self._telemetry.effect_done(effect.kind, time.perf_counter() - began)
        return True

    async def _dropped_after(self, type_: EffectType, effect: Effect, error: Exception) -> bool:
        """Give it back for another attempt, or drop it: then True. Never raises: without PostgreSQL
        it is given back when that is there again."""
        try:
            if means_away(error):
                await self._postpone(effect, retry_after(error))
            elif type_.essential:
                await self._record_failure(type_, effect, error)
            else:
                return await self._drop_or_retry(effect, error)
        except DatabaseUnavailable:
            log.debug("%s of ticket %s comes again", effect.kind, effect.ticket_id)
        except Exception:
            log.exception("Recording that %s of ticket %s failed", effect.kind, effect.ticket_id)
        return False

    async def _record_failure(self, type_: EffectType, effect: Effect, error: Exception) -> None:
        failures = effect.failures + 1
        needs_person = isinstance(error, NeedsPersonError) or failures >= MAX_ATTEMPTS
        await self._postpone(
            effect, LOOK_AGAIN if needs_person else delay_after(failures), error=error
        )
        await type_.failed(effect, error, needs_person=needs_person)

    async def _drop_or_retry(self, effect: Effect, error: Exception) -> bool:
        failures = effect.failures + 1
        async with self._database.connection() as connection:
            is_waited_for = await store.someone_waits_for(connection, effect, self._optional)
        if isinstance(error, NeedsPersonError) or failures >= MAX_ATTEMPTS or is_waited_for:
            log.info("%s of ticket %s is given up: %s", effect.kind, effect.ticket_id, error)
            await self._drop(effect)
            return True
        log.info("%s of ticket %s is tried again: %s", effect.kind, effect.ticket_id, error)
        await self._postpone(effect, delay_after(failures, QUICK_RETRY_DELAYS), error=error)
        return False

    async def _drop(self, effect: Effect) -> None:
        async with self._database.connection() as connection:
            await store.finish(connection, effect, self._token)

    async def _postpone(
        self, effect: Effect, delay: timedelta, *, error: Exception | None = None
    ) -> None:
        async with self._database.connection() as connection:
            await store.postpone(
                connection,
                effect,
                self._token,
                delay=delay,
                failed=error is not None,
                error=None if error is None else error_code(error),
            )
