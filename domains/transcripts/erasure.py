"""The end of transcripts, and of one member's part in them; and what a member can be given."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from domains.transcripts.archive import GuildArchive
from domains.transcripts.filesystem import replace_text_durably
from domains.transcripts.forgetting import MembersPart, only_member, without_member
from domains.transcripts.manifest import ATTACHMENTS_NAME, PAGE_NAME, load_manifest, names_person
from domains.transcripts.people import Person

CHUNK = 200
"""Directories looked at before others have their turn."""


@dataclass(frozen=True, slots=True)
class OwnWords:
    """What a member wrote in a ticket of somebody else's."""

    page: str
    files: tuple[Path, ...]


class TranscriptErasure:
    def __init__(self, root: Path) -> None:
        self._root = root

    async def guild_ids(self) -> list[int]:
        return await asyncio.to_thread(self._guild_ids)

    async def ticket_ids(self, guild_id: int) -> list[int]:
        return await asyncio.to_thread(self._archive(guild_id).ticket_ids)

    async def delete(self, guild_id: int, ticket_id: int) -> bool:
        """False if there was none. Raises OSError, and then some of it may be left."""
        return await asyncio.to_thread(self._archive(guild_id).delete, ticket_id)

    async def delete_guild(self, guild_id: int) -> None:
        """With what savers may have left."""
        await asyncio.to_thread(_delete_tree, self._root / str(guild_id))

    async def about(self, user_id: int, guild_id: int) -> list[int]:
        """The tickets of a guild in whose transcripts the member wrote, or is mentioned."""
        ids = await self.ticket_ids(guild_id)
        found: list[int] = []
        for start in range(0, len(ids), CHUNK):
            found += await asyncio.to_thread(
                self._about, guild_id, ids[start : start + CHUNK], user_id
            )
        return found

    async def tells_authors(self, guild_id: int, ticket_id: int) -> bool:
        """False for a transcript of an older version. True if there is none."""
        directory = self._directory(guild_id, ticket_id)
        return await asyncio.to_thread(self._tells_authors, directory)

    async def forget(self, guild_id: int, ticket_id: int, user_id: int, part: MembersPart) -> None:
        """Take the member out of a ticket of somebody else's. Doing it again does no harm."""
        await asyncio.to_thread(self._forget, guild_id, ticket_id, user_id, part)

    async def own_words(self, guild_id: int, ticket_id: int, user_id: int) -> OwnWords | None:
        return await asyncio.to_thread(self._own_words, guild_id, ticket_id, user_id)

    # --- blocking

    def _archive(self, guild_id: int) -> GuildArchive:
        return GuildArchive(self._root / str(guild_id))

    def _directory(self, guild_id: int, ticket_id: int) -> Path:
        return self._root / str(guild_id) / str(ticket_id)

    def _guild_ids(self) -> list[int]:
        try:
            names = [entry.name for entry in self._root.iterdir()]
        except FileNotFoundError:
            return []
        return sorted(int(name) for name in names if name.isascii() and name.isdecimal())

    def _about(self, guild_id: int, ticket_ids: Sequence[int], user_id: int) -> list[int]:
        return [
            ticket_id
            for ticket_id in ticket_ids
            if names_person(self._directory(guild_id, ticket_id), user_id)
        ]

    def _forget(self, guild_id: int, ticket_id: int, user_id: int, part: MembersPart) -> None:
        """The manifest last, which tells who wrote what: a crash before that is made good by
        doing it again."""
        with self._archive(guild_id).changing(ticket_id) as directory:
            manifest = load_manifest(directory) if directory is not None else None
            if directory is None or manifest is None or manifest.people is None:
                return
            person = manifest.people.get(user_id) or Person()
            for name in person.stored_names:
                (directory / ATTACHMENTS_NAME / name).unlink(missing_ok=True)
            page = (directory / PAGE_NAME).read_text(encoding="utf-8")
            page = without_member(page, user_id, person.names, person.message_ids, part)
            replace_text_durably(directory / PAGE_NAME, [page])
            manifest.without(user_id).write(directory)

    def _tells_authors(self, directory: Path) -> bool:
        manifest = load_manifest(directory)
        return manifest is None or manifest.people is not None

    def _own_words(self, guild_id: int, ticket_id: int, user_id: int) -> OwnWords | None:
        directory = self._directory(guild_id, ticket_id)
        manifest = load_manifest(directory)
        person = (manifest.people or {}).get(user_id) if manifest else None
        if person is None or not person.message_ids:
            return None
        page = (directory / PAGE_NAME).read_text(encoding="utf-8")
        files = [directory / ATTACHMENTS_NAME / name for name in person.stored_names]
        return OwnWords(only_member(page, person.message_ids), tuple(files))


def _delete_tree(directory: Path) -> None:
    if directory.exists():
        shutil.rmtree(directory)
