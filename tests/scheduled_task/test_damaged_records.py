"""Records that cannot be read are quarantined for people to look at; the rest goes on."""

from __future__ import annotations

import json

import pytest

from domains.scheduled_task.job_type import Payload
from domains.scheduled_task.queues import queue as queue_module
from domains.ticket_lifecycle.models import TicketStatus
from tests.waiting import eventually

from .by_hand import ByHand, Monotonic
from .conftest import MakeByHand, MakeScheduler
from .job_types import Note, request
from .redis_view import ACTIVE, INCOMPLETE, QUEUE, QUEUED, RedisView, record_key
from .tickets import Tickets

SEVEN_DAYS_S = 7 * 24 * 3600
BAD = "bad"
DEPTH = 100_000
UNREADABLE = f"{record_key(BAD)}:unreadable"


def record(**fields: object) -> bytes:
    whole = {"function": "note", "queue": QUEUE, "key": BAD, "status": "queued"}
    return json.dumps(whole | fields).encode()


DAMAGED = {
    "cut off": b'{"function": "note", "que',
    "no text": b"\xff\xfe\x00",
    "empty": b"",
    "a list": b"[]",
    "a number": b"5",
    "null": b"null",
    "no name": json.dumps({"queue": QUEUE, "key": BAD}).encode(),
    "no queue": json.dumps({"function": "note", "key": BAD}).encode(),
    "another queue's": record(queue="elsewhere"),
    "a status that is none": record(status="dreaming"),
    "a field that SAQ has not": record(colour="red"),
    "nested too deep": b'{"function": "note", "kwargs": ' + b"[" * DEPTH + b"]" * DEPTH + b"}",
    "attempts that are no number": record(attempts="two"),
}


@pytest.fixture
def monotonic(monkeypatch: pytest.MonkeyPatch) -> Monotonic:
    monotonic = Monotonic()
    monkeypatch.setattr(queue_module, "time", monotonic)
    monkeypatch.setattr("domains.scheduled_task.workers.worker.AFTER_ERROR_S", 0)
    return monotonic


async def sweep_until_all_is_taken_for_lost(process: ByHand, monotonic: Monotonic) -> None:
    for _ in range(2):
        await process.queue.sweep()
        monotonic.time += queue_module.UNHELD_GRACE_S


async def assert_quarantined(redis: RedisView) -> None:
    for place in (INCOMPLETE, QUEUED, ACTIVE):
        assert BAD not in await redis.ids(place)
    assert await redis.call("EXISTS", record_key(BAD)) == 0


@pytest.mark.parametrize("damaged", DAMAGED.values(), ids=DAMAGED.keys())
async def test_a_record_nobody_can_read_is_quarantined_when_it_is_taken_and_others_run(
    by_hand: MakeByHand, redis: RedisView, monotonic: Monotonic, damaged: bytes
) -> None:
    notes = Note()
    process = by_hand(notes)
    await process.add(notes, *map(request, ("before", BAD, "after")))
    await redis.call("SET", record_key(BAD), damaged)
    await process.run_due()
    assert notes.runs == {"before": 1, "after": 1}
    await sweep_until_all_is_taken_for_lost(process, monotonic)
    await assert_quarantined(redis)
    assert await redis.call("GET", UNREADABLE) == damaged
    assert 0 < await redis.call("TTL", UNREADABLE) <= SEVEN_DAYS_S


@pytest.mark.parametrize("damaged", DAMAGED.values(), ids=DAMAGED.keys())
async def test_a_record_nobody_can_read_does_not_keep_the_sweep_from_the_others(
    by_hand: MakeByHand, redis: RedisView, monotonic: Monotonic, damaged: bytes
) -> None:
    notes = Note()
    process = by_hand(notes)
    await process.add(notes, *map(request, ("before", BAD, "after")))
    for _ in range(3):
        assert await process.queue.dequeue(timeout=1)
    await redis.call("SET", record_key(BAD), damaged)
    await sweep_until_all_is_taken_for_lost(process, monotonic)
    await process.run_due()
    assert notes.runs == {"before": 1, "after": 1}
    await sweep_until_all_is_taken_for_lost(process, monotonic)
    await assert_quarantined(redis)


async def test_a_job_whose_record_is_missing_is_forgotten(
    by_hand: MakeByHand, redis: RedisView, monotonic: Monotonic
) -> None:
    notes = Note()
    process = by_hand(notes)
    await process.add(notes, *map(request, ("before", BAD, "after")))
    await redis.call("DEL", record_key(BAD))
    await process.run_due()
    assert notes.runs == {"before": 1, "after": 1}
    await sweep_until_all_is_taken_for_lost(process, monotonic)
    await assert_quarantined(redis)


async def test_a_record_of_the_wrong_type_is_quarantined_and_others_run(
    by_hand: MakeByHand, redis: RedisView, monotonic: Monotonic
) -> None:
    notes = Note()
    process = by_hand(notes)
    await process.add(notes, *map(request, ("before", BAD, "after")))
    await redis.call("DEL", record_key(BAD))
    await redis.call("RPUSH", record_key(BAD), "no record")
    await process.run_due()
    assert notes.runs == {"before": 1, "after": 1}
    await sweep_until_all_is_taken_for_lost(process, monotonic)
    await assert_quarantined(redis)
    assert await redis.call("LRANGE", UNREADABLE, 0, -1) == [b"no record"]


async def test_a_damaged_job_that_is_enqueued_anew_runs(
    by_hand: MakeByHand, redis: RedisView
) -> None:
    """As reconciliation does, if PostgreSQL still asks for it."""
    notes = Note()
    process = by_hand(notes)
    await process.add(notes, request(BAD))
    await redis.call("SET", record_key(BAD), b"{x")
    await process.run_due()
    await process.add(notes, request(BAD))
    await process.run_due()
    assert notes.runs == {BAD: 1}


async def test_a_payload_may_use_any_names(by_hand: MakeByHand, redis: RedisView) -> None:
    """The worker's own arguments must not be in its way."""
    seen: list[Payload] = []

    class Curious(Note):
        async def run(self, payload: Payload) -> None:
            seen.append(payload)

    notes = Curious()
    process = by_hand(notes)
    payload = {"context": 1, "ctx": 2, "job": 3, "self": 4, "payload": 5}
    await process.add(notes, request("job"))
    await redis.edit_record("job", kwargs=payload)
    await process.run_due()
    assert seen == [payload]


@pytest.mark.parametrize(
    "change",
    [{"close_request_id": None}, {"colour": "red"}, {"close_request_id": "7"}],
    ids=["without the request", "with more than is read", "with the request as text"],
)
async def test_an_auto_close_job_of_another_version_is_understood(
    *,
    make_scheduler: MakeScheduler,
    tickets: Tickets,
    redis: RedisView,
    ends_soon: None,
    monkeypatch: pytest.MonkeyPatch,
    change: dict[str, object],
) -> None:
    # Nobody else is to find that the time has run out.
    monkeypatch.setattr("domains.scheduled_task.scheduled_task.WATCH_INTERVAL_S", 3600)
    scheduler = tickets.close_with(make_scheduler())
    await scheduler.initialize()
    ticket = await tickets.open()
    request_id, job_id = await tickets.ask(ticket)
    assert job_id
    kwargs: dict[str, object] = {"ticket_id": ticket.id, "close_request_id": request_id}
    await redis.edit_record(job_id, kwargs=kwargs | change)
    await tickets.let_time_run_out(ticket)
    await redis.make_due(job_id)

    async def closed() -> bool:
        return await tickets.status(ticket) is TicketStatus.CLOSED

    await eventually(closed)
