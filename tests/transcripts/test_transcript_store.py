"""Saving: all of a ticket or nothing, as often as anybody tries."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from domains.transcripts import (
    Attachment,
    AttachmentUnavailable,
    DownloadFailed,
    Limits,
    TranscriptMessage,
    TranscriptStore,
)

from .inspection import assert_harmless
from .samples import HEADER, MESSAGE, attached, attachment, five_bytes, said, stream

HOSTILE_FILENAMES = [
    "../../x", "/etc/passwd", "..\\..\\x", "a\0b", "\u202egnp.exe", "con", "x" * 300, ".env", "",
    "..", "a/b", "申込書.pdf", "\ud800", "index.html", "same.txt", "same.txt",
]  # fmt: skip

QUICK = Limits(pause_s=0)


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def entries(root: Path) -> set[str]:
    """What lies in the guild's directory, but for the lock."""
    return {path.name for path in (root / "1").glob("*")} - {".lock"}


async def save(root: Path, *contents: str) -> int:
    saved = await TranscriptStore(root).save(HEADER, stream(said(*contents)), five_bytes)
    return saved.message_count


async def test_a_transcript_lies_where_it_is_said_to(tmp_path: Path) -> None:
    messages = attached(attachment("log.txt"), attachment("log.txt"))
    saved = await TranscriptStore(tmp_path).save(HEADER, stream(messages), five_bytes)
    directory = tmp_path / "1" / "42"
    assert saved.path == directory / "index.html"
    assert saved.message_count == 1
    assert [kept.path for kept in saved.attachments] == [
        directory / "attachments" / "1-log.txt",
        directory / "attachments" / "2-log.txt",
    ]
    assert saved.attachments[0].path.read_bytes() == b"12345"
    assert {path.name for path in directory.iterdir()} == {
        "index.html",
        "attachments",
        "manifest.json",
    }


async def test_only_the_owner_may_read_transcripts(tmp_path: Path) -> None:
    root = tmp_path / "data" / "transcripts"
    saved = await TranscriptStore(root).save(HEADER, stream(said("secret")), five_bytes)
    assert {path.stat().st_mode & 0o77 for path in (root, *saved.path.parents[:2])} == {0}


async def test_what_was_saved_is_found_again(tmp_path: Path) -> None:
    store = TranscriptStore(tmp_path)
    saved = await store.save(HEADER, stream(attached(attachment())), five_bytes)
    assert TranscriptStore(tmp_path).find(1, 42) == saved


async def test_what_was_never_saved_is_not_found(tmp_path: Path) -> None:
    await save(tmp_path, "Hello")
    store = TranscriptStore(tmp_path)
    assert store.find(1, 43) is None
    assert store.find(2, 42) is None


async def test_hostile_file_names_stay_in_the_attachments_directory(tmp_path: Path) -> None:
    messages = attached(*(attachment(name) for name in HOSTILE_FILENAMES))
    saved = await TranscriptStore(tmp_path / "root").save(HEADER, stream(messages), five_bytes)
    directory = saved.path.parent / "attachments"
    assert {kept.path for kept in saved.attachments} == set(directory.iterdir())
    assert len(set(directory.iterdir())) == len(HOSTILE_FILENAMES)
    assert names(tmp_path) == {"root"}
    assert_harmless(saved.path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (AttachmentUnavailable("it was deleted"), "it was deleted"),
        (DownloadFailed("the server answers 500"), "the server answers 500"),
        (AttachmentUnavailable(), "it is no longer available"),
        (ConnectionResetError(104, "Connection reset"), "the download failed (Connection reset)"),
        (TimeoutError(), "the download failed (TimeoutError)"),
    ],
)
async def test_an_attachment_that_cannot_be_had_does_not_lose_the_transcript(
    tmp_path: Path, error: Exception, reason: str
) -> None:
    async def download(wanted: Attachment) -> AsyncIterator[bytes]:
        if wanted.filename == "lost.txt":
            raise error
        yield b"12345"

    messages = attached(attachment("lost.txt", size=9), attachment("kept.txt"))
    saved = await TranscriptStore(tmp_path, QUICK).save(HEADER, stream(messages), download)
    assert [(missed.filename, missed.size, missed.reason) for missed in saved.missed] == [
        ("lost.txt", 9, reason)
    ]
    assert [kept.path.name for kept in saved.attachments] == ["1-kept.txt"]


async def test_any_other_failure_of_a_download_saves_nothing(tmp_path: Path) -> None:
    async def download(_: Attachment) -> AsyncIterator[bytes]:
        yield b"123"
        raise RuntimeError("try again later")

    with pytest.raises(RuntimeError, match="try again later"):
        await TranscriptStore(tmp_path).save(HEADER, stream(attached(attachment())), download)
    assert entries(tmp_path) == set()


async def test_what_came_before_a_save_failed_is_not_downloaded_again(tmp_path: Path) -> None:
    asked: list[str] = []

    async def download(wanted: Attachment) -> AsyncIterator[bytes]:
        asked.append(wanted.filename)
        if wanted.filename == "second.txt" and len(asked) == 2:
            raise RuntimeError("Discord is away")
        yield b"12345"

    messages = [replace(MESSAGE, attachments=(attachment(name),)) for name in ("first.txt",)]
    messages += said(*("word" for _ in range(150)))  # the second comes in another batch
    messages += attached(attachment("second.txt"))
    with pytest.raises(RuntimeError, match="Discord is away"):
        await TranscriptStore(tmp_path).save(HEADER, stream(messages), download)
    saved = await TranscriptStore(tmp_path).save(HEADER, stream(messages), download)
    assert asked == ["first.txt", "second.txt", "second.txt"]
    assert [kept.path.read_bytes() for kept in saved.attachments] == [b"12345", b"12345"]
    assert entries(tmp_path) == {"42"}


async def test_downloads_that_nobody_came_back_for_go_after_a_week(tmp_path: Path) -> None:
    guild = tmp_path / "1"
    for name, days in ((".7.files", 8), (".8.files", 6)):
        (guild / name).mkdir(parents=True)
        (guild / name / "1").write_bytes(b"12345")
        then = time.time() - days * 24 * 3600
        os.utime(guild / name, (then, then))
    await save(tmp_path, "Hello")
    assert entries(tmp_path) == {"42", ".8.files"}


async def test_one_that_fails_gives_back_its_room(tmp_path: Path) -> None:
    async def download(wanted: Attachment) -> AsyncIterator[bytes]:
        yield b"12345"
        if wanted.filename == "lost.txt":
            raise DownloadFailed("it broke off")

    limits = Limits(total_bytes=12, at_once=1, pause_s=0)
    unannounced = [attachment(name, size=0) for name in ("lost.txt", "one.txt", "two.txt")]
    saved = await TranscriptStore(tmp_path, limits).save(
        HEADER, stream(attached(*unannounced)), download
    )
    assert [kept.filename for kept in saved.attachments] == ["one.txt", "two.txt"]


async def test_all_of_them_together_have_only_so_much_time(tmp_path: Path) -> None:
    async def never(_: Attachment) -> AsyncIterator[bytes]:
        await asyncio.Event().wait()
        yield b""

    limits = Limits(attachment_s=0.05, total_s=0.12, attempts=1, at_once=1)
    files = attached(*(attachment() for _ in range(6)))
    saved = await TranscriptStore(tmp_path, limits).save(HEADER, stream(files), never)
    reasons = [missed.reason for missed in saved.missed]
    assert reasons[0] == "it came too slowly"
    assert reasons[-1] == "there was no time left: the other attachments came too slowly"


async def test_what_comes_fast_enough_may_take_as_long_as_it_is_large(tmp_path: Path) -> None:
    async def steady(_: Attachment) -> AsyncIterator[bytes]:
        for _piece in range(10):
            await asyncio.sleep(0.02)
            yield bytes(1000)

    limits = Limits(attachment_s=0.1, total_s=0.1, bytes_per_s=10_000, attempts=1)
    saved = await TranscriptStore(tmp_path, limits).save(
        HEADER, stream(attached(attachment(size=0))), steady
    )
    assert [kept.size for kept in saved.attachments] == [10_000]


async def test_a_history_that_breaks_off_saves_nothing(tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[TranscriptMessage]:
        for message in said(*("word" for _ in range(150))):
            yield message
        raise RuntimeError("history broke off")

    with pytest.raises(RuntimeError, match="history broke off"):
        await TranscriptStore(tmp_path).save(HEADER, broken(), five_bytes)
    assert entries(tmp_path) == set()


async def test_a_failed_retry_leaves_the_saved_transcript_alone(tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[TranscriptMessage]:
        yield MESSAGE
        raise RuntimeError("history broke off")

    await save(tmp_path, "one", "two")
    with pytest.raises(RuntimeError, match="history broke off"):
        await TranscriptStore(tmp_path).save(HEADER, broken(), five_bytes)
    found = TranscriptStore(tmp_path).find(1, 42)
    assert found is not None
    assert found.message_count == 2


async def test_an_attachment_over_the_limit_is_not_even_downloaded(tmp_path: Path) -> None:
    asked: list[str] = []

    async def download(wanted: Attachment) -> AsyncIterator[bytes]:
        asked.append(wanted.filename)
        yield bytes(wanted.size)

    store = TranscriptStore(tmp_path, Limits(attachment_bytes=10, total_bytes=15))
    sizes = {"big.txt": 11, "first.txt": 10, "over.txt": 6, "last.txt": 5}
    messages = attached(*(attachment(name, size=size) for name, size in sizes.items()))
    saved = await store.save(HEADER, stream(messages), download)
    assert asked == ["first.txt", "last.txt"]
    assert [missed.reason for missed in saved.missed] == [
        "it is larger than 10 Bytes",
        "the ticket's attachments are more than 15 Bytes",
    ]


async def test_an_attachment_larger_than_it_said_is_not_kept(tmp_path: Path) -> None:
    store = TranscriptStore(tmp_path, Limits(attachment_bytes=4))
    saved = await store.save(HEADER, stream(attached(attachment(size=1))), five_bytes)
    assert saved.attachments == ()
    assert len(saved.missed) == 1


async def test_saving_the_same_ticket_again_changes_nothing(tmp_path: Path) -> None:
    store = TranscriptStore(tmp_path)
    first = await store.save(HEADER, stream(attached(attachment())), five_bytes)
    page = first.path.read_bytes()
    assert await store.save(HEADER, stream(attached(attachment())), five_bytes) == first
    assert first.path.read_bytes() == page
    assert entries(tmp_path) == {"42"}


async def test_saving_again_takes_in_what_was_written_since(tmp_path: Path) -> None:
    await save(tmp_path, "one")
    assert await save(tmp_path, "one", "two") == 2
    assert entries(tmp_path) == {"42"}


async def test_a_channel_that_is_gone_by_now_does_not_replace_what_was_saved(
    tmp_path: Path,
) -> None:
    await save(tmp_path, "one", "two")
    assert await save(tmp_path) == 2
    assert "two" in (tmp_path / "1" / "42" / "index.html").read_text(encoding="utf-8")


async def test_a_transcript_whose_manifest_is_damaged_is_replaced(tmp_path: Path) -> None:
    await save(tmp_path, "one", "two")
    (tmp_path / "1" / "42" / "manifest.json").write_text("{")
    assert TranscriptStore(tmp_path).find(1, 42) is None
    assert await save(tmp_path, "one") == 1


async def test_tickets_and_guilds_do_not_touch_each_other(tmp_path: Path) -> None:
    store = TranscriptStore(tmp_path)
    headers = [
        replace(HEADER, guild_id=guild, ticket_id=ticket) for guild in (1, 2) for ticket in (7, 8)
    ]
    saves = (store.save(header, stream(said("Hello")), five_bytes) for header in headers)
    assert len({saved.path for saved in await asyncio.gather(*saves)}) == 4


class Paused:
    """A history that waits before its last message."""

    def __init__(self, messages: list[TranscriptMessage]) -> None:
        self._messages = messages
        self.reached = asyncio.Event()
        self.go_on = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[TranscriptMessage]:
        for message in self._messages[:-1]:
            yield message
        self.reached.set()
        await self.go_on.wait()
        yield self._messages[-1]


async def test_two_saves_of_one_ticket_at_once_both_end_with_the_fuller_one(
    tmp_path: Path,
) -> None:
    store = TranscriptStore(tmp_path)
    slow = Paused(said("one", "two", "three"))
    saving = asyncio.create_task(store.save(HEADER, slow, five_bytes))
    await slow.reached.wait()
    assert await save(tmp_path, "one", "two") == 2
    slow.go_on.set()
    assert (await saving).message_count == 3
    assert entries(tmp_path) == {"42"}


async def test_a_save_that_ends_later_with_less_returns_the_fuller_one(tmp_path: Path) -> None:
    store = TranscriptStore(tmp_path)
    slow = Paused(said("one"))
    saving = asyncio.create_task(store.save(HEADER, slow, five_bytes))
    await slow.reached.wait()
    await save(tmp_path, "one", "two")
    slow.go_on.set()
    assert (await saving).message_count == 2
    assert entries(tmp_path) == {"42"}


async def test_a_cancelled_save_leaves_nothing(tmp_path: Path) -> None:
    slow = Paused(said(*("word" for _ in range(150))))
    saving = asyncio.create_task(TranscriptStore(tmp_path).save(HEADER, slow, five_bytes))
    await slow.reached.wait()
    assert len(entries(tmp_path)) == 1
    saving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await saving
    assert entries(tmp_path) == set()


async def test_lone_surrogates_do_not_lose_the_transcript(tmp_path: Path) -> None:
    header = replace(HEADER, subject="broken \ud83d emoji")
    messages = said("broken \ud83d too")
    saved = await TranscriptStore(tmp_path).save(header, stream(messages), five_bytes)
    assert "broken ? too" in saved.path.read_text(encoding="utf-8")


async def test_ten_thousand_messages_are_all_there(tmp_path: Path) -> None:
    contents = (f"message number {n}. **bold** <@1> https://a.example/{n}" for n in range(10_000))
    saved = await TranscriptStore(tmp_path).save(HEADER, stream(said(*contents)), five_bytes)
    page = assert_harmless(saved.path.read_text(encoding="utf-8"))
    assert saved.message_count == 10_000
    assert len(page.with_class("message")) == 10_000
    assert all(f"message number {n}." in page.text for n in (0, 99, 100, 9_999))


async def test_the_longest_messages_are_whole(tmp_path: Path) -> None:
    longest = "申" * 3_999 + "終"
    saved = await TranscriptStore(tmp_path).save(
        HEADER, stream(said(*(longest for _ in range(300)))), five_bytes
    )
    assert saved.path.read_text(encoding="utf-8").count("終") == 300
