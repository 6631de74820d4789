"""The numbers for Prometheus, in a registry of their own.

What PostgreSQL and Redis know is read when somebody asks; only what they do not know is counted
along the way, as `telemetry`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from domains.monitoring import sql
from domains.monitoring.models import Dependency, TimersOfKind
from domains.monitoring.monitor import Monitor, PostgreSQLAwayError
from domains.monitoring.timer_list import MAX_OVERDUE, OVERDUE_FOR
from domains.scheduled_task.inspection import QueueView
from domains.single_flight import SingleFlight

LATENESS_BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)
EFFECT_BUCKETS_S = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900)
EVENTS_A_SCRAPE = 5_000
OUTCOMES = ("complete", "failed", "aborted", "retried")


@dataclass(frozen=True, slots=True)
class DatabaseFigures:
    overdue_tickets: int
    attention: int
    timers: Sequence[TimersOfKind]
    effects: Mapping[str, int]
    """What Discord is still to be told, by what it waits for."""


@dataclass(frozen=True, slots=True)
class MetricsSnapshot:
    """What is read for one scrape. None is what could not be read."""

    dependencies: Sequence[Dependency]
    gateway_latency_s: float | None
    queues: Sequence[QueueView] | None
    database: DatabaseFigures | None
    disk_free_bytes: int


class Metrics:
    """The telemetry that counts. `scrape` gives the text of it all."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._effects = Histogram(
            "punctual_effect_seconds",
            "How long it takes to tell Discord something",
            ["kind"],
            buckets=EFFECT_BUCKETS_S,
            registry=self._registry,
        )
        self._jobs_ended = Counter(
            "punctual_job_outcomes",
            "Attempts of jobs, by how they ended",
            ["job", "outcome"],
            registry=self._registry,
        )
        self._outages = Counter(
            "punctual_outages", "Outages that began", ["dependency"], registry=self._registry
        )
        self._refused = Counter(
            "punctual_discord_errors",
            "Calls to Discord that failed, by our word for it and by Discord's code",
            ["error", "code"],
            registry=self._registry,
        )
        self._lateness = Histogram(
            "punctual_close_lateness_seconds",
            "From a deadline to the decision that the ticket's time is up",
            buckets=LATENESS_BUCKETS_S,
            registry=self._registry,
        )
        self._end_lateness = Histogram(
            "punctual_close_end_lateness_seconds",
            "From a deadline to the end: the ticket's channel is gone",
            buckets=LATENESS_BUCKETS_S,
            registry=self._registry,
        )
        for dependency in ("postgresql", "redis"):
            self._outages.labels(dependency)
        self._process: ProcessCollector | None = None
        self._snapshot_collector = _SnapshotCollector()
        self._registry.register(self._snapshot_collector)
        self._last_event: int | None = None
        self._counting = asyncio.Lock()
        self._reading = SingleFlight[MetricsSnapshot]()
        """Anybody may ask, as often as he likes; it takes one connection to PostgreSQL."""

    # --- what the domains tell

    def effect_done(self, kind: str, seconds: float) -> None:
        self._effects.labels(kind).observe(seconds)

    def job_ended(self, name: str, outcome: str) -> None:
        self._jobs_ended.labels(name, outcome).inc()

    def dependency_lost(self, dependency: str) -> None:
        self._outages.labels(dependency).inc()

    def discord_refused(self, error: str, code: int) -> None:
        self._refused.labels(error, str(code)).inc()

    # --- what is asked

    async def begin(self, monitor: Monitor) -> None:
        """Closes are counted from here on: a counter starts at 0 with its process."""
        if self._process is None:
            self._process = ProcessCollector(registry=self._registry)
        for name in monitor.job_names:
            for outcome in OUTCOMES:
                # A series that began with 1 would be no increase to Prometheus.
                self._jobs_ended.labels(name, outcome)
        async with self._counting, monitor.reading() as connection:
            self._last_event = await sql.newest_event(connection)

    async def scrape(self, monitor: Monitor, accept: str = "") -> tuple[bytes, str]:
        """The text and its content type."""
        snapshot = await self._reading.do(lambda: self._read(monitor))
        # Nothing is awaited from here on, so that two scrapes at once do not mix.
        self._snapshot_collector.snapshot = snapshot
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type

    async def _read(self, monitor: Monitor) -> MetricsSnapshot:
        dependencies = await monitor.dependencies()
        database = await self._figures(monitor) if dependencies[0].is_there else None
        queues = await monitor.queues()
        return MetricsSnapshot(
            dependencies,
            monitor.gateway_latency_s,
            queues,
            database,
            monitor.disk_space.free_bytes(),
        )

    async def _figures(self, monitor: Monitor) -> DatabaseFigures | None:
        try:
            await self._count_closes(monitor)
            timers = await monitor.timers_of_kinds()
            async with monitor.reading() as connection:
                return DatabaseFigures(
                    overdue_tickets=await sql.overdue_count(connection, OVERDUE_FOR, MAX_OVERDUE),
                    attention=await sql.attention_count(connection),
                    timers=timers,
                    effects=await sql.effect_counts(connection),
                )
        except PostgreSQLAwayError:
            return None

    async def _count_closes(self, monitor: Monitor) -> None:
        if self._last_event is None:
            await self.begin(monitor)
        async with self._counting, monitor.reading() as connection:
            assert self._last_event is not None
            while True:
                before = self._last_event
                self._last_event, late = await sql.closes_after(connection, before, EVENTS_A_SCRAPE)
                for event, late_ms in late:
                    histogram = self._end_lateness if event == "closed" else self._lateness
                    histogram.observe(late_ms / 1000)
                if self._last_event == before:
                    return


class _SnapshotCollector(Collector):
    """Turns the last snapshot into metrics."""

    snapshot: MetricsSnapshot | None = None

    def collect(self) -> Iterable[Metric]:
        snapshot = self.snapshot
        if snapshot is None:
            return
        up = GaugeMetricFamily("punctual_up", "Whether it is there", labels=["dependency"])
        for dependency in snapshot.dependencies:
            up.add_metric([dependency.name.lower()], float(dependency.is_there))
        yield up
        if snapshot.gateway_latency_s is not None:
            yield GaugeMetricFamily(
                "punctual_gateway_latency_seconds",
                "From a heartbeat to Discord's answer",
                value=snapshot.gateway_latency_s,
            )
        yield GaugeMetricFamily(
            "punctual_disk_free_bytes",
            "Room on the disk under DATA_DIR",
            value=snapshot.disk_free_bytes,
        )
        if snapshot.database is not None:
            yield from _figures(snapshot.database)
        if snapshot.queues is not None:
            yield from _queues(snapshot.queues)


def _figures(database: DatabaseFigures) -> Iterable[Metric]:
    yield GaugeMetricFamily(
        "punctual_overdue_tickets",
        "Tickets whose time is up and that are not being closed",
        value=database.overdue_tickets,
    )
    yield GaugeMetricFamily(
        "punctual_attention_tickets", "Tickets that need a person", value=database.attention
    )
    timers = GaugeMetricFamily("punctual_timers", "Timers, by kind", labels=["kind"])
    overdue = GaugeMetricFamily(
        "punctual_overdue_timers",
        f"Timers whose time is up, {MAX_OVERDUE} of a kind at most",
        labels=["kind"],
    )
    for each in database.timers:
        timers.add_metric([each.kind], each.total)
        overdue.add_metric([each.kind], each.overdue)
    yield timers
    yield overdue
    effects = GaugeMetricFamily(
        "punctual_effects_pending", "What Discord is still to be told, by state", labels=["state"]
    )
    for state, count in database.effects.items():
        effects.add_metric([state], count)
    yield effects


def _queues(queues: Sequence[QueueView]) -> Iterable[Metric]:
    jobs = GaugeMetricFamily("punctual_jobs", "Jobs, by state", labels=["queue", "state"])
    workers = GaugeMetricFamily("punctual_workers", "Workers with a heartbeat", labels=["queue"])
    for queue in queues:
        for state, number in queue.counts.items():
            jobs.add_metric([queue.name, state.value], number)
        workers.add_metric([queue.name], len(queue.workers))
    yield jobs
    yield workers
