"""A transcript does not vanish by its size: it is compressed, or it is said where it lies."""

from __future__ import annotations

import random
import zipfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from cogs.transcript_upload import Upload, prepare
from domains.transcripts import SavedAttachment, SavedTranscript

ROOM = 100_000
COMPRESSIBLE = b"the same again and again " * 20_000
INCOMPRESSIBLE = random.Random(0).randbytes(ROOM + 1)  # no secret
PLACE = "`transcripts/1/42` in the bot's data directory"


def saved(root: Path, page: bytes, *attachments: int) -> SavedTranscript:
    """With attachments of such sizes."""
    directory = root / "transcripts" / "1" / "42"
    directory.mkdir(parents=True)
    (directory / "index.html").write_bytes(page)
    files: list[SavedAttachment] = []
    for number, size in enumerate(attachments):
        path = directory / f"{number}.bin"
        path.write_bytes(bytes(size))
        files.append(SavedAttachment(path, path.name, size))
    return SavedTranscript(directory / "index.html", 1, tuple(files), ())


def names(upload: Upload) -> list[str]:
    return [file.filename for file in upload.files]


def notes(upload: Upload) -> str:
    return " ".join(map(str, upload.notes))


def test_a_page_that_fits_is_posted_as_it_is(tmp_path: Path) -> None:
    upload = prepare("ticket-0042", saved(tmp_path, b"small", 10), ROOM)
    assert names(upload) == ["ticket-0042.html", "0.bin"]
    assert notes(upload) == ""
    assert upload.size == 15
    upload.close()


def test_a_page_that_does_not_fit_is_compressed(tmp_path: Path) -> None:
    upload = prepare("ticket-0042", saved(tmp_path, COMPRESSIBLE, 10), ROOM)
    assert names(upload) == ["ticket-0042.zip", "0.bin"]
    assert "compressed" in notes(upload)
    assert upload.size <= ROOM
    with closing(upload.files[0].fp) as file, zipfile.ZipFile(file) as archive:
        assert archive.read("ticket-0042.html") == COMPRESSIBLE
    upload.close()


def test_a_page_that_cannot_be_made_to_fit_is_where_it_is_said_to_be(tmp_path: Path) -> None:
    upload = prepare("ticket-0042", saved(tmp_path, INCOMPRESSIBLE, 10), ROOM)
    assert names(upload) == []
    assert notes(upload) == f"It is too large to be posted here; it lies in {PLACE}."


@pytest.mark.parametrize(
    ("sizes", "posted", "note"),
    [
        ([ROOM], 0, "1 attachment did not fit into this message and lies in"),
        ([60_000, 60_000, 60_000], 1, "2 attachments did not fit into this message and lie in"),
        ([1] * 12, 9, "3 attachments did not fit into this message and lie in"),
    ],
)
def test_attachments_that_do_not_fit_are_counted(
    tmp_path: Path, sizes: list[int], posted: int, note: str
) -> None:
    upload = prepare("ticket-0042", saved(tmp_path, b"small", *sizes), ROOM)
    assert len(upload.files) == 1 + posted
    assert notes(upload) == f"{note} {PLACE}."
    upload.close()


def test_files_of_one_name_and_with_letters_that_discord_changes_can_be_told_apart(
    tmp_path: Path,
) -> None:
    transcript = saved(tmp_path, b"small", 1, 2, 3)
    named = zip(transcript.attachments, ("a.png", "a.png", "gröse.png"), strict=True)
    files = tuple(replace(file, filename=name) for file, name in named)
    upload = prepare("ticket-0042", replace(transcript, attachments=files), ROOM)
    assert names(upload) == ["ticket-0042.html", "a.png", "2-a.png", "3-grose.png"]
    upload.close()
