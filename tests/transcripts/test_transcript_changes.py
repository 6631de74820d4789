"""Deleted messages stand where they were, once each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domains.transcripts import ChangeKind, MessageChange, Thread, with_changes

from .samples import MESSAGE, OPENED_AT, stream

THREAD = Thread(7, "A thread")
CHANGE = MessageChange(
    ChangeKind.DELETED, 1, None, OPENED_AT, OPENED_AT, 2, "Sam", "It was here", {}, ()
)


async def merged(
    messages: list[tuple[int, Thread | None]], deleted: list[tuple[int, Thread | None]]
) -> list[int]:
    there = [replace(MESSAGE, id=id_, thread=thread) for id_, thread in messages]
    changes = [replace(CHANGE, message_id=id_, thread=thread) for id_, thread in deleted]
    return [message.id async for message in with_changes(stream(there), changes)]


@pytest.mark.parametrize(
    ("messages", "deleted", "all_of_them"),
    [
        ([(2, None), (4, None)], [(5, None), (3, None), (1, None)], [1, 2, 3, 4, 5]),
        ([], [(1, None), (2, THREAD)], [1, 2]),
        ([(1, None), (3, THREAD)], [(2, None), (4, THREAD)], [1, 2, 3, 4]),
        ([(5, None), (1, THREAD)], [(2, THREAD), (6, None)], [5, 6, 1, 2]),
        ([(1, None), (2, None)], [(2, None)], [1, 2]),
    ],
    ids=["around", "nothing left", "in a thread", "a thread that is older", "there after all"],
)
async def test_a_deleted_message_stands_where_it_was(
    messages: list[tuple[int, Thread | None]],
    deleted: list[tuple[int, Thread | None]],
    all_of_them: list[int],
) -> None:
    assert await merged(messages, deleted) == all_of_them


async def test_a_message_that_was_edited_and_then_deleted_tells_all_it_said() -> None:
    edits = [replace(CHANGE, kind=ChangeKind.EDITED, content=text) for text in ("one", "two")]
    (deleted,) = [each async for each in with_changes(stream([]), [*edits, CHANGE])]
    assert [earlier.content for earlier in deleted.earlier] == ["one", "two"]
    assert (deleted.content, deleted.deleted_at) == ("It was here", OPENED_AT)
