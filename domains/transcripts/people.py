"""Who wrote what in a transcript, kept beside its page: to find a member's words and files again.

Transcripts of older versions have no such file.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domains.transcripts.filesystem import replace_text_durably
from domains.transcripts.models import TranscriptMessage

PEOPLE_NAME = "people.json"
_USER_MENTION = re.compile(r"<@!?(\d{1,20})>", re.ASCII)


class Person(BaseModel):
    model_config = ConfigDict(frozen=True)

    names: tuple[str, ...] = ()
    """As author, or as mentioned by others."""
    message_ids: tuple[int, ...] = ()
    stored_names: tuple[str, ...] = ()
    """Of the files that came with these messages."""
    missed_filenames: tuple[str, ...] = ()


class People(BaseModel):
    model_config = ConfigDict(frozen=True)

    people: Mapping[int, Person] = Field(default_factory=dict[int, Person])
    """By user id."""

    def write(self, directory: Path) -> None:
        replace_text_durably(directory / PEOPLE_NAME, [self.model_dump_json()])


class PeopleRecorder:
    """Counts along while a transcript is saved."""

    def __init__(self) -> None:
        self._names: defaultdict[int, dict[str, None]] = defaultdict(dict)
        self._message_ids: defaultdict[int, list[int]] = defaultdict(list)
        self._stored_names: defaultdict[int, list[str]] = defaultdict(list)
        self._missed_filenames: defaultdict[int, list[str]] = defaultdict(list)

    def add(
        self, message: TranscriptMessage, stored_names: Iterable[str], missed: Iterable[str]
    ) -> None:
        """With the files that were kept of it, and the names of those that were not."""
        author_id = message.author_id
        self._names[author_id][message.author_name] = None
        self._message_ids[author_id].append(message.id)
        self._stored_names[author_id].extend(stored_names)
        self._missed_filenames[author_id].extend(missed)
        for written, read in message.mentions.items():
            if mention := _USER_MENTION.fullmatch(written):
                self._names[int(mention[1])][read.removeprefix("@")] = None

    def people(self) -> People:
        return People(
            people={
                user_id: Person(
                    names=tuple(names),
                    message_ids=tuple(self._message_ids[user_id]),
                    stored_names=tuple(self._stored_names[user_id]),
                    missed_filenames=tuple(self._missed_filenames[user_id]),
                )
                for user_id, names in self._names.items()
            }
        )


def load_people(directory: Path) -> People | None:
    """None where there is none: an older version saved it."""
    try:
        return People.model_validate_json((directory / PEOPLE_NAME).read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValidationError):
        return None


def names_person(directory: Path, user_id: int) -> bool:
    """Without parsing it: most transcripts are about others."""
    try:
        return f'"{user_id}"'.encode() in (directory / PEOPLE_NAME).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return False
