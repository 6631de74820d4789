"""What a saved transcript holds, written beside its page so that it can be told without parsing."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from domains.transcripts.filesystem import replace_text_durably
from domains.transcripts.models import MissedAttachment, SavedAttachment, SavedTranscript
from domains.transcripts.people import People, Person

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
    people: People | None = None
    """Who wrote what. None: an older version saved it."""

    def without(self, user_id: int) -> Manifest:
        """And without the files of that member."""
        people = self.people or {}
        person = people.get(user_id) or Person()
        return self.model_copy(
            update={
                "attachments": tuple(
                    each for each in self.attachments if each.stored_name not in person.stored_names
                ),
                "missed": tuple(
                    each for each in self.missed if each.filename not in person.missed_filenames
                ),
                "people": {id_: each for id_, each in people.items() if id_ != user_id},
            }
        )

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
            messages_of={
                user_id: person.message_ids
                for user_id, person in (self.people or {}).items()
                if person.message_ids
            },
        )


def names_person(directory: Path, user_id: int) -> bool:
    """Without parsing it: most transcripts are about others."""
    try:
        return f'"{user_id}"'.encode() in (directory / MANIFEST_NAME).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return False


def load_transcript(directory: Path) -> SavedTranscript | None:
    """The transcript in a published directory; None where there is none, or no readable one."""
    manifest = load_manifest(directory)
    return None if manifest is None else manifest.transcript(directory)


def load_manifest(directory: Path) -> Manifest | None:
    try:
        return Manifest.model_validate_json((directory / MANIFEST_NAME).read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValidationError):
        return None
