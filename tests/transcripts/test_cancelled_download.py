"""A download that is cancelled, as when a neighbour finds no room, leaves no file, open or not."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import IO, Any

import pytest

from domains.transcripts import Limits
from domains.transcripts.collecting import AttachmentCollector
from domains.transcripts.downloads import UNFINISHED_SUFFIX, Downloads
from domains.transcripts.thread import OneThread

from .samples import attached, attachment


async def endless(_: object) -> AsyncIterator[bytes]:
    while True:
        yield b"12345"


async def test_cancelled_while_its_file_is_being_opened_it_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opening, go_on = threading.Event(), threading.Event()
    real_open: Any = Path.open

    def slowly(path: Path, *args: Any, **options: Any) -> IO[Any]:
        if path.name.endswith(UNFINISHED_SUFFIX):
            opening.set()
            go_on.wait()
        return real_open(path, *args, **options)

    monkeypatch.setattr(Path, "open", slowly)
    directory = tmp_path / "files"
    with closing(OneThread()) as thread:
        collector = AttachmentCollector(endless, Downloads(directory), thread, Limits(), "en")
        collecting = asyncio.create_task(collector.collect(attached(attachment("a.txt"))))
        await asyncio.to_thread(opening.wait)
        collecting.cancel()
        asyncio.get_running_loop().call_later(0.05, go_on.set)
        with pytest.raises(asyncio.CancelledError):
            await collecting
        go_on.set()
        await thread.run(lambda: None)
    assert not directory.exists()
    gc.collect()  # a file left open would be a warning, and that an error
