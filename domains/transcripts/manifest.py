"""What a saved transcript holds, written beside its page so that it can be told without parsing."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from domains.transcripts.filesystem import replace_text_durably
from domains.transcripts.models import MissedAttachment, SavedAttachment, SavedTranscript

PAGE_NAME = "index.html"
ATTACHMENTS_NAME = "attachments"
MANIFEST_NAME = "manifest.json"


class StoredAttachment(BaseModel):
    model_config = ConfigDict(frozen=True)

    stored_name: str
    """In the attachments directory."""
    filename: str
    size: int


class Manifest(BaseModel):
    """Names no directory, so that the data may be moved."""

    model_config = ConfigDict(frozen=True)

    message_count: int
    attachments: tuple[StoredAttachment, ...]
    missed: tuple[MissedAttachment, ...]

    def write(self, directory: Path) -> None:
        replace_text_durably(directory / MANIFEST_NAME, [self.model_dump_json(indent=2)])

    def transcript(self, directory: Path) -> SavedTranscript:
        return SavedTranscript(
            path=directory / PAGE_NAME,
            message_count=self.message_count,
            attachments=tuple(
                SavedAttachment(
                    path=directory / ATTACHMENTS_NAME / stored.stored_name,
                    filename=stored.filename,
                    size=stored.size,
                )
                for stored in self.attachments
            ),
            missed=self.missed,
        )


def load_transcript(directory: Path) -> SavedTranscript | None:
    """The transcript in a published directory; None where there is none, or no readable one."""
    manifest = load_manifest(directory)
    return None if manifest is None else manifest.transcript(directory)


def load_manifest(directory: Path) -> Manifest | None:
    try:
        return Manifest.model_validate_json((directory / MANIFEST_NAME).read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValidationError):
        return None
