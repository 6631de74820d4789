"""A disk without room loses nothing and fails nothing: what needs room waits, says so once, and
goes on by itself. Here the limit is one of the process's own files, or one that no disk meets;
tests/tools fills a real disk."""

from __future__ import annotations

import resource
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import aiohttp

from tests.faults.fault_env import FaultEnv
from tests.faults.properties import assert_kept
from tests.found.server import free_port
from tests.wire import Channel, File

FILE = bytes(range(256)) * 800
LARGEST_BYTES = 100_000
NO_DISK_HAS_SO_MUCH_MB = str(10**9)
FULL = "There is too little room"
AGAIN = "There is room again"
RETRY_S = 15.0


@contextmanager
def no_file_may_grow_beyond(pid: int, size_bytes: int) -> Generator[None]:
    """All writes of the process beyond it fail, as on a full disk; its servers are not in it."""
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


async def open_with_file(fault_env: FaultEnv) -> Channel:
    ticket = await fault_env.open()
    files = [File("screen.bin", FILE)]
    await fault_env.discord.say(fault_env.discord.customer, ticket, "See!", files)
    return ticket


async def assert_saved_whole(fault_env: FaultEnv, ticket: Channel) -> None:
    folder = Path(fault_env.environment["DATA_DIR"]) / "transcripts"
    number = await fault_env.number_of(ticket)
    [file] = folder.glob(f"*/{number}/attachments/*")
    assert file.read_bytes() == FILE
    assert "See!" in (file.parent.parent / "index.html").read_text(encoding="utf-8")
    assert [path.name for path in folder.glob("*/.*") if path.name != ".lock"] == []


async def test_what_finds_no_room_waits_without_a_failure_and_goes_on_by_itself(
    fault_env: FaultEnv,
) -> None:
    discord = fault_env.discord
    bot = await fault_env.start()
    timed, closed, words = (
        await open_with_file(fault_env),
        await open_with_file(fault_env),
        await fault_env.open(),
    )
    with fault_env.outage():  # until it has gone on
        with no_file_may_grow_beyond(bot.pid, LARGEST_BYTES):
            reply = await discord.slash(discord.customer, closed, "close")
            assert "disk is full" in (await reply.replied(2)).text
            await fault_env.ask(timed, "1s")
            await discord.slash(discord.customer, words, "close")
            await discord.wait_deleted(words)
            await bot.logged(FULL)
            await bot.logged("🤖 Processing auto-close")
            doctor = await discord.slash(discord.owner, discord.general, "doctor")
            assert "tickets with files wait" in (await doctor.replied()).text
            assert not timed.deleted
            assert not closed.deleted
            assert await fault_env.status(closed) == "closing"
        for ticket in (timed, closed):
            await discord.wait_deleted(ticket, within=RETRY_S)
            await fault_env.closed(ticket)
            await assert_saved_whole(fault_env, ticket)
    assert bot.log.count(FULL) == 1
    assert "❌" not in bot.log
    assert "Traceback" not in bot.log
    assert "Unexpected error" not in bot.log
    assert not await fault_env.value(
        "select count(*) from punctual.ticket_events where event like any('{%failed,attention}')"
    )
    await assert_kept(fault_env)


async def test_with_less_than_the_minimum_free_files_wait_and_everything_else_goes_on(
    fault_env: FaultEnv,
) -> None:
    discord = fault_env.discord
    port = free_port()
    bot = await fault_env.start(MIN_FREE_MB=NO_DISK_HAS_SO_MUCH_MB, METRICS_PORT=str(port))
    ticket, words = await open_with_file(fault_env), await fault_env.open()
    await discord.slash(discord.customer, ticket, "close")
    await discord.slash(discord.customer, words, "close")
    await discord.wait_deleted(words)
    await bot.logged(FULL)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        async with session.get("/readyz") as answer:
            assert answer.status == 503
            assert "disk: " in await answer.text()
        async with session.get("/metrics") as answer:
            text = await answer.text()
            assert 'punctual_up{dependency="disk"} 0.0' in text
            assert "punctual_disk_free_bytes " in text
    assert not ticket.deleted
    assert bot.log.count(FULL) == 1
    with fault_env.outage():
        await fault_env.restart(METRICS_PORT=str(port))
    await discord.wait_deleted(ticket, within=RETRY_S)
    await fault_env.closed(ticket)
    await assert_saved_whole(fault_env, ticket)
    async with aiohttp.request("GET", f"http://127.0.0.1:{port}/readyz") as answer:
        assert "disk" not in await answer.text()
    await assert_kept(fault_env)
