"""On a small disk that is filled to the last byte nothing is lost, and all goes on by itself once
there is room: transcripts, and the bot's own PostgreSQL and Valkey on the same disk."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from domains.database import DatabaseUnavailable
from domains.settings import Settings
from operations.running_servers import addresses_of
from tests.faults.fault_env import FaultEnv
from tests.faults.test_full_disk import AGAIN, FULL, RETRY_S
from tests.process.bot_process import start_bot
from tests.process.helpdesk import Helpdesk
from tests.tools.small_disk import mounted
from tests.wire import Channel, Discord, File

pytestmark = pytest.mark.tools

MB = 1024 * 1024
MAX_LINES = 50
FILE = bytes(range(256)) * (MB // 256)


async def test_on_a_disk_of_six_megabytes_every_ticket_closes_once_there_is_room(
    fault_env: FaultEnv, tmp_path: Path
) -> None:
    discord = fault_env.discord
    with mounted(tmp_path / "disk", 6) as disk:
        fault_env.environment |= {"DATA_DIR": str(disk.path), "MIN_FREE_MB": "1"}
        bot = await fault_env.start()
        tickets = [await fault_env.open() for _ in range(6)]
        for ticket in tickets:
            files = [File(f"{n}.bin", FILE) for n in range(2)]
            await discord.say(discord.customer, ticket, "See!", files)
        with fault_env.outage():
            for ticket in tickets[:3]:
                await fault_env.ask(ticket, "1s")
            for ticket in tickets[3:]:
                await discord.slash(discord.customer, ticket, "close")
            await bot.logged(FULL)
            await discord.until(lambda: any(t.deleted for t in tickets), "what has room to close")
            disk.fill()
            await asyncio.sleep(RETRY_S)
            waiting = [ticket for ticket in tickets if not ticket.deleted]
            assert len(waiting) >= 4, "no more than two have room"
            disk.make_room()
            saved: dict[str, bytes] = {}
            while len(saved) < 2 * len(tickets):  # an operator takes off the disk what is closed
                closed = [await fault_env.number_of(t) for t in tickets if t.deleted]
                saved |= take_away(disk.path, closed)
                await asyncio.sleep(1)
        assert set(saved.values()) == {FILE}
        assert "❌" not in bot.log
        assert "Traceback" not in bot.log
        assert "Unexpected error" not in bot.log
        fault_env.environment["DATA_DIR"] = str(tmp_path)
        await bot.terminate()


def take_away(data_dir: Path, ticket_ids: Iterable[int]) -> dict[str, bytes]:
    """The files of these tickets, whose transcripts then go."""
    taken: dict[str, bytes] = {}
    for ticket_id in ticket_ids:
        for folder in data_dir.glob(f"transcripts/*/{ticket_id}"):
            files = (folder / "attachments").iterdir()
            taken |= {f"{ticket_id}/{file.name}": file.read_bytes() for file in files}
            shutil.rmtree(folder)
    return taken


@contextmanager
def closing_at_once(connection: asyncpg.Connection[asyncpg.Record]) -> Generator[None]:
    try:
        yield
    finally:
        connection.terminate()


async def use_up_the_log_of_changes(data_dir: Path) -> None:
    """Until PostgreSQL finds no room to write what it has promised to keep, and ends itself."""
    addresses = await addresses_of(Settings(data_dir=data_dir))
    assert addresses is not None
    connection = await asyncpg.connect(addresses.database)
    with closing_at_once(connection), pytest.raises((*DatabaseUnavailable, OSError)):
        while True:  # what is only logged grows no table
            await connection.execute(
                "select pg_logical_emit_message(true, 'junk', repeat('x', 1000000))"
            )


async def test_with_its_own_servers_on_the_full_disk_all_goes_on_once_there_is_room(
    tmp_path: Path,
) -> None:
    async with Discord() as discord:
        with mounted(tmp_path / "disk", 250) as disk:
            helpdesk = Helpdesk(discord)
            settings = {
                "DATA_DIR": str(disk.path),
                "MIN_FREE_MB": "20",
                "MIN_CLOSE_DELAY": "1",
                "OPEN_COOLDOWN": "0",
            }
            bot = await start_bot(discord, settings)
            try:
                await bot.logged("✅ Cleaned up", within=60)
                panel = await helpdesk.set_up()
                tickets: list[Channel] = [await helpdesk.open_ticket(panel) for _ in range(4)]
                for ticket in tickets:
                    await discord.say(discord.customer, ticket, "See!", [File("a.bin", FILE)])
                for ticket in tickets[:2]:
                    await helpdesk.ask(ticket, close_delay="8s")
                await helpdesk.ask(tickets[2], close_delay="1h")
                disk.fill()
                await bot.logged(FULL)
                await bot.logged("reserve is given up")
                await use_up_the_log_of_changes(disk.path)
                disk.fill()
                await asyncio.sleep(20)
                assert not any(ticket.deleted for ticket in tickets)
                disk.make_room()
                await bot.logged(AGAIN, within=30)
                for ticket in tickets[:2]:
                    await discord.wait_deleted(ticket, within=60)
                await discord.slash(discord.customer, tickets[3], "close")
                await discord.wait_deleted(tickets[3], within=30)
                assert not tickets[2].deleted
                saved = list(disk.path.glob("transcripts/*/*/attachments/*"))
                assert [path.read_bytes() for path in saved] == [FILE] * 3
                assert await bot.terminate() == 0
                assert "Traceback" not in bot.log
                assert "Unexpected error" not in bot.log
                assert len(bot.lines) < MAX_LINES, bot.log
            finally:
                await bot.kill()
