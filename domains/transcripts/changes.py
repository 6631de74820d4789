"""Deleted messages back in their places, and what edited ones said before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace

from domains.transcripts.models import ChangeKind, EarlierText, MessageChange, TranscriptMessage
from locales import Text


async def with_changes(
    messages: AsyncIterator[TranscriptMessage], changes: Sequence[MessageChange]
) -> AsyncIterator[TranscriptMessage]:
    """`messages` come as a transcript takes them, `changes` in the order in which they happened."""
    kept = _Changes(changes)
    place: int | None = None
    async for message in messages:
        here = message.thread.id if message.thread else None
        if here != place:
            for deleted in kept.deleted_in(place):
                yield deleted
            place = here
        for deleted in kept.deleted_in(place, before=message.id):
            yield deleted
        yield kept.completed(message)
    for each in (place, *kept.places):
        for deleted in kept.deleted_in(each):
            yield deleted


class _Changes:
    def __init__(self, changes: Sequence[MessageChange]) -> None:
        self._earlier: defaultdict[int, list[EarlierText]] = defaultdict(list)
        self._deleted: defaultdict[int | None, list[TranscriptMessage]] = defaultdict(list)
        for change in changes:
            if change.kind is ChangeKind.EDITED:
                text = EarlierText(change.content or "", change.at)
                self._earlier[change.message_id].append(text)
        deletions = (change for change in changes if change.kind is ChangeKind.DELETED)
        for change in sorted(deletions, key=lambda change: change.message_id, reverse=True):
            here = change.thread.id if change.thread else None
            self._deleted[here].append(self.completed(_deleted(change)))

    @property
    def places(self) -> Sequence[int | None]:
        return list(self._deleted)

    def completed(self, message: TranscriptMessage) -> TranscriptMessage:
        earlier = self._earlier.get(message.id)
        return replace(message, earlier=tuple(earlier)) if earlier else message

    def deleted_in(
        self, place: int | None, *, before: int | None = None
    ) -> Iterator[TranscriptMessage]:
        """Oldest first, each once."""
        waiting = self._deleted[place]
        while waiting and (before is None or waiting[-1].id <= before):
            deleted = waiting.pop()
            if deleted.id != before:  # else it is there after all
                yield deleted


def _deleted(change: MessageChange) -> TranscriptMessage:
    notes = [Text("transcript.with_file", {"name": name}) for name in change.filenames]
    if change.content is None:
        notes.append(Text("transcript.unknown_text"))
    return TranscriptMessage(
        id=change.message_id,
        author_id=change.author_id or 0,
        author_name=change.author_name or "",
        author_is_bot=False,
        sent_at=change.sent_at,
        edited_at=None,
        content=change.content or "",
        embeds=(),
        attachments=(),
        reply_to_id=None,
        mentions=change.mentions,
        notes=tuple(notes),
        thread=change.thread,
        deleted_at=change.at,
    )
