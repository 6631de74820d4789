"""Who wrote what in a transcript, kept in its manifest: to find a member's words and files."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

from pydantic import BaseModel, ConfigDict

from domains.transcripts.models import TranscriptMessage

_USER_MENTION = re.compile(r"<@!?(\d{1,20})>", re.ASCII)


class Person(BaseModel):
    model_config = ConfigDict(frozen=True)

    names: tuple[str, ...] = ()
    """As author, or as mentioned by others."""
    message_ids: tuple[int, ...] = ()
    stored_names: tuple[str, ...] = ()
    """Of the files that came with these messages."""
    missed_filenames: tuple[str, ...] = ()


People = Mapping[int, Person]
"""By user id."""


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
        return {
            user_id: Person(
                names=tuple(names),
                message_ids=tuple(self._message_ids[user_id]),
                stored_names=tuple(self._stored_names[user_id]),
                missed_filenames=tuple(self._missed_filenames[user_id]),
            )
            for user_id, names in self._names.items()
        }
