"""What a reader of the page finds in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from domains.ticket_lifecycle.models import CloseCause
from domains.transcripts import (
    ActionRow,
    Container,
    Control,
    ControlLook,
    EarlierText,
    Embed,
    MediaGallery,
    Named,
    Poll,
    Section,
    Separator,
    Snapshot,
    TextDisplay,
    Thread,
    TranscriptHeader,
    TranscriptMessage,
    TranscriptStore,
)
from domains.transcripts.collecting import Download
from locales import LOCALES, Text

from .inspection import Page, assert_harmless
from .samples import (
    HEADER,
    MESSAGE,
    OPENED_AT,
    PNG,
    always,
    attached,
    attachment,
    five_bytes,
    gone,
    said,
    stream,
)


async def page_of(
    root: Path,
    messages: Sequence[TranscriptMessage],
    *,
    header: TranscriptHeader = HEADER,
    download: Download = five_bytes,
) -> Page:
    saved = await TranscriptStore(root).save(header, stream(messages), download)
    return assert_harmless(saved.path.read_text(encoding="utf-8"))


async def test_the_top_tells_the_facts_of_the_ticket(tmp_path: Path) -> None:
    page = await page_of(tmp_path, said("Hello"))
    for fact in (
        "A double charge",
        "Acme Store",
        "#ticket-0042",
        "0042",
        "26 August 2026, 18:04 UTC",
        "Sam",
        "26 August 2026, 21:09 UTC",
        "Ada",
        "after 3 hours 5 minutes",
        "Refunded",
        "Sam 1 message",
        "Contents1 message",
    ):
        assert fact in page.text


async def test_the_top_tells_why_it_closed_who_had_asked_and_how_late_in_the_servers_language(
    tmp_path: Path,
) -> None:
    header = replace(
        HEADER, closed_by=None, cause="expired", asked_by=Named(3, "Ada"), late_ms=1234, locale="de"
    )
    page = await page_of(tmp_path, said("Hallo"), header=header)
    assert page.named("html") == [{"lang": "de"}]
    for fact in (
        "26. August 2026, 21:09 UTC vom Bot, nach 3 Stunden 5 Minuten",
        "Das Mitglied hat nicht rechtzeitig geantwortet. Es wurde 1,2 s nach der Frist",
        "Angefragt vonAda",
        "Mittwoch, 26. August 2026, UTC",
        "1 Nachricht",
    ):
        assert fact in page.text, fact


@pytest.mark.parametrize("cause", CloseCause)
async def test_every_cause_has_its_words(tmp_path: Path, cause: CloseCause) -> None:
    for locale in LOCALES:
        header = replace(HEADER, cause=cause, locale=locale)
        await page_of(tmp_path, [], header=header)


async def test_facts_that_are_not_known_are_left_out(tmp_path: Path) -> None:
    header = replace(HEADER, subject=None, closed_by=None, reason=None)
    page = await page_of(tmp_path, [], header=header)
    assert "Ticket without a subject" in page.text
    assert "None" not in page.text
    assert "Nobody wrote anything in this ticket." in page.text


async def test_messages_stand_in_the_order_they_were_sent(tmp_path: Path) -> None:
    contents = [f"message number {n}." for n in range(250)]
    page = await page_of(tmp_path, said(*contents))
    positions = [page.text.index(content) for content in contents]
    assert positions == sorted(positions)


async def test_a_new_day_is_marked_once(tmp_path: Path) -> None:
    later = replace(MESSAGE, id=1001, sent_at=OPENED_AT + timedelta(days=1))
    page = await page_of(tmp_path, [MESSAGE, later, replace(later, id=1002)])
    assert len(page.with_class("day")) == 2
    assert page.text.count("Thursday, 27 August 2026") == 1


async def test_messages_of_one_author_in_a_row_name_the_author_once(tmp_path: Path) -> None:
    other = replace(MESSAGE, id=1002, author_id=3, author_name="Ada")
    page = await page_of(tmp_path, [MESSAGE, replace(MESSAGE, id=1001), other])
    assert len(page.with_class("message")) == 3
    assert len(page.with_class("avatar")) == 2


async def test_a_pause_begins_a_new_block(tmp_path: Path) -> None:
    later = replace(MESSAGE, id=1001, sent_at=OPENED_AT + timedelta(minutes=8))
    page = await page_of(tmp_path, [MESSAGE, later])
    assert len(page.with_class("avatar")) == 2


async def test_a_bot_has_a_badge(tmp_path: Path) -> None:
    page = await page_of(tmp_path, [replace(MESSAGE, author_is_bot=True)])
    assert len(page.with_class("badge")) == 1


async def test_an_edited_message_says_so_and_when(tmp_path: Path) -> None:
    edited = replace(MESSAGE, edited_at=OPENED_AT + timedelta(minutes=2))
    page = await page_of(tmp_path, [edited])
    assert page.with_class("edited")[0]["title"] == "26 August 2026, 18:06 UTC"
    assert "(edited 18:06)" in page.text


async def test_a_reply_shows_and_links_what_it_answers(tmp_path: Path) -> None:
    question, answer = said("Where is my **refund**?", "On its way")
    page = await page_of(tmp_path, [question, replace(answer, reply_to_id=question.id)])
    assert "#m1000" in page.values("href")
    assert "Where is my refund?" in page.text


async def test_a_reply_shows_what_it_answers_across_batches(tmp_path: Path) -> None:
    messages = said(*(f"number {n}." for n in range(250)))
    messages[-1] = replace(messages[-1], reply_to_id=messages[0].id)
    page = await page_of(tmp_path, messages)
    assert page.text.count("number 0.") == 2


async def test_a_reply_to_something_unknown_says_so(tmp_path: Path) -> None:
    page = await page_of(tmp_path, [replace(MESSAGE, reply_to_id=5)])
    assert "a message that is not in this transcript" in page.text


@pytest.mark.parametrize(
    ("answered", "line"),
    [
        (replace(MESSAGE, content="", attachments=(attachment(),)), "an attachment"),
        (replace(MESSAGE, content="", embeds=(Embed(title="Close request"),)), "Close request"),
        (replace(MESSAGE, content="", components=(Container((TextDisplay("# Hi"),)),)), "Hi"),
        (replace(MESSAGE, content=""), "a message without text"),
    ],
)
async def test_a_reply_to_a_message_without_text_says_what_it_was(
    tmp_path: Path, answered: TranscriptMessage, line: str
) -> None:
    page = await page_of(tmp_path, [answered, replace(MESSAGE, id=1001, reply_to_id=1000)])
    assert f"Sam {line}" in page.text


async def test_an_embed_is_whole(tmp_path: Path) -> None:
    embed = Embed(
        title="Title",
        description="**Text**",
        fields=(("Name", "Value"),),
        footer="Footer",
        url="https://a.example/",
        provider="Provider",
        author="Author",
        author_url="https://b.example/",
        video_url="https://c.example/",
        timestamp=OPENED_AT,
        pictures=(attachment("picture.png"),),
    )
    page = await page_of(tmp_path, [replace(MESSAGE, embeds=(embed,))], download=always(PNG))
    for part in ("Title", "Text", "Name", "Value", "Footer", "Provider", "Author", "26 August"):
        assert part in page.text
    assert {f"https://{host}.example/" for host in "abc"} <= set(page.values("href"))
    assert page.values("src") == ["attachments/1-picture.png"]


async def test_all_that_a_message_can_hold_is_shown(tmp_path: Path) -> None:
    inside = (
        TextDisplay("**A text**"),
        Control("A button", "https://d.example/"),
        attachment("clip.mp4"),
    )
    message = replace(
        MESSAGE,
        components=inside,
        forwarded=(Snapshot("What was forwarded", OPENED_AT, OPENED_AT, (), (), inside),),
        poll=Poll("A question?", (("An answer", 1), ("Another", 2)), OPENED_AT, has_ended=False),
        reactions=(("👍", 3),),
        notes=(Text("transcript.pinned"),),
        thread=Thread(5, "A thread"),
        earlier=(EarlierText("What it said", OPENED_AT),),
        deleted_at=OPENED_AT,
    )
    page = await page_of(tmp_path, [message])
    for part in (
        "A text", "A button", "clip.mp4", "What was forwarded", "A question?", "An answer 1 vote",
        "Another 2 votes", "👍 3", "Pinned", "In the thread A thread", "What it said", "Deleted",
    ):  # fmt: skip
        assert part in " ".join(page.text.split()), part


async def test_a_card_stands_as_it_stood_in_its_colour(tmp_path: Path) -> None:
    gone, kept = attachment("gone.txt"), attachment("kept.png")
    card = Container(
        (
            TextDisplay("### Closed"),
            Section((TextDisplay("A text"),), accessory=Control("Retry", look=ControlLook.DANGER)),
            Separator(),
            MediaGallery((kept,)),
            gone,
            ActionRow((Control("Choose", look=ControlLook.MENU, options=("One", "Two")),)),
        ),
        colour=0x57F287,
    )
    message = replace(MESSAGE, content="", components=(card,), embeds=(Embed(colour=0xED4245),))
    page = await page_of(tmp_path, [message], download=always(PNG))
    kinds = [a["class"] for tag, a in page.elements if tag in ("div", "span") and "class" in a]
    assert [kind for kind in kinds if kind not in ("body", "avatar tint-2")] == [
        "container colour-57f287", "component", "section", "component", "accessory",
        "control danger", "separator line", "gallery", "row", "control menu",
        "embed colour-ed4245",
    ]  # fmt: skip
    assert "Choose: One, Two" in page.text
    assert ".colour-57f287 { --bar: #57f287; }" in page.style
    assert ".colour-ed4245 { --bar: #ed4245; }" in page.style


async def test_a_file_that_is_shorter_than_was_said_shows_that_it_is(tmp_path: Path) -> None:
    page = await page_of(tmp_path, attached(attachment("log.txt", size=2048)))
    assert "5 Bytes of 2.0 KiB" in page.text


async def test_a_picture_is_shown_where_it_was_sent(tmp_path: Path) -> None:
    page = await page_of(tmp_path, attached(attachment("shot.png")), download=always(PNG))
    assert [image["src"] for image in page.named("img")] == ["attachments/1-shot.png"]


@pytest.mark.parametrize(
    "data",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<html><script>alert(1)</script>",
        b"",
        b"RIFF\0\0\0\0WAVE",
    ],
)
async def test_what_only_calls_itself_a_picture_is_a_download(tmp_path: Path, data: bytes) -> None:
    page = await page_of(tmp_path, attached(attachment("shot.png")), download=always(data))
    assert page.named("img") == []
    assert page.with_class("file")[0]["download"] == "shot.png"


@pytest.mark.parametrize(
    "magic", [PNG, b"\xff\xd8\xff\xe0", b"GIF87a", b"GIF89a", b"RIFF\0\0\0\0WEBPVP8 "]
)
async def test_png_jpeg_gif_and_webp_are_pictures(tmp_path: Path, magic: bytes) -> None:
    page = await page_of(tmp_path, attached(attachment("shot.png")), download=always(magic))
    assert len(page.named("img")) == 1


@pytest.mark.parametrize("name", ["page.html", "page.xhtml", "drawing.svg", "feed.xml", "a.js"])
async def test_live_documents_are_stored_under_a_dead_name(tmp_path: Path, name: str) -> None:
    page = await page_of(tmp_path, attached(attachment(name)))
    link = page.with_class("file")[0]
    assert link["href"] == f"attachments/1-{name}.bin"
    assert link["download"] == f"{name}.bin"


async def test_a_missing_attachment_is_named_with_the_reason(tmp_path: Path) -> None:
    page = await page_of(tmp_path, attached(attachment("log.txt")), download=gone)
    assert "log.txt" in page.text
    assert "not saved: Discord <no longer> has it" in page.text
    assert "1 attachment not saved" in page.text
