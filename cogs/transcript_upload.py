"""What of a transcript one message can carry; for the rest, where it lies."""

from __future__ import annotations

import unicodedata
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from os import SEEK_END
from pathlib import Path

import discord

from domains.transcripts import SavedTranscript
from locales import Text

MAX_UPLOAD_FILES = 10
MAX_UPLOAD_BYTES = 9 * 1024 * 1024
"""Discord takes 10 MiB a message in every server."""
READ_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Upload:
    files: Sequence[discord.File] = ()
    """The page first."""
    missing: int = 0
    """Attachments that are not among them."""
    notes: Sequence[Text] = ()
    """What support has to be told about it."""

    @property
    def size(self) -> int:
        """In bytes. The files stand at their beginning before and after."""
        size = sum(file.fp.seek(0, SEEK_END) for file in self.files)
        for file in self.files:
            file.fp.seek(0)
        return size

    def close(self) -> None:
        for file in self.files:
            file.close()


def prepare(name: str, transcript: SavedTranscript | None, room: int = MAX_UPLOAD_BYTES) -> Upload:
    """The page, compressed if it has to be, and as many of its attachments as there is room for.
    Blocking."""
    if transcript is None:
        return Upload()
    notes: list[Text] = []
    size = transcript.path.stat().st_size
    if size <= room:
        page = discord.File(transcript.path, filename=f"{name}.html")
    elif (zipped := _zipped(transcript.path, f"{name}.html", room)) is not None:
        size = len(zipped.getbuffer())
        page = discord.File(zipped, filename=f"{name}.zip")
        notes.append(Text("closed.compressed"))
    else:
        return without_files(transcript)
    files, left = [page], room - size
    for attachment in transcript.attachments:
        if len(files) < MAX_UPLOAD_FILES and attachment.size <= left:
            filename = _upload_name(attachment.filename, len(files))
            files.append(discord.File(attachment.path, filename=filename))
            left -= attachment.size
    missing = len(transcript.attachments) - (len(files) - 1)
    if missing:
        place = _place(transcript)
        notes.append(Text("closed.not_posted", {"count": missing, "place": place}))
    return Upload(files, missing, notes)


def without_files(transcript: SavedTranscript) -> Upload:
    note = Text("closed.too_large", {"place": _place(transcript)})
    return Upload(missing=len(transcript.attachments), notes=[note])


def _upload_name(filename: str, number: int) -> str:
    """A card shows a file by its name: so that has to be one that Discord does not change, and the
    only one of its kind. The number is for those after the first."""
    plain = unicodedata.normalize("NFKD", filename).encode("ascii", "ignore").decode()
    return plain if number == 1 and plain == filename else f"{number}-{plain}"


def _place(transcript: SavedTranscript) -> Text:
    """From the bot's DATA_DIR on: what is above that is nobody's business in Discord."""
    return Text("closed.place", {"directory": "/".join(transcript.path.parent.parts[-3:])})


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
