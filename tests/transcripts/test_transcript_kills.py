"""Killed at any instant, a save leaves no transcript or a whole one, and the next one tidies up."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domains.transcripts import SavedTranscript, TranscriptMessage, TranscriptStore

from .inspection import assert_harmless
from .samples import HEADER, attached, attachment, five_bytes, said, stream

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="forks, and kills with SIGKILL")

REPOSITORY = Path(__file__).parents[2]
BEFORE, MESSAGES = 3, 120


def killed_at_every_step(root: Path, *counts: int) -> list[Path]:
    """One directory for each instant at which a saving process was killed, and the last's."""
    command = [sys.executable, "-m", f"{__package__}.killed_saver", str(root), *map(str, counts)]
    search_path = f"{REPOSITORY}:{REPOSITORY / 'tests'}"
    subprocess.run(command, check=True, env={"PYTHONPATH": search_path})
    return sorted(root.iterdir(), key=lambda directory: int(directory.name))


def assert_whole(transcript: SavedTranscript) -> None:
    html = transcript.path.read_text(encoding="utf-8")
    assert html.rstrip().endswith("</html>")
    assert len(assert_harmless(html).with_class("message")) == transcript.message_count
    assert [kept.path.stat().st_size for kept in transcript.attachments] == [5, 5]
    assert len(list(transcript.path.parent.iterdir())) == 3


async def no_history() -> AsyncIterator[TranscriptMessage]:
    raise RuntimeError("no history")
    yield  # makes it a generator


async def assert_next_save_tidies_up(directory: Path) -> None:
    messages = attached(attachment("a.txt"), attachment("b.png"))
    messages += said(*("word" for _ in range(MESSAGES)))[1:]
    assert_whole(await TranscriptStore(directory).save(HEADER, stream(messages), five_bytes))
    assert {path.name for path in (directory / "1").iterdir()} == {"42", ".lock"}


async def test_a_killed_save_leaves_no_transcript_or_a_whole_one(tmp_path: Path) -> None:
    outcomes: set[int | None] = set()
    directories = killed_at_every_step(tmp_path, MESSAGES)
    for directory in directories:
        found = TranscriptStore(directory).find(1, 42)
        outcomes.add(found.message_count if found else None)
        if found is not None:
            assert_whole(found)
        elif (directory / "1").exists():
            assert not (directory / "1" / "42").exists()
        await assert_next_save_tidies_up(directory)
    assert outcomes == {None, MESSAGES}
    assert len(directories) > 20


async def test_a_killed_replacement_leaves_the_old_transcript_or_the_new_one(
    tmp_path: Path,
) -> None:
    outcomes: set[int] = set()
    directories = killed_at_every_step(tmp_path, MESSAGES, BEFORE)
    for directory in directories:
        found = TranscriptStore(directory).find(1, 42)
        assert found is not None
        outcomes.add(found.message_count)
        assert_whole(found)
        await assert_next_save_tidies_up(directory)
    assert outcomes == {BEFORE, MESSAGES}
    assert len(directories) > 20


async def test_a_kill_between_the_two_renames_loses_nothing_even_if_the_next_save_fails(
    tmp_path: Path,
) -> None:
    for directory in killed_at_every_step(tmp_path, MESSAGES, BEFORE):
        with pytest.raises(RuntimeError, match="no history"):
            await TranscriptStore(directory).save(HEADER, no_history(), five_bytes)
        found = TranscriptStore(directory).find(1, 42)
        assert found is not None
        assert found.path == directory / "1" / "42" / "index.html"
        assert_whole(found)
