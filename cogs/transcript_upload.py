"""What of a transcript one message can carry; for the rest, where it lies."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from os import SEEK_END
from pathlib import Path

import discord

from domains.transcripts import SavedTranscript

MAX_UPLOAD_FILES = 10
MAX_UPLOAD_BYTES = 9 * 1024 * 1024
"""Discord takes 10 MiB a message in every server."""
READ_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Upload:
    files: Sequence[discord.File] = ()
    note: str | None = None
    """What people have to be told about it."""

    @property
    def size(self) -> int:
        """In bytes. The files stand at their beginning before and after."""
        size = sum(file.fp.seek(0, SEEK_END) for file in self.files)
        for file in self.files:
            file.fp.seek(0)
        return size


def prepare(name: str, transcript: SavedTranscript | None, room: int = MAX_UPLOAD_BYTES) -> Upload:
    """The page, compressed if it has to be, and as many of its attachments as there is room for.
    Blocking."""
    if transcript is None:
        return Upload()
    size = transcript.path.stat().st_size
    if size <= room:
        page, note = discord.File(transcript.path, filename=f"{name}.html"), None
    elif (zipped := _zipped(transcript.path, f"{name}.html", room)) is not None:
        size = len(zipped.getbuffer())
        page = discord.File(zipped, filename=f"{name}.zip")
        note = "It is compressed: unpack it to read it."
    else:
        return without_files(transcript)
    files, left = [page], room - size
    for attachment in transcript.attachments:
        if len(files) < MAX_UPLOAD_FILES and attachment.size <= left:
            files.append(discord.File(attachment.path, filename=attachment.filename))
            left -= attachment.size
    missing = len(transcript.attachments) - (len(files) - 1)
    return Upload(files, " ".join(filter(None, [note, _not_posted(missing, transcript)])) or None)


def without_files(transcript: SavedTranscript) -> Upload:
    return Upload(note=f"It is too large to be posted here; it lies in {_place(transcript)}.")


def _not_posted(count: int, transcript: SavedTranscript) -> str | None:
    if not count:
        return None
    noun, verb = ("attachment", "lies") if count == 1 else ("attachments", "lie")
    return f"{count} {noun} did not fit into this message and {verb} in {_place(transcript)}."


def _place(transcript: SavedTranscript) -> str:
    """From the bot's DATA_DIR on: what is above that is nobody's business in Discord."""
    return f"`{'/'.join(transcript.path.parent.parts[-3:])}` in the bot's data directory"


def _zipped(page: Path, name: str, room: int) -> BytesIO | None:
    """None if it is too large all the same: then no more is read than shows it."""
    zipped = BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        entry = zipfile.ZipInfo(name)
        entry.compress_type = zipfile.ZIP_DEFLATED
        with page.open("rb") as source, archive.open(entry, "w", force_zip64=True) as target:
            while piece := source.read(READ_BYTES):
                target.write(piece)
                if zipped.tell() > room:
                    return None
    size = zipped.tell()
    zipped.seek(0)
    return zipped if size <= room else None
