"""On a disk without room nothing is lost: saving waits, and goes on by itself. No clock, no sleep:
the disk's answers are moved, the writes are real."""

from __future__ import annotations

import logging
import resource
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from domains.disk_reserve import DiskReserve
from domains.disk_space import MIB, DiskSpace, Free, NoRoomError, free_space
from domains.transcripts import Attachment, Room, TranscriptMessage, TranscriptStore

from .samples import HEADER, MESSAGE, attached, attachment, five_bytes, said, stream

LOW = "There is too little room"
AGAIN = "There is room again"


class Disk:
    """As large as a test needs it."""

    def __init__(self, free_mib: int) -> None:
        self.free = Free(free_mib * MIB)
        self.inodes: int | None = None

    def set(self, free_mib: int, inodes: int | None = None) -> None:
        self.free = Free(free_mib * MIB, inodes)

    def measure(self, _path: Path) -> Free:
        return self.free


@contextmanager
def no_file_may_grow_beyond(size_bytes: int) -> Generator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def a_store(root: Path, disk: Disk, max_bytes: int | None = None) -> TranscriptStore:
    space = DiskSpace(root, min_free_bytes=100 * MIB, measure=disk.measure)
    return TranscriptStore(root, room=Room(root, space, max_bytes))


def entries(root: Path) -> set[str]:
    return {path.name for path in (root / "1").glob("*")} - {".lock"}


async def test_files_wait_for_room_and_words_do_not(tmp_path: Path) -> None:
    disk = Disk(100)
    store = a_store(tmp_path, disk)
    assert (await store.save(HEADER, stream(said("no file")), five_bytes)).message_count == 1
    with pytest.raises(NoRoomError):
        await store.save(HEADER, stream(attached(attachment("a.txt"))), five_bytes)
    assert entries(tmp_path) == {"42"}
    disk.set(101)
    saved = await store.save(HEADER, stream(attached(attachment("a.txt"))), five_bytes)
    assert [kept.path.read_bytes() for kept in saved.attachments] == [b"12345"]
    assert saved.missed == ()


async def test_what_waits_for_room_asks_discord_for_nothing_meanwhile(tmp_path: Path) -> None:
    asked: list[str] = []

    async def download(attachment: Attachment) -> AsyncIterator[bytes]:
        asked.append(attachment.filename)
        yield b"12345"

    disk = Disk(101)
    store = a_store(tmp_path, disk)
    files = (attachment("small.txt"), attachment("large.txt", size=2 * MIB))
    with pytest.raises(NoRoomError):
        await store.save(HEADER, stream(attached(*files)), download)
    assert asked == ["small.txt"]
    for _ in range(3):
        with pytest.raises(NoRoomError):
            await store.save(HEADER, stream(attached(*files)), download)
    assert asked == ["small.txt"]
    disk.set(110)
    saved = await store.save(HEADER, stream(attached(*files)), download)
    assert len(saved.attachments) == 2


async def test_a_write_that_finds_no_room_leaves_nothing_and_is_tried_again(
    tmp_path: Path,
) -> None:
    async def download(_attachment: Attachment) -> AsyncIterator[bytes]:
        yield bytes(200_000)

    store = TranscriptStore(tmp_path)
    with no_file_may_grow_beyond(100_000), pytest.raises(NoRoomError):
        await store.save(HEADER, stream(attached(attachment("a.bin"))), download)
    with no_file_may_grow_beyond(1_000), pytest.raises(NoRoomError):
        await TranscriptStore(tmp_path).save(HEADER, stream(said("only words")), download)
    assert entries(tmp_path) == set()
    saved = await store.save(HEADER, stream(attached(attachment("a.bin"))), download)
    assert saved.attachments[0].path.stat().st_size == 200_000


async def test_while_the_disk_is_full_nobody_is_asked_for_what_it_could_not_hold(
    tmp_path: Path,
) -> None:
    async def nobody_reads() -> AsyncIterator[TranscriptMessage]:
        raise AssertionError
        yield MESSAGE

    store = TranscriptStore(tmp_path)
    with no_file_may_grow_beyond(1_000):
        for messages in (stream(said("one")), nobody_reads(), nobody_reads()):
            with pytest.raises(NoRoomError):
                await store.save(HEADER, messages, five_bytes)
    assert (await store.save(HEADER, stream(said("one")), five_bytes)).message_count == 1


async def test_what_was_saved_before_stays_when_there_is_no_room_for_more(tmp_path: Path) -> None:
    store = TranscriptStore(tmp_path)
    before = await store.save(HEADER, stream(said("one")), five_bytes)
    with no_file_may_grow_beyond(1_000), pytest.raises(NoRoomError):
        await store.save(HEADER, stream(said("one", "two")), five_bytes)
    assert store.find(1, 42) == before
    assert "one" in before.path.read_text(encoding="utf-8")


async def test_files_beyond_the_quota_of_all_tickets_are_named_and_nothing_waits(
    tmp_path: Path,
) -> None:
    async def download(_attachment: Attachment) -> AsyncIterator[bytes]:
        yield bytes(600)

    store = a_store(tmp_path, Disk(1_000), 1_000)
    files = attached(attachment("a.bin", size=600), attachment("b.bin", size=600))
    await store.save(HEADER, stream(files), download)
    saved = await store.save(HEADER, stream(files), download)  # what it replaces counts no more
    assert [kept.filename for kept in saved.attachments] == ["a.bin"]
    assert [missed.filename for missed in saved.missed] == ["b.bin"]
    assert "all tickets&#39; attachments are more than" in saved.path.read_text(encoding="utf-8")
    other = a_store(tmp_path, Disk(1_000), 1_000)  # another process counts anew
    saved = await other.save(HEADER, stream(files), download)
    assert saved.attachments == ()


# --- what is said


def test_it_is_said_once_when_it_begins_and_once_when_it_is_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    disk = Disk(1_000)
    space = DiskSpace(tmp_path, min_free_bytes=100 * MIB, measure=disk.measure)
    space.look()
    assert space.problem == ""
    for free in (99, 50, 0, 101):  # 101 is too little to be over
        disk.set(free)
        space.look()
        assert space.problem
    assert [LOW in line for line in caplog.messages] == [True]
    disk.set(200)
    space.look()
    assert space.problem == ""
    assert AGAIN in caplog.messages[-1]
    assert len(caplog.messages) == 2


def test_a_disk_that_takes_no_more_files_is_full_too(tmp_path: Path) -> None:
    disk = Disk(1_000)
    disk.set(1_000, inodes=10)
    space = DiskSpace(tmp_path, measure=disk.measure)
    space.look()
    assert space.problem
    with pytest.raises(NoRoomError):
        space.require(1)


def test_room_is_measured_where_the_directory_is_going_to_be(tmp_path: Path) -> None:
    assert free_space(tmp_path / "not" / "yet").bytes > 0


# --- the reserve


def test_the_reserve_is_given_up_on_a_full_disk_and_made_again(tmp_path: Path) -> None:
    disk = Disk(1_000)
    reserve = DiskReserve(tmp_path, MIB)
    space = DiskSpace(tmp_path, min_free_bytes=MIB, reserve=reserve, measure=disk.measure)
    space.look()
    [file] = tmp_path.iterdir()
    assert file.stat().st_blocks * 512 >= MIB, "it takes the room that it holds"
    disk.set(1)
    space.look()
    assert file.exists()
    disk.set(0)
    space.look()
    assert not file.exists()
    disk.set(1_000)
    space.look()
    assert file.exists()
    reserve.give_up()
    assert not file.exists()


def test_where_there_is_no_room_for_a_reserve_there_is_none(tmp_path: Path) -> None:
    space = DiskSpace(tmp_path, reserve=DiskReserve(tmp_path, 4 * MIB))
    with no_file_may_grow_beyond(MIB):
        space.look()
    assert list(tmp_path.iterdir()) == []
