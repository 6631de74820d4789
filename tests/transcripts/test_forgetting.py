"""One member is taken out of a saved transcript, and all others stay as they were."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from domains.transcripts import (
    Attachment,
    AttachmentUnavailable,
    MembersPart,
    Named,
    TranscriptMessage,
    TranscriptStore,
)
from domains.transcripts.manifest import load_manifest
from tests.transcripts.inspection import assert_harmless
from tests.transcripts.samples import HEADER, MESSAGE, attachment, stream

SAM, ADA, BOT = 100_000_000_000_000_001, 100_000_000_000_000_002, 100_000_000_000_000_003


def message(number: int, author_id: int, content: str, **more: object) -> TranscriptMessage:
    names = {SAM: "Sam <b>", ADA: "Ada", BOT: "Punctual"}
    return replace(
        MESSAGE,
        id=number,
        author_id=author_id,
        author_name=names[author_id],
        content=content,
        **more,  # type: ignore[arg-type]
    )


TALK = [
    message(1, ADA, "It is broken", attachments=(attachment("ada.txt"),)),
    message(
        2,
        SAM,
        "secret one </article> <script>",
        attachments=(replace(attachment("sam.txt"), id=7),),
    ),
    message(3, SAM, "secret two"),
    message(4, ADA, "As you say", reply_to_id=2),
    message(5, ADA, f"Thanks <@{SAM}>, <@!{SAM}>", mentions={f"<@{SAM}>": "@Sam <b>"}),
    message(6, ADA, "Not you, @Samantha", reply_to_id=1),
    message(7, BOT, "Sam's reason: secret three"),
    message(8, SAM, "", attachments=(replace(attachment("sams-secret.bin"), id=8),)),
]


async def download(file: Attachment) -> AsyncIterator[bytes]:
    if file.id == 8:
        raise AttachmentUnavailable("gone")
    yield b"12345"


async def saved(root: Path, talk: list[TranscriptMessage] = TALK) -> TranscriptStore:
    store = TranscriptStore(root)
    header = replace(HEADER, closed_by=Named(SAM, "Sam (@sam)"), reason="secret four")
    await store.save(header, stream(talk), download)
    return store


def page(store: TranscriptStore) -> str:
    transcript = store.find(1, 42)
    assert transcript is not None
    return transcript.path.read_text(encoding="utf-8")


def all_text(root: Path) -> str:
    files = [path for path in root.rglob("*") if path.is_file()]
    return "\n".join(f"{path}\n{path.read_text(encoding='utf-8')}" for path in files)


async def test_messages_files_names_and_ids_go_and_the_others_stay(tmp_path: Path) -> None:
    store = await saved(tmp_path)
    before = assert_harmless(page(store)).with_class("message")
    part = MembersPart(closed_it=True, gave_reason=True, message_ids=(7,))
    await store.erasure.forget(1, 42, SAM, part)
    text = all_text(tmp_path / "1")
    for word in ("secret", "sam.txt", "sams-secret", "Sam &lt;b&gt;", "Sam (", "@sam", str(SAM)):
        assert word not in text, word
    assert "@Samantha" in text
    for word in ("It is broken", "As you say", "Thanks", "ada.txt", "Ada"):
        assert word in text, word
    assert len(assert_harmless(page(store)).with_class("message")) == len(before) == len(TALK)
    transcript = store.find(1, 42)
    assert transcript is not None
    assert transcript.message_count == len(TALK)
    assert [kept.filename for kept in transcript.attachments] == ["ada.txt"]
    assert transcript.missed == ()


async def test_who_is_forgotten_is_named_nowhere_in_the_head(tmp_path: Path) -> None:
    store = TranscriptStore(tmp_path)
    sam = Named(SAM, "Sam (@sam)")
    header = replace(HEADER, closed_by=None, cause="expired", asked_by=sam, locale="de")
    await store.save(header, stream(TALK), download)
    await store.erasure.forget(1, 42, SAM, MembersPart())
    text = page(store)
    assert text.count(">ein früheres Mitglied<") == 2  # asked for it, took part
    assert "Sam (@sam)" not in text
    assert "Entfernt." in text
    assert_harmless(text)


async def test_who_closed_it_is_taken_out_of_a_page_of_an_older_version(tmp_path: Path) -> None:
    store = await saved(tmp_path)
    path = tmp_path / "1" / "42" / "index.html"
    older = path.read_text(encoding="utf-8").replace(f' data-user="{SAM}"', "")
    older = older.replace(' data-fact="closed"', "").replace(' data-fact="reason"', "")
    path.write_text(older, encoding="utf-8")
    part = MembersPart(closed_it=True, gave_reason=True)
    await store.erasure.forget(1, 42, SAM, part)
    assert 'by <bdi class="name">a former member</bdi>' in page(store)
    assert "secret four" not in page(store)


async def test_forgetting_twice_changes_nothing_more(tmp_path: Path) -> None:
    store = await saved(tmp_path)
    await store.erasure.forget(1, 42, SAM, MembersPart())
    once = all_text(tmp_path)
    await store.erasure.forget(1, 42, SAM, MembersPart())
    assert all_text(tmp_path) == once


async def test_only_transcripts_that_name_the_member_are_about_them(tmp_path: Path) -> None:
    store = await saved(tmp_path)
    assert await store.erasure.about(SAM, 1) == [42]
    assert await store.erasure.about(SAM + 9, 1) == []
    assert await store.erasure.about(SAM, 2) == []
    await store.erasure.forget(1, 42, SAM, MembersPart())
    assert await store.erasure.about(SAM, 1) == []


async def test_ones_own_words_come_without_anybody_elses(tmp_path: Path) -> None:
    talk = [*TALK, message(9, SAM, "secret five", reply_to_id=1)]
    store = await saved(tmp_path, talk)
    words = await store.erasure.own_words(1, 42, SAM)
    assert words is not None
    for word in ("secret one", "secret two", "secret five"):
        assert word in words.page
    for word in ("broken", "As you say", "Thanks", "ada.txt", "A double charge", "secret four"):
        assert word not in words.page
    assert [path.name for path in words.files] == ["2-sam.txt"]
    assert_harmless(words.page)


async def test_a_transcript_of_an_older_version_is_left_and_said_to_be_one(tmp_path: Path) -> None:
    store = await saved(tmp_path)
    manifest = load_manifest(tmp_path / "1" / "42")
    assert manifest is not None
    manifest.model_copy(update={"people": None}).write(tmp_path / "1" / "42")
    assert not await store.erasure.tells_authors(1, 42)
    before = all_text(tmp_path)
    await store.erasure.forget(1, 42, SAM, MembersPart())
    assert all_text(tmp_path) == before
    assert await store.erasure.tells_authors(1, 43), "there is none"
    assert await store.erasure.delete(1, 42)
    assert not await store.erasure.delete(1, 42)
    assert store.find(1, 42) is None


async def test_however_many_transcripts_a_server_has_they_are_listed_once_a_save_and_not_to_forget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With 100,000 of them that takes a tenth of a second, in which nobody else can save."""
    store = await saved(tmp_path)
    listed: list[str] = []
    list_directory = os.listdir

    def counting(path: str | Path) -> list[str]:
        if Path(path).parent == tmp_path:
            listed.append(str(path))
        return list_directory(path)

    monkeypatch.setattr(os, "listdir", counting)
    await saved(tmp_path)
    assert len(listed) == 1
    await store.erasure.forget(1, 42, SAM, MembersPart())
    assert len(listed) == 1
